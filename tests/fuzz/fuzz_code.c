#include <string.h>

#include "core/receipt.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"
#include "passation/received.h"

static void check_words(const struct psn_secret *code)
{
    for (size_t i = 0; i < psn_secret_size(code); i++) {
        uint8_t byte = psn_secret_bytes(code)[i];

        MUST((byte >= 'a' && byte <= 'z') || byte == '-');
    }
}

/* A normal form is its own normal form, and holds nothing but words. */
static void check_code(const uint8_t *bytes, size_t size)
{
    struct psn_secret *typed = NULL;
    struct psn_secret *code = NULL;
    struct psn_secret *again = NULL;

    MUST(psn_secret_new(size + 1, &typed, NULL) == PSN_OK);
    if (size)
        MUST(psn_secret_append(typed, bytes, size, NULL) == PSN_OK);
    if (psn_code_normalize(typed, &code, NULL) == PSN_OK) {
        check_words(code);
        MUST(psn_code_normalize(code, &again, NULL) == PSN_OK);
        MUST(psn_secret_equal(code, again));
    }
    psn_secret_free(typed);
    psn_secret_free(code);
    psn_secret_free(again);
}

static void check_receipt(const uint8_t *bytes, size_t size)
{
    char code[PSN_RECEIPT_SIZE];
    char again[PSN_RECEIPT_SIZE];
    char *typed = malloc(size + 1);

    MUST(typed);
    if (size)
        memcpy(typed, bytes, size);
    typed[size] = '\0';
    if (psn_receipt_normalize(typed, code, NULL) == PSN_OK) {
        MUST(strlen(code) == PSN_RECEIPT_SIZE - 1);
        MUST(psn_receipt_normalize(code, again, NULL) == PSN_OK);
        MUST(strcmp(code, again) == 0);
    }
    free(typed);
}

/* What people type: the code of an issue, and a receipt code. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    MUST(!psn_crypto_init(NULL));
    check_code(bytes, size);
    check_receipt(bytes, size);
    return 0;
}

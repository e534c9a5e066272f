#include <string.h>

#include "core/opened.h"
#include "crypto/init.h"
#include "fuzz/target.h"
#include "support/issue_text.h"

static struct psn_secret *secret_of(const uint8_t *bytes, size_t size)
{
    struct psn_secret *secret = NULL;

    MUST(psn_secret_new(size + 1, &secret, NULL) == PSN_OK);
    if (size)
        MUST(psn_secret_append(secret, bytes, size, NULL) == PSN_OK);
    return secret;
}

/* One document has one text: a reader who accepts a second spelling of the same issue
 * could be shown something else than what another reader sees. */
static void check_canonical(const struct psn_secret *text,
                            const struct psn_document *document)
{
    struct psn_secret *again = NULL;
    size_t size;

    MUST(issue_text_rewrite(document, &again, NULL) == PSN_OK);
    size = issue_text_end(text, document->signed_size);
    MUST(issue_text_end(again, psn_secret_size(again)) == size);
    MUST(memcmp(psn_secret_bytes(again), psn_secret_bytes(text), size) == 0);
    psn_secret_free(again);
}

static enum psn_code see_account(void *arg, const struct psn_opened_account *account,
                                 struct psn_error *err)
{
    (void)arg;
    (void)err;
    MUST(account->nic[0] && psn_secret_size(account->domains));
    return PSN_OK;
}

static enum psn_code see_file(void *arg, const struct psn_opened_file *file,
                              struct psn_error *err)
{
    (void)arg;
    (void)err;
    MUST(file->name[0] && file->media[0] && file->content);
    return PSN_OK;
}

/* What only version 2 has. */
static void read_own(const struct psn_document *document)
{
    struct psn_opened opened = { .document = *document };

    MUST(document->version == 2 || document->blocks[1].kind == PSN_BLOCK_MAILBOX);
    MUST(psn_opened_account(&opened, see_account, NULL, NULL) == PSN_OK);
    MUST(psn_opened_each_file(&opened, see_file, NULL, NULL) == PSN_OK);
}

/* Whatever the parser accepts can be read to the end, or is refused without a crash. */
static void read_blocks(const struct psn_document *document)
{
    for (size_t i = 1; i < document->count; i++) {
        enum psn_block_kind kind = document->blocks[i].kind;
        struct psn_opened_secret secret;
        struct psn_secret *value = NULL;

        if (kind != PSN_BLOCK_MAILBOX && kind != PSN_BLOCK_SECRET)
            continue;
        if (psn_opened_block(&document->blocks[i], &secret, &value, NULL) == PSN_OK)
            MUST(value);
        psn_secret_free(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_secret *text;
    struct psn_document document;
    struct psn_opened *opened = NULL;

    MUST(!psn_crypto_init(NULL));
    text = secret_of(bytes, size);
    if (psn_document_parse(text, &document, NULL) == PSN_OK) {
        check_canonical(text, &document);
        read_blocks(&document);
        read_own(&document);
        psn_document_release(&document);
    }
    if (psn_opened_read(&text, &opened, NULL) == PSN_OK)
        psn_opened_free(opened);
    MUST(!text);
    return 0;
}

#include "support/interop.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "ovh/sign.h"

/*
 * passation-interop: plain commands over the library's own objects, so that its formats
 * can be held against the rest of the world. Built with the tests, never installed: it
 * takes keys as arguments, which the product never does.
 */
int interop_fail(const struct psn_error *err)
{
    char shown[2 * PSN_ERROR_MESSAGE_MAX];

    (void)fprintf(stderr, "passation-interop: %s\n",
                  psn_text_shown(err->message, shown, sizeof shown));
    return psn_code_exit_status(err->code);
}

/* ovh-sign AK AS CK METHOD URL BODYFILE TIME */
static int ovh_sign(char **args)
{
    PSN_AUTO_RELEASE(psn_buf) body = psn_buf_init(PSN_BODY_MAX);
    PSN_AUTO(psn_secret) *secret = NULL;
    PSN_AUTO(psn_secret) *consumer = NULL;
    struct psn_error err = { 0 };
    char signature[PSN_OVH_SIGNATURE_SIZE];
    const char *body_path = args[5];
    bool has_body = strcmp(body_path, "-") != 0;
    uint64_t time_s;
    enum psn_code rc = PSN_OK;

    if (!psn_text_parse_u64(args[6], INT64_MAX, &time_s))
        rc = psn_fail(&err, PSN_E_INVALID, "TIME is not a number of seconds");
    if (!rc && has_body)
        rc = psn_file_read(body_path, &body, &err);
    if (!rc)
        rc = psn_secret_copy(args[1], strlen(args[1]), &secret, &err);
    if (!rc)
        rc = psn_secret_copy(args[2], strlen(args[2]), &consumer, &err);
    if (!rc)
        rc = psn_ovh_sign(secret, consumer,
                          &(struct psn_ovh_signed){ .method = args[3],
                                                    .url = args[4],
                                                    .body = has_body ? body.data : NULL,
                                                    .body_size = body.size,
                                                    .time_s = (int64_t)time_s },
                          signature, &err);
    if (rc)
        return interop_fail(&err);
    (void)printf("%s\n", signature);
    return 0;
}

/* arg_count counts the arguments that a command always has; -1: it parses them itself. */
static const struct {
    const char *name;
    int arg_count;
    int (*run)(char **args);
    const char *usage;
} commands[] = {
    { "ovh-sign", 7, ovh_sign, "AK AS CK METHOD URL BODYFILE TIME" },
    { "age-encrypt", -1, interop_age_encrypt,
      "(-r RECIPIENT... | --passphrase-file F) [-a] -o OUT IN" },
    { "age-decrypt", -1, interop_age_decrypt, "(-i IDFILE | --passphrase-file F) FILE" },
    { "minisign-sign", 4, interop_minisign_sign, "KEY FILE SIG TRUSTED" },
    { "minisign-verify", 3, interop_minisign_verify, "PUB FILE SIG" },
    { "sshsig-sign", 4, interop_sshsig_sign, "KEYFILE NAMESPACE FILE SIG" },
    { "sshsig-verify", 5, interop_sshsig_verify, "ALLOWED IDENTITY NAMESPACE FILE SIG" },
    { "kdbx-write", 4, interop_kdbx_write, "ENTRIES NAME PASSFILE OUT" },
    { "kdbx-read", 2, interop_kdbx_read, "PASSFILE FILE" },
    { "kdbx-verify", 3, interop_kdbx_verify, "ENTRIES PASSFILE FILE" },
    { "bitwarden-write", 2, interop_bitwarden_write, "ENTRIES OUT" },
    { "profile", 2, interop_profile, "apple|autoconfig SETTINGS" },
};

static int run(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0 &&
            (commands[i].arg_count < 0 || argc - 2 == commands[i].arg_count))
            return commands[i].run(argv + 2);
    return INTEROP_USAGE;
}

int main(int argc, char **argv)
{
    struct psn_error err = { 0 };
    int status;

    if (psn_crypto_init(&err))
        return interop_fail(&err);
    status = run(argc, argv);
    if (status != INTEROP_USAGE)
        return status;
    (void)fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        (void)fprintf(stderr, "  passation-interop %s %s\n", commands[i].name,
                      commands[i].usage);
    return 2;
}

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
static int fail(const struct psn_error *err)
{
    (void)fprintf(stderr, "passation-interop: %s\n", err->message);
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
        return fail(&err);
    (void)printf("%s\n", signature);
    return 0;
}

static const struct {
    const char *name;
    int arg_count;
    int (*run)(char **args);
    const char *usage;
} commands[] = {
    { "ovh-sign", 7, ovh_sign, "AK AS CK METHOD URL BODYFILE TIME" },
};

int main(int argc, char **argv)
{
    struct psn_error err = { 0 };

    if (psn_crypto_init(&err))
        return fail(&err);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (argc - 2 == commands[i].arg_count && strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argv + 2);
    (void)fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        (void)fprintf(stderr, "  passation-interop %s %s\n", commands[i].name,
                      commands[i].usage);
    return 2;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "passation/signature.h"
#include "support/interop.h"

/*
 * minisign-sign KEY FILE SIG TRUSTED          minisign-verify PUB FILE SIG
 * sshsig-sign KEYFILE NAMESPACE FILE SIG      sshsig-verify ALLOWED IDENTITY NAMESPACE FILE SIG
 *
 * What holds is said on stdout; the exit status is the library's: 0, 5 (a key with a
 * password, a signer that is not allowed), 6 (a signature that does not hold).
 */

/* A file as a source. */
struct input {
    struct psn_stream_fd file;
    struct psn_source source;
};

static enum psn_code input_open(const char *path, struct input *input,
                                struct psn_error *err)
{
    input->file = (struct psn_stream_fd){ -1, path };
    input->source = psn_source_fd(&input->file);
    return psn_file_open(path, &input->file.fd, err);
}

static void input_release(struct input *input)
{
    psn_closep(&input->file.fd);
}

static const struct input no_input = { .file = { .fd = -1 } };

static enum psn_code write_text(const char *path, const char *text, struct psn_error *err)
{
    return psn_file_write(path, text, strlen(text), PSN_FILE_REPLACE, err);
}

int interop_minisign_sign(char **args)
{
    PSN_AUTO_RELEASE(input) input = no_input;
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO_FREE char *signature = NULL;
    struct psn_minisign_key key;
    struct psn_error err = { 0 };
    enum psn_code rc;

    rc = psn_secret_read_file(args[0], PSN_KEY_FILE_MAX, &text, &err);
    if (!rc)
        rc = psn_minisign_secret_parse(text, &seed, &key, &err);
    if (!rc)
        rc = input_open(args[1], &input, &err);
    if (!rc)
        rc = psn_minisign_sign(seed, &key, &input.source, args[3], &signature, &err);
    if (!rc)
        rc = write_text(args[2], signature, &err);
    return rc ? interop_fail(&err) : 0;
}

int interop_minisign_verify(char **args)
{
    PSN_AUTO_RELEASE(psn_buf) public = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) signature = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    PSN_AUTO_RELEASE(input) input = no_input;
    PSN_AUTO_FREE char *comment = NULL;
    struct psn_minisign_key key;
    struct psn_error err = { 0 };
    enum psn_code rc;

    rc = psn_file_read(args[0], &public, &err);
    if (!rc)
        rc = psn_minisign_public_parse(psn_buf_str(&public), public.size, &key, &err);
    if (!rc)
        rc = psn_file_read(args[2], &signature, &err);
    if (!rc)
        rc = input_open(args[1], &input, &err);
    if (!rc)
        rc = psn_minisign_verify(psn_buf_str(&signature), signature.size, &key,
                                 &input.source, &comment, &err);
    if (rc)
        return interop_fail(&err);
    psn_text_escape(&shown, comment, strlen(comment));
    (void)printf("trusted comment: %s\n", psn_buf_str(&shown));
    return 0;
}

int interop_sshsig_sign(char **args)
{
    PSN_AUTO_RELEASE(input) input = no_input;
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO_FREE char *signature = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc;

    rc = psn_secret_read_file(args[0], PSN_KEY_FILE_MAX, &text, &err);
    if (!rc)
        rc = psn_ssh_seed_parse(text, &seed, &err);
    if (!rc)
        rc = input_open(args[2], &input, &err);
    if (!rc)
        rc = psn_sshsig_sign(seed, args[1], &input.source, &signature, &err);
    if (!rc)
        rc = write_text(args[3], signature, &err);
    return rc ? interop_fail(&err) : 0;
}

int interop_sshsig_verify(char **args)
{
    PSN_AUTO_RELEASE(psn_buf) allowed = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) signature = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    PSN_AUTO_RELEASE(input) input = no_input;
    uint8_t key[PSN_SIGNATURE_KEY_SIZE];
    struct psn_error err = { 0 };
    enum psn_code rc;

    rc = psn_file_read(args[0], &allowed, &err);
    if (!rc)
        rc = psn_file_read(args[4], &signature, &err);
    if (!rc)
        rc = psn_sshsig_claimed_key(psn_buf_str(&signature), signature.size, key, &err);
    if (!rc)
        rc = psn_allowed_signers_check(psn_buf_str(&allowed), allowed.size, args[1],
                                       args[2], key, psn_clock_now_s(), &err);
    if (!rc)
        rc = input_open(args[3], &input, &err);
    if (!rc)
        rc = psn_sshsig_verify(psn_buf_str(&signature), signature.size, key, args[2],
                               &input.source, &err);
    if (rc)
        return interop_fail(&err);
    (void)printf("good signature\n");
    return 0;
}

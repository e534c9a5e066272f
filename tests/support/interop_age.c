#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "age/lists.h"
#include "base/file.h"
#include "base/limits.h"
#include "crypto/secret.h"
#include "support/interop.h"

/*
 * age-encrypt (-r RECIPIENT… | --passphrase-file F) [-a] -o OUT IN
 * age-decrypt (-i IDFILE | --passphrase-file F) FILE
 *
 * OUT appears whole or not at all; if it is there and not a regular file, it is written
 * to. Plain text leaves age-decrypt only when the whole file has been proved.
 */
enum {
    WORK_FACTOR = 16, /* what issues use, whose codes are generated */
    EXIT_HEADER = 20,
    EXIT_NO_MATCH = 21,
    EXIT_HMAC = 22,
    EXIT_PAYLOAD = 23,
    EXIT_ARMOR = 24
};

static bool is_flag(char **args, const char *name)
{
    return *args && strcmp(*args, name) == 0 && args[1];
}

struct output {
    int fd;
    char sibling[4096]; /* to be renamed; "": written in place */
};

static enum psn_code open_output(const char *path, struct output *out,
                                 struct psn_error *err)
{
    struct stat info;

    out->sibling[0] = '\0';
    if (strcmp(path, "-") == 0) {
        out->fd = dup(STDOUT_FILENO);
    } else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        out->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        (void)snprintf(out->sibling, sizeof out->sibling, "%s.XXXXXX", path);
        out->fd = mkstemp(out->sibling);
    }
    if (out->fd < 0)
        return psn_fail(err, psn_file_code(errno), "cannot create '%s': %s", path,
                        strerror(errno));
    return PSN_OK;
}

static enum psn_code close_output(const char *path, struct output *out, enum psn_code rc,
                                  struct psn_error *err)
{
    bool settles = out->sibling[0] != '\0';

    if (!rc && settles && fsync(out->fd) != 0)
        rc = psn_fail(err, psn_file_code(errno), "cannot write '%s'", path);
    if (close(out->fd) != 0 && !rc)
        rc = psn_fail(err, psn_file_code(errno), "cannot write '%s'", path);
    if (!rc && settles && rename(out->sibling, path) != 0)
        rc = psn_fail(err, psn_file_code(errno), "cannot write '%s'", path);
    if (rc && settles)
        (void)unlink(out->sibling);
    return rc;
}

struct encrypt {
    struct psn_age_recipients *to;
    bool armor;
    const char *out;
    const char *in;
};

static void encrypt_release(struct encrypt *encrypt)
{
    psn_age_recipients_free(encrypt->to);
}

static enum psn_code add_passphrase(struct psn_age_recipients *to, const char *path,
                                    struct psn_error *err)
{
    PSN_AUTO(psn_secret) *passphrase = NULL;
    enum psn_code rc = psn_secret_read_file(path, PSN_SECRET_MAX, &passphrase, err);

    return rc ? rc
              : psn_age_recipients_set_passphrase(to, passphrase, WORK_FACTOR, err);
}

/* False if the arguments are not those of the usage. */
static bool parse_encrypt(char **args, struct encrypt *encrypt, enum psn_code *rc,
                          struct psn_error *err)
{
    while (*args && !*rc) {
        if (is_flag(args, "-r")) {
            *rc = psn_age_recipients_add(encrypt->to, *++args, err);
        } else if (is_flag(args, "--passphrase-file")) {
            *rc = add_passphrase(encrypt->to, *++args, err);
        } else if (is_flag(args, "-o") && !encrypt->out) {
            encrypt->out = *++args;
        } else if (strcmp(*args, "-a") == 0) {
            encrypt->armor = true;
        } else if (!encrypt->in && (**args != '-' || !args[0][1])) {
            encrypt->in = *args;
        } else {
            return false;
        }
        args++;
    }
    return *rc || (encrypt->in && encrypt->out);
}

int interop_age_encrypt(char **args)
{
    PSN_AUTO_RELEASE(encrypt) encrypt = { 0 };
    PSN_AUTO_FD int fd = -1;
    struct psn_error err = { 0 };
    struct psn_stream_fd in;
    struct psn_stream_fd out;
    struct psn_source source;
    struct psn_sink sink;
    struct output output;
    enum psn_code rc;

    rc = psn_age_recipients_new(&encrypt.to, &err);
    if (!rc && !parse_encrypt(args, &encrypt, &rc, &err))
        return INTEROP_USAGE;
    if (!rc)
        rc = psn_file_open(encrypt.in, &fd, &err);
    if (!rc)
        rc = open_output(encrypt.out, &output, &err);
    if (rc)
        return interop_fail(&err);
    in = (struct psn_stream_fd){ fd, encrypt.in };
    out = (struct psn_stream_fd){ output.fd, encrypt.out };
    source = psn_source_fd(&in);
    sink = psn_sink_fd(&out);
    rc = psn_age_encrypt(encrypt.to, encrypt.armor, &source, &sink, &err);
    rc = close_output(encrypt.out, &output, rc, &err);
    return rc ? interop_fail(&err) : 0;
}

static int failure_status(enum psn_age_failure failure, const struct psn_error *err)
{
    int status = interop_fail(err);

    switch (failure) {
    case PSN_AGE_NO_FAILURE:
        break;
    case PSN_AGE_HEADER:
        return EXIT_HEADER;
    case PSN_AGE_NO_MATCH:
        return EXIT_NO_MATCH;
    case PSN_AGE_HMAC:
        return EXIT_HMAC;
    case PSN_AGE_PAYLOAD:
        return EXIT_PAYLOAD;
    case PSN_AGE_ARMOR:
        return EXIT_ARMOR;
    }
    return status;
}

static enum psn_code add_identity(struct psn_age_identities *by, bool is_passphrase,
                                  const char *path, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *text = NULL;
    enum psn_code rc = psn_secret_read_file(path, PSN_KEY_FILE_MAX, &text, err);

    if (rc)
        return rc;
    return is_passphrase ? psn_age_identities_add_passphrase(
                               by, text, PSN_AGE_WORK_FACTOR_MAX, err)
                         : psn_age_identities_add(by, text, err);
}

static enum psn_code decrypt(const struct psn_age_identities *by, const char *path,
                             enum psn_age_failure *ret_failure, struct psn_error *err)
{
    PSN_AUTO_FD int fd = -1;
    struct psn_stream_fd out = { STDOUT_FILENO, "stdout" };
    struct psn_sink sink = psn_sink_fd(&out);
    enum psn_code rc = psn_file_open(path, &fd, err);

    if (rc)
        return rc;
    return psn_age_decrypt_file(by, NULL, &(struct psn_stream_fd){ fd, path }, &sink,
                                ret_failure, err);
}

int interop_age_decrypt(char **args)
{
    PSN_AUTO(psn_age_identities) *by = NULL;
    enum psn_age_failure failure = PSN_AGE_NO_FAILURE;
    struct psn_error err = { 0 };
    const char *path = NULL;
    bool any = false;
    enum psn_code rc;

    rc = psn_age_identities_new(&by, &err);
    for (; *args && !rc; args++) {
        if (is_flag(args, "-i") || is_flag(args, "--passphrase-file")) {
            bool is_passphrase = args[0][1] == '-';

            rc = add_identity(by, is_passphrase, *++args, &err);
            any = true;
        } else if (!path && **args != '-') {
            path = *args;
        } else {
            return INTEROP_USAGE;
        }
    }
    if (!rc && (!path || !any))
        return INTEROP_USAGE;
    if (!rc)
        rc = decrypt(by, path, &failure, &err);
    return rc ? failure_status(failure, &err) : 0;
}

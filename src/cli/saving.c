#include "cli/saving.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

enum {
    PATH_MAX_BYTES = 4096 + 128,
};

static enum psn_code path_of(const struct cli_saving *saving, const char *extension,
                             struct psn_buf *path, struct psn_error *err)
{
    psn_buf_format(path, "%s/%s.%s", saving->folder, saving->name, extension);
    return psn_buf_check(path, err);
}

enum psn_code cli_save(const struct cli_saving *saving, const char *extension,
                       const void *bytes, size_t size, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PATH_MAX_BYTES);
    enum psn_code rc = path_of(saving, extension, &path, err);

    if (!rc)
        rc = cli_check_no_key(saving->cli, psn_buf_str(&path), err);
    return rc ? rc
              : psn_file_write(psn_buf_str(&path), bytes, size, PSN_FILE_REPLACE, err);
}

/* True if there is one to be replaced, which has no signature then. */
static enum psn_code unsign(const struct cli_saving *saving, const char *extension,
                            const char *beside, bool *ret_is_there, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) document = psn_buf_init(PATH_MAX_BYTES);
    PSN_AUTO_RELEASE(psn_buf) signature = psn_buf_init(PATH_MAX_BYTES);
    enum psn_code rc = path_of(saving, extension, &document, err);

    if (!rc)
        rc = path_of(saving, beside, &signature, err);
    if (rc)
        return rc;
    *ret_is_there = access(psn_buf_str(&document), F_OK) == 0;
    if (*ret_is_there && unlink(psn_buf_str(&signature)) && errno != ENOENT)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot remove '%s': %s"),
                        CLI_SHOWN(psn_buf_str(&signature)), strerror(errno));
    return PSN_OK;
}

enum psn_code cli_save_signed(const struct cli_saving *saving, const char *extension,
                              const struct psn_buf *text, struct psn_error *err)
{
    PSN_AUTO_FREE char *signature = NULL;
    char beside[16];
    bool is_there = false;
    enum psn_code rc = psn_buf_check(text, err);

    (void)snprintf(beside, sizeof beside, "%s.sig", extension);
    if (!rc)
        rc = psn_file_sign(saving->cli->vault, text->data, text->size, &signature, err);
    if (!rc)
        rc = unsign(saving, extension, beside, &is_there, err);
    if (!rc && is_there)
        rc = cli_save(saving, extension, text->data, text->size, err);
    if (!rc)
        rc = cli_save(saving, beside, signature, strlen(signature), err);
    if (!rc && !is_there)
        rc = cli_save(saving, extension, text->data, text->size, err);
    return rc;
}

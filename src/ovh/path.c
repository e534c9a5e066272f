#include <assert.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "ovh/call.h"

static bool is_unreserved(char c)
{
    return psn_text_is_lower(c) || psn_text_is_upper(c) || psn_text_is_digit(c) ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

static void append_escaped(struct psn_buf *path, const char *part)
{
    for (; *part; part++) {
        if (is_unreserved(*part))
            psn_buf_char(path, *part);
        else
            psn_buf_format(path, "%%%02X", (unsigned)(unsigned char)*part);
    }
}

enum psn_code psn_ovh_path(struct psn_buf *path, const char *pattern,
                           struct psn_ovh_parts parts, struct psn_error *err)
{
    const char *const *next = parts.part;
    bool is_sound = true;

    for (; *pattern; pattern++) {
        const char *part;

        if (*pattern != '*') {
            psn_buf_char(path, *pattern);
            continue;
        }
        part = *next++;
        assert(part);
        is_sound = is_sound && *part && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
        append_escaped(path, part);
    }
    if (!is_sound)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (a name that cannot be one)"));
    return psn_buf_check(path, err);
}

enum psn_code psn_ovh_get_at(struct psn_ovh *ovh, const char *pattern,
                             struct psn_ovh_parts parts, json_t **ret_value,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    enum psn_code rc = psn_ovh_path(&path, pattern, parts, err);

    return rc ? rc : psn_ovh_get(ovh, &path, ret_value, err);
}

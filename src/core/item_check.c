#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/document_form.h"
#include "core/item.h"

/* What may stand in the fields of a secret. */

/* One stable word each; also in passation-secret(1). */
static const char *const types[] = {
    "ovh-api",   "ovh-login", "ftp",        "sftp",       "ssh-key",     "database",
    "cms",       "licence",   "plugin",     "support",    "cdn",         "dns",
    "smtp",      "ci",        "backup-key", "recovery",   "totp",        "paypal",
    "stripe",    "clickbank", "psp",        "bank",       "invoicing",   "billing",
    "supplier",  "ads",       "form",       "newsletter", "social",      "business",
    "calendar",  "helpdesk",  "chat",       "carrier",    "marketplace", "reviews",
    "analytics", "hosting",   "domain",     "repository", "other",       NULL
};

const char *const *psn_secret_types(void)
{
    return types;
}

enum psn_code psn_item_check_label(const char *label, struct psn_error *err)
{
    char shown[128];
    size_t length = strlen(label);

    if (length == 0)
        return psn_fail(err, PSN_E_INVALID, _("a secret needs a label"));
    if (length > PSN_LABEL_MAX || !psn_text_is_plain(label, length) || label[0] == ' ' ||
        label[length - 1] == ' ') {
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' cannot be a label"),
                       psn_text_shown(label, shown, sizeof shown));
        return psn_hint(
            err, PSN_E_INVALID,
            _("use at most 64 bytes of plain text, without blanks at the ends"));
    }
    return PSN_OK;
}

static enum psn_code check_type(const char *type, struct psn_error *err)
{
    char shown[128];

    for (size_t i = 0; types[i]; i++)
        if (strcmp(types[i], type) == 0)
            return PSN_OK;
    if (!type[0])
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no type of secret"),
                   psn_text_shown(type, shown, sizeof shown));
    return psn_hint(err, PSN_E_INVALID,
                    _("one of: ftp, sftp, ssh-key, database, cms, licence, "
                      "plugin, support, stripe, paypal, totp, other …; all "
                      "are in passation-secret(1)"));
}

enum psn_code psn_item_check_fields(const struct psn_secret_info *info,
                                    struct psn_error *err)
{
    int year;
    int month;
    int day;
    enum psn_code rc = check_type(info->type, err);

    if (rc)
        return rc;
    if (!psn_text_is_plain(info->user, strlen(info->user)) ||
        !psn_text_is_plain(info->url, strlen(info->url)))
        return psn_fail(
            err, PSN_E_INVALID,
            _("%s, %s: the user name or address holds characters that cannot be shown"),
            info->address, info->label);
    if (!psn_form_is_note(info->note, strlen(info->note)))
        return psn_fail(err, PSN_E_INVALID,
                        _("%s, %s: the note holds characters that cannot be shown"),
                        info->address, info->label);
    if (info->expires[0] && !psn_clock_parse_date(info->expires, &year, &month, &day)) {
        (void)psn_fail(err, PSN_E_INVALID, _("%s, %s: the expiry is not a date"),
                       info->address, info->label);
        return psn_hint(err, PSN_E_INVALID, _("write it as YYYY-MM-DD"));
    }
    return PSN_OK;
}

/* --- a new one --- */

enum psn_code psn_item_check_free(struct psn_vault *vault,
                                  const struct psn_secret_info *info,
                                  struct psn_role_row *ret_role, struct psn_error *err)
{
    struct psn_item known = { 0 };
    char label[4 * PSN_LABEL_TEXT_MAX];
    enum psn_code rc = psn_item_check_label(info->label, err);

    if (!rc)
        rc = psn_role_read(vault, info->address, ret_role, err);
    if (rc)
        return rc;
    rc = psn_item_read(vault, info->address, info->label, &known, NULL);
    if (rc == PSN_OK) {
        (void)psn_fail(err, PSN_E_EXISTS, _("%s has a secret '%s' already"),
                       info->address, info->label);
        return psn_hint(err, PSN_E_EXISTS,
                        _("give it a new version: passation secret set %s %s"),
                        info->address, psn_text_quoted(info->label, label, sizeof label));
    }
    if (rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc, _("cannot read the secrets of '%s'"), info->address);
    return PSN_OK;
}

enum psn_code psn_item_check_new(const struct psn_secret_info *info,
                                 struct psn_secret_info *ret_checked,
                                 struct psn_error *err)
{
    enum psn_code rc;

    *ret_checked = *info;
    rc = psn_role_normalize(info->address, ret_checked->address, err);
    if (!rc)
        rc = psn_item_check_label(ret_checked->label, err);
    return rc ? rc : psn_item_check_fields(ret_checked, err);
}

enum psn_code psn_secret_check_new(struct psn_vault *vault,
                                   const struct psn_secret_info *info,
                                   struct psn_error *err)
{
    struct psn_secret_info checked;
    struct psn_role_row role;
    enum psn_code rc = psn_item_check_new(info, &checked, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    return rc ? rc
              : psn_vault_end(vault, psn_item_check_free(vault, &checked, &role, err),
                              err);
}

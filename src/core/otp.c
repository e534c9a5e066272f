#include "passation/otp.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/item.h"
#include "core/reveal.h"
#include "crypto/secret.h"
#include "interop/totp.h"

/* Codes of the time. A seed never leaves the vault for one, but who sees a code could
 * have logged in: that counts as having seen the secret. */

void psn_otp_release(struct psn_otp *otp)
{
    psn_secret_free(otp->code);
    psn_secret_free(otp->next);
    *otp = (struct psn_otp){ 0 };
}

static enum psn_code compute(const struct psn_totp *totp, int64_t now_s,
                             struct psn_otp *otp, struct psn_error *err)
{
    enum psn_code rc;

    otp->now_s = now_s;
    otp->from_s = now_s - now_s % totp->period;
    otp->until_s = otp->from_s + totp->period;
    otp->digits = totp->digits;
    otp->period = totp->period;
    otp->algorithm = psn_totp_hash_name(totp->hash);
    rc = psn_totp_code(totp, otp->from_s, &otp->code, err);
    return rc ? rc : psn_totp_code(totp, otp->until_s, &otp->next, err);
}

enum psn_code psn_otp_of(const struct psn_secret *value, int64_t now_s,
                         struct psn_otp *ret_otp, struct psn_error *err)
{
    struct psn_totp totp = { 0 };
    struct psn_otp otp = { 0 };
    enum psn_code rc = psn_totp_parse(value, &totp, err);

    if (rc)
        return rc;
    if (now_s < 0)
        rc = psn_fail(err, PSN_E_UNEXPECTED, _("this computer's clock is before 1970"));
    if (!rc)
        rc = compute(&totp, now_s, &otp, err);
    psn_totp_release(&totp);
    if (rc)
        psn_otp_release(&otp);
    else
        *ret_otp = otp;
    return rc;
}

static enum psn_code fail_recovery(const struct psn_secret_info *info,
                                   struct psn_error *err)
{
    char word[PSN_ERROR_HINT_MAX];

    (void)psn_fail(err, PSN_E_INVALID,
                   _("%s, %s: that holds recovery codes, which each work once"),
                   info->address, info->label);
    return psn_hint(err, PSN_E_INVALID,
                    _("take the next one: passation otp %s %s --recovery"), info->address,
                    psn_text_quoted(info->label, word, sizeof word));
}

static enum psn_code reveal(struct psn_vault *vault, const char *address,
                            const char *label, enum psn_how how, struct psn_otp *otp,
                            struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_item item = { 0 };
    char text[64];
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (rc)
        return rc;
    if (item.info.hidden)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s: the secret '%s' was removed"),
                        address, label);
    if (strcmp(item.info.type, "recovery") == 0)
        return fail_recovery(&item.info, err);
    (void)snprintf(text, sizeof text, "one-time code, %s", psn_how_name(how));
    rc = psn_disclose(vault,
                      &(struct psn_disclosure){ .client = item.client,
                                                .address = address,
                                                .label = label,
                                                .version = item.info.version,
                                                .how = how,
                                                .text = text },
                      &value, err);
    if (rc)
        return rc;
    rc = psn_otp_of(value, vault->world.now_s(), otp, err);
    return rc ? psn_wrap(err, rc, "%s, %s", address, label) : PSN_OK;
}

enum psn_code psn_otp_reveal(struct psn_vault *vault, const char *address,
                             const char *label, enum psn_how how, struct psn_otp *ret_otp,
                             struct psn_error *err)
{
    struct psn_otp otp = { 0 };
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, reveal(vault, normal, label, how, &otp, err), err);
    if (rc)
        psn_otp_release(&otp);
    else
        *ret_otp = otp;
    return rc;
}

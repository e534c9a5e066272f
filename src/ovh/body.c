/* Bodies that hold a password, and what the back-ends share in reading answers. */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "ovh/backend.h"

enum psn_code psn_backend_hand_up(const struct psn_error *from, struct psn_error *err)
{
    if (err && err->code == PSN_OK)
        *err = *from;
    return from->code;
}

enum psn_code psn_body_text(struct psn_secret *body, const char *text,
                            struct psn_error *err)
{
    return psn_secret_append(body, text, strlen(text), err);
}

/* JSON's string form (RFC 8259); bytes from 0x80 stay UTF-8. Written by hand, so that
 * the password is never in another heap. */
enum psn_code psn_body_string(struct psn_secret *body, const void *bytes, size_t size,
                              struct psn_error *err)
{
    const uint8_t *at = bytes;
    enum psn_code rc = psn_secret_append(body, "\"", 1, err);

    for (size_t i = 0; i < size && rc == PSN_OK; i++) {
        char escaped[8];
        int length;

        if (at[i] == '"' || at[i] == '\\')
            length = snprintf(escaped, sizeof escaped, "\\%c", at[i]);
        else if (at[i] < ' ' || at[i] == 0x7f)
            length = snprintf(escaped, sizeof escaped, "\\u%04x", at[i]);
        else
            length = snprintf(escaped, sizeof escaped, "%c", at[i]);
        rc = psn_secret_append(body, escaped, (size_t)length, err);
        explicit_bzero(escaped, sizeof escaped);
    }
    return rc ? rc : psn_secret_append(body, "\"", 1, err);
}

enum psn_code psn_body_password(const struct psn_secret *password,
                                struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *body = NULL;
    enum psn_code rc = psn_secret_new(64 + 6 * psn_secret_size(password), &body, err);

    if (!rc)
        rc = psn_body_text(body, "{\"password\":", err);
    if (!rc)
        rc = psn_body_string(body, psn_secret_bytes(password), psn_secret_size(password),
                             err);
    if (!rc)
        rc = psn_body_text(body, "}", err);
    if (!rc)
        *ret_body = PSN_TAKE(body);
    return rc;
}

enum psn_code psn_expect_address(const json_t *object, const char *name,
                                 const struct psn_mailbox *mailbox, struct psn_error *err)
{
    char address[PSN_ADDRESS_SIZE];
    char found[PSN_ADDRESS_SIZE];
    enum psn_code rc = psn_json_text(object, name, found, sizeof found, err);

    if (rc)
        return rc;
    if (strcasecmp(found, psn_mailbox_address(mailbox, address)) != 0)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (it speaks of another mailbox)"));
    return PSN_OK;
}

#include "age/lists.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "age/bech32.h"
#include "age/header.h"
#include "age/identity.h"
#include "age/wrap.h"
#include "base/i18n.h"
#include "crypto/secret.h"
#include "crypto/ssh_key.h"

enum kind {
    X25519,
    SSH,
    PASSPHRASE
};

struct recipient {
    enum kind kind;
    uint8_t key[PSN_AGE_POINT_SIZE];
};

struct psn_age_recipients {
    struct recipient at[PSN_AGE_RECIPIENTS_MAX];
    size_t count;
    struct psn_secret *passphrase; /* then it is alone */
    unsigned work_factor;
};

struct identity {
    enum kind kind;
    struct psn_secret *secret; /* scalar, seed or passphrase */
    unsigned work_factor_max;
};

struct psn_age_identities {
    struct identity at[PSN_AGE_IDENTITIES_MAX];
    size_t count;
    bool post_quantum; /* one was passed over */
};

/* ---- recipients ---- */

enum psn_code psn_age_recipients_new(struct psn_age_recipients **ret_recipients,
                                     struct psn_error *err)
{
    struct psn_age_recipients *recipients = calloc(1, sizeof *recipients);

    if (!recipients)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_recipients = recipients;
    return PSN_OK;
}

void psn_age_recipients_free(struct psn_age_recipients *recipients)
{
    if (!recipients)
        return;
    psn_secret_free(recipients->passphrase);
    free(recipients);
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The format allows a passphrase no company, since whoever can open such a file is taken
 * for somebody who could have written it. */
static enum psn_code not_beside(struct psn_error *err)
{
    return psn_fail(err, PSN_E_CONFLICT,
                    _("a passphrase is a file's only recipient, or none"));
}

static enum psn_code parse_recipient(const char *text, struct recipient *ret,
                                     struct psn_error *err)
{
    struct psn_bech32 decoded = { 0 };

    ret->kind = SSH;
    if (begins(text, "ssh-"))
        return psn_ssh_public_parse(text, strlen(text), ret->key, err);
    if (begins(text, "age1pq1") || begins(text, "age1tag1") || begins(text, "age1tagpq1"))
        return psn_fail(err, PSN_E_TOO_NEW,
                        _("post-quantum and hardware-key recipients are not supported"));
    if (!begins(text, "age1"))
        return psn_fail(err, PSN_E_INVALID,
                        _("a recipient is 'age1…' or 'ssh-ed25519 …'"));
    if (!psn_bech32_decode(text, strlen(text), &decoded) ||
        strcmp(decoded.prefix, "age") != 0 || decoded.size != PSN_AGE_POINT_SIZE)
        return psn_fail(err, PSN_E_INVALID, _("the age recipient is mistyped"));
    ret->kind = X25519;
    memcpy(ret->key, decoded.bytes, PSN_AGE_POINT_SIZE);
    return PSN_OK;
}

enum psn_code psn_age_recipients_add(struct psn_age_recipients *recipients,
                                     const char *text, struct psn_error *err)
{
    struct recipient parsed;
    enum psn_code rc;

    if (recipients->passphrase)
        return not_beside(err);
    if (recipients->count == PSN_AGE_RECIPIENTS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("a file has at most %d recipients"),
                        PSN_AGE_RECIPIENTS_MAX);
    rc = parse_recipient(text, &parsed, err);
    if (!rc)
        recipients->at[recipients->count++] = parsed;
    return rc;
}

static enum psn_code check_work_factor(unsigned work_factor, struct psn_error *err)
{
    if (work_factor < 1 || work_factor > PSN_AGE_WORK_FACTOR_MAX)
        return psn_fail(err, PSN_E_INVALID, _("a work factor is from 1 to %d"),
                        PSN_AGE_WORK_FACTOR_MAX);
    return PSN_OK;
}

enum psn_code psn_age_recipients_set_passphrase(struct psn_age_recipients *recipients,
                                                const struct psn_secret *passphrase,
                                                unsigned work_factor,
                                                struct psn_error *err)
{
    enum psn_code rc;

    if (recipients->passphrase || recipients->count > 0)
        return not_beside(err);
    rc = check_work_factor(work_factor, err);
    if (!rc && psn_secret_size(passphrase) == 0)
        rc = psn_fail(err, PSN_E_INVALID, _("the passphrase is empty"));
    if (!rc)
        rc = psn_secret_copy(psn_secret_bytes(passphrase), psn_secret_size(passphrase),
                             &recipients->passphrase, err);
    recipients->work_factor = work_factor;
    return rc;
}

enum psn_code psn_age_recipients_wrap(const struct psn_age_recipients *to,
                                      const struct psn_secret *file_key,
                                      struct psn_buf *header, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (to->passphrase)
        return psn_age_wrap_scrypt(to->passphrase, to->work_factor, file_key, header,
                                   err);
    if (to->count == 0)
        return psn_fail(err, PSN_E_INVALID, _("there is no recipient"));
    for (size_t i = 0; !rc && i < to->count; i++)
        rc = to->at[i].kind == SSH
                 ? psn_age_wrap_ssh(to->at[i].key, file_key, header, err)
                 : psn_age_wrap_x25519(to->at[i].key, file_key, header, err);
    return rc;
}

/* ---- identities ---- */

enum psn_code psn_age_identities_new(struct psn_age_identities **ret_identities,
                                     struct psn_error *err)
{
    struct psn_age_identities *identities = calloc(1, sizeof *identities);

    if (!identities)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_identities = identities;
    return PSN_OK;
}

void psn_age_identities_free(struct psn_age_identities *identities)
{
    if (!identities)
        return;
    for (size_t i = 0; i < identities->count; i++)
        psn_secret_free(identities->at[i].secret);
    free(identities);
}

static enum psn_code add_identity(struct psn_age_identities *identities, enum kind kind,
                                  struct psn_secret **take_secret, unsigned work_factor,
                                  struct psn_error *err)
{
    if (identities->count == PSN_AGE_IDENTITIES_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("at most %d identities are tried"),
                        PSN_AGE_IDENTITIES_MAX);
    identities->at[identities->count++] =
        (struct identity){ kind, PSN_TAKE(*take_secret), work_factor };
    return PSN_OK;
}

enum psn_code psn_age_identities_add(struct psn_age_identities *identities,
                                     const struct psn_secret *text, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    struct psn_age_lines lines = psn_age_lines_of(text);
    enum psn_code rc;

    if (psn_ssh_is_private(text)) {
        rc = psn_ssh_private_parse(text, &secret, err);
        return rc ? rc : add_identity(identities, SSH, &secret, 0, err);
    }
    do {
        size_t found = lines.found;

        rc = psn_age_lines_next(&lines, &secret, err);
        identities->post_quantum |= !rc && !secret && lines.found > found;
        if (!rc && secret)
            rc = add_identity(identities, X25519, &secret, 0, err);
        psn_secret_free(PSN_TAKE(secret));
    } while (!rc && lines.at < lines.end);
    if (!rc && lines.found == 0)
        return psn_age_no_identity(err);
    return rc;
}

enum psn_code psn_age_identities_add_passphrase(struct psn_age_identities *identities,
                                                const struct psn_secret *passphrase,
                                                unsigned work_factor_max,
                                                struct psn_error *err)
{
    PSN_AUTO(psn_secret) *copy = NULL;
    enum psn_code rc;

    rc = check_work_factor(work_factor_max, err);
    if (!rc)
        rc = psn_secret_copy(psn_secret_bytes(passphrase), psn_secret_size(passphrase),
                             &copy, err);
    return rc ? rc : add_identity(identities, PASSPHRASE, &copy, work_factor_max, err);
}

static enum psn_code try_identity(const struct identity *identity,
                                  const struct psn_age_stanza *stanza,
                                  struct psn_secret *file_key,
                                  enum psn_age_unwrapped *ret, struct psn_error *err)
{
    if (identity->kind == PASSPHRASE)
        return psn_age_unwrap_scrypt(stanza, identity->secret, identity->work_factor_max,
                                     file_key, ret, err);
    *ret = identity->kind == SSH
               ? psn_age_unwrap_ssh(stanza, identity->secret, file_key)
               : psn_age_unwrap_x25519(stanza, identity->secret, file_key);
    if (*ret == PSN_AGE_MALFORMED)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("a recipient in the age header has an impossible share"));
    return PSN_OK;
}

static enum psn_code no_match(const struct psn_age_identities *by, bool post_quantum,
                              bool passphrase, struct psn_error *err)
{
    bool has_passphrase = false;

    for (size_t i = 0; i < by->count; i++)
        has_passphrase = has_passphrase || by->at[i].kind == PASSPHRASE;
    if (post_quantum)
        return psn_fail(err, PSN_E_TOO_NEW,
                        _("the file is for post-quantum recipients, which are not "
                          "supported"));
    if (passphrase && has_passphrase)
        return psn_fail(err, PSN_E_DENIED, _("the passphrase is not the file's"));
    if (passphrase)
        return psn_fail(err, PSN_E_DENIED,
                        _("the file opens with a passphrase, not with a key"));
    return psn_fail(err, PSN_E_DENIED, _("the file is not for any of these keys"));
}

enum psn_code psn_age_identities_unwrap(const struct psn_age_identities *by,
                                        const struct psn_age_header *header,
                                        struct psn_secret *file_key,
                                        struct psn_error *err)
{
    size_t at = header->stanzas_at;
    struct psn_age_stanza stanza;
    bool post_quantum = false;
    bool passphrase = false;
    bool others = false;

    while (psn_age_header_next(header, &at, &stanza)) {
        post_quantum = post_quantum || psn_age_stanza_is(&stanza, "mlkem768x25519") ||
                       psn_age_stanza_is(&stanza, "mlkem768p256tag");
        passphrase = passphrase || psn_age_stanza_is(&stanza, "scrypt");
        others = others || psn_age_stanza_is(&stanza, "X25519") ||
                 psn_age_stanza_is(&stanza, "ssh-ed25519");
        for (size_t i = 0; i < by->count; i++) {
            enum psn_age_unwrapped found;
            enum psn_code rc = try_identity(&by->at[i], &stanza, file_key, &found, err);

            if (rc || found == PSN_AGE_UNWRAPPED)
                return rc;
        }
    }
    return no_match(by, post_quantum && (!others || by->post_quantum), passphrase, err);
}

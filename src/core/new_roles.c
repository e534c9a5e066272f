#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "core/bulk.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/departure_returned.h"
#include "core/exposure.h"
#include "core/handover.h"
#include "core/journal.h"
#include "core/version.h"

/*
 * Mailboxes that the vault does not know yet: created at OVH, or taken over, by rotating
 * them or with their known password.
 */

/* Somebody else has changed its password, and we are told what it is now. */
static bool is_told(const struct psn_role_row *row, const struct psn_secret *known)
{
    return known && row->rotation.cur && row->rotation.phase == PSN_ROTATION_STABLE &&
           row->outside_s;
}

static enum psn_code fail_there(const char *address, bool is_known, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_EXISTS, _("the role '%s' is in the vault already"),
                   address);
    if (is_known)
        return psn_hint(err, PSN_E_EXISTS,
                        _("if somebody else has changed its password, let a login see "
                          "that first: passation verify %s; then again"),
                        address);
    return psn_hint(err, PSN_E_EXISTS,
                    _("change its password: passation rotate %s; finish what was begun: "
                      "passation resume %s"),
                    address, address);
}

/* The client of the address's domain, and that the role is not there yet (or was never in
 * force, so that it may be tried again; or its known password is not the one here). */
static enum psn_code new_row(struct psn_vault *vault, const char *address, bool create,
                             const struct psn_secret *known, struct psn_role_row *row,
                             struct psn_error *err)
{
    struct psn_mailbox mailbox;
    bool is_nobodys;
    bool is_new = false;
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc)
        rc = psn_mailbox_parse(normal, &mailbox, err);
    if (rc)
        return rc;
    *row = (struct psn_role_row){ 0 };
    rc = psn_allow(PSN_E_NOT_FOUND,
                   psn_client_of_domain(vault, mailbox.domain, row->client, err),
                   &is_nobodys, err);
    if (is_nobodys) {
        (void)psn_fail(err, PSN_E_INVALID, _("%s: no client has the domain '%s'"), normal,
                       mailbox.domain);
        return psn_hint(
            err, PSN_E_INVALID,
            _("a new client: passation client add ID --nic NIC --domain %s; one that is "
              "there: passation client set ID --add-domain %s"),
            mailbox.domain, mailbox.domain);
    }
    if (!rc)
        rc = psn_allow(PSN_E_NOT_FOUND, psn_role_read(vault, normal, row, err), &is_new,
                       err);
    if (!rc && !is_new && is_told(row, known))
        return PSN_OK;
    if (!rc && !is_new &&
        (row->rotation.cur || row->rotation.phase != PSN_ROTATION_STABLE))
        return fail_there(normal, known && row->rotation.phase == PSN_ROTATION_STABLE,
                          err);
    if (is_new) {
        (void)snprintf(row->address, sizeof row->address, "%s", normal);
        row->created_s = vault->world.now_s();
        row->rotation = psn_rotation_state_init(0, create);
        return PSN_OK;
    }
    row->rotation.create = create;
    return rc;
}

static enum psn_code load_to_create(struct psn_session *session, const char *address,
                                    struct psn_role_row *ret_row, struct psn_error *err)
{
    return new_row(session->vault, address, true, NULL, ret_row, err);
}

static enum psn_code load_to_adopt(struct psn_session *session, const char *address,
                                   struct psn_role_row *ret_row, struct psn_error *err)
{
    return new_row(session->vault, address, false, session->known, ret_row, err);
}

static enum psn_code check_name(const char *address, struct psn_error *err)
{
    struct psn_mailbox mailbox;

    PSN_IGNORE(psn_mailbox_parse(address, &mailbox, NULL)); /* a row has a sound one */
    return psn_mailbox_check_any_name(&mailbox, err);
}

/* Everything that can be said without a call is said here, of all of them. */
static enum psn_code new_rows(struct psn_vault *vault, const char *const *addresses,
                              size_t count, bool create, const struct psn_secret *known,
                              struct psn_queue *queue, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < count; i++) {
        struct psn_role_row row;
        bool is_twice = false;

        rc = new_row(vault, addresses[i], create, known, &row, err);
        if (!rc && create)
            rc = check_name(row.address, err);
        if (!rc)
            rc = psn_queue_add(queue, row.address, row.client, &is_twice, err);
        if (!rc && is_twice)
            rc = psn_fail(err, PSN_E_INVALID, _("'%s' is named twice"), row.address);
    }
    return psn_vault_end(vault, rc, err);
}

static enum psn_code create_one(struct psn_session *session, struct psn_role_row *row,
                                struct psn_outcome *outcome, struct psn_error *err)
{
    bool exists = false;
    enum psn_code rc = psn_session_detect(session, row, &exists, &outcome->error);

    (void)err;
    if (!rc && exists) {
        rc = psn_fail(&outcome->error, PSN_E_EXISTS, _("%s exists at OVH already"),
                      row->address);
        (void)psn_hint(&outcome->error, rc, _("take it over: passation role adopt %s"),
                       row->address);
    }
    if (!rc)
        rc = psn_session_place(session, row, &outcome->error);
    if (rc)
        psn_outcome_fail(outcome, rc);
    else
        psn_rotation_drive(session, row, PSN_ROTATION_EV_START, outcome);
    return PSN_OK;
}

static enum psn_code run_new(struct psn_vault *vault, const char *const *addresses,
                             size_t count, bool create, const struct psn_run *run,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    struct psn_session session;
    struct psn_bulk bulk = { .session = &session,
                             .queue = &queue,
                             .load = create ? load_to_create : load_to_adopt,
                             .each = create ? create_one : psn_rotate_one };
    enum psn_code rc =
        psn_session_open(vault, create ? "role add" : "role adopt", run, &session, err);

    if (rc)
        return rc;
    rc = new_rows(vault, addresses, count, create, NULL, &queue, err);
    if (!rc)
        rc = psn_bulk_run(&bulk, err);
    psn_session_close(&session);
    return rc;
}

enum psn_code psn_roles_create(struct psn_vault *vault, const char *const *addresses,
                               size_t count, const struct psn_run *run,
                               struct psn_error *err)
{
    return run_new(vault, addresses, count, true, run, err);
}

/* --- adopt with a known password --- */

/* The one before is not in force any more; whether it is dead is still to be seen. */
static enum psn_code supersede(struct psn_vault *vault, struct psn_role_row *row,
                               uint64_t number, struct psn_error *err)
{
    uint64_t before = row->rotation.cur;

    psn_rotation_believe(&row->rotation, number);
    row->outside_s = 0;
    row->gone_s = 0;
    return psn_version_label(vault, row->client, row->address, "", before,
                             PSN_VERSION_SUPERSEDED, err);
}

/* Who has seen it as an earlier version knows it; of a mailbox that came back, whoever
 * was forgotten with it, now or when it came: the versions of then went with it. */
static enum psn_code note_knowing(struct psn_vault *vault, const struct psn_role_row *row,
                                  const struct psn_secret *known, bool is_there,
                                  struct psn_error *err)
{
    struct psn_forgotten_list forgotten = { 0 };
    enum psn_code rc =
        psn_exposure_put(vault, row->address, "", row->rotation.cur, PSN_HOW_TYPED, err);

    if (!rc && is_there)
        rc = psn_exposure_carry(vault,
                                &(struct psn_coming){ row->client, row->address, "",
                                                      row->rotation.cur, known },
                                err);
    if (!rc)
        rc = psn_departure_note_returned(vault, row, &forgotten, err);
    psn_forgotten_list_release(&forgotten);
    return rc;
}

/* The one that is here already was set again: a login has proved it, and that is all. */
static enum psn_code is_current(struct psn_vault *vault, const struct psn_role_row *row,
                                const struct psn_secret *known, bool *ret_same,
                                struct psn_error *err)
{
    PSN_AUTO(psn_secret) *present = NULL;
    struct psn_version version;
    enum psn_code rc = PSN_OK;

    if (row->rotation.cur)
        rc = psn_version_get(vault, row->client, row->address, "", row->rotation.cur,
                             &version, &present, err);
    *ret_same = !rc && present && psn_secret_equal(present, known);
    return rc;
}

static enum psn_code note_adopted(struct psn_vault *vault, const struct psn_role_row *row,
                                  struct psn_error *err)
{
    return psn_journal_note(vault, row->client,
                            &(struct psn_note){ .event = "mailbox.adopted",
                                                .subject = row->address,
                                                .version = row->rotation.cur,
                                                .text = "with its known password" },
                            err);
}

static enum psn_code store_proved(struct psn_vault *vault, struct psn_role_row *row,
                                  struct psn_error *err)
{
    enum psn_code rc;

    row->verified_s = vault->world.now_s();
    row->outside_s = 0;
    row->gone_s = 0;
    rc = psn_role_write(vault, row, err);
    return rc ? rc : note_adopted(vault, row, err);
}

static enum psn_code store_known(struct psn_vault *vault, struct psn_role_row *row,
                                 const struct psn_secret *known, struct psn_error *err)
{
    bool is_there = row->rotation.cur != 0;
    bool is_same = false;
    uint64_t number = 0;
    enum psn_code rc = is_current(vault, row, known, &is_same, err);

    if (is_same)
        return store_proved(vault, row, err);
    if (!rc)
        rc = psn_versions_after(vault, row->rotation.last, &number, err);

    if (!rc && is_there)
        rc = supersede(vault, row, number, err);
    else if (!rc)
        row->rotation = psn_rotation_state_init(number, false);
    if (rc)
        return rc;
    row->changed_s = vault->world.now_s();
    row->verified_s = row->changed_s;
    row->ovh_changed_s = row->look.password_changed_s;
    rc = psn_role_write(vault, row, err);
    if (!rc)
        rc = psn_version_put(vault, row->client, row->address, "", row->rotation.cur,
                             PSN_VERSION_CURRENT, known, err);
    if (!rc)
        rc = note_knowing(vault, row, known, is_there, err);
    return rc ? rc : note_adopted(vault, row, err);
}

/* The back-end is a bonus here: the login is the proof, and needs no API. */
static void detect_if_linked(struct psn_session *session, struct psn_role_row *row)
{
    struct psn_account *account;
    bool exists;

    if (psn_session_account(session, row->client, &account, NULL) == PSN_OK &&
        account->client.linked)
        PSN_IGNORE(psn_session_detect(session, row, &exists, NULL));
}

static enum psn_code adopt_known(struct psn_session *session, struct psn_role_row *row,
                                 const struct psn_secret *known,
                                 struct psn_outcome *outcome)
{
    struct psn_vault *vault = session->vault;
    struct psn_error *err = &outcome->error;
    enum psn_login login;
    enum psn_code rc;

    detect_if_linked(session, row);
    login = psn_session_login(session, row, &(struct psn_login_try){ .password = known },
                              err);
    if (login == PSN_LOGIN_NO_ANSWER)
        return psn_wrap(err, PSN_E_NETWORK, _("%s: this password could not be checked"),
                        row->address);
    if (login == PSN_LOGIN_REFUSED) {
        psn_error_clear(err);
        (void)psn_fail(err, PSN_E_VERIFY, _("%s: the mail server refuses this password"),
                       row->address);
        return psn_hint(
            err, PSN_E_VERIFY,
            row->rotation.cur
                ? _("check it, or give the mailbox a new one: passation rotate %s")
                : _("check it, or take the mailbox over with a new one: passation role "
                    "adopt %s"),
            row->address);
    }
    psn_error_clear(err);
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, store_known(vault, row, known, err), err);
    if (rc)
        return psn_wrap(err, rc, "%s", row->address);
    outcome->result = PSN_RESULT_ADOPTED;
    outcome->version = row->rotation.cur;
    outcome->verified = true;
    return PSN_OK;
}

static enum psn_code adopt_known_one(struct psn_session *session,
                                     struct psn_role_row *row,
                                     struct psn_outcome *outcome, struct psn_error *err)
{
    enum psn_code rc = row->rotation.cur
                           ? psn_handover_check_ours(session->vault, row->client,
                                                     row->address, &outcome->error)
                           : PSN_OK;

    if (!rc)
        rc = adopt_known(session, row, session->known, outcome);
    (void)err;
    if (rc)
        psn_outcome_fail(outcome, rc);
    return PSN_OK;
}

static enum psn_code run_known(struct psn_vault *vault, const char *address,
                               const struct psn_secret *known, const struct psn_run *run,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    struct psn_session session;
    struct psn_bulk bulk = { .session = &session,
                             .queue = &queue,
                             .load = load_to_adopt,
                             .each = adopt_known_one };
    enum psn_code rc = psn_session_open(vault, "role adopt", run, &session, err);

    if (rc)
        return rc;
    session.known = known;
    rc = new_rows(vault, &address, 1, false, known, &queue, err);
    if (!rc)
        rc = psn_bulk_run(&bulk, err);
    psn_session_close(&session);
    return rc;
}

enum psn_code psn_roles_adopt(struct psn_vault *vault, const char *const *addresses,
                              size_t count, const struct psn_secret *known,
                              const struct psn_run *run, struct psn_error *err)
{
    if (!known)
        return run_new(vault, addresses, count, false, run, err);
    if (count != 1)
        return psn_fail(err, PSN_E_INVALID, _("a known password goes with one address"));
    return run_known(vault, addresses[0], known, run, err);
}

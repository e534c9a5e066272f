/*
 * Changes at the second MX Plan, Email Pro and Exchange. A new password answers a task,
 * which names no mailbox. A new mailbox takes two calls: the first free slot gets the
 * name, then the new address gets its password, which the API may not find for some
 * seconds. The slot is always the first by name and the address is looked for first, so
 * that a repetition after a lost answer goes to the same place.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "ovh/email_service.h"

static const char exchange_license[] = "standard";

enum {
    TRIES_MAX = 8,
    FIRST_WAIT_MS = 250, /* doubles up to the next */
    WAIT_MAX_MS = 8000,
};

static int64_t wait_ms(int attempt)
{
    int64_t ms = (int64_t)FIRST_WAIT_MS << attempt;

    return ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms;
}

static enum psn_code read_task(const json_t *value, struct psn_ovh_answer *answer,
                               struct psn_error *err)
{
    char function[64];
    char status[32];
    int64_t id = 0;
    enum psn_code rc = psn_json_expect_object(value, err);

    if (!rc)
        rc = psn_json_int(value, "id", &id, err);
    if (!rc)
        rc = psn_json_text(value, "function", function, sizeof function, err);
    if (!rc)
        rc = psn_json_text(value, "status", status, sizeof status, err);
    if (!rc && id <= 0)
        rc = psn_fail(err, PSN_E_NETWORK,
                      _("garbage from the server (a task without number)"));
    if (!rc)
        answer->task_id = id;
    return rc;
}

static void change_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                            const struct psn_secret *password,
                            struct psn_ovh_answer *answer, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    char address[PSN_ADDRESS_SIZE];
    struct psn_ovh_change what = {
        .method = "POST", .path = &path, .hidden = password, .is_repeatable = true
    };
    enum psn_code rc =
        psn_email_path(mailbox, "/account/*/changePassword",
                       PSN_OVH_PARTS(psn_mailbox_address(mailbox, address)), &path, err);

    if (!rc)
        rc = psn_body_password(password, &body, err);
    if (rc)
        return;
    what.body = body;
    psn_ovh_send(ovh, &what, answer, &value, err);
    if (answer->outcome == PSN_OVH_DONE && read_task(value, answer, err))
        answer->outcome = PSN_OVH_UNKNOWN;
}

void psn_email_set_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                            const struct psn_secret *password,
                            struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    change_password(ovh, mailbox, password, ret_answer, err);
    if (ret_answer->outcome != PSN_OVH_DONE && err)
        (void)psn_wrap(err, err->code, _("cannot change the password of '%s@%s'"),
                       mailbox->local, mailbox->domain);
}

/* --- a new mailbox --- */

/* {"domain":"…","login":"…"}, and with a password what Exchange wants besides. */
static enum psn_code build_name(const struct psn_mailbox *mailbox,
                                const struct psn_secret *password,
                                struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *body = NULL;
    size_t size = password ? psn_secret_size(password) : 0;
    enum psn_code rc = psn_secret_new(128 + 6 * (PSN_ADDRESS_SIZE + size), &body, err);

    if (!rc)
        rc = psn_body_text(body, "{\"domain\":", err);
    if (!rc)
        rc = psn_body_string(body, mailbox->domain, strlen(mailbox->domain), err);
    if (!rc)
        rc = psn_body_text(body, ",\"login\":", err);
    if (!rc)
        rc = psn_body_string(body, mailbox->local, strlen(mailbox->local), err);
    if (!rc && password) {
        rc = psn_body_text(body, ",\"license\":", err);
        if (!rc)
            rc = psn_body_string(body, exchange_license, strlen(exchange_license), err);
        if (!rc)
            rc = psn_body_text(body, ",\"password\":", err);
        if (!rc)
            rc = psn_body_string(body, psn_secret_bytes(password), size, err);
    }
    if (!rc)
        rc = psn_body_text(body, "}", err);
    if (!rc)
        *ret_body = PSN_TAKE(body);
    return rc;
}

static void name_slot(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                      const char *slot, struct psn_ovh_answer *answer,
                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change what = { .method = "PUT", .path = &path };
    enum psn_code rc =
        psn_email_path(mailbox, "/account/*", PSN_OVH_PARTS(slot), &path, err);

    if (!rc)
        rc = build_name(mailbox, NULL, &body, err);
    if (rc)
        return;
    what.body = body;
    psn_ovh_send(ovh, &what, answer, &value, err);
}

/* Waits until the name shows. False if it does not, in the time there is. */
static bool is_named(struct psn_ovh *ovh, const struct psn_mailbox *mailbox)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        struct psn_mailbox_info info = { .exists = false };

        if (psn_email_account(ovh, mailbox, &info, NULL) == PSN_OK && info.exists)
            return true;
        psn_ovh_pause(ovh, wait_ms(i));
    }
    return false;
}

/* The mailbox is ours from here on: whatever comes but success is a doubt, never a
 * refusal of the whole. */
static void first_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                           const struct psn_secret *password,
                           struct psn_ovh_answer *answer, struct psn_error *err)
{
    for (int i = 0;; i++) {
        struct psn_error failure = { 0 };

        *answer =
            (struct psn_ovh_answer){ .outcome = PSN_OVH_NOT_SENT, .retry_after_s = -1 };
        change_password(ovh, mailbox, password, answer, &failure);
        if (answer->outcome == PSN_OVH_DONE)
            return;
        if ((answer->outcome != PSN_OVH_ABSENT && answer->outcome != PSN_OVH_BUSY) ||
            i >= TRIES_MAX) {
            (void)psn_backend_hand_up(&failure, err);
            break;
        }
        psn_ovh_pause(ovh, wait_ms(i));
    }
    answer->outcome = PSN_OVH_UNKNOWN;
}

/* Is the address free, and if so where? Settles the answer if nothing is to be had. */
static bool may_create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                       struct psn_email_room *room, struct psn_ovh_answer *answer,
                       struct psn_error *err)
{
    struct psn_mailbox_info info = { .exists = false };

    if (psn_email_account(ovh, mailbox, &info, err))
        return false;
    if (info.exists) {
        answer->outcome = PSN_OVH_BAD_REQUEST;
        (void)psn_fail(err, PSN_E_EXISTS, _("%s exists at OVH already"), mailbox->local);
        return false;
    }
    if (psn_email_find_room(ovh, mailbox, room, err))
        return false;
    if (room->by_post || (room->slot[0] && !room->busy))
        return true;
    answer->outcome = room->busy ? PSN_OVH_BUSY : PSN_OVH_EXPIRED;
    if (room->busy)
        (void)psn_fail(err, PSN_E_BUSY, _("OVH is setting up a slot of '%s'"),
                       mailbox->place.service);
    else
        (void)psn_fail(err, PSN_E_REFUSED, _("no free slot in the service '%s'"),
                       mailbox->place.service);
    return false;
}

/* An Exchange of one's own has no slots: a mailbox is made in one call. */
static void post_account(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         const struct psn_secret *password, struct psn_ovh_answer *answer,
                         struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change what = { .method = "POST", .path = &path, .hidden = password };
    enum psn_code rc =
        psn_email_path(mailbox, "/account", PSN_OVH_PARTS(NULL), &path, err);

    if (!rc)
        rc = build_name(mailbox, password, &body, err);
    if (rc)
        return;
    what.body = body;
    psn_ovh_send(ovh, &what, answer, &value, err);
    if (answer->outcome == PSN_OVH_DONE && read_task(value, answer, err))
        answer->outcome = PSN_OVH_UNKNOWN;
}

static void take_slot(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                      const char *slot, const struct psn_secret *password,
                      struct psn_ovh_answer *answer, struct psn_error *err)
{
    struct psn_error failure = { 0 };

    name_slot(ovh, mailbox, slot, answer, &failure);
    if (answer->outcome != PSN_OVH_DONE &&
        (answer->outcome != PSN_OVH_UNKNOWN || !is_named(ovh, mailbox))) {
        (void)psn_backend_hand_up(&failure, err);
        return;
    }
    first_password(ovh, mailbox, password, answer, err);
}

void psn_email_create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                      const struct psn_secret *password,
                      struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    struct psn_email_room room = { .busy = false };

    if (may_create(ovh, mailbox, &room, ret_answer, err)) {
        if (room.by_post)
            post_account(ovh, mailbox, password, ret_answer, err);
        else
            take_slot(ovh, mailbox, room.slot, password, ret_answer, err);
    }
    if (ret_answer->outcome != PSN_OVH_DONE && err)
        (void)psn_wrap(err, err->code, _("cannot create the mailbox '%s@%s'"),
                       mailbox->local, mailbox->domain);
}

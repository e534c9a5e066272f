/*
 * Removing an access. OVH removes some at once, some by a task that may fail in silence,
 * and replaces contacts only when people have agreed; answers get lost. So the state of a
 * cut is read, never concluded:
 *
 *     look ── gone ─▶ GONE            (nothing is sent)
 *      │ there
 *     send ── refused, busy ─▶ error
 *      │ taken, or not known
 *     look ── gone ─▶ GONE
 *             there ─▶ UNDER_WAY or, for contacts, WAITING; if not known, error
 *
 * What a DELETE removes is looked for at its own path: a 404 is gone. What a PUT or POST
 * replaces is a member of an object: it is gone when the member names somebody else.
 */
#include "ovh/cut.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "ovh/backend.h"
#include "ovh/call.h"

/* The path of the object that shows whether the access is still there. */
static enum psn_code look_path(const struct psn_finding *finding, struct psn_buf *path,
                               struct psn_error *err)
{
    static const char change[] = "/changeContact";
    size_t length = strlen(finding->path);

    if (strcmp(finding->method, "POST") == 0 && length > strlen(change) &&
        strcmp(finding->path + length - strlen(change), change) == 0) {
        psn_buf_bytes(path, finding->path, length - strlen(change));
        psn_buf_text(path, "/serviceInfos");
    } else {
        psn_buf_text(path, finding->path);
    }
    return psn_buf_check(path, err);
}

/* The member that the body replaces: {"member":…}. */
static enum psn_code read_member(const struct psn_finding *finding, char *member,
                                 size_t size, struct psn_error *err)
{
    PSN_AUTO_JSON *body = NULL;
    enum psn_code rc = psn_json_parse(finding->body, strlen(finding->body), &body, err);
    const char *name;

    if (rc)
        return rc;
    name = json_object_iter_key(json_object_iter(body));
    (void)snprintf(member, size, "%s", name ? name : "");
    return PSN_OK;
}

enum psn_code psn_ovh_cut_look(struct psn_ovh *ovh, const struct psn_finding *finding,
                               bool *ret_gone, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *value = NULL;
    struct psn_error failure = { 0 };
    char member[PSN_FINDING_BODY_MAX];
    char found[PSN_FINDING_TEXT_MAX];
    enum psn_code rc;

    if (!finding->method[0])
        return psn_fail(err, PSN_E_INVALID, _("'%s' is not removed by a call"),
                        finding->id);
    rc = look_path(finding, &path, err);
    if (rc)
        return rc;
    rc = psn_ovh_get(ovh, &path, &value, &failure);
    if (rc == PSN_E_NOT_FOUND || (rc == PSN_OK && !finding->body[0])) {
        *ret_gone = rc == PSN_E_NOT_FOUND;
        return PSN_OK;
    }
    if (rc)
        return psn_backend_hand_up(&failure, err);
    rc = read_member(finding, member, sizeof member, err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, member, found, sizeof found, err);
    if (rc == PSN_OK)
        *ret_gone = strcasecmp(found, finding->whose) != 0;
    return rc;
}

/* An answer is a task, a list of tasks or of their numbers, or nothing; numbers come as
 * texts, too. */
static int64_t task_of(const json_t *value)
{
    const json_t *first = json_is_array(value) ? json_array_get(value, 0) : value;
    const json_t *id = json_is_object(first) ? json_object_get(first, "id") : first;
    const char *text = json_string_value(id);
    uint64_t number = 0;

    if (json_is_integer(id))
        return json_integer_value(id);
    return text && psn_text_parse_u64(text, INT64_MAX, &number) ? (int64_t)number : 0;
}

static enum psn_code send(struct psn_ovh *ovh, const struct psn_finding *finding,
                          struct psn_ovh_answer *ret_answer, int64_t *ret_task,
                          struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change change = { .method = finding->method, .path = &path };
    enum psn_code rc = PSN_OK;

    psn_buf_text(&path, finding->path);
    rc = psn_buf_check(&path, err);
    if (rc == PSN_OK && finding->body[0])
        rc = psn_secret_copy(finding->body, strlen(finding->body), &body, err);
    if (rc)
        return rc;
    change.body = body;
    psn_ovh_send(ovh, &change, ret_answer, &value, err);
    *ret_task = task_of(value);
    return PSN_OK;
}

/* What became of it, after the order was given. err (not NULL) holds why the answer was
 * none. */
static enum psn_code settle(struct psn_ovh *ovh, const struct psn_finding *finding,
                            bool is_taken, int64_t task, struct psn_cut *ret_cut,
                            struct psn_error *err)
{
    struct psn_error failure = { 0 };
    bool gone = false;
    enum psn_code rc = psn_ovh_cut_look(ovh, finding, &gone, &failure);

    if (rc == PSN_E_NOMEM)
        return psn_backend_hand_up(&failure, err);
    /* Without a look nothing is gone: the next one will tell. */
    if (rc == PSN_OK && gone)
        *ret_cut = (struct psn_cut){ PSN_CUT_GONE, task };
    else if (is_taken)
        *ret_cut =
            (struct psn_cut){ finding->kind == PSN_FINDING_CONTACT ? PSN_CUT_WAITING
                                                                   : PSN_CUT_UNDER_WAY,
                              task };
    else
        return err->code;
    psn_error_clear(err);
    return PSN_OK;
}

/* The key for daily work may read, and change a mailbox (PUT), but not remove. */
static enum psn_code refuse(const struct psn_ovh *ovh, const struct psn_finding *finding,
                            struct psn_error *err)
{
    if (psn_ovh_last_reason(ovh) != PSN_OVH_REASON_NO_RULE ||
        strcmp(finding->method, "PUT") == 0)
        return PSN_E_REFUSED;
    err->hint[0] = '\0';
    return psn_hint(
        err, PSN_E_REFUSED,
        _("ask the owner for a key that may: passation ovh link %s --for cut"),
        psn_ovh_client(ovh));
}

static enum psn_code cut(struct psn_ovh *ovh, const struct psn_finding *finding,
                         struct psn_cut *ret_cut, struct psn_error *err)
{
    struct psn_ovh_answer answer;
    int64_t task = 0;
    enum psn_code rc = send(ovh, finding, &answer, &task, err);

    if (rc)
        return rc;
    switch (answer.outcome) {
    case PSN_OVH_DONE:
        return settle(ovh, finding, true, task, ret_cut, err);
    case PSN_OVH_UNKNOWN:
    case PSN_OVH_ABSENT:
    case PSN_OVH_THROTTLED:
        return settle(ovh, finding, false, 0, ret_cut, err);
    case PSN_OVH_BUSY:
        /* A change of contacts is alone; that it waits already is what we want. */
        if (finding->kind == PSN_FINDING_CONTACT)
            return settle(ovh, finding, true, 0, ret_cut, err);
        return PSN_E_BUSY;
    case PSN_OVH_NOT_SENT:
        return err->code;
    case PSN_OVH_NOT_ALLOWED:
    case PSN_OVH_BAD_REQUEST:
    case PSN_OVH_EXPIRED:
    case PSN_OVH_CLOCK:
        break;
    }
    return refuse(ovh, finding, err);
}

enum psn_code psn_ovh_cut(struct psn_ovh *ovh, const struct psn_finding *finding,
                          struct psn_cut *ret_cut, struct psn_error *err)
{
    struct psn_error own = { 0 };
    struct psn_cut result = { PSN_CUT_IMPOSSIBLE, 0 };
    struct psn_error *at = err ? err : &own;
    bool gone = false;
    enum psn_code rc = PSN_OK;

    if (!finding->method[0]) {
        *ret_cut = result;
        return PSN_OK;
    }
    /* A key that may remove but not look is taken at its word. */
    rc = psn_ovh_cut_look(ovh, finding, &gone, at);
    if (rc == PSN_E_REFUSED) {
        psn_error_clear(at);
        rc = PSN_OK;
    }
    if (rc == PSN_OK && gone)
        result.state = PSN_CUT_GONE;
    else if (rc == PSN_OK)
        rc = cut(ovh, finding, &result, at);
    if (rc)
        return psn_wrap(at, rc, _("cannot remove '%s'"), finding->id);
    *ret_cut = result;
    return PSN_OK;
}

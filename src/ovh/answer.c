#include "ovh/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "ovh/json.h"

enum {
    TEXT_LENGTH_MAX = 140, /* of OVH's words in one message */
    SHOWN_SIZE = 200,
    TELLING_RUN = 8, /* bytes of a secret in a row */
};

/* The three members that OVH's error bodies have, in their two forms. */
struct body {
    const char *code;
    const char *class;
    const char *message;
    const json_t *details;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static enum psn_ovh_reason reason_of_code(const char *code)
{
    static const struct {
        const char *code;
        enum psn_ovh_reason reason;
    } known[] = {
        { "INVALID_SIGNATURE", PSN_OVH_REASON_SIGNATURE },
        { "INVALID_KEY", PSN_OVH_REASON_APPLICATION },
        { "NOT_CREDENTIAL", PSN_OVH_REASON_NO_KEY },
        { "INVALID_CREDENTIAL", PSN_OVH_REASON_KEY_ENDED },
        { "NOT_GRANTED_CALL", PSN_OVH_REASON_NO_RULE },
        { "FORBIDDEN", PSN_OVH_REASON_FORBIDDEN },
        { "QUERY_TIME_OUT", PSN_OVH_REASON_CLOCK },
        { "INVALID_TIMESTAMP", PSN_OVH_REASON_CLOCK },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(code, known[i].code) == 0)
            return known[i].reason;
    return PSN_OVH_REASON_NONE;
}

static enum psn_ovh_reason reason_of(long status, const struct body *body)
{
    enum psn_ovh_reason reason = reason_of_code(body->code);

    if (status == 460)
        return PSN_OVH_REASON_SERVICE;
    if (reason != PSN_OVH_REASON_NONE)
        return reason;
    /* The newer form has no code of its own for this: status, class and text together. */
    if (status == 400 && strcmp(body->class, "Client::BadRequest") == 0 &&
        strcmp(body->message, "Invalid signature") == 0)
        return PSN_OVH_REASON_SIGNATURE;
    if (status == 403 &&
        (json_object_get(body->details, "unauthorizedActionsByIAM") ||
         json_object_get(body->details, "unauthorizedActionsByAuthentication")))
        return PSN_OVH_REASON_NO_RULE;
    return status == 401 || status == 403 ? PSN_OVH_REASON_FORBIDDEN
                                          : PSN_OVH_REASON_NONE;
}

/* A definite refusal needs a body that is an OVH error; a front proxy's page is none. */
static enum psn_ovh_outcome outcome_of(long status, bool is_error,
                                       enum psn_ovh_reason reason)
{
    if (status >= 200 && status < 300)
        return PSN_OVH_DONE;
    if (status == 409)
        return PSN_OVH_BUSY;
    if (status == 429 || status == 503)
        return PSN_OVH_THROTTLED;
    if (!is_error)
        return PSN_OVH_UNKNOWN;
    if (status == 404)
        return PSN_OVH_ABSENT;
    if (status == 460)
        return PSN_OVH_EXPIRED;
    if (status != 400 && status != 401 && status != 403)
        return PSN_OVH_UNKNOWN;
    if (reason == PSN_OVH_REASON_CLOCK)
        return PSN_OVH_CLOCK;
    /* A wrong signature says nothing about the parameters. */
    if (status == 400 && reason != PSN_OVH_REASON_SIGNATURE)
        return PSN_OVH_BAD_REQUEST;
    return PSN_OVH_NOT_ALLOWED;
}

/* What OVH says, and the IAM action that is not allowed, where it names one. */
static void join_words(const struct body *body, char *out, size_t size)
{
    const char *action = text_of(body->details, "unauthorizedActionsByIAM");

    if (*action && !strstr(body->message, action))
        (void)snprintf(out, size, "%s: %s", body->message, action);
    else
        (void)snprintf(out, size, "%s", body->message);
}

bool psn_ovh_tells(const char *text, const struct psn_secret *secret)
{
    size_t size = psn_secret_size(secret);
    size_t run = size < TELLING_RUN ? size : TELLING_RUN;
    size_t length = strlen(text);

    for (size_t i = 0; run > 0 && i + run <= size; i++)
        if (memmem(text, length, psn_secret_bytes(secret) + i, run))
            return true;
    return false;
}

static void copy_text(const char *text, const struct psn_secret *hidden,
                      struct psn_ovh_verdict *verdict)
{
    char cut[TEXT_LENGTH_MAX];

    if (hidden && psn_ovh_tells(text, hidden))
        text = _("(withheld: it holds the password)");
    (void)snprintf(cut, sizeof cut, "%s", text);
    psn_text_cut_utf8(cut);
    (void)psn_text_shown(cut, verdict->text, sizeof verdict->text);
}

struct psn_ovh_verdict psn_ovh_judge(const struct psn_http_response *response,
                                     const struct psn_secret *hidden)
{
    struct psn_ovh_verdict verdict = { .status = response->status,
                                       .retry_after_s = response->retry_after_s };
    PSN_AUTO_JSON *parsed = NULL;
    struct body body = { "", "", "", NULL };
    bool is_error = false;

    (void)snprintf(verdict.query_id, sizeof verdict.query_id, "%s", response->query_id);
    if ((response->status < 200 || response->status >= 300) &&
        psn_json_parse(response->body.data, response->body.size, &parsed, NULL) ==
            PSN_OK) {
        body = (struct body){ text_of(parsed, "errorCode"), text_of(parsed, "class"),
                              text_of(parsed, "message"),
                              json_object_get(parsed, "details") };
        is_error = *body.code || *body.class || *body.message;
    }
    if (is_error) {
        char words[512];

        verdict.reason = reason_of(response->status, &body);
        join_words(&body, words, sizeof words);
        copy_text(words, hidden, &verdict);
    }
    verdict.outcome = outcome_of(response->status, is_error, verdict.reason);
    return verdict;
}

bool psn_ovh_is_passing(const struct psn_ovh_verdict *verdict)
{
    return verdict->status == 408 || verdict->status == 429 ||
           (verdict->status >= 500 && verdict->status <= 599);
}

/* What goes behind the sentence: OVH's words, and the number its support asks for. */
static const char *suffix(const struct psn_ovh_verdict *verdict, char *out, size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(512);

    if (verdict->text[0])
        psn_buf_format(&text, _(" (OVH: %s)"), verdict->text);
    if (verdict->query_id[0])
        psn_buf_format(&text, _(" [query id %s]"), verdict->query_id);
    (void)snprintf(out, size, "%s", psn_buf_str(&text));
    return out;
}

static void append_refusal(struct psn_buf *out, enum psn_ovh_reason reason,
                           const char *method, const char *path)
{
    switch (reason) {
    case PSN_OVH_REASON_SIGNATURE:
        psn_buf_format(out,
                       _("OVH refuses the signature of %s %s: the application "
                         "secret is not that of the key"),
                       method, path);
        break;
    case PSN_OVH_REASON_APPLICATION:
        psn_buf_format(out, _("OVH does not know the application key used for %s %s"),
                       method, path);
        break;
    case PSN_OVH_REASON_NO_KEY:
        psn_buf_format(out, _("OVH does not know the consumer key used for %s %s"),
                       method, path);
        break;
    case PSN_OVH_REASON_KEY_ENDED:
        psn_buf_format(out,
                       _("OVH refuses the consumer key for %s %s: it is pending, "
                         "expired, refused or revoked"),
                       method, path);
        break;
    case PSN_OVH_REASON_KEY_EXPIRED:
        psn_buf_format(out, _("the consumer key has expired; OVH refuses %s %s"), method,
                       path);
        break;
    case PSN_OVH_REASON_KEY_REVOKED:
        psn_buf_format(out,
                       _("the consumer key was revoked before its time; OVH refuses %s "
                         "%s"),
                       method, path);
        break;
    case PSN_OVH_REASON_TOKEN:
        psn_buf_format(out,
                       _("OVH refuses the service account's token for %s %s, and a new "
                         "one as well"),
                       method, path);
        break;
    case PSN_OVH_REASON_NO_RULE:
        psn_buf_format(out, _("the key has no rule for %s %s"), method, path);
        break;
    case PSN_OVH_REASON_FORBIDDEN:
        psn_buf_format(out, _("OVH forbids %s %s"), method, path);
        break;
    case PSN_OVH_REASON_CLOCK:
        psn_buf_format(out, _("OVH refuses the time of the request %s %s"), method, path);
        break;
    case PSN_OVH_REASON_SERVICE:
        psn_buf_format(out, _("the service is expired or suspended at OVH: %s %s"),
                       method, path);
        break;
    case PSN_OVH_REASON_NONE:
        psn_buf_format(out, _("OVH refuses the request %s %s"), method, path);
        break;
    }
}

static void advise(const struct psn_ovh_verdict *verdict, struct psn_error *err)
{
    const char *client = verdict->client ? verdict->client : "CLIENT";

    switch (verdict->reason) {
    case PSN_OVH_REASON_SIGNATURE:
    case PSN_OVH_REASON_APPLICATION:
    case PSN_OVH_REASON_NO_KEY:
    case PSN_OVH_REASON_KEY_ENDED:
    case PSN_OVH_REASON_KEY_EXPIRED:
    case PSN_OVH_REASON_TOKEN:
        (void)psn_hint(err, PSN_E_REFUSED,
                       _("link the account again with a valid key: passation ovh link "
                         "%s"),
                       client);
        break;
    case PSN_OVH_REASON_KEY_REVOKED:
        (void)psn_hint(err, PSN_E_REFUSED,
                       _("ask the owner for a new key: passation ovh link %s --new"),
                       client);
        break;
    case PSN_OVH_REASON_NO_RULE:
        (void)psn_hint(err, PSN_E_REFUSED,
                       _("make a key that has this rule, then: passation ovh link %s"),
                       client);
        break;
    case PSN_OVH_REASON_FORBIDDEN:
        (void)psn_hint(err, PSN_E_REFUSED,
                       _("check in the OVH control panel who may manage this service"));
        break;
    case PSN_OVH_REASON_CLOCK:
        (void)psn_hint(err, PSN_E_REFUSED,
                       _("check the clock of this computer, then run the command "
                         "again"));
        break;
    case PSN_OVH_REASON_SERVICE:
        (void)psn_hint(err, PSN_E_REFUSED,
                       _("its owner has to renew it in the OVH control panel"));
        break;
    case PSN_OVH_REASON_NONE:
        break;
    }
}

/* The sentence and the code of a verdict. */
static enum psn_code sentence(const struct psn_ovh_verdict *verdict, const char *host,
                              const char *method, const char *path, struct psn_buf *out)
{
    switch (verdict->outcome) {
    case PSN_OVH_BAD_REQUEST:
    case PSN_OVH_NOT_ALLOWED:
    case PSN_OVH_EXPIRED:
    case PSN_OVH_CLOCK:
        append_refusal(out, verdict->reason, method, path);
        return PSN_E_REFUSED;
    case PSN_OVH_ABSENT:
        psn_buf_format(out, _("OVH does not know %s"), path);
        return PSN_E_NOT_FOUND;
    case PSN_OVH_BUSY:
        psn_buf_format(out, _("a task is under way at OVH: %s %s"), method, path);
        return PSN_E_BUSY;
    case PSN_OVH_THROTTLED:
        psn_buf_format(out, _("'%s' takes no calls for now (status %ld): %s %s"), host,
                       verdict->status, method, path);
        return PSN_E_NETWORK;
    case PSN_OVH_NOT_SENT:
    case PSN_OVH_DONE:
    case PSN_OVH_UNKNOWN:
        break;
    }
    psn_buf_format(out, _("no usable answer from the server '%s' (status %ld): %s %s"),
                   host, verdict->status, method, path);
    return PSN_E_NETWORK;
}

enum psn_code psn_ovh_report(const struct psn_ovh_verdict *verdict, const char *host,
                             const char *method, const char *path, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init((size_t)2 * PSN_ERROR_MESSAGE_MAX);
    char behind[SHOWN_SIZE + sizeof verdict->query_id];
    char shown[SHOWN_SIZE];
    enum psn_code rc =
        sentence(verdict, host, method, psn_text_shown(path, shown, sizeof shown), &text);

    (void)psn_fail(err, rc, "%s%s", psn_buf_str(&text),
                   suffix(verdict, behind, sizeof behind));
    if (rc == PSN_E_REFUSED)
        advise(verdict, err);
    else if (rc == PSN_E_NETWORK || rc == PSN_E_BUSY)
        (void)psn_hint(err, rc, _("run the command again in a few minutes"));
    if (err && err->remote == 0)
        err->remote = verdict->status;
    return rc;
}

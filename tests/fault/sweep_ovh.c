/*
 * OVH's API, mail servers and the cost of passphrases, in process. The seams are those of
 * net/ (its ports are wrapped by the linker) and libsodium's password hashing.
 *
 * Each domain is of the first MX Plan; changes are tasks, which take two seconds of a
 * clock that moves when somebody waits. Everything that a sweep could find is an empty
 * list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "fault/sweep.h"
#include "net/http.h"
#include "net/imap.h"

enum {
    TASK_MS = 2000,
    PARTS_MAX = 8,
    BODY_SIZE = 8192,
};

static struct sweep_server first;
struct sweep_server *sweep_server = &first;

static const struct {
    const char *local;
    const char *domain;
} boxes[] = {
    { "box0", "essai.example" },     { "box1", "essai.example" },
    { "box2", "essai.example" },     { "box3", "essai.example" },
    { "accueil", "garage.example" }, { "atelier", "garage.example" },
    { "pleine", "plein.example" },
};

void sweep_server_init(struct sweep_server *server)
{
    memset(server, 0, sizeof *server);
    server->clock_ms = INT64_C(1790000000000);
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        struct sweep_box *box = &server->boxes[i];

        box->local = boxes[i].local;
        box->domain = boxes[i].domain;
        box->exists = true;
        (void)snprintf(box->password, sizeof box->password, "First-Pass-%zu-word", i);
    }
    server->boxes[sizeof boxes / sizeof *boxes].local = "neuve";
    server->boxes[sizeof boxes / sizeof *boxes].domain = "essai.example";
}

void sweep_server_settle(void)
{
    for (size_t i = 0; i < SWEEP_BOXES_MAX; i++) {
        struct sweep_box *box = &sweep_server->boxes[i];

        if (!box->next[0] || box->due_ms > sweep_server->clock_ms)
            continue;
        memcpy(box->password, box->next, sizeof box->password);
        memset(box->next, 0, sizeof box->next);
        box->exists = box->ours = true;
        box->task = 0;
    }
}

static struct sweep_box *find(const char *local, const char *domain)
{
    for (size_t i = 0; i < SWEEP_BOXES_MAX; i++) {
        struct sweep_box *box = &sweep_server->boxes[i];

        if (box->local && strcmp(box->local, local) == 0 &&
            strcmp(box->domain, domain) == 0)
            return box;
    }
    return NULL;
}

struct sweep_box *sweep_box_of(const char *address)
{
    const char *at = strchr(address, '@');
    char local[64];

    if (!at || (size_t)(at - address) >= sizeof local)
        return NULL;
    (void)snprintf(local, sizeof local, "%.*s", (int)(at - address), address);
    return find(local, at + 1);
}

/* --- the API --- */

struct call {
    const struct psn_http_request *request;
    char path[512];
    char *parts[PARTS_MAX]; /* of the path, without its query */
    size_t count;
    char *query;
    const char *nic;
    long status;
    char body[BODY_SIZE];
};

static bool is(const struct call *call, const char *method, const char *pattern)
{
    char word[64];
    size_t i = 0;

    if (strcmp(call->request->method, method) != 0)
        return false;
    while (*pattern) {
        size_t size = strcspn(pattern, "/");

        (void)snprintf(word, sizeof word, "%.*s", (int)size, pattern);
        if (i == call->count ||
            (strcmp(word, "*") != 0 && strcmp(word, call->parts[i]) != 0))
            return false;
        i++;
        pattern += size + (pattern[size] == '/');
    }
    return i == call->count;
}

static void say(struct call *call, long status, const char *body)
{
    call->status = status;
    (void)snprintf(call->body, sizeof call->body, "%s", body);
}

static bool owns(const struct call *call, const char *domain)
{
    bool is_garage = strcmp(domain, "garage.example") == 0;

    if (strcmp(call->nic, "pl000000-ovh") == 0)
        return strcmp(domain, "plein.example") == 0;
    return is_garage == (strcmp(call->nic, "gr000000-ovh") == 0) &&
           (is_garage || strcmp(domain, "essai.example") == 0);
}

static void list_accounts(struct call *call, const char *domain)
{
    size_t used = 0;

    used += (size_t)snprintf(call->body, sizeof call->body, "[");
    for (size_t i = 0; i < SWEEP_BOXES_MAX; i++) {
        const struct sweep_box *box = &sweep_server->boxes[i];

        if (box->local && box->exists && strcmp(box->domain, domain) == 0)
            used += (size_t)snprintf(call->body + used, sizeof call->body - used,
                                     "%s\"%s\"", used > 1 ? "," : "", box->local);
    }
    (void)snprintf(call->body + used, sizeof call->body - used, "]");
}

static void list_tasks(struct call *call)
{
    const char *name = call->query ? strstr(call->query, "name=") : NULL;
    struct sweep_box *box = name ? find(name + 5, call->parts[2]) : NULL;

    if (box && box->next[0])
        (void)snprintf(call->body, sizeof call->body, "[%lld]", (long long)box->task);
    else
        say(call, 200, "[]");
}

/* A change of a password, or a new mailbox. */
static void begin_task(struct call *call, struct sweep_box *box, const json_t *body)
{
    const char *password = json_string_value(json_object_get(body, "password"));

    if (!box || !password || strlen(password) < 9 || strlen(password) > 30) {
        say(call, 400, "{\"message\":\"'password' is not fit\"}");
        return;
    }
    if (box->next[0]) {
        say(call, 409, "{\"message\":\"This pop is already being processed\"}");
        return;
    }
    (void)snprintf(box->next, sizeof box->next, "%s", password);
    box->task = ++sweep_server->last_task;
    box->due_ms = sweep_server->clock_ms + TASK_MS;
    (void)snprintf(
        call->body, sizeof call->body,
        "{\"id\":%lld,\"name\":\"%s\",\"domain\":\"%s\","
        "\"action\":\"changePassword\",\"date\":\"2026-09-21T10:00:00+02:00\"}",
        (long long)box->task, box->local, box->domain);
}

static void answer_domain(struct call *call)
{
    const char *domain = call->parts[2];
    json_t *body = json_loadb((const char *)call->request->body, call->request->body_size,
                              JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(body, "accountName"));
    struct sweep_box *box = call->count > 4 ? find(call->parts[4], domain) : NULL;

    if (!owns(call, domain) ||
        (call->count > 4 && strcmp(call->parts[3], "account") == 0 &&
         (!box || !box->exists)))
        say(call, 404, "{\"message\":\"This object does not exist\"}");
    else if (is(call, "GET", "email/domain/*"))
        (void)snprintf(call->body, sizeof call->body,
                       "{\"domain\":\"%s\",\"status\":\"ok\",\"offer\":\"MXPLAN 100\","
                       "\"migratedMXPlanServiceName\":null}",
                       domain);
    else if (is(call, "GET", "email/domain/*/account"))
        list_accounts(call, domain);
    else if (box && is(call, "GET", "email/domain/*/account/*"))
        (void)snprintf(call->body, sizeof call->body,
                       "{\"accountName\":\"%s\",\"domain\":\"%s\",\"isBlocked\":false,"
                       "\"email\":\"%s@%s\",\"size\":5000000000,\"description\":\"\"}",
                       box->local, domain, box->local, domain);
    else if (is(call, "GET", "email/domain/*/task/account"))
        list_tasks(call);
    else if (is(call, "GET", "email/domain/*/serviceInfos"))
        (void)snprintf(call->body, sizeof call->body,
                       "{\"contactAdmin\":\"%s\",\"contactTech\":\"%s\","
                       "\"contactBilling\":\"%s\",\"domain\":\"%s\",\"status\":\"ok\"}",
                       call->nic, call->nic, call->nic, domain);
    else if (is(call, "POST", "email/domain/*/account"))
        begin_task(call, name ? find(name, domain) : NULL, body);
    else if (is(call, "POST", "email/domain/*/account/*/changePassword"))
        begin_task(call, box, body);
    else if (is(call, "POST", "email/domain/*/changeContact"))
        say(call, 200, "[501]");
    else
        say(call, 200, "[]");
    json_decref(body);
}

static void answer_account(struct call *call)
{
    if (sweep_server->is_cut && strcmp(call->nic, "es000000-ovh") == 0 &&
        !is(call, "GET", "auth/time"))
        say(call, 403,
            "{\"errorCode\":\"INVALID_CREDENTIAL\",\"httpCode\":\"403 Forbidden\","
            "\"message\":\"This credential is not valid\"}");
    else if (is(call, "DELETE", "me/api/credential/71")) {
        sweep_server->is_cut = true;
        say(call, 200, "null");
    } else if (call->count > 1 && strcmp(call->request->method, "POST") == 0 &&
               strcmp(call->parts[call->count - 1], "changeContact") == 0)
        say(call, 200, "[501]");
    else if (is(call, "GET", "me/task/contactChange/501"))
        say(call, 200,
            "{\"id\":501,\"state\":\"validatingByCustomers\",\"contactTypes\":"
            "[\"contactAdmin\",\"contactTech\",\"contactBilling\"],"
            "\"serviceDomain\":\"essai.example\",\"fromAccount\":\"es000000-ovh\","
            "\"toAccount\":\"ma000000-ovh\",\"askingAccount\":\"es000000-ovh\","
            "\"dateRequest\":\"2026-09-21T10:00:00+02:00\",\"dateDone\":null}");
    else if (is(call, "GET", "auth/time"))
        (void)snprintf(call->body, sizeof call->body, "%lld",
                       (long long)(sweep_server->clock_ms / 1000));
    else if (is(call, "GET", "me"))
        (void)snprintf(call->body, sizeof call->body,
                       "{\"nichandle\":\"%s\",\"firstname\":\"Anne\",\"name\":\"Martin\","
                       "\"email\":\"anne@essai.example\"}",
                       call->nic);
    else if (is(call, "GET", "auth/currentCredential"))
        say(call, 200,
            "{\"credentialId\":71,\"applicationId\":7,\"status\":\"validated\","
            "\"expiration\":null,\"lastUse\":null,\"ovhSupport\":false,"
            "\"creation\":\"2026-01-01T10:00:00+01:00\",\"rules\":["
            "{\"method\":\"GET\",\"path\":\"/*\"},{\"method\":\"POST\",\"path\":\"/*\"},"
            "{\"method\":\"PUT\",\"path\":\"/*\"},"
            "{\"method\":\"DELETE\",\"path\":\"/*\"}]}");
    else if (is(call, "POST", "auth/credential"))
        say(call, 200,
            "{\"validationUrl\":\"https://api.example/auth/?credentialToken=t\","
            "\"consumerKey\":\"essai-asked-key\",\"state\":\"pendingValidation\"}");
    else if (call->count > 1 && strcmp(call->parts[call->count - 1], "serviceInfos") == 0)
        (void)snprintf(call->body, sizeof call->body,
                       "{\"contactAdmin\":\"%s\",\"contactTech\":\"%s\","
                       "\"contactBilling\":\"%s\",\"domain\":\"%s\",\"status\":\"ok\","
                       "\"expiration\":\"2027-03-01\",\"creation\":\"2020-03-01\"}",
                       call->nic, call->nic, call->nic, call->parts[call->count - 2]);
    else if (is(call, "GET", "domain/zone/*/export"))
        say(call, 200, "\"$TTL 3600\\n@ IN MX 1 mx1.mail.example.\\n\"");
    else if (is(call, "GET", "email/domain"))
        (void)snprintf(call->body, sizeof call->body, "[\"%s\"]",
                       strcmp(call->nic, "gr000000-ovh") == 0   ? "garage.example"
                       : strcmp(call->nic, "pl000000-ovh") == 0 ? "plein.example"
                                                                : "essai.example");
    else
        say(call, 200, strcmp(call->request->method, "GET") == 0 ? "[]" : "null");
}

static const char *nic_of(const struct psn_http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const char *key = psn_buf_str(&request->headers[i].value);

        if (strcmp(request->headers[i].name, "X-Ovh-Consumer") == 0)
            return strstr(key, "garage")  ? "gr000000-ovh"
                   : strstr(key, "plein") ? "pl000000-ovh"
                                          : "es000000-ovh";
    }
    return "es000000-ovh";
}

/* Of the full account, before anything else. */
static bool is_of_full(struct call *call)
{
    if (strcmp(call->nic, "pl000000-ovh") == 0)
        call->status = sweep_account_answer(call->request->method, call->path, call->body,
                                            sizeof call->body);
    if (call->status == 0)
        call->status = 200;
    return call->body[0] != '\0';
}

/* Behind "https://api.example/1.0", or "https://api.example" for the second version. */
static void answer(struct call *call)
{
    static const char *const roots[] = { "https://api.example/1.0/",
                                         "https://api.example/" };
    char *at = call->path;

    call->status = 200;
    call->nic = nic_of(call->request);
    for (size_t i = 0; i < 2; i++)
        if (strncmp(call->request->url, roots[i], strlen(roots[i])) == 0) {
            (void)snprintf(call->path, sizeof call->path, "%s",
                           call->request->url + strlen(roots[i]));
            break;
        }
    call->query = strchr(call->path, '?');
    if (call->query)
        *call->query++ = '\0';
    if (is_of_full(call))
        return;
    for (at = call->path; at && *at && call->count < PARTS_MAX;)
        call->parts[call->count++] = strsep(&at, "/");
    sweep_server_settle();
    if (call->count > 2 && strcmp(call->parts[0], "email") == 0 &&
        strcmp(call->parts[1], "domain") == 0)
        answer_domain(call);
    else
        answer_account(call);
    if (getenv("SWEEP_TRACE"))
        (void)fprintf(stderr, "%s %s: %ld %s\n", call->request->method,
                      call->request->url, call->status, call->body);
}

/* --- its faults --- */

static void hand_over(const struct call *call, struct psn_http_response *response)
{
    response->fate = PSN_HTTP_ANSWERED;
    response->status = call->status;
    (void)snprintf(response->query_id, sizeof response->query_id, "FR.sweep-1");
}

static enum psn_code lose(struct psn_http_response *response, enum psn_http_fate fate,
                          struct psn_error *err)
{
    response->fate = fate;
    return psn_fail(err, PSN_E_NETWORK, "the network fails");
}

/* Changes call to what OVH says under the fault. True if it never hears of the call. */
static bool is_unheard(struct call *call, int error)
{
    static const struct {
        int error;
        long status;
        const char *body;
    } refusals[] = {
        { SWEEP_STATUS_500, 500, "{\"message\":\"Internal server error\"}" },
        { SWEEP_STATUS_429, 429, "{\"message\":\"Too many requests\"}" },
        { SWEEP_STATUS_401, 401, "{\"message\":\"Invalid signature\"}" },
        { SWEEP_STATUS_403, 403,
          "{\"errorCode\":\"NOT_GRANTED_CALL\",\"httpCode\":\"403 Forbidden\","
          "\"message\":\"This call has not been granted\"}" },
    };

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == error) {
            say(call, refusals[i].status, refusals[i].body);
            return true;
        }
    return false;
}

static enum psn_code perform(void *self, const struct psn_http_request *request,
                             struct psn_http_response *response, struct psn_error *err)
{
    struct call *call;
    int error = sweep_strikes(SWEEP_HTTP);
    enum psn_code rc = PSN_OK;

    (void)self;
    sweep_pause();
    psn_buf_reset(&response->body);
    response->retry_after_s = -1;
    response->cursor_next[0] = '\0';
    response->final = false;
    call = calloc(1, sizeof *call);
    if (!call)
        abort();
    call->request = request;
    if (error == SWEEP_NOT_SENT) {
        rc = lose(response, PSN_HTTP_NOT_SENT, err);
    } else if (error == SWEEP_REQUEST_LOST) {
        rc = lose(response, PSN_HTTP_UNKNOWN, err);
    } else {
        if (!is_unheard(call, error))
            answer(call);
        if (error == SWEEP_DONE_500)
            say(call, 500, "{\"message\":\"Internal server error\"}");
        if (error == SWEEP_NONSENSE)
            say(call, 200, "<html>It works!</html>");
        if (error == SWEEP_SHORTENED)
            call->body[strlen(call->body) / 2] = '\0';
        if (error == SWEEP_ANSWER_LOST)
            rc = lose(response, PSN_HTTP_UNKNOWN, err);
        else
            hand_over(call, response);
    }
    sweep_go_on();
    if (!rc) {
        psn_buf_text(&response->body, call->body);
        if (response->body.failed) {
            response->fate = PSN_HTTP_UNKNOWN;
            rc = psn_fail(err, PSN_E_NOMEM, "out of memory");
        }
    }
    free(call);
    return rc;
}

static enum psn_login login(void *self, const struct psn_imap_server *server,
                            const char *user, const struct psn_secret *password,
                            struct psn_error *err)
{
    struct sweep_box *box;
    bool same;

    (void)self;
    (void)server;
    if (sweep_strikes(SWEEP_IMAP)) {
        (void)psn_fail(err, PSN_E_NETWORK, "the mail server is silent");
        return PSN_LOGIN_NO_ANSWER;
    }
    sweep_server_settle();
    box = sweep_box_of(user);
    same =
        box && box->exists && strlen(box->password) == psn_secret_size(password) &&
        memcmp(box->password, psn_secret_bytes(password), psn_secret_size(password)) == 0;
    return same ? PSN_LOGIN_ACCEPTED : PSN_LOGIN_REFUSED;
}

static enum psn_code look(void *self, const struct psn_imap_server *server,
                          bool *ret_untrusted, struct psn_error *err)
{
    (void)self;
    (void)server;
    *ret_untrusted = false;
    if (sweep_strikes(SWEEP_IMAP))
        return psn_fail(err, PSN_E_NETWORK, "the mail server is silent");
    return PSN_OK;
}

/* --- the seams --- */

enum psn_code __wrap_psn_http_client_new(struct psn_http_client **ret_client,
                                         struct psn_error *err);
void __wrap_psn_http_client_free(struct psn_http_client *client);
struct psn_http __wrap_psn_http_client_port(struct psn_http_client *client);
struct psn_imap __wrap_psn_imap_real(void);

enum psn_code __wrap_psn_http_client_new(struct psn_http_client **ret_client,
                                         struct psn_error *err)
{
    (void)err;
    *ret_client = NULL;
    return PSN_OK;
}

void __wrap_psn_http_client_free(struct psn_http_client *client)
{
    (void)client;
}

struct psn_http __wrap_psn_http_client_port(struct psn_http_client *client)
{
    (void)client;
    return (struct psn_http){ .perform = perform };
}

struct psn_imap __wrap_psn_imap_real(void)
{
    return (struct psn_imap){ .login = login, .look = look };
}

/* As quick as a hash, and as able to fail for want of memory: what it costs is no part of
 * what is swept. */
int crypto_pwhash(unsigned char *const out, unsigned long long out_size,
                  const char *const passphrase, unsigned long long passphrase_size,
                  const unsigned char *const salt, unsigned long long passes,
                  size_t memory, int algorithm)
{
    void *room = malloc(64);

    (void)passes;
    (void)memory;
    (void)algorithm;
    if (!room)
        return -1;
    free(room);
    return crypto_generichash(out, (size_t)out_size, (const unsigned char *)passphrase,
                              passphrase_size, salt, crypto_pwhash_SALTBYTES);
}

int crypto_pwhash_scryptsalsa208sha256_ll(const uint8_t *passphrase,
                                          size_t passphrase_size, const uint8_t *salt,
                                          size_t salt_size, uint64_t n, uint32_t r,
                                          uint32_t p, uint8_t *out, size_t out_size)
{
    void *room = malloc(64);

    (void)n;
    (void)r;
    (void)p;
    if (!room)
        return -1;
    free(room);
    return crypto_generichash(out, out_size, passphrase, passphrase_size, salt,
                              salt_size < 64 ? salt_size : 64);
}

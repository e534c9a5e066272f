#include <string.h>

#include "base/text.h"
#include "crypto/secret.h"
#include "fuzz/answers.h"
#include "fuzz/target.h"
#include "ovh/contact.h"
#include "ovh/directory.h"
#include "ovh/inventory.h"
#include "ovh/oauth.h"
#include "ovh/own.h"
#include "ovh/zone.h"
#include "passation/finding.h"

/*
 * What is made of OVH's answers, one target a decoder: FUZZ_DECODER names it. The input
 * is the answers, one a line (see answers.h). Where an API serves mailboxes in several
 * ways, the first byte chooses.
 */

static bool is_text(const char *text, size_t size)
{
    return strnlen(text, size) < size;
}

static bool is_error(enum psn_code rc, const struct psn_error *err)
{
    return rc == err->code &&
           (!rc ||
            (err->message[0] && psn_text_is_plain(err->message, strlen(err->message)) &&
             psn_text_is_plain(err->hint, strlen(err->hint))));
}

/* --- who and when --- */

static void decode_time(struct psn_ovh *ovh, unsigned chosen)
{
    struct psn_error err = { 0 };
    int64_t time_s = 1;
    enum psn_code rc;

    (void)chosen;
    answers.is_time_asked = true;
    rc = psn_ovh_time(ovh, &time_s, &err);
    MUST(is_error(rc, &err));
    MUST(rc ? time_s == 0 : time_s >= 1000000000 && time_s <= INT64_C(9999999999));
}

static void decode_account(struct psn_ovh *ovh, unsigned chosen)
{
    static struct psn_ovh_key_info info;
    struct psn_error err = { 0 };
    struct psn_ovh_account account = { 0 };
    struct psn_ovh_details details = { 0 };
    enum psn_code rc;

    if (chosen % 3 == 0) {
        rc = psn_ovh_me(ovh, &account, &err);
        MUST(is_text(account.nic, sizeof account.nic) &&
             is_text(account.email, sizeof account.email) &&
             is_text(account.name, sizeof account.name));
        MUST(rc || account.nic[0]);
    } else if (chosen % 3 == 1) {
        rc = psn_ovh_details(ovh, &details, &err);
        MUST(is_text(details.nic, sizeof details.nic));
    } else {
        memset(&info, 0, sizeof info);
        rc = psn_ovh_key_info(ovh, &info, &err);
        MUST(info.rule_count <= sizeof info.rules / sizeof *info.rules);
        for (size_t i = 0; !rc && i < info.rule_count; i++)
            MUST(is_text(info.rules[i].method, sizeof info.rules[i].method) &&
                 is_text(info.rules[i].path, sizeof info.rules[i].path));
    }
    MUST(is_error(rc, &err));
}

static void decode_token(struct psn_ovh *ovh, unsigned chosen)
{
    struct psn_ovh_token_request request = { answers_port(),
                                             "https://api.example/auth/oauth2/token",
                                             NULL, answers_service_account() };
    struct psn_ovh_token token = { 0 };
    struct psn_error err = { 0 };
    bool passing = false;
    enum psn_code rc = psn_ovh_token_ask(&request, &token, &passing, &err);

    (void)ovh;
    (void)chosen;
    MUST(is_error(rc, &err) && !rc == !!token.bearer);
    MUST(rc || (token.lifetime_s > 0 && psn_secret_size(token.bearer) > 0));
    for (size_t i = 0; !rc && i < psn_secret_size(token.bearer); i++)
        MUST(psn_secret_bytes(token.bearer)[i] > ' ' &&
             psn_secret_bytes(token.bearer)[i] <= '~');
    psn_secret_free(token.bearer);
}

/* --- mailboxes --- */

static struct psn_mailbox mailbox_of(unsigned chosen)
{
    struct psn_mailbox mailbox = {
        .backend = PSN_BACKEND_EMAIL_DOMAIN + chosen % (PSN_BACKENDS - 1),
        .local = "contact",
        .domain = "acme.example",
        .place = { .organization = "organization",
                   .service = "service",
                   .account = "0b5d2b1e-0000-4000-8000-000000000001" },
    };

    return mailbox;
}

static void decode_task(struct psn_ovh *ovh, unsigned chosen)
{
    struct psn_mailbox mailbox = mailbox_of(chosen);
    struct psn_error err = { 0 };
    size_t count = 0;
    bool absent = false;
    enum psn_code rc = psn_mailbox_tasks(ovh, &mailbox, &count, &absent, &err);

    MUST(is_error(rc, &err));
    MUST(rc || !absent || count == 0);
}

static void decode_mailbox(struct psn_ovh *ovh, unsigned chosen)
{
    struct psn_mailbox mailbox = mailbox_of(chosen);
    struct psn_mailbox_info info = { 0 };
    struct psn_error err = { 0 };
    enum psn_code rc = psn_mailbox_get(ovh, &mailbox, &info, &err);

    MUST(is_error(rc, &err));
    MUST(is_text(info.description, sizeof info.description) &&
         is_text(info.account, sizeof info.account) &&
         is_text(info.names, sizeof info.names));
}

/* A change is sent once; twice only where the clock was refused, since nothing was done
 * then; making a mailbox may be two changes. What was done, or may have been, was sent: a
 * definite refusal may also come of a look before. */
static void decode_change(struct psn_ovh *ovh, unsigned chosen)
{
    static struct psn_secret *password;
    struct psn_mailbox mailbox = mailbox_of(chosen);
    struct psn_ovh_answer answer = { 0 };
    struct psn_error err = { 0 };

    MUST(password || !psn_secret_copy("AbCd2-EfGh3-JkMn4-PqRs5", 23, &password, NULL));
    if (chosen & 0x40)
        psn_mailbox_create(ovh, &mailbox, password, &answer, &err);
    else
        psn_mailbox_set_password(ovh, &mailbox, password, &answer, &err);
    MUST(answers.changes <= (chosen & 0x40 ? 4 : 2));
    MUST(answer.outcome == PSN_OVH_DONE || err.code);
    MUST((answer.outcome != PSN_OVH_DONE && answer.outcome != PSN_OVH_UNKNOWN) ||
         answers.changes > 0);
    MUST(!err.code || psn_text_is_plain(err.message, strlen(err.message)));
    MUST(!strstr(err.message, "EfGh3-Jk") && !strstr(err.hint, "EfGh3-Jk"));
}

static void decode_directory(struct psn_ovh *ovh, unsigned chosen)
{
    struct psn_mailbox mailbox = { .local = "contact", .domain = "acme.example" };
    struct psn_password_rules rules = { 0 };
    struct psn_mailbox_info info = { 0 };
    struct psn_directory *directory = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc;

    MUST(!psn_directory_new(ovh, &directory, NULL));
    if (chosen % 3 == 0) {
        rc = psn_directory_find(directory, &mailbox, &info, &rules, &err);
        MUST(rc || !info.exists || mailbox.backend != PSN_BACKEND_NONE);
    } else if (chosen % 3 == 1)
        rc = psn_directory_place(directory, PSN_BACKEND_NONE, &mailbox, &rules, &err);
    else
        rc = psn_directory_serves(directory, "acme.example", &err);
    MUST(is_error(rc, &err));
    psn_directory_free(directory);
}

/* --- the account --- */

static enum psn_code see_finding(void *arg, const struct psn_finding *finding,
                                 struct psn_error *err)
{
    (void)err;
    ++*(size_t *)arg;
    MUST(finding->id[0] && psn_text_is_plain(finding->id, strlen(finding->id)));
    MUST(psn_text_is_plain(finding->detail, strlen(finding->detail)));
    MUST(is_text(finding->subject, sizeof finding->subject) &&
         is_text(finding->whose, sizeof finding->whose));
    MUST(!finding->method[0] ||
         (finding->path[0] == '/' && !strchr(finding->path, ' ') &&
          psn_text_is_plain(finding->path, strlen(finding->path))));
    return PSN_OK;
}

static void decode_inventory(struct psn_ovh *ovh, unsigned chosen)
{
    static const char *const domains[] = { "acme.example" };
    struct psn_sweep_options sweep = { .domains = domains, .domain_count = 1 };
    struct psn_error err = { 0 };
    size_t count = 0;
    enum psn_code rc = chosen % 2 == 0
                           ? psn_ovh_inventory(ovh, domains, 1, see_finding, &count, &err)
                           : psn_ovh_sweep(ovh, &sweep, see_finding, &count, &err);

    MUST(is_error(rc, &err));
}

static enum psn_code see_own(void *arg, const struct psn_ovh_own *own,
                             struct psn_error *err)
{
    MUST(is_text(own->application_key, sizeof own->application_key) &&
         is_text(own->client_id, sizeof own->client_id));
    return see_finding(arg, &own->finding, err);
}

static void decode_own(struct psn_ovh *ovh, unsigned chosen)
{
    struct psn_error err = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_ovh_own_walk(ovh, chosen % 2, see_own, &count, &err);

    MUST(is_error(rc, &err));
}

static enum psn_code see_service(void *arg, const struct psn_contact_service *service,
                                 struct psn_error *err)
{
    (void)arg;
    (void)err;
    MUST(service->kind < PSN_CONTACT_UNKNOWN && service->name[0]);
    MUST(!service->admin[0] || psn_contact_is_nic(service->admin));
    MUST(!service->tech[0] || psn_contact_is_nic(service->tech));
    MUST(!service->billing[0] || psn_contact_is_nic(service->billing));
    return PSN_OK;
}

static enum psn_code see_change(void *arg, const struct psn_contact_change *change,
                                struct psn_error *err)
{
    (void)err;
    ++*(size_t *)arg;
    MUST(change->state < PSN_CONTACT_STATES && change->kind == PSN_CONTACT_UNKNOWN);
    MUST(!change->from[0] || psn_contact_is_nic(change->from));
    MUST(!change->to[0] || psn_contact_is_nic(change->to));
    return PSN_OK;
}

static void decode_contact(struct psn_ovh *ovh, unsigned chosen)
{
    static const char *const domains[] = { "acme.example" };
    struct psn_ovh_contact_scope scope = { domains, 1, chosen & 0x40 };
    struct psn_contact_service service = { 0 };
    struct psn_contact_change change = { 0 };
    struct psn_error err = { 0 };
    size_t count = 0;
    enum psn_code rc;

    switch (chosen % 4) {
    case 0:
        rc = psn_ovh_contact_services(ovh, &scope, see_service, NULL, &err);
        break;
    case 1:
        rc = psn_ovh_contact_service(ovh, chosen / 4 % PSN_CONTACT_UNKNOWN,
                                     "acme.example", &service, &err);
        if (!rc)
            (void)see_service(NULL, &service, NULL);
        break;
    case 2:
        rc = psn_ovh_contact_task(ovh, 4711, &change, &err);
        if (!rc)
            (void)see_change(&count, &change, NULL);
        break;
    default:
        rc = psn_ovh_contact_open_tasks(ovh, see_change, &count, &err);
    }
    MUST(is_error(rc, &err));
}

/* A zone's file is text without a control character but the line's end and the tab, and
 * ends its last line. */
static void decode_zone(struct psn_ovh *ovh, unsigned chosen)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init((size_t)4 * 1024 * 1024);
    struct psn_domain_facts facts = { 0 };
    struct psn_error err = { 0 };
    enum psn_code rc;

    if (chosen % 2) {
        rc = psn_ovh_domain_facts(ovh, "acme.example", &facts, &err);
        MUST(is_error(rc, &err));
        return;
    }
    rc = psn_ovh_zone_export(ovh, "acme.example", &file, &err);
    MUST(is_error(rc, &err));
    for (size_t i = 0; !rc && i < file.size; i++)
        MUST((file.data[i] >= ' ' && file.data[i] != 0x7f) || file.data[i] == '\n' ||
             file.data[i] == '\t');
    MUST(rc || (file.size > 0 && file.data[file.size - 1] == '\n'));
}

/* --- the choice --- */

static const struct {
    const char *name;
    void (*decode)(struct psn_ovh *ovh, unsigned chosen);
} decoders[] = {
    { "account", decode_account },
    { "change", decode_change },
    { "contact", decode_contact },
    { "directory", decode_directory },
    { "inventory", decode_inventory },
    { "mailbox", decode_mailbox },
    { "own", decode_own },
    { "task", decode_task },
    { "time", decode_time },
    { "token", decode_token },
    { "zone", decode_zone },
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_ovh *ovh;

    if (size == 0)
        return 0;
    ovh = answers_open(bytes + 1, size - 1);
    for (size_t i = 0; i < sizeof decoders / sizeof *decoders; i++)
        if (strcmp(decoders[i].name, FUZZ_DECODER) == 0)
            decoders[i].decode(ovh, bytes[0]);
    answers_close(ovh);
    return 0;
}

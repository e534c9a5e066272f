#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/document.h"
#include "core/document_form.h"
#include "core/handover.h"
#include "core/issue.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/own_key.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/recovery.h"
#include "core/reveal.h"
#include "core/role.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

/* The text of an issue, and everything that must be durable before it leaves. */

void psn_draft_release(struct psn_draft *draft)
{
    psn_client_release(&draft->client);
    psn_issue_row_release(&draft->row);
    psn_secret_free(draft->seed);
    psn_secret_free(draft->text);
    psn_secret_free(draft->code);
    *draft = (struct psn_draft){ 0 };
}

bool psn_issue_by_code(const struct psn_person *person, enum psn_issue_format format)
{
    return format == PSN_ISSUE_HTML || person->key_count == 0;
}

/* --- who, and under which number --- */

static enum psn_code check_person(struct psn_vault *vault, struct psn_draft *draft,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_person_read(vault, draft->order->person, &draft->person, err);

    if (!rc && draft->person.departing_s) {
        (void)psn_fail(err, PSN_E_POLICY, _("%s: nothing is issued to a leaver"),
                       draft->person.id);
        rc = psn_hint(err, PSN_E_POLICY, _("see: passation who %s"), draft->person.id);
    }
    if (!rc)
        rc = psn_reach_check_slot_kept(vault, &draft->person, err);
    return rc ? rc : psn_person_check_key(vault, &draft->person, err);
}

static enum psn_code take_serial(struct psn_vault *vault, struct psn_draft *draft,
                                 struct psn_error *err)
{
    struct psn_counters counters;
    uint64_t now_ms = (uint64_t)vault->world.now_s() * 1000;
    enum psn_code rc = psn_counters_read(vault, &counters, err);

    if (rc)
        return rc;
    counters.serial = counters.serial >= now_ms ? counters.serial + 1 : now_ms;
    draft->row.serial = counters.serial;
    return psn_counters_write(vault, &counters, err);
}

static enum psn_code read_key(struct psn_vault *vault, struct psn_draft *draft,
                              struct psn_error *err)
{
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    enum psn_code rc = psn_own_signing_key(vault, &draft->seed, err);

    if (!rc)
        rc = psn_sign_public(draft->seed, key, err);
    if (!rc)
        psn_sign_fingerprint(key, draft->fingerprint);
    return rc;
}

/* --- what --- */

enum psn_code psn_draft_hint_ended(enum psn_code code, struct psn_error *err)
{
    return psn_hint(err, code,
                    _("see what is still granted: passation grant ls; make what is due: "
                      "passation outbox"));
}

/* The grant must be in force in this very transaction: somebody may have ended it since
 * the issue was ordered. */
static enum psn_code read_grant(struct psn_vault *vault, const struct psn_draft *draft,
                                const char *address, struct psn_grant_row *grant,
                                struct psn_error *err)
{
    enum psn_code rc = psn_grant_read(vault, draft->order->person, address, grant, err);

    if (rc == PSN_E_NOT_FOUND ||
        (!rc && psn_grant_row_state(grant, vault->world.now_s()) != PSN_GRANT_ACTIVE)) {
        (void)psn_fail(err, PSN_E_POLICY, _("%s has no grant in force for %s"),
                       draft->order->person, address);
        return psn_draft_hint_ended(PSN_E_POLICY, err);
    }
    return rc;
}

/* The grants of one issue may end at different times; it says the earliest. */
static void narrow(struct psn_draft_terms *terms, const struct psn_grant_row *grant)
{
    if (terms->from_s == 0 || grant->from_s < terms->from_s)
        terms->from_s = grant->from_s;
    if (grant->until_s && (terms->until_s == 0 || grant->until_s < terms->until_s))
        terms->until_s = grant->until_s;
    if (!terms->reason[0])
        memcpy(terms->reason, grant->reason, sizeof terms->reason);
}

/* The terms of all grants, and which labels each has: texts, in the order's order. */
static enum psn_code gather(struct psn_vault *vault, const struct psn_draft *draft,
                            struct psn_draft_terms *terms, struct psn_buf *labels,
                            struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < draft->order->address_count; i++) {
        struct psn_grant_row grant;

        rc = read_grant(vault, draft, draft->order->addresses[i], &grant, err);
        if (!rc) {
            narrow(terms, &grant);
            psn_buf_bytes(labels, grant.labels, strlen(grant.labels) + 1);
        }
        psn_grant_row_release(&grant);
    }
    return rc ? rc : psn_buf_check(labels, err);
}

/* --- the text --- */

enum psn_code psn_draft_put_head(struct psn_vault *vault, struct psn_draft *draft,
                                 const struct psn_draft_terms *terms,
                                 struct psn_document_writer *writer,
                                 struct psn_error *err)
{
    struct psn_slice fields[PSN_HEAD_FIELDS] = { 0 };
    const struct psn_client *client = &draft->client;
    struct psn_person actor;
    char serial[24];
    char issued[PSN_TIME_SIZE];
    char from[PSN_TIME_SIZE];
    char until[PSN_TIME_SIZE] = "none";
    char id[2 * PSN_VAULT_ID_SIZE + 1];
    enum psn_code rc = psn_client_read(vault, draft->order->client, &draft->client, err);

    if (!rc)
        rc = psn_person_read(vault, vault->actor, &actor, err);
    if (rc)
        return rc;
    (void)snprintf(serial, sizeof serial, "%llu", (unsigned long long)draft->row.serial);
    if (terms->until_s)
        (void)psn_clock_format(terms->until_s, until);
    fields[PSN_HEAD_FORMAT] = psn_slice_of(draft->own ? "2" : "1");
    fields[PSN_HEAD_SERIAL] = psn_slice_of(serial);
    fields[PSN_HEAD_ISSUED] =
        psn_slice_of(psn_clock_format(draft->row.created_s, issued));
    fields[PSN_HEAD_ISSUER] = psn_slice_of(draft->fingerprint);
    fields[PSN_HEAD_ISSUED_BY] = psn_slice_of(psn_person_name(&actor));
    if (psn_form_is_address(actor.email, strlen(actor.email)))
        fields[PSN_HEAD_REPLY_TO] = psn_slice_of(actor.email);
    fields[PSN_HEAD_VAULT] = psn_slice_of(psn_hex(vault->id, sizeof vault->id, id));
    fields[PSN_HEAD_PERSON] = psn_slice_of(draft->person.id);
    fields[PSN_HEAD_NAME] = psn_slice_of(draft->person.name);
    fields[PSN_HEAD_RECIPIENT] =
        psn_slice_of(draft->row.by_code ? "code" : draft->person.keys[0].text);
    fields[PSN_HEAD_CLIENT] = psn_slice_of(client->id);
    fields[PSN_HEAD_CLIENT_NAME] = psn_slice_of(client->name);
    fields[PSN_HEAD_RIGHT] = psn_slice_of(draft->own ? "own" : "read");
    fields[PSN_HEAD_FROM] = psn_slice_of(psn_clock_format(terms->from_s, from));
    fields[PSN_HEAD_UNTIL] = psn_slice_of(until);
    fields[PSN_HEAD_REASON] = psn_slice_of(terms->reason);
    fields[PSN_HEAD_RECEIPT] = psn_slice_of(draft->row.receipt);
    psn_document_head(writer, fields);
    return PSN_OK;
}

static struct psn_slice server(const char *host, uint16_t port, const char *security,
                               char *out, size_t size)
{
    if (!host[0])
        return (struct psn_slice){ 0 };
    (void)snprintf(out, size, "%s %u %s", host, (unsigned)port, security);
    return psn_slice_of(out);
}

/* Where the owner of a mailbox sets its password himself: OVH's oldest mail has no place
 * for that but the customer's panel. */
static const char *self_change(enum psn_backend backend)
{
    return backend == PSN_BACKEND_EMAIL_DOMAIN ? "panel" : "webmail";
}

static enum psn_code write_mailbox(struct psn_vault *vault, const struct psn_draft *draft,
                                   const struct psn_content *content,
                                   const struct psn_secret *value,
                                   struct psn_document_writer *writer,
                                   struct psn_error *err)
{
    struct psn_slice fields[PSN_MAILBOX_FIELDS] = { 0 };
    struct psn_mail_settings settings;
    struct psn_role_row role;
    char version[24];
    char changed[PSN_TIME_SIZE];
    char proved[PSN_TIME_SIZE];
    char imap[PSN_SERVER_MAX];
    char smtp[PSN_SERVER_MAX];
    enum psn_code rc = psn_role_read(vault, content->address, &role, err);

    if (rc)
        return rc;
    psn_mail_settings_of(role.backend, role.place.host, &draft->client, &settings);
    (void)snprintf(version, sizeof version, "%llu", (unsigned long long)content->version);
    fields[PSN_MAILBOX_ADDRESS] = psn_slice_of(content->address);
    fields[PSN_MAILBOX_VERSION] = psn_slice_of(version);
    if (role.changed_s)
        fields[PSN_MAILBOX_CHANGED] =
            psn_slice_of(psn_clock_format(role.changed_s, changed));
    if (role.verified_s)
        fields[PSN_MAILBOX_PROVED] =
            psn_slice_of(psn_clock_format(role.verified_s, proved));
    fields[PSN_MAILBOX_USER] = psn_slice_of(content->address);
    fields[PSN_MAILBOX_PASSWORD] =
        (struct psn_slice){ psn_secret_bytes(value), psn_secret_size(value) };
    fields[PSN_MAILBOX_WEBMAIL] = psn_slice_of(settings.webmail);
    fields[PSN_MAILBOX_IMAP] = server(settings.imap_host, settings.imap_port,
                                      settings.imap_security, imap, sizeof imap);
    fields[PSN_MAILBOX_SMTP] = server(settings.smtp_host, settings.smtp_port,
                                      settings.smtp_security, smtp, sizeof smtp);
    if (draft->own)
        fields[PSN_MAILBOX_SELF_CHANGE] = psn_slice_of(self_change(role.backend));
    psn_document_mailbox(writer, fields);
    return PSN_OK;
}

static void write_secret(const struct psn_content *content,
                         const struct psn_secret_info *info,
                         const struct psn_secret *value,
                         struct psn_document_writer *writer)
{
    struct psn_slice fields[PSN_SECRET_FIELDS] = { 0 };
    char version[24];

    (void)snprintf(version, sizeof version, "%llu", (unsigned long long)content->version);
    fields[PSN_SECRET_LABEL] = psn_slice_of(content->label);
    fields[PSN_SECRET_OF] = psn_slice_of(content->address);
    fields[PSN_SECRET_TYPE] = psn_slice_of(info->type[0] ? info->type : "other");
    fields[PSN_SECRET_VERSION] = psn_slice_of(version);
    fields[PSN_SECRET_USER] = psn_slice_of(info->user);
    fields[PSN_SECRET_URL] = psn_slice_of(info->url);
    fields[PSN_SECRET_EXPIRES] = psn_slice_of(info->expires);
    fields[PSN_SECRET_NOTE] = psn_slice_of(info->note);
    fields[PSN_SECRET_VALUE] =
        (struct psn_slice){ psn_secret_bytes(value), psn_secret_size(value) };
    psn_document_secret(writer, fields);
}

enum psn_code psn_draft_put_content(struct psn_vault *vault,
                                    const struct psn_draft *draft,
                                    const struct psn_content *content,
                                    const struct psn_secret_info *info,
                                    struct psn_document_writer *writer,
                                    struct psn_secret **ret_value, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    char to[PSN_PERSON_ID_MAX + 32];
    enum psn_code rc;

    (void)snprintf(to, sizeof to, "to %s, serial %llu", draft->person.id,
                   (unsigned long long)draft->row.serial);
    rc = psn_disclose(vault,
                      &(struct psn_disclosure){ .person = draft->person.id,
                                                .client = draft->row.client,
                                                .address = content->address,
                                                .label = content->label,
                                                .version = content->version,
                                                .how = PSN_HOW_ISSUED,
                                                .text = to },
                      &value, err);
    if (rc)
        return psn_wrap(err, rc, "%s", content->address);
    if (content->label[0])
        write_secret(content, info, value, writer);
    else
        rc = write_mailbox(vault, draft, content, value, writer, err);
    if (!rc && ret_value)
        *ret_value = PSN_TAKE(value);
    return rc;
}

struct writing {
    struct psn_vault *vault;
    struct psn_draft *draft;
    struct psn_document_writer writer;
    struct psn_content_list theirs; /* what the client has received: he gives it on */
};

static enum psn_code write_one(void *arg, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    struct writing *writing = arg;
    struct psn_issue_row *row = &writing->draft->row;
    struct psn_secret_info told = *info;
    enum psn_code rc;

    if (psn_contents_have(writing->theirs.items, writing->theirs.count, info->address,
                          info->label, info->version))
        return PSN_OK;
    rc = psn_content_add(&row->contents, &row->content_count, info->address, info->label,
                         info->version, err);

    psn_recovery_tell_marks(&told);
    return rc ? rc
              : psn_draft_put_content(writing->vault, writing->draft,
                                      &row->contents[row->content_count - 1], &told,
                                      &writing->writer, NULL, err);
}

/* What each grant covers is told, disclosed and written, one after the other. */
static enum psn_code write_contents(struct writing *writing, const char *labels,
                                    struct psn_error *err)
{
    const struct psn_issue_order *order = writing->draft->order;
    struct psn_issue_row *row = &writing->draft->row;
    enum psn_code rc =
        psn_handover_received(writing->vault, order->client, &writing->theirs, err);

    for (size_t i = 0; !rc && i < order->address_count; i++) {
        size_t before = row->content_count;

        rc = psn_grant_each_covered(writing->vault, order->addresses[i], labels,
                                    write_one, writing, err);
        labels += strlen(labels) + 1;
        if (rc || row->content_count > before)
            continue;
        (void)psn_fail(err, PSN_E_POLICY, _("no password of '%s' is proved yet"),
                       order->addresses[i]);
        rc = psn_hint(err, PSN_E_POLICY, _("finish it first: passation resume %s"),
                      order->addresses[i]);
    }
    if (!rc && !psn_issue_row_index(row))
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    free(writing->theirs.items);
    writing->theirs = (struct psn_content_list){ 0 };
    return rc;
}

static enum psn_code write_text(struct psn_vault *vault, struct psn_draft *draft,
                                const struct psn_draft_terms *terms, const char *labels,
                                struct psn_error *err)
{
    struct writing writing = { .vault = vault, .draft = draft };
    PSN_AUTO(psn_secret) *text = NULL;
    enum psn_code rc = psn_draft_put_head(vault, draft, terms, &writing.writer, err);
    enum psn_code end;

    if (!rc)
        rc = write_contents(&writing, labels, err);
    end = psn_document_end(&writing.writer, &text, rc ? NULL : err);
    if (rc || end)
        return rc ? rc : end;
    draft->text = PSN_TAKE(text);
    return PSN_OK;
}

/* --- one transaction --- */

enum psn_code psn_draft_begin(struct psn_vault *vault, struct psn_draft *draft,
                              struct psn_error *err)
{
    enum psn_code rc = check_person(vault, draft, err);

    if (rc)
        return rc;
    memcpy(draft->row.person, draft->person.id, sizeof draft->row.person);
    (void)snprintf(draft->row.client, sizeof draft->row.client, "%s",
                   draft->order->client);
    draft->row.format = draft->order->format;
    draft->row.state = PSN_ISSUE_PREPARED;
    draft->row.created_s = vault->world.now_s();
    draft->row.by_code = psn_issue_by_code(&draft->person, draft->order->format);
    psn_receipt_new(draft->row.receipt);
    rc = take_serial(vault, draft, err);
    return rc ? rc : read_key(vault, draft, err);
}

enum psn_code psn_draft_note(struct psn_vault *vault, struct psn_draft *draft,
                             const char *event, struct psn_error *err)
{
    char serial[32];
    enum psn_code rc = psn_issue_row_write(vault, &draft->row, err);

    psn_issue_serial_text(draft->row.serial, serial);
    return rc ? rc
              : psn_journal_note(vault, draft->row.client,
                                 &(struct psn_note){ .event = event,
                                                     .subject = draft->person.id,
                                                     .text = serial },
                                 err);
}

static enum psn_code compose(struct psn_vault *vault, struct psn_draft *draft,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf)
    labels = psn_buf_init(draft->order->address_count * PSN_FIELD_MAX);
    struct psn_draft_terms terms = { 0 };
    enum psn_code rc = psn_draft_begin(vault, draft, err);

    if (!rc)
        rc = gather(vault, draft, &terms, &labels, err);
    if (!rc)
        rc = write_text(vault, draft, &terms, psn_buf_str(&labels), err);
    return rc ? rc : psn_draft_note(vault, draft, "issue.prepared", err);
}

enum psn_code psn_draft_compose(struct psn_vault *vault, struct psn_draft *draft,
                                struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, compose(vault, draft, err), err);
}

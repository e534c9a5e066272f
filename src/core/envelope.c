#include "passation/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age/identity.h"
#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/record.h"
#include "core/trousseau.h"
#include "page/page.h"

/*
 * The envelope's row lies beside the handover's. Its key is no secret of the vault: only
 * the public half is kept, so that what changes can be sealed for it at any time.
 */
enum {
    ROW_NUMBER = 2, /* behind the client's prefix */

    TAG_PERSON = 1,
    TAG_RECIPIENT = 2,
    TAG_CREATED = 3,
    TAG_WRITTEN = 4,
    TAG_SERIAL = 5,
    TAG_FOLDER = 6,
    TAG_WRITING = 7, /* files were about to be replaced, and no run has ended since */
    TAG_MAX = 7,

    RENEWING = 1, /* under the same key */
    REMAKING = 2, /* under a new one: which of the two sheets is true, nobody knows */
};

/* --- the row --- */

static enum psn_code row_key(struct psn_vault *vault, const char *client,
                             struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, client, ret_key, err);

    if (!rc)
        psn_row_key_add_number(ret_key, ROW_NUMBER);
    return rc;
}

static enum psn_code fail_none(const char *client, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("'%s' has no recovery envelope"), client);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("make one: passation envelope create %s --to PERSON"), client);
}

static enum psn_code read_row(struct psn_vault *vault, const char *client,
                              struct psn_envelope *envelope, uint64_t *ret_revision,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    const struct psn_secret *data_key;
    struct psn_record record;
    struct psn_row_key key;
    uint64_t writing;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    *ret_revision = 0;
    if (!rc)
        rc = row_key(vault, client, &key, err);
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_CREDENTIAL, &key, data_key, &plain,
                          ret_revision, err);
    if (!rc && *ret_revision == 0)
        return fail_none(client, err);
    if (!rc)
        rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (rc)
        return rc;
    writing = psn_record_number(&record, TAG_WRITING);
    *envelope = (struct psn_envelope){
        .created_s = (int64_t)psn_record_number(&record, TAG_CREATED),
        .written_s = (int64_t)psn_record_number(&record, TAG_WRITTEN),
        .serial = psn_record_number(&record, TAG_SERIAL),
        .is_torn = writing != 0,
        .is_remade = writing == REMAKING,
    };
    (void)snprintf(envelope->client, sizeof envelope->client, "%s", client);
    if (psn_record_text(&record, TAG_PERSON, envelope->person, sizeof envelope->person) &&
        psn_record_text(&record, TAG_RECIPIENT, envelope->recipient,
                        sizeof envelope->recipient) &&
        psn_record_text(&record, TAG_FOLDER, envelope->folder, sizeof envelope->folder))
        return PSN_OK;
    return psn_fail(err, PSN_E_INTEGRITY, _("the record of an envelope is malformed"));
}

static enum psn_code write_row(struct psn_vault *vault,
                               const struct psn_envelope *envelope, uint64_t revision,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    const struct psn_secret *data_key;
    struct psn_row_key key;
    enum psn_code rc = psn_client_data_key(vault, envelope->client, &data_key, err);

    if (!rc)
        rc = row_key(vault, envelope->client, &key, err);
    if (rc)
        return rc;
    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_PERSON, envelope->person);
    psn_record_put_text(&plain, TAG_RECIPIENT, envelope->recipient);
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)envelope->created_s);
    psn_record_put_number(&plain, TAG_WRITTEN, (uint64_t)envelope->written_s);
    psn_record_put_number(&plain, TAG_SERIAL, envelope->serial);
    psn_record_put_text(&plain, TAG_FOLDER, envelope->folder);
    if (envelope->is_torn)
        psn_record_put_number(&plain, TAG_WRITING,
                              envelope->is_remade ? REMAKING : RENEWING);
    rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_CREDENTIAL, &key, revision + 1, data_key,
                            plain.data, plain.size, err);
}

/* The same, where there need not be one: then *ret_revision is 0. */
static enum psn_code read_before(struct psn_vault *vault, const char *client,
                                 struct psn_envelope *before, uint64_t *ret_revision,
                                 struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc = read_row(vault, client, before, ret_revision, &why);

    if (!rc || rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    return psn_fail(err, rc, _("the envelope of '%s': %s"), client, why.message);
}

/* One that is kept up to date. */
static enum psn_code read_kept(struct psn_vault *vault, const char *id,
                               struct psn_envelope *envelope, struct psn_error *err)
{
    struct psn_client client = { 0 };
    uint64_t revision;
    enum psn_code rc = psn_client_read(vault, id, &client, err);
    bool is_kept = client.envelope_s != 0;

    psn_client_release(&client);
    if (rc)
        return rc;
    return is_kept ? read_row(vault, id, envelope, &revision, err) : fail_none(id, err);
}

/* --- the files --- */

static enum psn_code write_files(struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_ISSUE_FILE_MAX);
    PSN_AUTO_RELEASE(psn_buf) armored = psn_buf_init(PSN_ISSUE_FILE_MAX);
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(PSN_ISSUE_FILE_MAX);
    char name[PSN_CLIENT_ID_MAX + 32];
    enum psn_code rc = psn_draft_encrypt(&trousseau->draft, false, &file, err);

    (void)snprintf(name, sizeof name, "enveloppe-%s.age", trousseau->client);
    if (!rc)
        rc = psn_trousseau_put(trousseau, name, file.data, file.size, true, true, err);
    if (!rc)
        rc = psn_draft_encrypt(&trousseau->draft, true, &armored, err);
    if (!rc)
        rc = psn_page_wrap(psn_buf_str(&armored), armored.size, &page, err);
    (void)snprintf(name, sizeof name, "enveloppe-%s.html", trousseau->client);
    return rc ? rc
              : psn_trousseau_put(trousseau, name, page.data, page.size, true, true, err);
}

/* Before the first file is replaced: until finish(), the envelope that the vault knows
 * may open nothing any more, and is due. */
static enum psn_code mark_torn(struct psn_vault *vault, const char *client,
                               const char *recipient, struct psn_error *err)
{
    struct psn_envelope before = { 0 };
    uint64_t revision = 0;
    enum psn_code rc = read_before(vault, client, &before, &revision, err);

    if (rc || !revision)
        return rc;
    before.is_remade =
        before.is_remade || (recipient && strcmp(before.recipient, recipient) != 0);
    before.is_torn = true;
    return write_row(vault, &before, revision, err);
}

static enum psn_code fail_other_owner(const struct psn_client *client,
                                      struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY, _("'%s' is being handed over to %s"), client->id,
                   client->owner);
    return psn_hint(err, PSN_E_POLICY,
                    _("make the envelope for %s, or give the handover up first: "
                      "passation handover abandon %s"),
                    client->owner, client->id);
}

/* What he has of it opens what it opened; nothing newer follows. */
static enum psn_code fail_leaver(const struct psn_envelope *envelope,
                                 struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY, _("%s: nothing is issued to a leaver"),
                   envelope->person);
    return psn_hint(err, PSN_E_POLICY,
                    _("end it: passation envelope end %s; or make one for somebody else: "
                      "passation envelope create %s --to PERSON"),
                    envelope->client, envelope->client);
}

/* Nor to who counts as one since he lost his slot. */
static enum psn_code is_leaver(struct psn_vault *vault, const char *id, bool *ret_leaver,
                               struct psn_error *err)
{
    struct psn_person person = { 0 };
    bool lost = false;
    enum psn_code rc = psn_person_read(vault, id, &person, err);

    if (!rc)
        rc = psn_reach_lost_slot(vault, &person, &lost, err);
    *ret_leaver = person.departing_s || lost;
    return rc;
}

/* Whose envelope it is owns the accesses; in a handover, who gets them does. Nobody else
 * may: what one is given would be due to be taken from the other. */
static enum psn_code check_owner(struct psn_vault *vault,
                                 const struct psn_envelope *envelope,
                                 struct psn_error *err)
{
    struct psn_client client = { 0 };
    bool leaves = false;
    enum psn_code rc = psn_client_read(vault, envelope->client, &client, err);

    if (!rc && client.handover_s && strcmp(client.owner, envelope->person) != 0)
        rc = fail_other_owner(&client, err);
    if (!rc)
        rc = is_leaver(vault, envelope->person, &leaves, err);
    if (!rc && leaves)
        rc = fail_leaver(envelope, err);
    psn_client_release(&client);
    return rc;
}

static enum psn_code compose_in(struct psn_trousseau *trousseau,
                                const struct psn_envelope *envelope,
                                struct psn_error *err)
{
    struct psn_vault *vault = trousseau->vault;
    enum psn_code rc = check_owner(vault, envelope, err);

    if (!rc)
        rc = psn_trousseau_compose(trousseau, envelope->person, envelope->recipient,
                                   "envelope.prepared", err);
    return rc ? rc : mark_torn(vault, envelope->client, envelope->recipient, err);
}

static enum psn_code compose(struct psn_trousseau *trousseau,
                             const struct psn_envelope *envelope, struct psn_error *err)
{
    struct psn_vault *vault = trousseau->vault;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, compose_in(trousseau, envelope, err), err);
}

/* --- what is durable afterwards --- */

static enum psn_code void_before(struct psn_vault *vault, const char *client,
                                 const struct psn_envelope *before, struct psn_error *err)
{
    struct psn_handover_row row = { .serial = before->serial };
    memcpy(row.to, before->person, sizeof row.to);
    return psn_handover_void_issue(vault, client, &row, err);
}

/* A new key makes an owner; a renewal changes nothing of that. */
static enum psn_code put_owner(struct psn_vault *vault,
                               const struct psn_envelope *envelope, struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_read(vault, envelope->client, &client, err);

    memcpy(client.owner, envelope->person, sizeof client.owner);
    client.envelope_s = envelope->created_s;
    if (!rc)
        rc = psn_client_put_owner(vault, &client, err);
    psn_client_release(&client);
    return rc;
}

static enum psn_code settle(struct psn_trousseau *trousseau,
                            struct psn_envelope *envelope, struct psn_error *err)
{
    struct psn_vault *vault = trousseau->vault;
    struct psn_envelope before = { 0 };
    uint64_t revision = 0;
    char serial[32];
    enum psn_code rc = read_before(vault, envelope->client, &before, &revision, err);

    if (!rc && revision)
        rc = void_before(vault, envelope->client, &before, err);
    envelope->serial = trousseau->draft.row.serial;
    envelope->written_s = vault->world.now_s();
    envelope->is_torn = envelope->is_remade = false;
    trousseau->draft.row.state = PSN_ISSUE_WRITTEN;
    (void)snprintf(trousseau->draft.row.path, sizeof trousseau->draft.row.path, "%s",
                   envelope->folder);
    if (!rc)
        rc = psn_issue_row_write(vault, &trousseau->draft.row, err);
    if (!rc && strcmp(before.recipient, envelope->recipient) != 0)
        rc = put_owner(vault, envelope, err);
    if (!rc)
        rc = write_row(vault, envelope, revision, err);
    psn_issue_serial_text(envelope->serial, serial);
    return rc ? rc
              : psn_journal_note(vault, envelope->client,
                                 &(struct psn_note){ .event = "envelope.written",
                                                     .subject = envelope->person,
                                                     .text = serial },
                                 err);
}

static enum psn_code finish(struct psn_trousseau *trousseau,
                            struct psn_envelope *envelope, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(trousseau->vault, PSN_STORE_WRITE, err);

    return rc ? rc
              : psn_vault_end(trousseau->vault, settle(trousseau, envelope, err), err);
}

static enum psn_code take_folder(const char *directory, struct psn_envelope *envelope,
                                 struct psn_error *err)
{
    PSN_AUTO_FREE char *folder = NULL;
    const struct psn_delivery delivery = { .directory = directory };
    enum psn_code rc = psn_delivery_check(&delivery, err);

    if (!rc)
        rc = psn_delivery_folder(&delivery, &folder, err);
    if (!rc && strlen(folder) >= sizeof envelope->folder - 256)
        rc = psn_fail(err, PSN_E_INVALID, _("the folder's name is too long"));
    if (!rc)
        (void)snprintf(envelope->folder, sizeof envelope->folder, "%s", folder);
    return rc;
}

/* --- making one --- */

static enum psn_code make_key(struct psn_envelope *envelope, struct psn_secret **ret_key,
                              struct psn_error *err)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    enum psn_code rc = psn_age_identity_new(&scalar, err);

    if (!rc)
        rc = psn_age_identity_text(scalar, ret_key, err);
    return rc ? rc : psn_age_recipient(scalar, envelope->recipient, err);
}

static enum psn_code make(struct psn_trousseau *trousseau,
                          const struct psn_envelope_request *request,
                          struct psn_envelope *envelope, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    enum psn_code rc = make_key(envelope, &key, err);

    if (!rc)
        rc = compose(trousseau, envelope, err);
    if (!rc)
        rc = write_files(trousseau, err);
    if (!rc)
        rc = psn_trousseau_compare_envelope(trousseau, envelope->folder, key, err);
    if (!rc)
        rc = request->print(request->arg, envelope, key, err);
    return rc ? rc : finish(trousseau, envelope, err);
}

enum psn_code psn_envelope_create(struct psn_vault *vault,
                                  const struct psn_envelope_request *request,
                                  struct psn_error *err)
{
    struct psn_envelope envelope = { .created_s = vault->world.now_s() };
    struct psn_trousseau trousseau = { .vault = vault,
                                       .client = envelope.client,
                                       .replace = true };
    struct psn_client client = { 0 };
    struct psn_person person;
    enum psn_code rc = psn_client_get(vault, request->client, &client, err);

    psn_client_release(&client);
    if (!rc)
        rc = psn_person_get_owner(vault, request->person, &person, err);
    (void)snprintf(envelope.client, sizeof envelope.client, "%s", request->client);
    (void)snprintf(envelope.person, sizeof envelope.person, "%s", request->person);
    memcpy(envelope.by, vault->actor, sizeof envelope.by);
    if (!rc)
        rc = take_folder(request->directory, &envelope, err);
    memcpy(trousseau.partial, envelope.folder, sizeof trousseau.partial);
    /* One at a time: a renewal meanwhile would put the former key's files in place. */
    if (!rc)
        rc = psn_vault_lock_operation(vault, "envelope create", err);
    if (!rc) {
        rc = make(&trousseau, request, &envelope, err);
        psn_vault_unlock_operation(vault);
    }
    psn_trousseau_release(&trousseau);
    return rc ? psn_wrap(err, rc, _("the envelope of '%s'"), request->client) : PSN_OK;
}

enum psn_code psn_envelope_person(struct psn_vault *vault, const char *client,
                                  char ret_person[PSN_PERSON_ID_MAX],
                                  struct psn_error *err)
{
    struct psn_envelope envelope = { 0 };
    enum psn_code rc = read_kept(vault, client, &envelope, err);

    memcpy(ret_person, envelope.person, sizeof envelope.person);
    return rc;
}

enum psn_code psn_envelope_find(struct psn_vault *vault, const char *client,
                                struct psn_envelope *ret_envelope, struct psn_error *err)
{
    uint64_t revision;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault,
                              read_row(vault, client, ret_envelope, &revision, err), err);
}

/* --- keeping it up to date --- */

static enum psn_code get(struct psn_vault *vault, const char *client,
                         struct psn_envelope *envelope, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, read_kept(vault, client, envelope, err), err);
}

static enum psn_code fail_remade(const struct psn_envelope *envelope,
                                 struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY,
                   _("a new envelope was being made, and that was stopped: which sheet "
                     "opens it is not known"));
    return psn_hint(err, PSN_E_POLICY,
                    _("make it again, and print that sheet: passation envelope create %s "
                      "--to %s"),
                    envelope->client, envelope->person);
}

static enum psn_code update(struct psn_vault *vault, const char *client,
                            const char *directory, struct psn_error *err)
{
    struct psn_envelope envelope = { 0 };
    struct psn_trousseau trousseau = { .vault = vault,
                                       .client = envelope.client,
                                       .replace = true };
    enum psn_code rc = get(vault, client, &envelope, err);

    if (!rc && envelope.is_remade)
        rc = fail_remade(&envelope, err);
    if (!rc && directory)
        rc = take_folder(directory, &envelope, err);
    memcpy(trousseau.partial, envelope.folder, sizeof trousseau.partial);
    if (!rc)
        rc = compose(&trousseau, &envelope, err);
    if (!rc)
        rc = write_files(&trousseau, err);
    if (!rc)
        rc = finish(&trousseau, &envelope, err);
    psn_trousseau_release(&trousseau);
    return rc;
}

enum psn_code psn_envelope_update(struct psn_vault *vault, const char *client,
                                  const char *directory, struct psn_error *err)
{
    enum psn_code rc = psn_vault_lock_operation(vault, "envelope update", err);

    if (rc)
        return rc;
    rc = update(vault, client, directory, err);
    psn_vault_unlock_operation(vault);
    return rc ? psn_wrap(err, rc, _("the envelope of '%s'"), client) : PSN_OK;
}

/* --- ending it --- */

static enum psn_code end_in(struct psn_vault *vault, const char *id,
                            struct psn_envelope *envelope, bool *ret_was_kept,
                            struct psn_error *err)
{
    struct psn_client client = { 0 };
    uint64_t revision;
    enum psn_code rc = read_row(vault, id, envelope, &revision, err);

    if (!rc)
        rc = psn_client_read(vault, id, &client, err);
    *ret_was_kept = !rc && client.envelope_s;
    if (!rc && *ret_was_kept) {
        client.envelope_s = 0;
        rc = void_before(vault, id, envelope, err);
        if (!rc)
            rc = psn_handover_settle_owner(vault, &client, err);
        if (!rc)
            rc = psn_client_put_owner(vault, &client, err);
        if (!rc)
            rc = psn_journal_note(vault, id,
                                  &(struct psn_note){ .event = "envelope.ended",
                                                      .subject = envelope->person },
                                  err);
    }
    psn_client_release(&client);
    return rc;
}

static enum psn_code end(struct psn_vault *vault, const char *client,
                         psn_envelope_file_fn *each, void *arg, struct psn_error *err)
{
    struct psn_envelope envelope = { 0 };
    bool was_kept = false;
    size_t removed = 0;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    if (!rc)
        rc = psn_vault_end(vault, end_in(vault, client, &envelope, &was_kept, err), err);
    if (!rc)
        rc = psn_envelope_remove_files(&envelope, each, arg, &removed, err);
    return rc || was_kept || removed > 0 ? rc : fail_none(client, err);
}

/* Again after a file could not be deleted, it goes on. */
enum psn_code psn_envelope_end(struct psn_vault *vault, const char *client,
                               psn_envelope_file_fn *each, void *arg,
                               struct psn_error *err)
{
    enum psn_code rc = psn_vault_lock_operation(vault, "envelope end", err);

    if (rc)
        return rc;
    rc = end(vault, client, each, arg, err);
    psn_vault_unlock_operation(vault);
    return rc ? psn_wrap(err, rc, _("the envelope of '%s'"), client) : PSN_OK;
}

/* --- is it up to date? --- */

static bool same_contents(const struct psn_content_list *contents,
                          const struct psn_issue_row *issue)
{
    if (contents->count != issue->content_count)
        return false;
    for (size_t i = 0; i < contents->count; i++)
        if (contents->items[i].version != issue->contents[i].version ||
            strcmp(contents->items[i].address, issue->contents[i].address) != 0 ||
            strcmp(contents->items[i].label, issue->contents[i].label) != 0)
            return false;
    return true;
}

/* What is in it stands in the order in which the vault tells it. */
enum psn_code psn_envelope_read(struct psn_vault *vault, const struct psn_survey *survey,
                                const char *client, struct psn_envelope *envelope,
                                struct psn_error *err)
{
    struct psn_handover_row row = { 0 };
    struct psn_content_list contents = { 0 };
    struct psn_issue_row issue = { 0 };
    uint64_t revision;
    enum psn_code rc = read_row(vault, client, envelope, &revision, err);

    if (!rc)
        rc = is_leaver(vault, envelope->person, &envelope->is_left, err);
    if (!rc)
        rc = survey ? psn_handover_contents_in(survey, vault, client, &contents, err)
                    : psn_handover_contents(vault, client, &contents, err);
    row.serial = envelope->serial;
    memcpy(row.to, envelope->person, sizeof row.to);
    if (!rc) {
        rc = psn_handover_issue_row(vault, client, &row, &issue, err);
        envelope->is_stale = rc || envelope->is_torn || !same_contents(&contents, &issue);
        rc = psn_allow(PSN_E_NOT_FOUND, rc, NULL, err);
    }
    psn_issue_row_release(&issue);
    free(contents.items);
    return rc;
}

#include "core/destruction.h"

#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/client.h"
#include "core/client_rows.h"
#include "core/counters.h"
#include "core/credential_due.h"
#include "core/departure.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/state.h"
#include "core/successor.h"
#include "core/unstated.h"
#include "crypto/hash.h"

/*
 * A vault without one client. Every row of every table is looked at: it is his and left
 * out, or it is carried as it is, so that a table which nobody thought of stays whole.
 * The root key and the slots are the same, bit for bit: whoever could unlock the old file
 * unlocks the new one, and an agent goes on.
 *
 * Journal entries are sealed again, since some of the vault's are shredded on the way.
 */
enum {
    PROGRESS_STEP = 64
};

enum psn_code psn_destruction_check(const struct psn_destruction_request *request,
                                    struct psn_error *err)
{
    const char *statement = request->statement ? request->statement : "";
    size_t size = strlen(statement);

    if (!request->confirm || strcmp(request->confirm, request->client) != 0)
        return psn_fail(err, PSN_E_POLICY,
                        _("what the vault holds of '%s' is only destroyed when his id is "
                          "given once more"),
                        request->client);
    if (size >= PSN_DESTRUCTION_STATEMENT_MAX || !psn_text_is_plain(statement, size))
        return psn_fail(
            err, PSN_E_INVALID,
            _("the text that is noted with a destruction is one plain line of "
              "at most %d bytes"),
            PSN_DESTRUCTION_STATEMENT_MAX - 1);
    return PSN_OK;
}

struct destroying {
    const struct psn_destruction_request *request;
    struct psn_destruction *facts;
    struct psn_vault *from;
    struct psn_vault *to;
    struct psn_client client;
    struct psn_client_rows *rows;
    uint64_t done;
    uint64_t total;
};

/* --- rows --- */

struct table_carry {
    struct destroying *run;
    enum psn_table table;
};

static enum psn_code carry_row(void *arg, const struct psn_store_row *row,
                               const struct psn_buf *plain, struct psn_error *err)
{
    const struct table_carry *carry = arg;
    struct destroying *run = carry->run;
    const struct psn_destruction_request *request = run->request;
    bool is_his = false;
    enum psn_code rc = psn_client_rows_have(run->rows, carry->table, row, &is_his, err);

    (void)plain;
    if (rc)
        return rc;
    run->done++;
    if (request->progress && run->done % PROGRESS_STEP == 0)
        request->progress(request->arg, run->done, run->total);
    run->facts->rows_removed += is_his;
    /* The heads of chains are written when the chains are. */
    return is_his || carry->table == PSN_TABLE_CHAIN
               ? PSN_OK
               : psn_store_carry(run->to->store, carry->table, row, err);
}

static enum psn_code carry_rows(struct destroying *run, struct psn_error *err)
{
    enum psn_code rc = psn_store_row_count(run->from->store, &run->total, err);

    for (size_t i = 0; !rc && i < PSN_TABLE_COUNT; i++) {
        struct table_carry carry = { run, (enum psn_table)i };

        rc = psn_row_each(run->from, carry.table, NULL, NULL, carry_row, &carry, err);
    }
    if (!rc && run->done != run->total)
        rc = psn_fail(err, PSN_E_UNEXPECTED,
                      _("%llu of the %llu rows of the vault could not be carried over"),
                      (unsigned long long)(run->total - run->done),
                      (unsigned long long)run->total);
    return rc;
}

/* --- journals --- */

static enum psn_code carry_chain(void *arg, const char *client, struct psn_error *err)
{
    struct destroying *run = arg;

    return psn_journal_copy(run->from, run->to, client, NULL, err);
}

static enum psn_code carry_journals(struct destroying *run, struct psn_error *err)
{
    struct psn_shredding shredding = { .client = &run->client };
    enum psn_code rc = psn_state_carry_history(run->from, run->to, err);

    if (!rc)
        rc = psn_journal_copy(run->from, run->to, NULL, &shredding, err);
    if (!rc)
        rc = psn_client_ids(run->to, carry_chain, run, err);
    run->facts->entries_shredded = shredding.count;
    return rc;
}

static enum psn_code note_destroyed(const struct destroying *run, struct psn_error *err)
{
    const struct psn_destruction *facts = run->facts;
    const char *statement = run->request->statement ? run->request->statement : "";
    char hash[2 * PSN_HEAD_SIZE + 1];
    char text[PSN_JOURNAL_TEXT_MAX];

    (void)snprintf(text, sizeof text, "entries %llu head %s%s%s",
                   (unsigned long long)facts->chain_count,
                   psn_hex(facts->chain_head, sizeof facts->chain_head, hash),
                   statement[0] ? " " : "", statement);
    return psn_journal_note(run->to, NULL,
                            &(struct psn_note){ .event = PSN_EVENT_DESTROYED,
                                                .subject = run->client.id,
                                                .text = text },
                            err);
}

/* --- people --- */

/* A name of somebody's at OVH that is this client's account or address is of no use for
 * any other. */
static enum psn_code drop_names(struct psn_vault *vault, const struct psn_client *client,
                                const char *id, struct psn_error *err)
{
    struct psn_person person;
    uint64_t revision = 0;
    size_t kept = 0;
    enum psn_code rc = psn_person_load(vault, id, &person, &revision, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < person.alias_count; i++) {
        if (psn_client_is_named(client, person.aliases[i]))
            continue;
        if (kept != i)
            memcpy(person.aliases[kept], person.aliases[i], sizeof person.aliases[i]);
        kept++;
    }
    if (kept == person.alias_count)
        return PSN_OK;
    person.alias_count = kept;
    return psn_person_store(vault, &person, revision + 1, err);
}

static enum psn_code drop_all_names(const struct destroying *run, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_person_list(run->to, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++)
        rc = drop_names(run->to, &run->client, people[i].id, err);
    return rc;
}

/* --- all of it --- */

static enum psn_code look_at_client(struct destroying *run, struct psn_error *err)
{
    const char *id = run->request->client;
    struct psn_head head = { 0 };
    enum psn_code rc = psn_client_read(run->from, id, &run->client, err);

    if (!rc)
        rc = psn_journal_head(run->from, id, &head, err);
    if (!rc)
        rc = psn_client_rows_new(run->from, &run->client, true, &run->rows, err);
    run->facts->chain_count = head.count;
    run->facts->entries_removed = head.count;
    memcpy(run->facts->chain_head, head.hash, sizeof head.hash);
    return rc;
}

static enum psn_code carry_all(struct destroying *run, struct psn_error *err)
{
    const char *id = run->request->client;
    struct psn_state *state = &run->to->state;
    enum psn_code rc =
        run->request->check ? run->request->check(run->from, id, err) : PSN_OK;

    if (!rc)
        rc = look_at_client(run, err);
    state->slot_count = run->from->state.slot_count;
    memcpy(state->slots, run->from->state.slots, sizeof state->slots);
    if (!rc)
        rc = carry_rows(run, err);
    if (!rc)
        rc = carry_journals(run, err);
    if (!rc)
        rc = psn_due_settle(run->to, id, err);
    if (!rc)
        rc = drop_all_names(run, err);
    if (!rc)
        rc = psn_versions_retire(run->from, id, NULL, run->to, err);
    if (!rc)
        rc = psn_departure_note_forgotten(run->from, run->to, id, err);
    if (!rc)
        rc = psn_unstated_add(run->to, id, run->request->statement, err);
    return rc ? rc : note_destroyed(run, err);
}

static enum psn_code fill(void *arg, struct psn_vault *from, struct psn_vault *to,
                          struct psn_error *err)
{
    struct destroying *run = arg;
    const struct psn_destruction_request *request = run->request;
    enum psn_code rc;

    *run->facts = (struct psn_destruction){ 0 };
    run->from = from;
    run->to = to;
    run->done = 0;
    rc = carry_all(run, err);
    run->facts->done_s = to->world.now_s();
    if (!rc && request->progress)
        request->progress(request->arg, run->done, run->total);
    psn_client_rows_free(PSN_TAKE(run->rows));
    psn_client_release(&run->client);
    return rc;
}

static bool has_slot(const struct psn_vault *vault, const struct psn_slot_head *slot)
{
    for (size_t i = 0; i < vault->state.slot_count; i++) {
        const struct psn_slot_head *own = &vault->state.slots[i];

        if (memcmp(own->id, slot->id, sizeof own->id) == 0)
            return own->kind == slot->kind && own->cost.passes == slot->cost.passes &&
                   own->cost.memory_bytes == slot->cost.memory_bytes &&
                   memcmp(own->salt, slot->salt, sizeof own->salt) == 0 &&
                   memcmp(own->wrap, slot->wrap, sizeof own->wrap) == 0;
    }
    return false;
}

static enum psn_code check_slots(const struct psn_vault *vault,
                                 const struct psn_vault *old, struct psn_error *err)
{
    bool same = vault->state.slot_count == old->state.slot_count;

    for (size_t i = 0; same && i < old->state.slot_count; i++)
        same = has_slot(vault, &old->state.slots[i]);
    return same ? PSN_OK
                : psn_fail(err, PSN_E_UNEXPECTED,
                           _("its slots are not those of the vault"));
}

/* The slots are those of the old file, and he is not there. */
static enum psn_code prove(void *arg, const struct psn_vault *to, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    const struct destroying *run = arg;
    struct psn_vault_options options = { .path = to->path };
    struct psn_client client = { 0 };
    bool is_gone;
    enum psn_code rc = psn_vault_open(&options, &vault, err);

    if (!rc)
        rc = check_slots(vault, run->from, err);
    if (!rc)
        rc = psn_vault_unlock_key(vault, to->root_key, to->slot, err);
    if (rc)
        return rc;
    rc = psn_allow(PSN_E_NOT_FOUND,
                   psn_client_get(vault, run->request->client, &client, err), &is_gone,
                   err);
    psn_client_release(&client);
    if (rc || is_gone)
        return rc;
    return psn_fail(err, PSN_E_UNEXPECTED, _("it still has the client '%s'"),
                    run->request->client);
}

enum psn_code psn_destruction_run(struct psn_vault *vault,
                                  const struct psn_destruction_request *request,
                                  struct psn_destruction *ret_destruction,
                                  struct psn_error *err)
{
    struct psn_store_wiped wiped = { 0 };
    struct destroying run = { .request = request, .facts = ret_destruction };
    struct psn_successor successor = { .what = "destruction",
                                       .same_key = true,
                                       .fill = fill,
                                       .prove = prove,
                                       .arg = &run,
                                       .ret_wiped = &wiped };
    enum psn_code rc;

    *ret_destruction = (struct psn_destruction){ 0 };
    rc = psn_vault_succeed(vault, &successor, &ret_destruction->is_done, err);
    ret_destruction->file_bytes = wiped.file_bytes;
    ret_destruction->log_bytes = wiped.log_bytes;
    ret_destruction->is_overwritten = wiped.is_complete;
    ret_destruction->is_shared = wiped.is_shared;
    return rc;
}

enum psn_code psn_client_destroy(struct psn_vault *vault,
                                 const struct psn_destruction_request *request,
                                 struct psn_destruction *ret_destruction,
                                 struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_destruction_check(request, err);

    *ret_destruction = (struct psn_destruction){ 0 };
    if (!rc)
        rc = psn_client_get(vault, request->client, &client, err);
    psn_client_release(&client);
    return rc ? rc : psn_destruction_run(vault, request, ret_destruction, err);
}

/* --- what was noted --- */

/* "entries COUNT head HASH[ STATEMENT]" */
static bool read_note(const struct psn_journal_entry *entry,
                      struct psn_destruction_note *ret_note)
{
    enum {
        HEX = 2 * PSN_HEAD_SIZE
    };
    static const char entries[] = "entries ";
    static const char head[] = " head ";
    const char *count = entry->text + sizeof entries - 1;
    const char *hash = strstr(entry->text, head);
    char number[24];

    if (strcmp(entry->event, PSN_EVENT_DESTROYED) != 0 || !hash ||
        strncmp(entry->text, entries, sizeof entries - 1) != 0 ||
        hash - count >= (ptrdiff_t)sizeof number)
        return false;
    (void)snprintf(number, sizeof number, "%.*s", (int)(hash - count), count);
    hash += sizeof head - 1;
    if (!psn_text_parse_u64(number, UINT64_MAX, &ret_note->chain_count) ||
        !psn_unhex(hash, ret_note->chain_head, sizeof ret_note->chain_head))
        return false;
    ret_note->client = entry->subject;
    ret_note->actor = entry->actor;
    ret_note->done_s = entry->time_s;
    ret_note->statement = hash + HEX + (hash[HEX] == ' ');
    return true;
}

struct reading {
    psn_destruction_fn *each;
    void *arg;
};

static enum psn_code pass_on(void *arg, const struct psn_journal_entry *entry,
                             struct psn_error *err)
{
    const struct reading *reading = arg;
    struct psn_destruction_note note = { 0 };

    return read_note(entry, &note) ? reading->each(reading->arg, &note, err) : PSN_OK;
}

enum psn_code psn_destruction_each(struct psn_vault *vault, psn_destruction_fn *each,
                                   void *arg, struct psn_error *err)
{
    struct reading reading = { each, arg };

    return psn_journal_each(vault, "", 0, pass_on, &reading, err);
}

struct finding {
    const char *client;
    struct psn_head *head;
    bool *found;
};

static enum psn_code keep_last(void *arg, const struct psn_journal_entry *entry,
                               struct psn_error *err)
{
    const struct finding *finding = arg;
    struct psn_destruction_note note = { 0 };

    (void)err;
    if (!read_note(entry, &note) || strcmp(note.client, finding->client) != 0)
        return PSN_OK;
    finding->head->count = note.chain_count;
    memcpy(finding->head->hash, note.chain_head, sizeof note.chain_head);
    *finding->found = true;
    return PSN_OK;
}

enum psn_code psn_destruction_find(struct psn_vault *vault, const char *client,
                                   struct psn_head *ret_head, bool *ret_found,
                                   struct psn_error *err)
{
    struct finding finding = { client, ret_head, ret_found };

    *ret_head = (struct psn_head){ 0 };
    *ret_found = false;
    return psn_journal_walk(vault, NULL, keep_last, &finding, err);
}

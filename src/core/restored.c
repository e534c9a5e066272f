#include "core/restored.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/allow.h"
#include "base/beside.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/backup.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/issue.h"
#include "core/item.h"
#include "core/past_key.h"
#include "core/person.h"
#include "core/record.h"
#include "core/restored_part.h"
#include "core/role.h"

/*
 * An older state that takes the vault's place knows nothing of what was done since: which
 * passwords are in force, who has seen what, whose grant was ended, who has left. None of
 * that is undone by it. What is there still tells, if the same keys open it, and is
 * taken over:
 *
 *   mailboxes  with their passwords, as OVH has them; those that are only there, too. One
 *              that both have changed, as they went on apart, keeps its own: the other's
 *              is among its versions, and somebody has to look
 *   secrets    that are newer there: nobody gives them again. One that was removed there
 *              and is here is back, with its newest value
 *   own keys   and what was received and is trusted, as they are there
 *   people     are as they are there, their keys above all: one that was replaced may
 *              have been stolen. Who is leaving since, or has left, is leaving again, as
 *              the passwords he knew may be in force again
 *   past keys  whoever is known by them alone had left, and is leaving again
 *   clients    whose their accesses are, by which keys they are worked for, handover and
 *              envelope: at OVH, and with the client, all of that is as it is there. One
 *              that is only there comes whole; one that is gone there is back: somebody
 *              has to look
 *   grants     one that was ended there, or went with its person, is ended, one that was
 *              narrowed is narrow; one that is only there gives no right
 *   issues     with what became of them
 *   exposures  of the versions that are here, too: a later one is in no file any more
 */
/* --- people --- */

/* *ret_revision is 0 if he is not there. */
static enum psn_code find_person(struct psn_vault *vault, const char *id,
                                 struct psn_person *ret_person, uint64_t *ret_revision,
                                 struct psn_error *err)
{
    *ret_revision = 0;
    return psn_allow(PSN_E_NOT_FOUND,
                     psn_person_load(vault, id, ret_person, ret_revision, err), NULL,
                     err);
}

static enum psn_code carry_person(const struct psn_carrying *at,
                                  const struct psn_person *person, struct psn_error *err)
{
    struct psn_person here = { .departing_s = 0 };
    struct psn_person there = *person;
    uint64_t revision;
    bool leaves = person->departing_s || person->departure.held_slot;
    enum psn_code rc = find_person(at->to, person->id, &here, &revision, err);

    if (rc)
        return rc;
    at->carried->people += revision == 0;
    if (here.departing_s) { /* what he knew then is not back */
        there.departing_s = here.departing_s;
        there.departed_s = here.departed_s;
        there.departure = here.departure;
    } else if (leaves) {
        at->carried->departures++;
        there.departed_s = 0;
        there.departure.report_due = false;
    }
    return psn_person_store(at->to, &there, revision + 1, err);
}

static enum psn_code carry_people(const struct psn_carrying *at, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_person_list(at->from, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++)
        rc = carry_person(at, &people[i], err);
    return rc;
}

/* Whose key is all that is left of him there, had left. */
static enum psn_code carry_past_key(void *arg, const struct psn_past_key *key,
                                    struct psn_error *err)
{
    const struct psn_carrying *at = arg;
    struct psn_person person;
    uint64_t there;
    uint64_t here = 0;
    enum psn_code rc = psn_past_key_put(at->to, key, err);

    if (!rc)
        rc = find_person(at->from, key->person, &person, &there, err);
    if (!rc && there == 0)
        rc = find_person(at->to, key->person, &person, &here, err);
    if (rc || here == 0 || person.departing_s)
        return rc;
    person.departing_s = key->noted_s;
    at->carried->departures++;
    return psn_person_store(at->to, &person, here + 1, err);
}

/* --- grants --- */

static enum psn_code end_grant(const struct psn_carrying *at, struct psn_grant_row *here,
                               int64_t ended_s, struct psn_error *err)
{
    const char *address = here->address;
    enum psn_code rc;

    here->ended_s = ended_s;
    at->carried->grants++;
    rc = psn_grant_write(at->to, here, err);
    return rc ? rc : psn_issue_void(at->to, here->person, &address, 1, err);
}

/* How long, and what else beside the password: what it was narrowed to since, it stays.
 */
static enum psn_code take_terms(const struct psn_carrying *at, struct psn_grant_row *here,
                                const struct psn_grant_row *there, struct psn_error *err)
{
    if (here->from_s == there->from_s && here->until_s == there->until_s &&
        strcmp(here->labels, there->labels) == 0)
        return PSN_OK;
    here->from_s = there->from_s;
    here->until_s = there->until_s;
    memcpy(here->labels, there->labels, sizeof here->labels);
    return psn_grant_write(at->to, here, err);
}

static enum psn_code carry_grant(const struct psn_carrying *at,
                                 struct psn_grant_row *here, struct psn_error *err)
{
    struct psn_grant_row there = { 0 };
    bool is_gone;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND,
                  psn_grant_read(at->from, here->person, here->address, &there, err),
                  &is_gone, err);

    if (is_gone)
        rc = end_grant(at, here, at->to->world.now_s(), err);
    else if (!rc && there.ended_s)
        rc = end_grant(at, here, there.ended_s, err);
    else if (!rc)
        rc = take_terms(at, here, &there, err);
    psn_grant_row_release(&there);
    return rc;
}

static enum psn_code carry_grants(const struct psn_carrying *at, struct psn_error *err)
{
    struct psn_grant_list list = { 0 };
    enum psn_code rc = psn_grant_list(at->to, NULL, &list, err);

    for (size_t i = 0; !rc && i < list.count; i++)
        if (!list.items[i].ended_s)
            rc = carry_grant(at, &list.items[i], err);
    psn_grant_list_release(&list);
    return rc;
}

/* --- exposures --- */

struct exposures {
    const struct psn_carrying *at;
    struct psn_role_row role; /* of the last one */
    bool has_role;
};

/* They come address by address. */
static enum psn_code find_role(struct exposures *of, const char *address,
                               struct psn_error *err)
{
    enum psn_code rc;

    if (strcmp(of->role.address, address) == 0)
        return PSN_OK;
    rc = psn_role_read(of->at->to, address, &of->role, err);
    of->has_role = rc == PSN_OK;
    (void)snprintf(of->role.address, sizeof of->role.address, "%s", address);
    return psn_allow(PSN_E_NOT_FOUND, rc, NULL, err);
}

/* The highest version here of what was seen; 0: it is not here. */
static enum psn_code newest_here(struct exposures *of, const struct psn_exposure *seen,
                                 uint64_t *ret_version, struct psn_error *err)
{
    struct psn_item item = { .revision = 0 };
    enum psn_code rc = find_role(of, seen->address, err);

    *ret_version = 0;
    if (rc || !of->has_role)
        return rc;
    if (!seen->label[0]) {
        *ret_version = of->role.rotation.last;
        return PSN_OK;
    }
    rc = psn_allow(PSN_E_NOT_FOUND,
                   psn_item_read(of->at->to, seen->address, seen->label, &item, err),
                   NULL, err);
    *ret_version = item.info.version > item.info.replacement ? item.info.version
                                                             : item.info.replacement;
    return rc;
}

static enum psn_code carry_exposure(void *arg, const struct psn_store_row *row,
                                    const struct psn_buf *plain, struct psn_error *err)
{
    struct exposures *of = arg;
    const struct psn_carrying *at = of->at;
    struct psn_exposure seen;
    struct psn_row_key key;
    bool is_known = false;
    uint64_t newest = 0;
    enum psn_code rc = psn_exposure_decode(plain, &seen, err);

    (void)row;
    if (!rc)
        rc = newest_here(of, &seen, &newest, err);
    if (rc || seen.version > newest)
        return rc;
    rc = psn_exposure_key(at->to, &seen, &key, err);
    if (!rc)
        rc = psn_allow(PSN_E_EXISTS,
                       psn_row_put(at->to, PSN_TABLE_EXPOSURE, &key, 1, at->to->rows_key,
                                   plain->data, plain->size, err),
                       &is_known, err);
    at->carried->exposures += !rc && !is_known;
    return rc;
}

/* --- the vault that is there --- */

static bool is_another(const struct psn_vault *there, const struct psn_vault *like)
{
    return memcmp(there->id, like->id, sizeof there->id) != 0;
}

/* With the keys of the one that is like it. */
static enum psn_code unlock(struct psn_vault *there, const struct psn_vault *like,
                            struct psn_error *err)
{
    if (is_another(there, like))
        return psn_fail(err, PSN_E_DENIED, _("'%s' is another vault"), there->path);
    return psn_vault_unlock_key(there, like->root_key, like->slot, err);
}

static bool has_log(const char *path)
{
    char log[4096];
    struct stat info;

    if (snprintf(log, sizeof log, "%s" PSN_BESIDE_WAL, path) >= (int)sizeof log)
        return false;
    return lstat(log, &info) == 0 ? info.st_size > 0 : errno != ENOENT;
}

/* Without its keys only SQLite's own structure tells. */
static enum psn_code check_pages(const char *path, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    enum psn_code rc = psn_store_open(path, psn_vault_store_hash, &store, err);

    return rc ? rc : psn_store_check_pages(store, err);
}

static enum psn_code check_with_log(const char *path, const struct psn_vault *like,
                                    struct psn_error *err)
{
    PSN_AUTO(psn_vault) *there = NULL;
    const struct psn_vault_options options = { .path = path, .examine = true };
    struct psn_vault_check check;
    enum psn_code rc = psn_vault_open(&options, &there, err);

    if (!rc)
        rc = unlock(there, like, err);
    if (!rc)
        rc = psn_vault_check(there, &check, err);
    return rc == PSN_E_DENIED ? check_pages(path, err) : rc;
}

enum psn_code psn_restored_check_log(const char *path, const struct psn_vault *backup,
                                     bool *ret_fits, struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc = PSN_OK;

    *ret_fits = true;
    if (!has_log(path))
        return PSN_OK;
    rc = check_with_log(path, backup, &why);
    if (rc == PSN_E_INTEGRITY) { /* SQLite calls a read that has failed so, too */
        psn_error_clear(&why);
        rc = check_with_log(path, backup, &why);
    }
    *ret_fits = rc == PSN_OK || rc == PSN_E_TOO_NEW;
    return *ret_fits || rc == PSN_E_INTEGRITY ? PSN_OK
                                              : psn_fail(err, rc, "%s", why.message);
}

/* Inside a transaction of `there`. */
static enum psn_code compare_state(struct psn_vault *there,
                                   const struct psn_seen_state *backup,
                                   struct psn_restored_there *ret_there,
                                   struct psn_error *err)
{
    struct psn_seen_state *state = &ret_there->state.state;

    state->generation = there->state.generation;
    state->entries = there->state.journal_entries;
    memcpy(state->history, there->state.history, sizeof state->history);
    return state->generation < backup->generation
               ? PSN_OK
               : psn_state_check_ancestor(there, backup->generation, backup->history,
                                          &ret_there->goes_on, err);
}

static enum psn_code read_state(const char *path, const struct psn_vault *like,
                                const struct psn_seen_state *backup,
                                struct psn_restored_there *ret_there,
                                struct psn_error *err)
{
    PSN_AUTO(psn_vault) *there = NULL;
    enum psn_code rc = psn_vault_open_still(path, &there, err);

    *ret_there = (struct psn_restored_there){ .replaced = !rc && is_another(there, like)
                                                              ? PSN_REPLACED_ANOTHER
                                                              : PSN_REPLACED_UNREADABLE };
    if (!rc)
        rc = unlock(there, like, err);
    if (!rc)
        rc = psn_vault_begin(there, PSN_STORE_READ, err);
    if (!rc)
        rc = psn_vault_end(there, compare_state(there, backup, ret_there, err), err);
    ret_there->state.found = rc == PSN_OK;
    if (!rc)
        ret_there->replaced = PSN_REPLACED_READ;
    return rc;
}

enum psn_code psn_restored_look(const char *path, const struct psn_vault *like,
                                const struct psn_seen_state *backup, bool strict,
                                struct psn_restored_there *ret_there,
                                struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc = read_state(path, like, backup, ret_there, &why);

    if (rc == PSN_E_INTEGRITY) { /* SQLite calls a read that has failed so, too */
        psn_error_clear(&why);
        rc = read_state(path, like, backup, ret_there, &why);
    }
    if (!rc || rc == PSN_E_INTEGRITY || rc == PSN_E_DENIED || rc == PSN_E_TOO_NEW ||
        (rc == PSN_E_IO && !strict))
        return PSN_OK;
    (void)psn_fail(err, rc, "%s", why.message);
    return psn_restored_hint(path, err);
}

static enum psn_code carry(struct psn_carrying *at, struct psn_error *err)
{
    struct exposures exposures = { .at = at };
    enum psn_code rc = carry_people(at, err);

    if (!rc && at->is_later)
        rc = psn_restored_rows(at, err);
    if (!rc)
        rc = psn_past_key_each(at->from, NULL, carry_past_key, at, err);
    if (!rc)
        rc = psn_restored_clients(at, err);
    if (!rc)
        rc = psn_restored_issues(at, err);
    if (!rc)
        rc = carry_grants(at, err);
    if (!rc)
        rc = psn_restored_roles(at, err);
    return rc ? rc
              : psn_row_each(at->from, PSN_TABLE_EXPOSURE, NULL, at->from->rows_key,
                             carry_exposure, &exposures, err);
}

/* Inside a transaction of both. A state before the backup's own, or that one, tells
 * nothing new. */
static enum psn_code compare(struct psn_vault *there, struct psn_vault *vault,
                             const struct psn_seen_state *backup, bool *ret_earlier,
                             bool *ret_later, struct psn_error *err)
{
    const struct psn_state *state = &there->state;

    *ret_earlier = *ret_later = false;
    return state->generation > backup->generation
               ? psn_state_check_ancestor(there, backup->generation, backup->history,
                                          ret_later, err)
               : psn_state_check_ancestor(vault, state->generation, state->history,
                                          ret_earlier, err);
}

/* It is no earlier one than was seen here, and nobody has to look at itself. */
static enum psn_code check_whole(struct psn_vault *there,
                                 const struct psn_seen_record *seen, bool *ret_whole,
                                 struct psn_error *err)
{
    int64_t lacking_s = 0;
    enum psn_code rc = psn_restored_unjudged_since(there, &lacking_s, err);

    *ret_whole = !rc && lacking_s == 0 && !psn_seen_check(there, seen, NULL);
    return rc;
}

static enum psn_code carry_from(struct psn_vault *there, struct psn_vault *vault,
                                const struct psn_restored_states *states,
                                struct psn_carried *carried, struct psn_error *err)
{
    struct psn_carrying at = { .from = there, .to = vault, .carried = carried };
    bool is_earlier;
    bool is_whole = false;
    enum psn_code rc =
        compare(there, vault, &states->backup, &is_earlier, &at.is_later, err);

    if (!rc && !is_earlier)
        rc = carry(&at, err);
    if (!rc)
        rc = check_whole(there, &states->seen, &is_whole, err);
    carried->is_read = rc == PSN_OK;
    carried->is_whole = rc == PSN_OK && is_whole && carried->clients_back == 0 &&
                        carried->passwords_apart == 0 && carried->secrets_apart == 0;
    return rc;
}

/* A part of it would be taken for the whole: so all is checked first. */
static enum psn_code open_there(const char *path, const struct psn_vault *like,
                                struct psn_vault **ret_there, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *there = NULL;
    struct psn_vault_check check;
    enum psn_code rc = psn_vault_open_still(path, &there, err);

    if (!rc)
        rc = unlock(there, like, err);
    if (!rc)
        rc = psn_vault_check(there, &check, err);
    if (!rc)
        *ret_there = PSN_TAKE(there);
    return rc;
}

enum psn_code psn_restored_hint(const char *path, struct psn_error *err)
{
    return psn_hint(err, err ? err->code : PSN_E_IO,
                    _("what is newer in it would be lost: try again; if it cannot be "
                      "read at all, move '%s' away first"),
                    path);
}

/* What is damaged, or another vault, tells nothing. What cannot be read for another
 * reason may tell next time. */
enum psn_code psn_restored_carry(struct psn_vault *vault, const char *path,
                                 const struct psn_restored_states *states,
                                 struct psn_carried *ret_carried, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *there = NULL;
    struct psn_error why = { 0 };
    enum psn_code rc = open_there(path, vault, &there, &why);

    *ret_carried = (struct psn_carried){ 0 };
    if (rc == PSN_E_INTEGRITY) { /* SQLite calls a read that has failed so, too */
        psn_error_clear(&why);
        rc = open_there(path, vault, &there, &why);
    }
    if (rc == PSN_E_INTEGRITY || rc == PSN_E_DENIED || rc == PSN_E_TOO_NEW)
        return PSN_OK;
    if (!rc)
        rc = psn_vault_begin(there, PSN_STORE_READ, &why);
    if (!rc)
        return psn_vault_end(there, carry_from(there, vault, states, ret_carried, err),
                             err);
    (void)psn_fail(err, rc, "%s", why.message);
    (void)psn_restored_hint(path, err);
    return rc;
}

/* --- what nobody could tell --- */

enum {
    TAG_SINCE = 1, /* 0: somebody has looked */
    TAG_MAX = 1,
};

static enum psn_code read_since(struct psn_vault *vault, struct psn_row_key *ret_key,
                                uint64_t *ret_since, uint64_t *ret_revision,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_record record;
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_OWN_KEY, PSN_RESTORED_NAME, ret_key, err);

    *ret_since = 0;
    *ret_revision = 0;
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_OWN_KEY, ret_key, vault->rows_key, &plain,
                          ret_revision, err);
    if (rc || *ret_revision == 0)
        return rc;
    rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (!rc)
        *ret_since = psn_record_number(&record, TAG_SINCE);
    return rc;
}

enum psn_code psn_restored_unjudged_since(struct psn_vault *vault, int64_t *ret_since_s,
                                          struct psn_error *err)
{
    struct psn_row_key key;
    uint64_t since = 0;
    uint64_t revision;
    enum psn_code rc = read_since(vault, &key, &since, &revision, err);

    *ret_since_s = (int64_t)since;
    return rc;
}

enum psn_code psn_restored_note(struct psn_vault *vault, bool unjudged,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    uint64_t since = 0;
    uint64_t revision;
    enum psn_code rc = read_since(vault, &key, &since, &revision, err);

    if (rc || (since > 0) == unjudged)
        return rc;
    psn_record_begin(&plain);
    psn_record_put_number(&plain, TAG_SINCE,
                          unjudged ? (uint64_t)vault->world.now_s() : 0);
    rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_OWN_KEY, &key, revision + 1, vault->rows_key,
                            plain.data, plain.size, err);
}

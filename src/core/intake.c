#include "core/intake.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/counters.h"
#include "core/departure_returned.h"
#include "core/document_form.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/recovery.h"
#include "core/role.h"
#include "core/version.h"

/*
 * Entries become secrets. One entry may hold several: its password, a TOTP seed, fields
 * that are secret, and a note where there is no password to hang it on.
 */
enum {
    SAME_LABELS_MAX = 99, /* other accounts under one title */
};

struct taking {
    struct psn_vault *vault;
    const struct psn_intake *intake;
    struct psn_intake_summary *summary;
    char role[PSN_ADDRESS_TEXT_MAX]; /* for what tells none; or "" */
    enum psn_intake_by round;        /* what it takes */
    bool has[PSN_INTAKE_BYS];        /* there is such */
    /* The entry that is at hand. */
    const struct psn_foreign *entry;
    struct psn_intake_place place;
    struct psn_intake_domain domain;
    struct psn_buf note;   /* its open note and fields, with CR and tabs taken out */
    struct psn_buf sealed; /* what of it is a secret of its own */
    bool is_told;
    struct psn_intake_seen seen;
    struct psn_forgotten_list forgotten;
};

const char *psn_intake_result_name(enum psn_intake_result result)
{
    static const char *const names[PSN_INTAKE_RESULTS] = { "added",    "replaced",
                                                           "same",     "different",
                                                           "unplaced", "empty",
                                                           "unusable", "left_out" };

    return result < PSN_INTAKE_RESULTS ? names[result] : "";
}

static enum psn_code tell(struct taking *taking, enum psn_intake_result result,
                          const char *label, bool is_new_role, const char *why,
                          struct psn_error *err)
{
    const struct psn_intake_line line = { .entry = taking->entry,
                                          .result = result,
                                          .address = taking->place.address,
                                          .label = label,
                                          .is_new_role = is_new_role,
                                          .why = why };

    taking->summary->counts[result]++;
    taking->is_told = true;
    return taking->intake->each ? taking->intake->each(taking->intake->arg, &line, err)
                                : PSN_OK;
}

/* The vault's value stays, whatever is asked for. */
static enum psn_code tell_kept(struct taking *taking, const char *label, const char *why,
                               struct psn_error *err)
{
    taking->summary->kept++;
    return tell(taking, PSN_INTAKE_DIFFERS, label, false, why, err);
}

/* ---- whether it can be taken ---- */

static bool is_plain(const char *text, size_t size_max)
{
    size_t size = strlen(text);

    return size < size_max && psn_text_is_plain(text, size);
}

/* Why it cannot be kept here, or NULL. */
static const char *find_problem(const struct taking *taking)
{
    const struct psn_foreign *entry = taking->entry;
    const struct psn_buf *note = &taking->note;

    if (entry->problem[0])
        return entry->problem;
    if (entry->password_size > PSN_SECRET_MAX || taking->sealed.size > PSN_SECRET_MAX)
        return _("the secret is too long");
    for (size_t i = 0; i < entry->field_count; i++)
        if (entry->fields[i].is_secret && strlen(entry->fields[i].value) > PSN_SECRET_MAX)
            return _("the secret is too long");
    if (strlen(entry->totp) > PSN_SECRET_MAX)
        return _("the secret is too long");
    if (taking->place.is_mailbox)
        return NULL;
    if (!is_plain(entry->user, PSN_FIELD_MAX) || !is_plain(entry->url, PSN_FIELD_MAX))
        return _("its user name or address is too long, or cannot be shown");
    if (!psn_form_is_lines(psn_buf_str(note), note->size))
        return _("its note holds characters that cannot be shown");
    return NULL;
}

/* ---- a mailbox's password ---- */

static enum psn_code is_current(struct taking *taking, const char *label, uint64_t number,
                                const struct psn_secret *value, bool *ret_same,
                                struct psn_error *err)
{
    PSN_AUTO(psn_secret) *present = NULL;
    struct psn_version version;
    enum psn_code rc =
        psn_version_get(taking->vault, taking->place.client, taking->place.address, label,
                        number, &version, &present, err);

    *ret_same = !rc && psn_secret_equal(present, value);
    return rc;
}

/* The row says that this version is the password; nobody has proved it yet. */
static enum psn_code put_password(struct taking *taking, struct psn_role_row *row,
                                  const struct psn_secret *value, struct psn_error *err)
{
    struct psn_vault *vault = taking->vault;
    uint64_t before = row->rotation.cur;
    uint64_t number = 0;
    bool is_new = row->revision == 0; /* there is nothing that it could be equal to */
    enum psn_code rc = psn_versions_after(vault, row->rotation.last, &number, err);

    if (rc)
        return rc;
    if (before)
        rc = psn_version_label(vault, row->client, row->address, "", before,
                               PSN_VERSION_SUPERSEDED, err);
    psn_rotation_believe(&row->rotation, number);
    row->changed_s = vault->world.now_s();
    row->verified_s = 0;
    if (!rc)
        rc = psn_role_write(vault, row, err);
    if (!rc)
        rc = psn_version_put(vault, row->client, row->address, "", number,
                             PSN_VERSION_CURRENT, value, err);
    if (!rc && !is_new)
        rc = psn_exposure_carry(
            vault, &(struct psn_coming){ row->client, row->address, "", number, value },
            err);
    if (!rc)
        rc = psn_exposure_put(vault, row->address, "", number, PSN_HOW_TYPED, err);
    if (!rc)
        rc = psn_departure_note_returned(vault, row, &taking->forgotten, err);
    return rc ? rc
              : psn_journal_note(vault, row->client,
                                 &(struct psn_note){ .event = "mailbox.imported",
                                                     .subject = row->address,
                                                     .version = number },
                                 err);
}

static enum psn_code read_role(struct taking *taking, struct psn_role_row *row,
                               struct psn_error *err)
{
    const struct psn_intake_place *place = &taking->place;

    if (place->has_role)
        return psn_role_read(taking->vault, place->address, row, err);
    *row = (struct psn_role_row){ .created_s = taking->vault->world.now_s() };
    memcpy(row->address, place->address, sizeof row->address);
    memcpy(row->client, place->client, sizeof row->client);
    row->rotation = psn_rotation_state_init(0, false);
    return PSN_OK;
}

/* Why the password that is here stays, or NULL. What a file says is no reason to forget
 * what a login has shown. */
static const char *why_kept(const struct psn_role_row *row, bool is_second)
{
    if (is_second)
        return _("an entry before it tells another password");
    if (row->rotation.phase != PSN_ROTATION_STABLE)
        return _("a change of its password is under way");
    if (row->rotation.cur && row->outside_s)
        return _("somebody else has changed it: passation role adopt, with --secret-fd");
    if (row->rotation.cur && row->verified_s)
        return _("a login has proved the one that is here: passation rotate");
    return NULL;
}

static enum psn_code take_password(struct taking *taking, const struct psn_secret *value,
                                   struct psn_error *err)
{
    struct psn_role_row row;
    bool is_new = !taking->place.has_role;
    bool is_second = false;
    bool had_one;
    const char *kept;
    bool same = false;
    enum psn_code rc = read_role(taking, &row, err);

    if (!rc && row.rotation.cur)
        rc = is_current(taking, "", row.rotation.cur, value, &same, err);
    if (!rc)
        rc = psn_intake_seen_add(&taking->seen, taking->place.address, "", &is_second,
                                 err);
    if (rc)
        return rc;
    if (same)
        return tell(taking, PSN_INTAKE_SAME, "", false, "", err);
    kept = why_kept(&row, is_second);
    if (kept)
        return tell_kept(taking, "", kept, err);
    had_one = row.rotation.cur != 0;
    if (had_one && !taking->intake->replace)
        return tell(taking, PSN_INTAKE_DIFFERS, "", false, "", err);
    rc = put_password(taking, &row, value, err);
    taking->summary->roles += !rc && is_new;
    taking->place.has_role = taking->place.has_role || !rc;
    if (rc)
        return rc;
    return tell(taking, had_one ? PSN_INTAKE_REPLACED : PSN_INTAKE_ADDED, "", is_new, "",
                err);
}

/* ---- a secret under a label ---- */

/* Of the labels under which this account can be, "Admin", "Admin (2)" …: the one that has
 * the value; else the first that no entry of this run was about; else one that is free.
 */
enum match {
    MATCH_SAME,
    MATCH_OTHER,
    MATCH_FREE,
    MATCH_NONE, /* all are in use */
};

struct found {
    struct psn_item item; /* of MATCH_SAME and MATCH_OTHER */
    char label[PSN_LABEL_TEXT_MAX];
    enum match match;
};

static void note_found(struct found *found, enum match match, const struct psn_item *item,
                       const char *label)
{
    found->match = match;
    found->item = *item;
    (void)snprintf(found->label, sizeof found->label, "%s", label);
}

/* Looks at one label: *ret_done true when there is no need to look on. */
static enum psn_code look_at(struct taking *taking, const struct psn_secret_info *info,
                             const struct psn_secret *value, struct found *found,
                             bool *ret_done, struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc =
        psn_item_read(taking->vault, info->address, info->label, &item, NULL);

    *ret_done = rc == PSN_E_NOT_FOUND;
    if (*ret_done && found->match == MATCH_NONE)
        note_found(found, MATCH_FREE, &item, info->label);
    if (*ret_done)
        return PSN_OK;
    if (rc)
        return psn_fail(err, rc, _("cannot read the secrets of '%s'"), info->address);
    if (!psn_intake_is_same_account(&item.info, info))
        return PSN_OK;
    if (item.info.version)
        rc = is_current(taking, info->label, item.info.version, value, ret_done, err);
    if (!rc && *ret_done)
        note_found(found, MATCH_SAME, &item, info->label);
    else if (!rc && found->match == MATCH_NONE &&
             !psn_intake_seen_has(&taking->seen, info->address, info->label))
        note_found(found, MATCH_OTHER, &item, info->label);
    return rc;
}

static enum psn_code find_label(struct taking *taking, struct psn_secret_info *info,
                                const struct psn_secret *value, struct found *found,
                                struct psn_error *err)
{
    char base[PSN_LABEL_TEXT_MAX];
    bool done = false;
    enum psn_code rc = PSN_OK;

    memcpy(base, info->label, sizeof base);
    *found = (struct found){ .match = MATCH_NONE };
    for (int i = 1; !rc && !done && i <= SAME_LABELS_MAX; i++) {
        char number[16] = "";

        if (i > 1)
            (void)snprintf(number, sizeof number, "(%d)", i);
        psn_intake_label(base, number, info->label);
        rc = look_at(taking, info, value, found, &done, err);
    }
    memcpy(info->label, found->match == MATCH_NONE ? base : found->label,
           sizeof info->label);
    return rc;
}

/* A new value has no marks of its own; those of the entry are this value's. */
static enum psn_code put_marks(struct taking *taking, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc =
        psn_item_read(taking->vault, info->address, info->label, &item, err);

    if (rc || strcmp(item.info.type, "recovery") != 0)
        return rc;
    memcpy(item.info.code_used_s, info->code_used_s, sizeof item.info.code_used_s);
    return psn_item_put(taking->vault, &item, err);
}

static enum psn_code replace_item(struct taking *taking,
                                  const struct psn_secret_info *info,
                                  const struct psn_secret *value, struct psn_error *err)
{
    const struct psn_secret_change change = {
        .user = info->user[0] ? info->user : NULL,
        .url = info->url[0] ? info->url : NULL,
        .note = info->note[0] ? info->note : NULL,
        .expires = info->expires[0] ? info->expires : NULL,
        .value = value,
    };
    struct psn_error why = { 0 };
    uint64_t version;
    enum psn_code rc =
        psn_item_set(taking->vault, info->address, info->label, &change, &version, &why);

    if (rc == PSN_E_POLICY) /* somebody who left knows it */
        return tell_kept(taking, info->label, why.message, err);
    if (rc && err)
        *err = why;
    if (!rc)
        rc = put_marks(taking, info, err);
    return rc ? rc : tell(taking, PSN_INTAKE_REPLACED, info->label, false, "", err);
}

static enum psn_code insert_item(struct taking *taking,
                                 const struct psn_secret_info *info,
                                 const struct psn_secret *value, struct psn_error *err)
{
    enum psn_code rc =
        psn_item_insert(taking->vault, info, value, &taking->forgotten, err);

    return rc ? rc : tell(taking, PSN_INTAKE_ADDED, info->label, false, "", err);
}

static enum psn_code take_item(struct taking *taking, struct psn_secret_info *info,
                               const struct psn_secret *value, struct psn_error *err)
{
    struct found found;
    bool hidden;
    enum psn_code rc = find_label(taking, info, value, &found, err);

    if (!rc)
        rc = psn_intake_seen_add(&taking->seen, info->address, info->label, NULL, err);
    if (rc)
        return rc;
    hidden = found.item.info.hidden;
    /* What is no seed, or no list of codes, is kept all the same, as what it is. */
    if (info->type[0] && psn_item_check_value(info, value, NULL))
        info->type[0] = '\0';
    if (strcmp(info->type, "recovery") == 0)
        psn_recovery_read_used(taking->entry->used, info);
    if (found.match == MATCH_FREE)
        return insert_item(taking, info, value, err);
    if (found.match == MATCH_NONE)
        return tell(taking, PSN_INTAKE_UNUSABLE, info->label, false,
                    _("too many secrets have its name"), err);
    if (found.match == MATCH_SAME && !hidden)
        return tell(taking, PSN_INTAKE_SAME, info->label, false, "", err);
    if (taking->intake->replace)
        return replace_item(taking, info, value, err);
    return tell(taking, PSN_INTAKE_DIFFERS, info->label, false,
                hidden ? _("it was removed here") : "", err);
}

/* A secret of the entry beside its password: suffix says which. */
static enum psn_code take_beside(struct taking *taking, const char *suffix,
                                 const char *type, const void *bytes, size_t size,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info info = { 0 };
    enum psn_code rc = psn_secret_copy(bytes, size, &value, err);

    memcpy(info.address, taking->place.address, sizeof info.address);
    psn_intake_label(taking->place.label, suffix, info.label);
    if (!info.label[0]) /* without one it would be the mailbox's password */
        psn_intake_label(type[0] ? type : "imported", "", info.label);
    (void)snprintf(info.type, sizeof info.type, "%s", type);
    (void)snprintf(info.user, sizeof info.user, "%s", taking->entry->user);
    return rc ? rc : take_item(taking, &info, value, err);
}

/* ---- an entry ---- */

/* A secret with all that is known about it. */
static enum psn_code take_described(struct taking *taking, const struct psn_secret *value,
                                    struct psn_error *err)
{
    const struct psn_foreign *entry = taking->entry;
    struct psn_secret_info info = { 0 };
    int year;
    int month;
    int day;

    memcpy(info.address, taking->place.address, sizeof info.address);
    memcpy(info.label, taking->place.label, sizeof info.label);
    (void)snprintf(info.user, sizeof info.user, "%s", entry->user);
    (void)snprintf(info.url, sizeof info.url, "%s", entry->url);
    if (psn_intake_is_known_type(entry->type))
        (void)snprintf(info.type, sizeof info.type, "%s", entry->type);
    if (psn_clock_parse_date(entry->expires, &year, &month, &day))
        (void)snprintf(info.expires, sizeof info.expires, "%s", entry->expires);
    (void)snprintf(info.note, sizeof info.note, "%s", psn_buf_str(&taking->note));
    return take_item(taking, &info, value, err);
}

static enum psn_code take_main(struct taking *taking, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc = psn_secret_copy(taking->entry->password,
                                       taking->entry->password_size, &value, err);

    if (rc)
        return rc;
    return taking->place.is_mailbox ? take_password(taking, value, err)
                                    : take_described(taking, value, err);
}

static enum psn_code take_field(struct taking *taking,
                                const struct psn_foreign_field *field,
                                struct psn_error *err)
{
    char name[PSN_LABEL_TEXT_MAX / 2];

    (void)snprintf(name, sizeof name, "%s", field->name);
    psn_text_cut_utf8(name);
    psn_text_mask(name);
    if (field->is_lost)
        return tell(taking, PSN_INTAKE_LEFT_OUT, name, false, field->value, err);
    return field->is_secret
               ? take_beside(taking, name, "", field->value, strlen(field->value), err)
               : PSN_OK;
}

/* "Stripe notes", or "Stripe" where it is all that there is. */
static enum psn_code take_sealed(struct taking *taking, struct psn_error *err)
{
    bool is_beside = taking->place.is_mailbox || taking->entry->password_size > 0;

    return taking->sealed.size == 0
               ? PSN_OK
               : take_beside(taking, is_beside ? _("notes") : "", "", taking->sealed.data,
                             taking->sealed.size, err);
}

static enum psn_code take_parts(struct taking *taking, struct psn_error *err)
{
    const struct psn_foreign *entry = taking->entry;
    enum psn_code rc = PSN_OK;

    if (entry->password_size > 0)
        rc = take_main(taking, err);
    if (taking->place.is_mailbox && !taking->place.has_role)
        return rc ? rc
                  : tell(taking, PSN_INTAKE_UNPLACED, "", false,
                         _("its mailbox is not in the vault"), err);
    if (!rc && entry->totp[0])
        rc = take_beside(taking, "totp", "totp", entry->totp, strlen(entry->totp), err);
    for (size_t i = 0; !rc && i < entry->field_count; i++)
        rc = take_field(taking, &entry->fields[i], err);
    if (!rc)
        rc = take_sealed(taking, err);
    if (!rc && !taking->is_told)
        rc = tell(taking, PSN_INTAKE_EMPTY, taking->place.label, false, "", err);
    return rc;
}

static enum psn_code take_entry(void *arg, const struct psn_foreign *entry,
                                struct psn_error *err)
{
    struct taking *taking = arg;
    struct psn_intake_mailbox mailbox;
    const char *problem;
    enum psn_code rc =
        psn_intake_find_mailbox(taking->vault, entry, &taking->domain, &mailbox, err);

    taking->entry = entry;
    taking->is_told = false;
    taking->has[mailbox.by] = true;
    if (rc || mailbox.by != taking->round)
        return rc;
    rc = psn_intake_find_place(taking->vault, entry, mailbox.text, taking->intake->client,
                               taking->role, &taking->domain, &taking->place, err);
    if (rc)
        return rc;
    psn_intake_make_notes(entry, &taking->place, &taking->note, &taking->sealed);
    rc = psn_buf_check(&taking->note, err);
    if (!rc)
        rc = psn_buf_check(&taking->sealed, err);
    if (rc)
        return rc;
    problem = find_problem(taking);
    if (problem)
        return tell(taking, PSN_INTAKE_UNUSABLE, taking->place.label, false, problem,
                    err);
    if (!taking->place.address[0])
        return tell(taking, PSN_INTAKE_UNPLACED, taking->place.label, false,
                    taking->place.why, err);
    return take_parts(taking, err);
}

/* ---- all of them ---- */

static enum psn_code take_all(struct taking *taking, const struct psn_foreign_list *list,
                              struct psn_error *err)
{
    const size_t *counts = taking->summary->counts;
    enum psn_code rc =
        psn_intake_find_role(taking->vault, taking->intake, taking->role, err);

    /* The first round sees all of them. */
    for (int round = 0; !rc && round < PSN_INTAKE_BYS; round++) {
        taking->round = (enum psn_intake_by)round;
        if (round == 0 || taking->has[round])
            rc = psn_foreign_list_each(list, take_entry, taking, err);
    }
    if (!rc && counts[PSN_INTAKE_UNPLACED] + counts[PSN_INTAKE_UNUSABLE] > 0 &&
        !taking->intake->skip)
        rc = psn_intake_fail_unplaced(taking->summary, err);
    return rc;
}

enum psn_code psn_intake_run(struct psn_vault *vault, const struct psn_foreign_list *list,
                             const struct psn_intake *intake,
                             struct psn_intake_summary *ret_summary,
                             struct psn_error *err)
{
    struct taking taking = { .vault = vault,
                             .intake = intake,
                             .summary = ret_summary,
                             .note =
                                 psn_buf_init_wiped((size_t)2 * PSN_FOREIGN_ENTRY_MAX),
                             .sealed =
                                 psn_buf_init_wiped((size_t)4 * PSN_FOREIGN_ENTRY_MAX) };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    *ret_summary = (struct psn_intake_summary){ 0 };
    if (!rc) {
        rc = take_all(&taking, list, err);
        /* A dry run is the run itself, undone. */
        if (!rc && intake->dry_run)
            PSN_IGNORE(psn_vault_end(vault, PSN_E_ABORTED, NULL));
        else
            rc = psn_vault_end(vault, rc, err);
    }
    psn_buf_release(&taking.note);
    psn_buf_release(&taking.sealed);
    psn_intake_seen_release(&taking.seen);
    psn_forgotten_list_release(&taking.forgotten);
    return rc;
}

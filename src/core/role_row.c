/* A role's row as a record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/unset.h"
#include "core/record.h"
#include "core/role.h"

enum {
    TAG_ADDRESS = 1,
    TAG_CLIENT = 2,
    TAG_BACKEND = 3,
    TAG_CREATED = 4,
    TAG_CHANGED = 5,
    TAG_VERIFIED = 6,
    TAG_PHASE = 7,
    TAG_REASON = 8,
    TAG_SAID = 9,
    TAG_OLD_DEAD = 10,
    TAG_CUR = 11,
    TAG_PEND = 12,
    TAG_LAST = 13,
    TAG_OLD = 14,
    TAG_CANDIDATES = 15,
    TAG_SENDS = 16,
    TAG_UNANSWERED = 17,
    TAG_CREATE = 18,
    TAG_TAKEN = 19,
    TAG_TASK = 20,
    TAG_LAST_SEND = 21,
    TAG_SILENT_SINCE = 22,
    TAG_FAILED = 23, /* times, 8 bytes each, newest first */
    TAG_SERVICE = 24,
    TAG_ORGANIZATION = 25,
    TAG_ACCOUNT = 26,
    TAG_HOST = 27,
    TAG_ZIMBRA = 28,
    TAG_OVH_CHANGED = 29,
    TAG_EXPIRES = 30,
    TAG_LOCKOUT = 31,
    TAG_LOCKOUT_WINDOW = 32,
    TAG_PLATFORMS = 33, /* where it was before: "TIME NAME" lines, oldest first */
    TAG_OUTSIDE = 34,
    TAG_GONE = 35,
    TAG_MOVED = 36,
    TAG_OLDER = 37,
    TAG_MAX = 37,
};

static void encode_rotation(const struct psn_rotation_state *state, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) failed = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < PSN_ROTATION_FAILED_SLOTS && state->failed_s[i] > 0; i++)
        psn_buf_u64(&failed, (uint64_t)state->failed_s[i]);
    psn_record_put_number(out, TAG_PHASE, (uint64_t)state->phase);
    psn_record_put_number(out, TAG_REASON, (uint64_t)state->reason);
    psn_record_put_number(out, TAG_SAID, (uint64_t)state->said);
    psn_record_put_number(out, TAG_OLD_DEAD, (uint64_t)state->old_dead);
    psn_record_put_number(out, TAG_CUR, state->cur);
    psn_record_put_number(out, TAG_PEND, state->pend);
    psn_record_put_number(out, TAG_LAST, state->last);
    psn_record_put_number(out, TAG_OLD, state->old);
    psn_record_put_number(out, TAG_CANDIDATES, state->candidates);
    psn_record_put_number(out, TAG_SENDS, state->sends);
    psn_record_put_number(out, TAG_UNANSWERED, state->unanswered);
    psn_record_put_number(out, TAG_CREATE, state->create);
    psn_record_put_number(out, TAG_TAKEN, state->taken);
    psn_record_put_number(out, TAG_TASK, (uint64_t)state->task_id);
    psn_record_put_number(out, TAG_LAST_SEND, (uint64_t)state->last_send_s);
    psn_record_put_number(out, TAG_SILENT_SINCE, (uint64_t)state->silent_since_s);
    psn_record_put_bytes(out, TAG_FAILED, failed.data, failed.size);
    if (failed.failed)
        out->failed = failed.failed;
}

static enum psn_code decode_rotation(const struct psn_record *record,
                                     struct psn_rotation_state *state,
                                     struct psn_error *err)
{
    const uint8_t *failed;
    size_t size;

    *state = (struct psn_rotation_state){
        .phase = (enum psn_rotation_phase)psn_record_number(record, TAG_PHASE),
        .reason = (enum psn_rotation_reason)psn_record_number(record, TAG_REASON),
        .said = (enum psn_rotation_said)psn_record_number(record, TAG_SAID),
        .old_dead = (enum psn_rotation_old)psn_record_number(record, TAG_OLD_DEAD),
        .cur = psn_record_number(record, TAG_CUR),
        .pend = psn_record_number(record, TAG_PEND),
        .last = psn_record_number(record, TAG_LAST),
        .old = psn_record_number(record, TAG_OLD),
        .older = psn_record_number(record, TAG_OLDER),
        .candidates = (uint32_t)psn_record_number(record, TAG_CANDIDATES),
        .sends = (uint32_t)psn_record_number(record, TAG_SENDS),
        .unanswered = (uint32_t)psn_record_number(record, TAG_UNANSWERED),
        .create = psn_record_number(record, TAG_CREATE) != 0,
        .taken = psn_record_number(record, TAG_TAKEN) != 0,
        .task_id = (int64_t)psn_record_number(record, TAG_TASK),
        .last_send_s = (int64_t)psn_record_number(record, TAG_LAST_SEND),
        .silent_since_s = (int64_t)psn_record_number(record, TAG_SILENT_SINCE),
    };
    (void)psn_record_bytes(record, TAG_FAILED, &failed, &size);
    for (size_t i = 0; i < size / 8 && i < PSN_ROTATION_FAILED_SLOTS; i++)
        for (size_t j = 0; j < 8; j++)
            state->failed_s[i] =
                (int64_t)((uint64_t)state->failed_s[i] << 8 | failed[8 * i + j]);
    if (!psn_rotation_is_valid(state))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a role is malformed"));
    return PSN_OK;
}

/* What OVH's newer back-ends need; absent for /email/domain, whose records are as they
 * always were. */
static void encode_platform(const struct psn_role_row *row, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) lines = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < row->platform_count; i++)
        psn_buf_format(&lines, "%lld %s\n", (long long)row->platforms[i].until_s,
                       row->platforms[i].name);
    psn_record_put_text(out, TAG_SERVICE, row->place.service);
    psn_record_put_text(out, TAG_ORGANIZATION, row->place.organization);
    psn_record_put_text(out, TAG_ACCOUNT, row->place.account);
    psn_record_put_text(out, TAG_HOST, row->place.host);
    psn_record_put_number(out, TAG_ZIMBRA, row->place.is_zimbra);
    psn_record_put_number(out, TAG_OVH_CHANGED, (uint64_t)row->ovh_changed_s);
    psn_record_put_number(out, TAG_EXPIRES, (uint64_t)row->expires_s);
    psn_record_put_number(out, TAG_LOCKOUT, row->lockout);
    psn_record_put_number(out, TAG_LOCKOUT_WINDOW, (uint64_t)row->lockout_window_s);
    psn_record_put_text(out, TAG_PLATFORMS, psn_buf_str(&lines));
    if (lines.failed)
        out->failed = lines.failed;
}

static void encode_drift(const struct psn_role_row *row, struct psn_buf *out)
{
    if (row->outside_s)
        psn_record_put_number(out, TAG_OUTSIDE, (uint64_t)row->outside_s);
    if (row->gone_s)
        psn_record_put_number(out, TAG_GONE, (uint64_t)row->gone_s);
    if (row->moved_s)
        psn_record_put_number(out, TAG_MOVED, (uint64_t)row->moved_s);
}

/* "TIME NAME" and its end of line; NULL if it is none. */
static const char *decode_line(const char *line, struct psn_role_platform *platform)
{
    char *end = NULL;
    size_t size;

    platform->until_s = strtoll(line, &end, 10);
    if (end == line || *end != ' ')
        return NULL;
    size = strcspn(end + 1, "\n");
    if (end[1 + size] != '\n' || size >= sizeof platform->name)
        return NULL;
    (void)snprintf(platform->name, sizeof platform->name, "%.*s", (int)size, end + 1);
    return end + 1 + size + 1;
}

static enum psn_code decode_platform(const struct psn_record *record,
                                     struct psn_role_row *row, struct psn_error *err)
{
    char lines[PSN_ROLE_PLATFORMS_MAX * (PSN_PLATFORM_NAME_MAX + 24)];
    struct psn_place *place = &row->place;
    const char *at = lines;
    bool sound =
        psn_record_text(record, TAG_SERVICE, place->service, sizeof place->service) &&
        psn_record_text(record, TAG_ORGANIZATION, place->organization,
                        sizeof place->organization) &&
        psn_record_text(record, TAG_ACCOUNT, place->account, sizeof place->account) &&
        psn_record_text(record, TAG_HOST, place->host, sizeof place->host) &&
        psn_record_text(record, TAG_PLATFORMS, lines, sizeof lines);

    place->is_zimbra = sound && psn_record_number(record, TAG_ZIMBRA) != 0;
    row->ovh_changed_s = (int64_t)psn_record_number(record, TAG_OVH_CHANGED);
    row->expires_s = (int64_t)psn_record_number(record, TAG_EXPIRES);
    row->lockout = (uint32_t)psn_record_number(record, TAG_LOCKOUT);
    row->lockout_window_s = (int64_t)psn_record_number(record, TAG_LOCKOUT_WINDOW);
    row->platform_count = 0;
    while (sound && *at) {
        sound = row->platform_count < PSN_ROLE_PLATFORMS_MAX;
        if (sound)
            at = decode_line(at, &row->platforms[row->platform_count++]);
        sound = sound && at;
    }
    return sound ? PSN_OK
                 : psn_fail(err, PSN_E_INTEGRITY, _("the record of a role is malformed"));
}

/* Lists are sorted by what follows the '@'. */
static bool read_names(const struct psn_record *record,
                       char address[PSN_ADDRESS_TEXT_MAX], char client[PSN_CLIENT_ID_MAX])
{
    return psn_record_text(record, TAG_ADDRESS, address, PSN_ADDRESS_TEXT_MAX) &&
           strchr(address, '@') &&
           psn_record_text(record, TAG_CLIENT, client, PSN_CLIENT_ID_MAX);
}

enum psn_code psn_role_decode_names(const struct psn_buf *plain,
                                    char ret_address[PSN_ADDRESS_TEXT_MAX],
                                    char ret_client[PSN_CLIENT_ID_MAX],
                                    struct psn_error *err)
{
    PSN_UNSET struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (!rc && !read_names(&record, ret_address, ret_client))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the record of a role is malformed"));
    return rc;
}

enum psn_code psn_role_decode(const struct psn_buf *plain, struct psn_role_row *row,
                              struct psn_error *err)
{
    PSN_UNSET struct psn_record record;
    char backend[32];
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    if (!read_names(&record, row->address, row->client) ||
        !psn_record_text(&record, TAG_BACKEND, backend, sizeof backend))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a role is malformed"));
    row->look = (struct psn_role_look){ .done = false };
    row->backend = psn_backend_parse(backend);
    row->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    row->changed_s = (int64_t)psn_record_number(&record, TAG_CHANGED);
    row->verified_s = (int64_t)psn_record_number(&record, TAG_VERIFIED);
    row->outside_s = (int64_t)psn_record_number(&record, TAG_OUTSIDE);
    row->gone_s = (int64_t)psn_record_number(&record, TAG_GONE);
    row->moved_s = (int64_t)psn_record_number(&record, TAG_MOVED);
    rc = decode_platform(&record, row, err);
    if (rc)
        return rc;
    return decode_rotation(&record, &row->rotation, err);
}

enum psn_code psn_role_fail_unknown(const char *address, struct psn_error *err)
{
    if (!err) /* looking up a message costs as much as looking up a role */
        return PSN_E_NOT_FOUND;
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no role '%s' in the vault"), address);
    return psn_hint(
        err, PSN_E_NOT_FOUND,
        _("see the roles with: passation role ls; take a mailbox over with: passation "
          "role adopt %s"),
        address);
}

/* Most of what hangs on a mailbox asks for its row again: an import of many secrets three
 * times for each. Without the memory for it, it is read again. */
static void remember(struct psn_vault *vault, const struct psn_role_row *row)
{
    if (!vault->role)
        vault->role = malloc(sizeof *vault->role);
    vault->is_role_known = vault->role != NULL;
    if (vault->role)
        *vault->role = *row;
}

static enum psn_code read_row(struct psn_vault *vault, const char *address,
                              struct psn_role_row *ret_row, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_ROLE, address, &key, err);

    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_ROLE, &key, vault->rows_key, &plain,
                          &ret_row->revision, err);
    if (!rc && ret_row->revision == 0)
        return psn_role_fail_unknown(address, err);
    return rc ? rc : psn_role_decode(&plain, ret_row, err);
}

enum psn_code psn_role_read(struct psn_vault *vault, const char *address,
                            struct psn_role_row *ret_row, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (vault->is_role_known && strcmp(vault->role->address, address) == 0) {
        *ret_row = *vault->role;
        return PSN_OK;
    }
    rc = read_row(vault, address, ret_row, err);
    if (!rc)
        remember(vault, ret_row);
    return rc;
}

enum psn_code psn_role_write(struct psn_vault *vault, struct psn_role_row *row,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_ROLE, row->address, &key, err);

    vault->is_role_known = false;
    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_ADDRESS, row->address);
    psn_record_put_text(&plain, TAG_CLIENT, row->client);
    psn_record_put_text(&plain, TAG_BACKEND,
                        row->backend ? psn_backend_name(row->backend) : "");
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)row->created_s);
    psn_record_put_number(&plain, TAG_CHANGED, (uint64_t)row->changed_s);
    psn_record_put_number(&plain, TAG_VERIFIED, (uint64_t)row->verified_s);
    encode_rotation(&row->rotation, &plain);
    encode_platform(row, &plain);
    encode_drift(row, &plain);
    psn_record_put_number(&plain, TAG_OLDER, row->rotation.older); /* tags rise */
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_ROLE, &key, row->revision + 1, vault->rows_key,
                         plain.data, plain.size, err);
    if (!rc)
        row->revision++;
    return rc ? psn_wrap(err, rc, "%s", row->address) : PSN_OK;
}

#include "core/role.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/client.h"
#include "core/journal.h"
#include "core/record.h"
#include "core/version.h"

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
    TAG_MAX = 23,
};

const char *psn_role_state_name(enum psn_role_state state)
{
    switch (state) {
    case PSN_ROLE_STABLE:
        return "stable";
    case PSN_ROLE_ROTATING:
        return "rotating";
    case PSN_ROLE_UNCERTAIN:
        return "uncertain";
    case PSN_ROLE_STUCK:
        return "stuck";
    case PSN_ROLE_MISSING:
        return "missing";
    case PSN_ROLE_RECEIVED:
        return "received";
    }
    return "unknown";
}

/* Both parts were checked against an address's whole length. */
static void join_address(const struct psn_mailbox *mailbox,
                         char out[PSN_ADDRESS_TEXT_MAX])
{
    size_t local = strlen(mailbox->local);
    size_t domain = strlen(mailbox->domain);

    assert(local + 1 + domain < PSN_ADDRESS_TEXT_MAX);
    memcpy(out, mailbox->local, local);
    out[local] = '@';
    memcpy(out + local + 1, mailbox->domain, domain + 1);
}

enum psn_code psn_role_normalize(const char *address,
                                 char ret_address[PSN_ADDRESS_TEXT_MAX],
                                 struct psn_error *err)
{
    struct psn_mailbox mailbox;
    enum psn_code rc = psn_mailbox_parse(address, &mailbox, err);

    if (!rc)
        join_address(&mailbox, ret_address);
    return rc;
}

/* --- the row --- */

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

static enum psn_code decode(const struct psn_buf *plain, struct psn_role_row *row,
                            struct psn_error *err)
{
    struct psn_record record;
    char backend[32];
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    if (!psn_record_text(&record, TAG_ADDRESS, row->address, sizeof row->address) ||
        !psn_record_text(&record, TAG_CLIENT, row->client, sizeof row->client) ||
        !psn_record_text(&record, TAG_BACKEND, backend, sizeof backend))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a role is malformed"));
    row->backend = psn_backend_parse(backend);
    row->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    row->changed_s = (int64_t)psn_record_number(&record, TAG_CHANGED);
    row->verified_s = (int64_t)psn_record_number(&record, TAG_VERIFIED);
    return decode_rotation(&record, &row->rotation, err);
}

static enum psn_code fail_unknown(const char *address, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no role '%s' in the vault"), address);
    return psn_hint(
        err, PSN_E_NOT_FOUND,
        _("see the roles with: passation role ls; take a mailbox over with: passation "
          "role adopt %s"),
        address);
}

enum psn_code psn_role_read(struct psn_vault *vault, const char *address,
                            struct psn_role_row *ret_row, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_error cause = { 0 };
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_ROLE, address, &key, err);

    if (rc)
        return rc;
    rc = psn_row_get(vault, PSN_TABLE_ROLE, &key, vault->rows_key, &plain,
                     &ret_row->revision, &cause);
    if (rc == PSN_E_NOT_FOUND)
        return fail_unknown(address, err);
    if (!rc)
        rc = decode(&plain, ret_row, &cause);
    if (rc && err)
        *err = cause;
    return rc;
}

enum psn_code psn_role_write(struct psn_vault *vault, struct psn_role_row *row,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_ROLE, row->address, &key, err);

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_ADDRESS, row->address);
    psn_record_put_text(&plain, TAG_CLIENT, row->client);
    psn_record_put_text(&plain, TAG_BACKEND,
                        row->backend ? psn_backend_name(row->backend) : "");
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)row->created_s);
    psn_record_put_number(&plain, TAG_CHANGED, (uint64_t)row->changed_s);
    psn_record_put_number(&plain, TAG_VERIFIED, (uint64_t)row->verified_s);
    encode_rotation(&row->rotation, &plain);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_ROLE, &key, row->revision + 1, vault->rows_key,
                         plain.data, plain.size, err);
    if (!rc)
        row->revision++;
    return rc ? psn_wrap(err, rc, "%s", row->address) : PSN_OK;
}

/* --- the public view --- */

static enum psn_role_state view_state(const struct psn_rotation_state *rotation)
{
    switch (rotation->phase) {
    case PSN_ROTATION_STABLE:
        return PSN_ROLE_STABLE;
    case PSN_ROTATION_INTENT:
    case PSN_ROTATION_ACCEPTED:
        return PSN_ROLE_ROTATING;
    case PSN_ROTATION_SENDING:
    case PSN_ROTATION_UNKNOWN:
        return PSN_ROLE_UNCERTAIN;
    case PSN_ROTATION_STUCK:
        return rotation->reason == PSN_ROTATION_WHY_ABSENT ? PSN_ROLE_MISSING
                                                           : PSN_ROLE_STUCK;
    case PSN_ROTATION_PHASES:
        break;
    }
    return PSN_ROLE_STUCK;
}

struct psn_role psn_role_view(const struct psn_role_row *row)
{
    struct psn_role role = { .state = view_state(&row->rotation),
                             .version = row->rotation.cur,
                             .pending = row->rotation.pend,
                             .created_s = row->created_s,
                             .changed_s = row->changed_s,
                             .verified_s = row->verified_s,
                             .old_dead = (enum psn_tristate)row->rotation.old_dead };

    (void)snprintf(role.address, sizeof role.address, "%s", row->address);
    (void)snprintf(role.client, sizeof role.client, "%s", row->client);
    if (row->backend)
        (void)snprintf(role.backend, sizeof role.backend, "%s",
                       psn_backend_name(row->backend));
    (void)snprintf(role.reason, sizeof role.reason, "%s",
                   psn_rotation_explain(row->rotation.reason));
    psn_text_cut_utf8(role.reason);
    return role;
}

static enum psn_code get(struct psn_vault *vault, const char *address,
                         struct psn_role *ret_role, struct psn_error *err)
{
    struct psn_role_row row;
    enum psn_code rc = psn_role_read(vault, address, &row, err);

    if (!rc)
        *ret_role = psn_role_view(&row);
    return rc;
}

enum psn_code psn_role_get(struct psn_vault *vault, const char *address,
                           struct psn_role *ret_role, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    return rc ? rc : psn_vault_end(vault, get(vault, normal, ret_role, err), err);
}

/* --- walking --- */

struct role_scan {
    const char *const *globs;
    size_t glob_count;
    bool *hit;
    psn_role_row_fn *each;
    void *arg;
};

static enum psn_code filter(void *arg, const struct psn_store_row *row,
                            const struct psn_buf *plain, struct psn_error *err)
{
    struct role_scan *scan = arg;
    struct psn_role_row role = { .revision = row->revision };
    bool fits = scan->glob_count == 0;
    enum psn_code rc = decode(plain, &role, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < scan->glob_count; i++) {
        bool hit = psn_text_glob(scan->globs[i], role.address);

        scan->hit[i] = scan->hit[i] || hit;
        fits = fits || hit;
    }
    return fits ? scan->each(scan->arg, &role, err) : PSN_OK;
}

static bool is_plain_address(const char *glob)
{
    return !strpbrk(glob, "*?");
}

/* One address needs no walk over the table. */
static enum psn_code one(struct psn_vault *vault, const char *address,
                         psn_role_row_fn *each, void *arg, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    struct psn_role_row row;
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc)
        rc = psn_role_read(vault, normal, &row, err);
    return rc ? rc : each(arg, &row, err);
}

static enum psn_code lower_globs(const char *const *globs, size_t count,
                                 char ***ret_lower, struct psn_error *err)
{
    char **lower = calloc(count + 1, sizeof *lower);
    bool failed = !lower;

    for (size_t i = 0; !failed && i < count; i++) {
        lower[i] = strdup(globs[i]);
        failed = !lower[i];
        if (lower[i])
            psn_text_lower(lower[i]);
    }
    *ret_lower = lower;
    return failed ? psn_fail(err, PSN_E_NOMEM, _("out of memory")) : PSN_OK;
}

static void free_globs(char **globs)
{
    for (size_t i = 0; globs && globs[i]; i++)
        free(globs[i]);
    free(globs);
}

enum psn_code psn_role_scan(struct psn_vault *vault, const char *const *globs,
                            size_t glob_count, psn_role_row_fn *each, void *arg,
                            struct psn_error *err)
{
    PSN_AUTO_FREE bool *hit = calloc(glob_count + 1, sizeof *hit);
    char **lower = NULL;
    struct role_scan scan = {
        .glob_count = glob_count, .hit = hit, .each = each, .arg = arg
    };
    enum psn_code rc;

    if (glob_count == 1 && is_plain_address(globs[0]))
        return one(vault, globs[0], each, arg, err);
    if (!hit)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = lower_globs(globs, glob_count, &lower, err);
    scan.globs = (const char *const *)lower;
    if (!rc)
        rc = psn_row_each(vault, PSN_TABLE_ROLE, NULL, vault->rows_key, filter, &scan,
                          err);
    for (size_t i = 0; !rc && i < glob_count; i++)
        if (!hit[i] && is_plain_address(lower[i]))
            rc = fail_unknown(lower[i], err);
    free_globs(lower);
    return rc;
}

struct role_list {
    struct psn_role *items;
    size_t count;
    size_t capacity;
    psn_role_fn *each;
    void *arg;
};

static enum psn_code collect(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    struct role_list *list = arg;

    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct psn_role *grown = realloc(list->items, capacity * sizeof *grown);

        if (!grown)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = psn_role_view(row);
    return PSN_OK;
}

static enum psn_code pass_on(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    struct role_list *list = arg;
    struct psn_role role = psn_role_view(row);

    return list->each(list->arg, &role, err);
}

/* By domain, then by local part: a client's mailboxes stand together. */
static int compare_addresses(const void *a, const void *b)
{
    const char *left = ((const struct psn_role *)a)->address;
    const char *right = ((const struct psn_role *)b)->address;
    int order = strcmp(strchr(left, '@'), strchr(right, '@'));

    return order ? order : strcmp(left, right);
}

enum psn_code psn_role_each(struct psn_vault *vault, const char *const *globs,
                            size_t glob_count, bool sorted, psn_role_fn *each, void *arg,
                            struct psn_error *err)
{
    struct role_list list = { .each = each, .arg = arg };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(
        vault,
        psn_role_scan(vault, globs, glob_count, sorted ? collect : pass_on, &list, err),
        err);
    if (!rc && list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_addresses);
    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, &list.items[i], err);
    free(list.items);
    return rc;
}

/* --- for clients --- */

struct address_list {
    const char *client;
    const char *domain;
    struct psn_buf addresses; /* each with its NUL */
    size_t count;
};

static enum psn_code pick(void *arg, const struct psn_role_row *row,
                          struct psn_error *err)
{
    struct address_list *list = arg;

    if (list->client && strcmp(row->client, list->client) != 0)
        return PSN_OK;
    if (list->domain && strcmp(strchr(row->address, '@') + 1, list->domain) != 0)
        return PSN_OK;
    list->count++;
    psn_buf_bytes(&list->addresses, row->address, strlen(row->address) + 1);
    return psn_buf_check(&list->addresses, err);
}

enum {
    ADDRESSES_MAX = 64 * 1024 * 1024
};

enum psn_code psn_role_check_none(struct psn_vault *vault, const char *domain,
                                  struct psn_error *err)
{
    struct address_list list = { .domain = domain,
                                 .addresses = psn_buf_init(ADDRESSES_MAX) };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, pick, &list, err);

    psn_buf_release(&list.addresses);
    if (!rc && list.count > 0) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("the domain '%s' still has roles in the vault, so it stays"),
                       domain);
        return psn_hint(err, PSN_E_POLICY,
                        _("remove them first: passation role ls '*@%s'"), domain);
    }
    return rc;
}

enum psn_code psn_role_count_of_client(struct psn_vault *vault, const char *client,
                                       size_t *ret_count, struct psn_error *err)
{
    struct address_list list = { .client = client,
                                 .addresses = psn_buf_init(ADDRESSES_MAX) };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, pick, &list, err);

    psn_buf_release(&list.addresses);
    if (!rc)
        *ret_count = list.count;
    return rc;
}

static enum psn_code delete_role(struct psn_vault *vault, const char *address,
                                 struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_version_delete_all(vault, address, err);

    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_ROLE, address, &key, err);
    return rc ? rc
              : psn_store_delete(vault->store, PSN_TABLE_ROLE, key.bytes, key.size, err);
}

enum psn_code psn_role_delete_of_client(struct psn_vault *vault, const char *client,
                                        struct psn_error *err)
{
    struct address_list list = { .client = client,
                                 .addresses = psn_buf_init(ADDRESSES_MAX) };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, pick, &list, err);

    for (size_t i = 0; !rc && i < list.addresses.size;) {
        const char *address = (const char *)list.addresses.data + i;

        rc = delete_role(vault, address, err);
        i += strlen(address) + 1;
    }
    psn_buf_release(&list.addresses);
    return rc;
}

static enum psn_code rm(struct psn_vault *vault, const char *address, const char *confirm,
                        struct psn_error *err)
{
    struct psn_role_row row;
    enum psn_code rc = psn_role_read(vault, address, &row, err);

    if (rc)
        return rc;
    if (row.rotation.last > 0 && (!confirm || strcmp(confirm, address) != 0)) {
        (void)psn_fail(
            err, PSN_E_POLICY,
            _("the vault holds the password of '%s', perhaps the only copy there is"),
            address);
        return psn_hint(err, PSN_E_POLICY,
                        _("if that is what you want: passation role rm %s --confirm %s"),
                        address, address);
    }
    rc = delete_role(vault, address, err);
    if (!rc)
        rc = psn_journal_note(
            vault, row.client,
            &(struct psn_note){ .event = "role.removed", .subject = address }, err);
    return rc;
}

enum psn_code psn_role_rm(struct psn_vault *vault, const char *address,
                          const char *confirm, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    char normal_confirm[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc && confirm && psn_role_normalize(confirm, normal_confirm, NULL) == PSN_OK)
        confirm = normal_confirm;
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, rm(vault, normal, confirm, err), err);
}

/* --- mail settings --- */

static void split_host(const char *url, char *host, size_t size, uint16_t *port)
{
    const char *start = strstr(url, "://");
    const char *colon = strrchr(url, ':');
    uint64_t number = 0;

    if (!start || !colon || colon < start + 3 ||
        !psn_text_parse_u64(colon + 1, UINT16_MAX, &number))
        return;
    start += 3;
    (void)snprintf(host, size, "%.*s", (int)(colon - start), start);
    *port = (uint16_t)number;
}

void psn_mail_settings_of(enum psn_backend backend, const struct psn_client *client,
                          struct psn_mail_settings *ret_settings)
{
    struct psn_mail_hosts hosts;

    psn_mailbox_hosts(backend, client->endpoint, &hosts);
    *ret_settings = (struct psn_mail_settings){ .imap_port = hosts.imap.port,
                                                .smtp_port = hosts.smtp.port };
    (void)snprintf(ret_settings->imap_host, sizeof ret_settings->imap_host, "%s",
                   hosts.imap.host);
    (void)snprintf(ret_settings->imap_security, sizeof ret_settings->imap_security, "%s",
                   hosts.imap.security);
    (void)snprintf(ret_settings->smtp_host, sizeof ret_settings->smtp_host, "%s",
                   hosts.smtp.host);
    (void)snprintf(ret_settings->smtp_security, sizeof ret_settings->smtp_security, "%s",
                   hosts.smtp.security);
    (void)snprintf(ret_settings->webmail, sizeof ret_settings->webmail, "%s",
                   hosts.webmail);
    split_host(client->imap, ret_settings->imap_host, sizeof ret_settings->imap_host,
               &ret_settings->imap_port);
    split_host(client->smtp, ret_settings->smtp_host, sizeof ret_settings->smtp_host,
               &ret_settings->smtp_port);
}

enum psn_code psn_role_mail_settings(struct psn_vault *vault, const struct psn_role *role,
                                     struct psn_mail_settings *ret_settings,
                                     struct psn_error *err)
{
    struct psn_client client;
    enum psn_code rc = psn_client_get(vault, role->client, &client, err);

    if (rc)
        return rc;
    psn_mail_settings_of(psn_backend_parse(role->backend), &client, ret_settings);
    psn_client_release(&client);
    return PSN_OK;
}

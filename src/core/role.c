#include "core/role.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/unset.h"
#include "core/client.h"

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

enum psn_code psn_role_begin(struct psn_vault *vault, enum psn_store_mode mode,
                             const char *address, char ret_address[PSN_ADDRESS_TEXT_MAX],
                             struct psn_error *err)
{
    enum psn_code rc = psn_role_normalize(address, ret_address, err);

    return rc ? rc : psn_vault_begin(vault, mode, err);
}

/* --- the public view --- */

enum psn_role_state psn_role_state_of(enum psn_rotation_phase phase,
                                      enum psn_rotation_reason reason)
{
    switch (phase) {
    case PSN_ROTATION_STABLE:
        return PSN_ROLE_STABLE;
    case PSN_ROTATION_INTENT:
    case PSN_ROTATION_ACCEPTED:
        return PSN_ROLE_ROTATING;
    case PSN_ROTATION_SENDING:
    case PSN_ROTATION_UNKNOWN:
        return PSN_ROLE_UNCERTAIN;
    case PSN_ROTATION_STUCK:
        return reason == PSN_ROTATION_WHY_ABSENT ? PSN_ROLE_MISSING : PSN_ROLE_STUCK;
    case PSN_ROTATION_PHASES:
        break;
    }
    return PSN_ROLE_STUCK;
}

bool psn_role_has_drifted(const struct psn_role_row *row, int64_t password_changed_s)
{
    enum {
        SLACK_S = 600 /* of two clocks, and of a task that ended behind our login */
    };

    if (password_changed_s == 0 || row->rotation.cur == 0)
        return false;
    if (row->ovh_changed_s)
        return password_changed_s > row->ovh_changed_s;
    return row->changed_s > 0 && password_changed_s > row->changed_s + SLACK_S;
}

bool psn_role_is_gone(const struct psn_role_row *row)
{
    return row->gone_s && row->gone_s >= row->rotation.last_send_s &&
           !row->rotation.create;
}

enum psn_rotation_reason psn_role_reason_of(const struct psn_role_row *row)
{
    return row->rotation.phase == PSN_ROTATION_STUCK && psn_role_is_gone(row)
               ? PSN_ROTATION_WHY_ABSENT
               : row->rotation.reason;
}

const char *psn_doubt_name(enum psn_doubt doubt)
{
    switch (doubt) {
    case PSN_DOUBT_NONE:
        break;
    case PSN_DOUBT_CHANGING:
        return "changing";
    case PSN_DOUBT_OUTSIDE:
        return "changed_outside";
    case PSN_DOUBT_GONE:
        return "gone";
    }
    return "none";
}

/* What is under way will know better than what was seen before it. */
static enum psn_doubt doubt_of(const struct psn_role_row *row)
{
    enum psn_rotation_phase phase = row->rotation.phase;

    if (psn_role_state_of(phase, psn_role_reason_of(row)) == PSN_ROLE_MISSING)
        return PSN_DOUBT_GONE;
    if (phase != PSN_ROTATION_STABLE)
        return PSN_DOUBT_CHANGING;
    if (row->gone_s)
        return PSN_DOUBT_GONE;
    return row->outside_s ? PSN_DOUBT_OUTSIDE : PSN_DOUBT_NONE;
}

struct psn_role psn_role_view(const struct psn_role_row *row)
{
    enum psn_rotation_reason reason = psn_role_reason_of(row);
    struct psn_role role = { .state = psn_role_state_of(row->rotation.phase, reason),
                             .doubt = doubt_of(row),
                             .version = row->rotation.cur,
                             .pending = row->rotation.pend,
                             .created_s = row->created_s,
                             .changed_s = row->changed_s,
                             .verified_s = row->verified_s,
                             .ovh_changed_s = row->ovh_changed_s,
                             .expires_s = row->expires_s,
                             .outside_s = row->outside_s,
                             .gone_s = row->gone_s,
                             .platform_count = row->platform_count,
                             .old_dead = (enum psn_tristate)row->rotation.old_dead };

    memcpy(role.platforms, row->platforms, sizeof role.platforms);
    psn_text_copy(row->place.host, role.mail_host, sizeof role.mail_host);
    psn_text_copy(row->address, role.address, sizeof role.address);
    psn_text_copy(row->client, role.client, sizeof role.client);
    if (row->backend) {
        psn_text_copy(psn_backend_name(row->backend), role.backend, sizeof role.backend);
        psn_platform_name(row->backend, &row->place, role.platform);
    }
    psn_text_copy(psn_rotation_explain(reason), role.reason, sizeof role.reason);
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
    enum psn_code rc = psn_role_begin(vault, PSN_STORE_READ, address, normal, err);

    return rc ? rc : psn_vault_end(vault, get(vault, normal, ret_role, err), err);
}

/* --- walking --- */

struct role_scan {
    const char *const *globs;
    size_t glob_count;
    bool *hit;
    psn_role_row_fn *each;
    psn_role_name_fn *each_name; /* in the place of each */
    void *arg;
};

static bool fits(const struct role_scan *scan, const char *address)
{
    bool found = scan->glob_count == 0;

    for (size_t i = 0; i < scan->glob_count; i++) {
        bool hit = psn_text_glob(scan->globs[i], address);

        scan->hit[i] = scan->hit[i] || hit;
        found = found || hit;
    }
    return found;
}

static enum psn_code filter_name(void *arg, const struct psn_store_row *row,
                                 const struct psn_buf *plain, struct psn_error *err)
{
    const struct role_scan *scan = arg;
    PSN_UNSET char address[PSN_ADDRESS_TEXT_MAX];
    PSN_UNSET char client[PSN_CLIENT_ID_MAX];
    enum psn_code rc = psn_role_decode_names(plain, address, client, err);

    (void)row;
    return rc || !fits(scan, address) ? rc
                                      : scan->each_name(scan->arg, address, client, err);
}

static enum psn_code filter(void *arg, const struct psn_store_row *row,
                            const struct psn_buf *plain, struct psn_error *err)
{
    const struct role_scan *scan = arg;
    struct psn_role_row role = { .revision = row->revision };
    enum psn_code rc = psn_role_decode(plain, &role, err);

    return rc || !fits(scan, role.address) ? rc : scan->each(scan->arg, &role, err);
}

static bool is_plain_address(const char *glob)
{
    return !strpbrk(glob, "*?");
}

/* One address needs no walk over the table. */
static enum psn_code one(struct psn_vault *vault, const char *address,
                         const struct role_scan *scan, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    struct psn_role_row row;
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc)
        rc = psn_role_read(vault, normal, &row, err);
    if (rc)
        return rc;
    return scan->each_name ? scan->each_name(scan->arg, row.address, row.client, err)
                           : scan->each(scan->arg, &row, err);
}

/* What is there already after a failure is the caller's, too. */
static enum psn_code lower_globs(const char *const *globs, size_t count, char ***lower,
                                 struct psn_error *err)
{
    enum psn_code rc = PSN_ROOM(*lower, count + 1, err);

    for (size_t i = 0; !rc && i < count; i++) {
        rc = psn_text_keep(globs[i], &(*lower)[i], err);
        if (!rc)
            psn_text_lower((*lower)[i]);
    }
    return rc;
}

static void free_globs(char **globs)
{
    for (size_t i = 0; globs && globs[i]; i++)
        free(globs[i]);
    free(globs);
}

static enum psn_code scan_all(struct psn_vault *vault, const char *const *globs,
                              size_t glob_count, struct role_scan *scan,
                              struct psn_error *err)
{
    PSN_AUTO_FREE bool *hit = calloc(glob_count + 1, sizeof *hit);
    char **lower = NULL;
    enum psn_code rc;

    if (glob_count == 1 && is_plain_address(globs[0]))
        return one(vault, globs[0], scan, err);
    if (!hit)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = lower_globs(globs, glob_count, &lower, err);
    scan->globs = (const char *const *)lower;
    scan->glob_count = glob_count;
    scan->hit = hit;
    if (!rc)
        rc = psn_row_each(vault, PSN_TABLE_ROLE, NULL, vault->rows_key,
                          scan->each_name ? filter_name : filter, scan, err);
    for (size_t i = 0; !rc && i < glob_count; i++)
        if (!hit[i] && is_plain_address(lower[i]))
            rc = psn_role_fail_unknown(lower[i], err);
    free_globs(lower);
    return rc;
}

enum psn_code psn_role_scan(struct psn_vault *vault, const char *const *globs,
                            size_t glob_count, psn_role_row_fn *each, void *arg,
                            struct psn_error *err)
{
    struct role_scan scan = { .each = each, .arg = arg };

    return scan_all(vault, globs, glob_count, &scan, err);
}

enum psn_code psn_role_each_name(struct psn_vault *vault, const char *const *globs,
                                 size_t glob_count, psn_role_name_fn *each, void *arg,
                                 struct psn_error *err)
{
    struct role_scan scan = { .each_name = each, .arg = arg };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, scan_all(vault, globs, glob_count, &scan, err), err);
}

struct role_list {
    struct psn_role *items;
    size_t count;
    psn_role_fn *each;
    void *arg;
};

static enum psn_code collect(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    struct role_list *list = arg;

    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (!rc)
        list->items[list->count++] = psn_role_view(row);
    return rc;
}

static enum psn_code pass_on(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    struct role_list *list = arg;
    struct psn_role role = psn_role_view(row);

    return list->each(list->arg, &role, err);
}

static const char *domain_of(const char *address)
{
    const char *at = strchr(address, '@');

    return at ? at : "";
}

int psn_role_order(const char *left, const char *right)
{
    int order = strcmp(domain_of(left), domain_of(right));

    return order ? order : strcmp(left, right);
}

static int compare_addresses(const void *a, const void *b)
{
    return psn_role_order(((const struct psn_role *)a)->address,
                          ((const struct psn_role *)b)->address);
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

void psn_mail_settings_of(enum psn_backend backend, const char *mail_host,
                          const struct psn_client *client,
                          struct psn_mail_settings *ret_settings)
{
    struct psn_mail_hosts hosts;

    psn_mailbox_hosts(backend, client->endpoint, mail_host, &hosts);
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
    psn_mail_settings_of(psn_backend_parse(role->backend), role->mail_host, &client,
                         ret_settings);
    psn_client_release(&client);
    return PSN_OK;
}

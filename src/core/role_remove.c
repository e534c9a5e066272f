#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/departure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/role.h"
#include "core/version.h"

/* Roles leave the vault: one, or all of a client's. Nothing is removed at OVH. */

enum {
    LABELS_SHOWN = 6,
    LABELS_MAX = 8 * PSN_LABEL_TEXT_MAX
};

struct finding {
    const char *domain;
    bool found;
};

static enum psn_code find(void *arg, const struct psn_role_row *row,
                          struct psn_error *err)
{
    struct finding *finding = arg;

    (void)err;
    if (strcmp(strchr(row->address, '@') + 1, finding->domain) == 0)
        finding->found = true;
    return PSN_OK;
}

enum psn_code psn_role_check_none(struct psn_vault *vault, const char *domain,
                                  struct psn_error *err)
{
    struct finding finding = { .domain = domain };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, find, &finding, err);

    if (!rc && finding.found) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("the domain '%s' still has roles in the vault, so it stays"),
                       domain);
        return psn_hint(err, PSN_E_POLICY,
                        _("remove them first: passation role ls '*@%s'"), domain);
    }
    return rc;
}

struct counting {
    struct psn_vault *vault;
    const char *client;
    size_t roles;
    size_t others;
};

static enum psn_code count_other(void *arg, const struct psn_secret_info *info,
                                 struct psn_error *err)
{
    struct counting *counting = arg;

    (void)info;
    (void)err;
    counting->others++;
    return PSN_OK;
}

static enum psn_code count_role(void *arg, const struct psn_role_row *row,
                                struct psn_error *err)
{
    struct counting *counting = arg;

    if (strcmp(row->client, counting->client) != 0)
        return PSN_OK;
    counting->roles++;
    return psn_item_each(counting->vault, row->address, count_other, counting, err);
}

enum psn_code psn_role_count_of_client(struct psn_vault *vault, const char *client,
                                       size_t *ret_count, size_t *ret_others,
                                       struct psn_error *err)
{
    struct counting counting = { .vault = vault, .client = client };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, count_role, &counting, err);

    if (rc)
        return rc;
    *ret_count = counting.roles;
    *ret_others = counting.others;
    return PSN_OK;
}

/* --- what must not be forgotten --- */

/* A new password may be on its way: once it is in force only the vault has it. */
static enum psn_code check_arrived(struct psn_vault *vault,
                                   const struct psn_role_row *row, struct psn_error *err)
{
    if (psn_role_is_gone(row) ||
        !psn_rotation_may_arrive(&row->rotation, vault->world.now_s()))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("a new password of %s was sent to OVH and may come into force: "
                     "forgotten here, nobody would have it"),
                   row->address);
    return psn_hint(err, PSN_E_POLICY,
                    _("finish that first: passation resume %s; if it can never be, say "
                      "why: --unchanged 'WHY'"),
                    row->address);
}

/* The password in force was sent more than once, and one of the requests may be on its
 * way: a mailbox that is removed and adopted again would have another password by then,
 * which that request takes out of force. Nothing helps but to wait. */
static enum psn_code check_quiet(struct psn_vault *vault, const struct psn_role_row *row,
                                 struct psn_error *err)
{
    const struct psn_rotation_state *rotation = &row->rotation;
    struct psn_client client = { 0 };
    int64_t left_s;
    enum psn_code rc;

    if (rotation->phase != PSN_ROTATION_STABLE || rotation->unanswered == 0)
        return PSN_OK;
    rc = psn_client_read(vault, row->client, &client, err);
    left_s = psn_rotation_left_s(rotation->last_send_s, client.limits.settle_s,
                                 vault->world.now_s());
    psn_client_release(&client);
    if (rc || left_s <= 0)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("a request of %s is unanswered, and may still take effect at OVH: "
                     "forgotten here, it would undo what is done there next"),
                   row->address);
    return psn_hint(err, PSN_E_POLICY,
                    PSN_NGETTEXT("wait %lld minute, then again",
                                 "wait %lld minutes, then again",
                                 (unsigned long)((left_s + 59) / 60)),
                    (long long)((left_s + 59) / 60));
}

struct checking {
    struct psn_vault *vault;
    const char *client;
    bool unchanged;
};

static enum psn_code check_one(void *arg, const struct psn_role_row *row,
                               struct psn_error *err)
{
    const struct checking *checking = arg;
    enum psn_code rc;

    if (strcmp(row->client, checking->client) != 0)
        return PSN_OK;
    rc = checking->unchanged ? PSN_OK : check_arrived(checking->vault, row, err);
    return rc ? rc : check_quiet(checking->vault, row, err);
}

enum psn_code psn_role_check_arrived(struct psn_vault *vault, const char *client,
                                     bool unchanged, struct psn_error *err)
{
    struct checking checking = { vault, client, unchanged };

    return psn_role_scan(vault, NULL, 0, check_one, &checking, err);
}

/* --- removing --- */

static enum psn_code delete_role(struct psn_vault *vault, const char *client,
                                 const char *address, struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_versions_retire(vault, client, address, vault, err);

    if (!rc)
        rc = psn_version_delete_all(vault, address, err);
    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_ROLE, address, &key, err);
    vault->is_role_known = false;
    return rc ? rc
              : psn_store_delete(vault->store, PSN_TABLE_ROLE, key.bytes, key.size, err);
}

/* What hangs on a mailbox besides its password, and is lost with the role. */
struct other_secrets {
    size_t count;
    struct psn_buf labels;
};

static enum psn_code add_label(void *arg, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    struct other_secrets *others = arg;

    (void)err;
    if (others->count < LABELS_SHOWN)
        psn_buf_format(&others->labels, "%s%s", others->count ? ", " : "", info->label);
    else if (others->count == LABELS_SHOWN)
        psn_buf_text(&others->labels, ", …");
    others->count++;
    return PSN_OK;
}

/* Only who has said the address once more knows what is lost. */
static enum psn_code refuse(const char *address, const struct other_secrets *others,
                            struct psn_error *err)
{
    if (others->count == 0) {
        (void)psn_fail(
            err, PSN_E_POLICY,
            _("the vault holds the password of '%s', perhaps the only copy there is"),
            address);
        return psn_hint(err, PSN_E_POLICY,
                        _("if that is what you want: passation role rm %s --confirm %s"),
                        address, address);
    }
    (void)psn_fail(
        err, PSN_E_POLICY,
        PSN_NGETTEXT("the vault holds the password of '%s' and %zu other secret, perhaps "
                     "the only copies there are: %s",
                     "the vault holds the password of '%s' and %zu other secrets, "
                     "perhaps the only copies there are: %s",
                     others->count),
        address, others->count, psn_buf_str(&others->labels));
    return psn_hint(err, PSN_E_POLICY,
                    _("to keep the other secrets, move them or passation export %s; if "
                      "all may go: passation role rm %s --confirm %s"),
                    address, address, address);
}

static enum psn_code check_confirmed(struct psn_vault *vault,
                                     const struct psn_role_row *row, const char *confirm,
                                     struct psn_error *err)
{
    struct other_secrets others = { .labels = psn_buf_init(LABELS_MAX) };
    enum psn_code rc;

    if (confirm && strcmp(confirm, row->address) == 0)
        return PSN_OK;
    rc = psn_item_each(vault, row->address, add_label, &others, err);
    if (!rc)
        rc = psn_buf_check(&others.labels, err);
    if (!rc && (row->rotation.last > 0 || others.count > 0))
        rc = refuse(row->address, &others, err);
    psn_buf_release(&others.labels);
    return rc;
}

/* What is given up as it is may come into force, and work, all the same. */
static enum psn_code check_settled(struct psn_vault *vault,
                                   const struct psn_role_row *row, const char *unchanged,
                                   struct psn_error *err)
{
    enum psn_code rc = check_quiet(vault, row, err);

    if (rc)
        return rc;
    if (unchanged)
        return psn_departure_check_why(unchanged, err);
    rc = check_arrived(vault, row, err);
    return rc ? rc : psn_departure_check_settled(vault, row->client, row->address, err);
}

static enum psn_code rm(struct psn_vault *vault, const char *address, const char *confirm,
                        const char *unchanged, struct psn_error *err)
{
    struct psn_role_row row;
    enum psn_code rc = psn_role_read(vault, address, &row, err);

    if (!rc)
        rc = check_confirmed(vault, &row, confirm, err);
    if (rc)
        return rc;
    rc = check_settled(vault, &row, unchanged, err);
    if (!rc)
        rc = psn_departure_note_removed(vault, row.client, address, unchanged, err);
    if (!rc)
        rc = delete_role(vault, row.client, address, err);
    if (!rc)
        rc = psn_journal_note(
            vault, row.client,
            &(struct psn_note){ .event = "role.removed", .subject = address }, err);
    return rc;
}

enum psn_code psn_role_rm(struct psn_vault *vault, const char *address,
                          const char *confirm, const char *unchanged,
                          struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    char normal_confirm[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc && confirm && psn_role_normalize(confirm, normal_confirm, NULL) == PSN_OK)
        confirm = normal_confirm;
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc
              : psn_vault_end(vault, rm(vault, normal, confirm, unchanged, err), err);
}

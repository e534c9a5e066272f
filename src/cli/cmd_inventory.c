#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/text.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/finding_show.h"

/* ovh inventory: what lies in the account, held against the vault. */

enum {
    HINTED_MAX = 8,
    HINT_TEXT_MAX = 4096
};

struct found {
    struct psn_finding finding;
    enum psn_inventory_state state;
};

struct inventory {
    struct found *items;
    size_t count;
};

static enum psn_code keep(void *arg, const struct psn_finding *finding,
                          enum psn_inventory_state state, struct psn_error *err)
{
    struct inventory *inventory = arg;

    enum psn_code rc = PSN_GROW(inventory->items, inventory->count, err);

    if (!rc)
        inventory->items[inventory->count++] = (struct found){ *finding, state };
    return rc;
}

/* The stable word of JSON; NULL: the finding is no mailbox. */
static const char *state_word(enum psn_inventory_state state)
{
    switch (state) {
    case PSN_INVENTORY_OTHER:
        return NULL;
    case PSN_INVENTORY_MANAGED:
        return "managed";
    case PSN_INVENTORY_FREE:
        return "free";
    case PSN_INVENTORY_MISSING:
        return "missing";
    case PSN_INVENTORY_CHANGED:
        return "changed";
    }
    return NULL;
}

static enum psn_code print_json(struct cli *cli, const struct inventory *inventory,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "client", cli->args[0]);
    cli_json_open(&json, "findings", '[');
    for (size_t i = 0; i < inventory->count; i++) {
        const struct psn_finding *finding = &inventory->items[i].finding;

        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "id", finding->id);
        cli_json_text(&json, "kind", psn_finding_kind_name(finding->kind));
        cli_json_text(&json, "subject", finding->subject);
        cli_json_text(&json, "detail", finding->detail);
        cli_json_bool(&json, "external", finding->external);
        cli_json_text(&json, "state", state_word(inventory->items[i].state));
        cli_json_time(&json, "changed_at", finding->changed_s);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* --- for people ----------------------------------------------------------------------
 */

static const char *remark(const struct found *found)
{
    if (found->finding.kind == PSN_FINDING_ACCOUNT_MAIL)
        return _("! lies on one of these domains");
    if (found->state == PSN_INVENTORY_MANAGED)
        return _("✓ managed");
    if (found->state == PSN_INVENTORY_FREE)
        return _("○ free: not in the vault");
    if (found->state == PSN_INVENTORY_MISSING)
        return _("✗ missing: in the vault, gone at OVH");
    if (found->state == PSN_INVENTORY_CHANGED)
        return _("! changed at OVH after our last change");
    return found->finding.external ? _("! leads outside") : "";
}

static enum psn_code print_kind(struct cli *cli, const struct inventory *inventory,
                                enum psn_finding_kind kind, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(4);
    bool any = false;

    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < inventory->count; i++) {
        const struct found *found = &inventory->items[i];

        if (found->finding.kind != kind)
            continue;
        any = true;
        cli_table_cell(table, "");
        cli_table_cell(table, found->finding.subject);
        cli_table_cell(table, found->finding.detail);
        cli_table_cell(table, remark(found));
    }
    if (any) {
        cli_print(cli, "%s\n", cli_finding_heading(kind));
        cli_table_print(cli, table);
        cli_print(cli, "\n");
    }
    return PSN_OK;
}

static size_t count_state(const struct inventory *inventory,
                          enum psn_inventory_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < inventory->count; i++)
        count += inventory->items[i].state == state;
    return count;
}

/* The first mailbox in this state; "" if there is none. */
static const char *first_in_state(const struct inventory *inventory,
                                  enum psn_inventory_state state)
{
    for (size_t i = 0; i < inventory->count; i++)
        if (inventory->items[i].state == state)
            return inventory->items[i].finding.subject;
    return "";
}

/* The command that takes over what is free, ready to paste while it is not too long. */
static void hint_adoption(struct cli *cli, const struct inventory *inventory)
{
    PSN_AUTO_RELEASE(psn_buf) list = psn_buf_init(HINT_TEXT_MAX);
    size_t count = count_state(inventory, PSN_INVENTORY_FREE);
    size_t named = 0;

    if (count == 0)
        return;
    for (size_t i = 0; i < inventory->count && named < HINTED_MAX; i++)
        if (inventory->items[i].state == PSN_INVENTORY_FREE) {
            psn_buf_format(&list, " %s", CLI_SHOWN(inventory->items[i].finding.subject));
            named++;
        }
    cli_note(cli,
             PSN_NGETTEXT("%zu mailbox is not in the vault; take it over: passation role "
                          "adopt%s%s",
                          "%zu mailboxes are not in the vault; take them over: passation "
                          "role adopt%s%s",
                          count),
             count, psn_buf_str(&list), count > named ? " …" : "");
}

static void hint_risks(struct cli *cli, const struct inventory *inventory)
{
    size_t missing = count_state(inventory, PSN_INVENTORY_MISSING);
    size_t changed = count_state(inventory, PSN_INVENTORY_CHANGED);
    size_t external = 0;

    for (size_t i = 0; i < inventory->count; i++) {
        const struct psn_finding *finding = &inventory->items[i].finding;

        external += finding->external && finding->kind != PSN_FINDING_ACCOUNT_MAIL;
        if (finding->kind == PSN_FINDING_ACCOUNT_MAIL)
            cli_warn(
                cli,
                _("the OVH account's own address, %s, is on a domain of this client: "
                  "whoever reads that mailbox can take the account over; let the "
                  "owner set another address in OVH's manager"),
                CLI_SHOWN(finding->subject));
    }
    if (external > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("%zu access leads outside the domain and survives a change "
                              "of password; ask the owner whether it is wanted, then "
                              "keep or cut it: passation sweep %s",
                              "%zu accesses lead outside the domain and survive a change "
                              "of password; ask the owner whether they are wanted, "
                              "then keep or cut each: passation sweep %s",
                              external),
                 external, CLI_SHOWN(cli->args[0]));
    if (changed > 0)
        cli_warn(
            cli,
            PSN_NGETTEXT("the password of %zu mailbox was changed at OVH after ours; "
                         "check it: passation verify %s",
                         "the passwords of %zu mailboxes were changed at OVH after "
                         "ours; check each: passation verify %s",
                         changed),
            changed, CLI_SHOWN(first_in_state(inventory, PSN_INVENTORY_CHANGED)));
    if (missing > 0)
        cli_warn(
            cli,
            PSN_NGETTEXT("%zu mailbox of the vault is gone at OVH; if that is right: "
                         "passation role rm %s",
                         "%zu mailboxes of the vault are gone at OVH; if that is "
                         "right, of each: passation role rm %s",
                         missing),
            missing, CLI_SHOWN(first_in_state(inventory, PSN_INVENTORY_MISSING)));
}

static enum psn_code print_all(struct cli *cli, const struct inventory *inventory,
                               struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (int kind = PSN_FINDING_DOMAIN; !rc && kind <= PSN_FINDING_UNREADABLE; kind++)
        rc = print_kind(cli, inventory, (enum psn_finding_kind)kind, err);
    if (rc)
        return rc;
    if (inventory->count == 0)
        cli_print(cli, _("OVH shows nothing for the domains of '%s'.\n"),
                  CLI_SHOWN(cli->args[0]));
    hint_risks(cli, inventory);
    hint_adoption(cli, inventory);
    return PSN_OK;
}

static enum psn_code run_inventory(struct cli *cli, const void *arg,
                                   struct psn_error *err)
{
    struct inventory inventory = { 0 };
    enum psn_code rc = cli_display_ca(cli, err);

    (void)arg;
    cli_busy_begin(cli, _("looking at the client's OVH account"));
    if (!rc)
        rc = psn_client_inventory(cli->vault, cli->args[0], keep, &inventory, err);
    cli_busy_end();
    if (!rc)
        rc = cli->json ? print_json(cli, &inventory, err)
                       : print_all(cli, &inventory, err);
    free(inventory.items);
    return rc;
}

const struct cli_command cmd_ovh_inventory = {
    .name = "ovh inventory",
    .arguments = N_("CLIENT"),
    .summary = N_("look at what lies in a client's OVH account; changes nothing"),
    .examples = N_("passation ovh inventory martin\t"
                   "mailboxes, redirections, contacts, API keys\n"
                   "passation ovh inventory martin --json\tthe same for a program\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .run = run_inventory,
};

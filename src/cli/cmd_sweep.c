#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/text.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/finding_show.h"

/* sweep: who can still get in, whatever the passwords are; and what to do about it. */

struct cmd_sweep_options {
    struct cli_texts keep;
    struct cli_texts cut;
    bool all;
};

static const struct cli_option sweep_options[] = {
    { "keep", 0, CLI_TEXTS, offsetof(struct cmd_sweep_options, keep), N_("ACCESS"),
      N_("this access is legitimate; may be repeated") },
    { "cut", 0, CLI_TEXTS, offsetof(struct cmd_sweep_options, cut), N_("ACCESS"),
      N_("remove this access at OVH; may be repeated") },
    { "all", 0, CLI_FLAG, offsetof(struct cmd_sweep_options, all), NULL,
      N_("remove every access that is not kept, not ours and not harmless, after a "
         "question") },
    { 0 },
};

/* --- what was found --- */

struct accesses {
    struct psn_access *items;
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_access *access,
                             struct psn_error *err)
{
    struct accesses *accesses = arg;
    enum psn_code rc;

    /* That they are there is told by ovh inventory, and by due. */
    if (access->finding.kind == PSN_FINDING_MAILBOX)
        return PSN_OK;
    rc = PSN_GROW(accesses->items, accesses->count, err);
    if (!rc)
        accesses->items[accesses->count++] = *access;
    return rc;
}

/* What nobody has judged, and what is being removed. */
struct pending {
    size_t count;
    size_t under_way;
    bool is_removable; /* the one named … */
    char id[PSN_FINDING_ID_MAX];
};

/* The one named is the first that can be removed; else the first. */
static void add_pending(struct pending *pending, const struct psn_access *access)
{
    bool is_removable = psn_access_is_removable(access);

    if (pending->count++ > 0 && (pending->is_removable || !is_removable))
        return;
    pending->is_removable = is_removable;
    memcpy(pending->id, access->finding.id, sizeof pending->id);
}

static struct pending find_pending(const struct accesses *accesses)
{
    struct pending pending = { 0 };

    for (size_t i = 0; i < accesses->count; i++) {
        const struct psn_access *access = &accesses->items[i];

        if (!psn_access_is_pending(access))
            continue;
        if (access->is_under_way)
            pending.under_way++;
        else
            add_pending(&pending, access);
    }
    return pending;
}

/* --- for programs --- */

static void put_access(struct cli_json *json, const struct psn_access *access)
{
    const struct psn_finding *finding = &access->finding;

    cli_json_open(json, NULL, '{');
    cli_json_text(json, "id", finding->id);
    cli_json_text(json, "kind", psn_finding_kind_name(finding->kind));
    cli_json_text(json, "subject", finding->subject);
    cli_json_text(json, "detail", finding->detail);
    cli_json_text(json, "whose", finding->whose[0] ? finding->whose : NULL);
    cli_json_time(json, "since", finding->since_s);
    cli_json_text(json, "danger", psn_danger_name(finding->danger));
    cli_json_text(json, "state", psn_access_state_name(access->state));
    cli_json_bool(json, "new", access->is_new);
    cli_json_bool(json, "external", finding->external);
    cli_json_bool(json, "own", finding->own);
    cli_json_bool(json, "elsewhere", finding->elsewhere);
    cli_json_open(json, "removal", '{');
    cli_json_text(json, "method", finding->method[0] ? finding->method : NULL);
    cli_json_text(json, "path", finding->path[0] ? finding->path : NULL);
    cli_json_text(json, "obstacle",
                  finding->obstacle[0] ? psn_finding_obstacle(finding) : NULL);
    cli_json_close(json, '}');
    cli_json_time(json, "first_seen_at", access->first_s);
    cli_json_time(json, "decided_at", access->decided_s);
    cli_json_text(json, "decided_by", access->decided_by[0] ? access->decided_by : NULL);
    cli_json_close(json, '}');
}

struct unseen {
    const char *client;
    struct cli_json *json;   /* or … */
    struct cli_table *table; /* … this */
    size_t count;
};

static enum psn_code add_unseen(void *arg, const struct psn_role *role,
                                struct psn_error *err)
{
    struct unseen *unseen = arg;

    (void)err;
    if (strcmp(role->client, unseen->client) != 0 || role->state == PSN_ROLE_RECEIVED)
        return PSN_OK;
    unseen->count++;
    if (unseen->json) {
        cli_json_open(unseen->json, NULL, '{');
        cli_json_text(unseen->json, "address", role->address);
        cli_json_text(unseen->json, "look_at", cli_unseen_of(role));
        cli_json_close(unseen->json, '}');
        return PSN_OK;
    }
    cli_table_cell(unseen->table, "");
    cli_table_cell(unseen->table, role->address);
    cli_table_cell(unseen->table, cli_unseen_of(role));
    return PSN_OK;
}

static enum psn_code print_json(struct cli *cli, const struct accesses *accesses,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct unseen unseen = { .client = cli->args[0], .json = &json };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "client", cli->args[0]);
    cli_json_open(&json, "findings", '[');
    for (size_t i = 0; i < accesses->count; i++)
        put_access(&json, &accesses->items[i]);
    cli_json_close(&json, ']');
    cli_json_open(&json, "unseen", '[');
    rc = psn_role_each(cli->vault, NULL, 0, true, add_unseen, &unseen, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

/* --- for people --- */

static const char *sign_of(const struct psn_access *access)
{
    if (access->finding.own || access->finding.elsewhere ||
        access->state == PSN_ACCESS_KEPT || access->state == PSN_ACCESS_GONE)
        return "✓";
    switch (access->finding.danger) {
    case PSN_DANGER_INFO:
        return "·";
    case PSN_DANGER_NOTICE:
        return "?";
    case PSN_DANGER_DANGER:
        return "!";
    }
    return "";
}

static const char *remark_of(const struct psn_access *access)
{
    if (access->finding.own)
        return _("ours");
    if (access->finding.elsewhere && access->state != PSN_ACCESS_GONE)
        return _("ours, for another client");
    switch (access->state) {
    case PSN_ACCESS_OPEN:
        if (access->is_new)
            return _("new");
        return access->finding.danger == PSN_DANGER_INFO ? "" : _("not judged yet");
    case PSN_ACCESS_KEPT:
        return _("kept");
    case PSN_ACCESS_CUTTING:
        return _("being removed");
    case PSN_ACCESS_GONE:
        return _("gone");
    }
    return "";
}

static void put_row(struct cli_table *table, const struct psn_access *access)
{
    const struct psn_finding *finding = &access->finding;
    char day[PSN_TIME_SIZE] = "";

    if (finding->since_s) {
        (void)cli_display_time(finding->since_s, day);
        day[sizeof "YYYY-MM-DD" - 1] = '\0';
    }
    cli_table_cell(table, sign_of(access));
    cli_table_cell(table, finding->id);
    cli_table_cell(table, finding->subject);
    cli_table_cell(table, finding->detail[0] ? finding->detail : finding->whose);
    cli_table_cell(table, day);
    cli_table_cell(table, remark_of(access));
}

static enum psn_code print_kind(struct cli *cli, const struct accesses *accesses,
                                enum psn_finding_kind kind, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(6);
    bool any = false;

    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < accesses->count; i++)
        if (accesses->items[i].finding.kind == kind) {
            put_row(table, &accesses->items[i]);
            any = true;
        }
    if (any) {
        cli_print(cli, "%s\n", cli_finding_heading(kind));
        cli_table_print(cli, table);
        cli_print(cli, "\n");
    }
    return PSN_OK;
}

static enum psn_code print_unseen(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(3);
    struct unseen unseen = { .client = cli->args[0], .table = table };
    enum psn_code rc =
        table ? psn_role_each(cli->vault, NULL, 0, true, add_unseen, &unseen, err)
              : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (rc || unseen.count == 0)
        return rc;
    cli_print(cli, "%s\n", _("What OVH's API does not show; look yourself"));
    cli_table_print(cli, table);
    cli_print(cli, "\n");
    return PSN_OK;
}

static void explain_obstacles(struct cli *cli, const struct accesses *accesses)
{
    for (size_t i = 0; i < accesses->count; i++) {
        const struct psn_access *access = &accesses->items[i];

        if (psn_access_is_pending(access) && access->finding.obstacle[0])
            cli_note(cli, _("%s: %s"), CLI_SHOWN(access->finding.id),
                     psn_finding_obstacle(&access->finding));
        if (psn_access_is_pending(access) && access->may_be_ours)
            cli_note(cli,
                     _("%s: it may be a key of ours that does not tell which it is; "
                       "--all leaves it"),
                     CLI_SHOWN(access->finding.id));
    }
}

static enum psn_code print_all(struct cli *cli, const struct accesses *accesses,
                               struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (int kind = PSN_FINDING_DOMAIN; !rc && kind <= PSN_FINDING_UNREADABLE; kind++)
        rc = print_kind(cli, accesses, (enum psn_finding_kind)kind, err);
    if (!rc)
        rc = print_unseen(cli, err);
    explain_obstacles(cli, accesses);
    return rc;
}

static enum psn_code fail_under_way(size_t count, const char *client,
                                    struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu access is being removed by OVH",
                                "%zu accesses are being removed by OVH", count),
                   count);
    return psn_hint(err, PSN_E_FINDINGS, _("look again: passation sweep %s"), client);
}

static enum psn_code fail_pending(const struct cli *cli, const struct pending *pending,
                                  struct psn_error *err)
{
    const char *client = cli->args[0];

    if (pending->count == 0)
        return fail_under_way(pending->under_way, client, err);
    if (pending->under_way > 0)
        cli_note(cli,
                 PSN_NGETTEXT("%zu more is being removed by OVH.",
                              "%zu more are being removed by OVH.", pending->under_way),
                 pending->under_way);
    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu access is neither kept nor removed",
                                "%zu accesses are neither kept nor removed",
                                pending->count),
                   pending->count);
    return psn_hint(err, PSN_E_FINDINGS,
                    pending->is_removable
                        ? _("legitimate: passation sweep %s --keep %s; else --cut in "
                            "place of --keep, or --all")
                        : _("no call of OVH's removes it; once it is settled: passation "
                            "sweep %s --keep %s"),
                    client, CLI_SHOWN(pending->id));
}

/* --- cutting --- */

static enum psn_code tell_cut(void *arg, const struct psn_access_cut *cut,
                              struct psn_error *err)
{
    struct cli *cli = arg;
    const char *id = cut->access->finding.id;

    (void)err;
    if (cut->failed) {
        cli_warn(cli, "%s", cut->failed->message);
        return PSN_OK;
    }
    switch (cut->state) {
    case PSN_CUT_GONE:
        cli_note(cli, _("✓ %s: removed; OVH does not show it any more"), CLI_SHOWN(id));
        break;
    case PSN_CUT_UNDER_WAY:
        cli_note(cli, _("… %s: OVH has taken the order; look again: passation sweep %s"),
                 CLI_SHOWN(id), CLI_SHOWN(cli->args[0]));
        break;
    case PSN_CUT_WAITING:
        cli_note(cli, _("… %s: OVH waits for both people to agree by e-mail"),
                 CLI_SHOWN(id));
        break;
    case PSN_CUT_IMPOSSIBLE:
        cli_warn(cli, _("%s: %s"), CLI_SHOWN(id),
                 psn_finding_obstacle(&cut->access->finding));
        break;
    }
    return PSN_OK;
}

static bool is_named(const struct cli_texts *ids, const char *id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (strcmp(ids->items[i], id) == 0)
            return true;
    return false;
}

static void list_one(struct cli *cli, const struct psn_finding *finding)
{
    const char *what = finding->detail[0] ? finding->detail : finding->whose;

    cli_note(cli, "  %s  %s%s%s", CLI_SHOWN(finding->id), CLI_SHOWN(finding->subject),
             what[0] ? "  " : "", CLI_SHOWN(what));
}

/* --all is decided on what is seen: just what was listed is removed, not what has come
 * since. */
static enum psn_code plan_all(struct cli *cli, const struct cli_texts *keep,
                              struct accesses *ret_plan, struct psn_error *err)
{
    size_t count = 0;
    enum psn_code rc = psn_sweep(cli->vault, cli->args[0], collect, ret_plan, err);

    cli_busy_end(); /* a question, or an error, follows */
    if (rc)
        return rc;
    for (size_t i = 0; i < ret_plan->count; i++) {
        const struct psn_access *access = &ret_plan->items[i];

        if (psn_access_is_removable(access) && !access->is_under_way &&
            !is_named(keep, access->finding.id))
            ret_plan->items[count++] = *access;
    }
    ret_plan->count = count;
    if (count == 0)
        return PSN_OK;
    cli_note(cli, _("To be removed at OVH:"));
    for (size_t i = 0; i < count; i++)
        list_one(cli, &ret_plan->items[i].finding);
    return cli_confirm(
        cli, err,
        PSN_NGETTEXT("Remove %zu access at OVH?", "Remove %zu accesses at OVH?", count),
        count);
}

static enum psn_code cut_planned(struct cli *cli, const struct accesses *plan,
                                 struct psn_error *err)
{
    PSN_AUTO_FREE const char **ids = calloc(plan->count + 1, sizeof *ids);

    if (!ids)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < plan->count; i++)
        ids[i] = plan->items[i].finding.id;
    return psn_access_cut(cli->vault, cli->args[0], ids, plan->count, tell_cut, cli, err);
}

static enum psn_code decide(struct cli *cli, const struct cmd_sweep_options *options,
                            const struct accesses *plan, struct psn_error *err)
{
    const struct cli_texts *keep = &options->keep;
    const struct cli_texts *cut = &options->cut;
    const char *client = cli->args[0];
    enum psn_code rc = PSN_OK;

    if (keep->count > 0)
        rc = psn_access_keep(cli->vault, client, keep->items, keep->count, err);
    if (!rc && plan->count > 0)
        rc = cut_planned(cli, plan, err);
    if (!rc && cut->count > 0)
        rc = psn_access_cut(cli->vault, client, cut->items, cut->count, tell_cut, cli,
                            err);
    return rc;
}

/* What was asked for, then what there is. A failure of the first is told after the
 * second. */
static enum psn_code sweep(struct cli *cli, const struct cmd_sweep_options *options,
                           const struct accesses *plan, struct psn_error *err)
{
    struct accesses accesses = { 0 };
    struct psn_error cause = { 0 };
    struct pending pending;
    enum psn_code first;
    enum psn_code rc;

    cli_busy_begin(cli, _("looking at the client's OVH account"));
    first = decide(cli, options, plan, &cause);
    rc = psn_sweep(cli->vault, cli->args[0], collect, &accesses, err);
    cli_busy_end();
    if (!rc)
        rc = cli->json ? print_json(cli, &accesses, err) : print_all(cli, &accesses, err);
    pending = find_pending(&accesses);
    free(accesses.items);
    if (!rc && first) {
        *err = cause;
        return first;
    }
    return rc || pending.count + pending.under_way == 0
               ? rc
               : fail_pending(cli, &pending, err);
}

static enum psn_code run_sweep(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_sweep_options *options = arg;
    struct accesses plan = { 0 };
    enum psn_code rc = cli_display_ca(cli, err);

    if (!rc && options->all && options->cut.count > 0)
        rc = psn_fail(err, PSN_E_INVALID, _("--all and --cut exclude each other"));
    if (!rc && options->all) {
        cli_busy_begin(cli, _("looking at the client's OVH account"));
        rc = plan_all(cli, &options->keep, &plan, err);
    }
    if (!rc)
        rc = sweep(cli, options, &plan, err);
    free(plan.items);
    return rc;
}

const struct cli_command cmd_sweep = {
    .name = "sweep",
    .arguments = N_("CLIENT"),
    .summary = N_("list who can still get in whatever the passwords are, and remove it"),
    .examples =
        N_("passation sweep martin\tevery forward, delegate, contact, API key …\n"
           "passation sweep martin --keep redirection:77\tit is legitimate\n"
           "passation sweep martin --cut redirection:78\tremove it at OVH\n"
           "passation sweep martin --all\tlist what is not kept, ask, and remove it\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = sweep_options,
    .options_size = sizeof(struct cmd_sweep_options),
    .run = run_sweep,
};

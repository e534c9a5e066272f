#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/handover_words.h"

/*
 * handover contacts: who is administrator, technical and billing contact of each service
 * at OVH; asking for changes, following them, and answering for the linked account with
 * the token that OVH has sent to it.
 */
struct cmd_handover_contacts_options {
    const char *to;
    const char *admin;
    const char *tech;
    const char *billing;
    uint64_t accept;
    uint64_t refuse;
    uint64_t resend;
    int token_fd;
};

static const struct cli_option contacts_options[] = {
    { "to", 0, CLI_TEXT, offsetof(struct cmd_handover_contacts_options, to), N_("NIC"),
      N_("ask that this account be all three contacts of every service") },
    { "admin", 0, CLI_TEXT, offsetof(struct cmd_handover_contacts_options, admin),
      N_("NIC"), N_("ask that this account be the administrator") },
    { "tech", 0, CLI_TEXT, offsetof(struct cmd_handover_contacts_options, tech),
      N_("NIC"), N_("ask that this account be the technical contact") },
    { "billing", 0, CLI_TEXT, offsetof(struct cmd_handover_contacts_options, billing),
      N_("NIC"), N_("ask that this account be the billing contact") },
    { "accept", 0, CLI_NUMBER, offsetof(struct cmd_handover_contacts_options, accept),
      N_("TASK"), N_("agree to a change for the linked account, with OVH's token") },
    { "refuse", 0, CLI_NUMBER, offsetof(struct cmd_handover_contacts_options, refuse),
      N_("TASK"), N_("decline a change for the linked account, with OVH's token") },
    { "resend", 0, CLI_NUMBER, offsetof(struct cmd_handover_contacts_options, resend),
      N_("TASK"), N_("have OVH send the linked account a new token") },
    { "token-fd", 0, CLI_FD, offsetof(struct cmd_handover_contacts_options, token_fd),
      N_("N"), N_("the token is on file descriptor N") },
    { 0 },
};

/* --- what is shown --- */

struct listing {
    struct cli_json *json;
    struct cli_table *table;
    size_t count;
    struct psn_contact_change answered; /* id: of the one that was answered, or 0 */
    bool has_answered;                  /* and the rest of it was listed */
};

static const char *kind_text(enum psn_contact_kind kind)
{
    switch ((int)kind) {
    case PSN_CONTACT_MAIL:
        return _("e-mail");
    case PSN_CONTACT_DOMAIN:
        return _("domain name");
    case PSN_CONTACT_ZONE:
        return _("DNS zone");
    case PSN_CONTACT_HOSTING:
        return _("web hosting");
    case PSN_CONTACT_PRO:
        return _("Email Pro");
    default:
        return _("service");
    }
}

static const char *state_text(enum psn_contact_state state)
{
    switch ((int)state) {
    case PSN_CONTACT_WAITING:
        return _("waits for both accounts"); /* or for one: put_state() */
    case PSN_CONTACT_CHECKING:
        return _("being checked by OVH");
    case PSN_CONTACT_DOING:
        return _("agreed, being done by OVH");
    case PSN_CONTACT_DONE:
        return _("done");
    case PSN_CONTACT_REFUSED:
        return _("refused");
    case PSN_CONTACT_ABORTED:
        return _("aborted");
    case PSN_CONTACT_EXPIRED:
        return _("expired: nobody answered in seven days");
    default:
        return _("failed at OVH");
    }
}

/* The account on the other side than ours. */
static const char *other_side(const struct psn_contact_change *change)
{
    return change->from_is_ours ? change->to : change->from;
}

/* OVH's task says that an answer is missing, not whose: that ours was given is noted
 * here. */
static void put_state(struct cli_table *table, const struct psn_contact_change *change)
{
    char text[PSN_CONTACT_NIC_MAX + 64];

    if (change->state != PSN_CONTACT_WAITING || !change->is_agreed) {
        cli_table_cell(table, state_text(change->state));
        return;
    }
    (void)snprintf(text, sizeof text, _("waits for %s"), other_side(change));
    cli_table_cell(table, text);
}

static enum psn_code list_service(void *arg, const struct psn_contact_service *service,
                                  struct psn_error *err)
{
    struct listing *listing = arg;

    (void)err;
    listing->count++;
    if (listing->json) {
        cli_json_open(listing->json, NULL, '{');
        cli_json_text(listing->json, "kind", psn_contact_kind_name(service->kind));
        cli_json_text(listing->json, "service", service->name);
        cli_json_text(listing->json, "admin", service->admin);
        cli_json_text(listing->json, "tech", service->tech);
        cli_json_text(listing->json, "billing", service->billing);
        cli_json_close(listing->json, '}');
        return PSN_OK;
    }
    cli_table_cell(listing->table, kind_text(service->kind));
    cli_table_cell(listing->table, service->name);
    cli_table_cell(listing->table, service->admin);
    cli_table_cell(listing->table, service->tech);
    cli_table_cell(listing->table, service->billing);
    return PSN_OK;
}

static void put_change(struct cli_json *json, const struct psn_contact_change *change)
{
    const char *advice = psn_contact_advice(change);

    cli_json_open(json, NULL, '{');
    cli_json_number(json, "task", change->id);
    cli_json_text(json, "kind", psn_contact_kind_name(change->kind));
    cli_json_text(json, "service", change->service);
    cli_json_bool(json, "admin", change->admin);
    cli_json_bool(json, "tech", change->tech);
    cli_json_bool(json, "billing", change->billing);
    cli_json_text(json, "from", change->from);
    cli_json_text(json, "to", change->to);
    cli_json_text(json, "state", psn_contact_state_name(change->state));
    cli_json_bool(json, "agreed", change->is_agreed);
    cli_json_time(json, "asked_at", change->asked_s);
    cli_json_time(json, "ends_at",
                  psn_contact_is_over(change->state) ? 0 : change->ends_s);
    cli_json_time(json, "done_at", change->done_s);
    cli_json_text(json, "advice", advice[0] ? advice : NULL);
    cli_json_close(json, '}');
}

static enum psn_code list_change(void *arg, const struct psn_contact_change *change,
                                 struct psn_error *err)
{
    struct listing *listing = arg;
    char number[24];
    char until[PSN_TIME_SIZE];

    (void)err;
    listing->count++;
    if (change->id && change->id == listing->answered.id) {
        listing->answered = *change;
        listing->has_answered = true;
    }
    if (listing->json) {
        put_change(listing->json, change);
        return PSN_OK;
    }
    (void)snprintf(number, sizeof number, "%" PRId64, change->id);
    cli_table_cell(listing->table, change->id ? number : "-");
    cli_table_cell(listing->table, kind_text(change->kind));
    cli_table_cell(listing->table, change->service);
    cli_table_cell(listing->table, change->from);
    cli_table_cell(listing->table, change->to);
    put_state(listing->table, change);
    cli_table_cell(listing->table, psn_contact_is_over(change->state)
                                       ? ""
                                       : cli_display_moment(change->ends_s, until));
    cli_table_cell(listing->table, psn_contact_advice(change));
    return PSN_OK;
}

static enum psn_code show_services(struct cli *cli, struct listing *listing,
                                   struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(5);
    enum psn_code rc;

    listing->table = table;
    cli_table_cell(table, _("SERVICE"));
    cli_table_cell(table, _("NAME"));
    cli_table_cell(table, _("ADMINISTRATOR"));
    cli_table_cell(table, _("TECHNICAL"));
    cli_table_cell(table, _("BILLING"));
    cli_table_has_titles(table);
    cli_busy_begin(cli, _("asking OVH for the contacts"));
    rc = psn_contact_services(cli->vault, cli->args[0], list_service, listing, err);
    cli_busy_end();
    if (!rc && !cli->json && listing->count > 0)
        cli_table_print(cli, table);
    listing->table = NULL;
    return rc;
}

typedef enum psn_code changes_fn(struct cli *cli,
                                 const struct cmd_handover_contacts_options *options,
                                 struct listing *listing, struct psn_error *err);

static enum psn_code look(struct cli *cli,
                          const struct cmd_handover_contacts_options *options,
                          struct listing *listing, struct psn_error *err)
{
    enum psn_code rc;

    (void)options;
    cli_busy_begin(cli, _("asking OVH for the contacts"));
    rc = psn_contact_look(cli->vault, cli->args[0], list_change, listing, err);
    cli_busy_end();
    return rc;
}

static enum psn_code request(struct cli *cli,
                             const struct cmd_handover_contacts_options *options,
                             struct listing *listing, struct psn_error *err)
{
    const struct psn_contact_wish wish = {
        .admin = options->admin ? options->admin : options->to,
        .tech = options->tech ? options->tech : options->to,
        .billing = options->billing ? options->billing : options->to,
    };
    enum psn_code rc;

    cli_busy_begin(cli, _("asking OVH for the change"));
    rc = psn_contact_request(cli->vault, cli->args[0], &wish, list_change, listing, err);
    cli_busy_end();
    return rc;
}

static enum psn_code show_changes(struct cli *cli,
                                  const struct cmd_handover_contacts_options *options,
                                  changes_fn *changes, struct listing *listing,
                                  struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(8);
    enum psn_code rc;

    listing->table = table;
    listing->count = 0;
    cli_table_cell(table, _("TASK"));
    cli_table_cell(table, _("SERVICE"));
    cli_table_cell(table, _("NAME"));
    cli_table_cell(table, _("FROM"));
    cli_table_cell(table, _("TO"));
    cli_table_cell(table, _("STATE"));
    cli_table_cell(table, _("UNTIL"));
    cli_table_cell(table, _("WHAT TO DO"));
    cli_table_has_titles(table);
    rc = changes(cli, options, listing, err);
    if (!cli->json && listing->count > 0) {
        cli_print(cli, "\n");
        cli_table_print(cli, table);
    } else if (!rc && !cli->json) {
        cli_note(cli, _("No change of contacts is under way."));
    }
    listing->table = NULL;
    return rc;
}

/* --- answering --- */

static enum psn_code read_token(struct cli *cli,
                                const struct cmd_handover_contacts_options *options,
                                struct psn_secret **ret_token, struct psn_error *err)
{
    const char *prompt = _("Token from OVH's mail: ");

    return options->token_fd >= 0
               ? cli_read_secret(cli, options->token_fd, prompt, ret_token, err)
               : cli_ask_secret(cli, prompt, PSN_SECRET_MAX, ret_token, err);
}

static enum psn_code answer(struct cli *cli,
                            const struct cmd_handover_contacts_options *options,
                            struct psn_error *err)
{
    PSN_AUTO(psn_secret) *token = NULL;
    int64_t task = (int64_t)(options->accept ? options->accept : options->refuse);
    enum psn_code rc = read_token(cli, options, &token, err);

    if (!rc)
        rc = psn_contact_answer(cli->vault, cli->args[0], task, token,
                                options->accept != 0, err);
    if (!rc && !options->accept)
        cli_note(cli, _("Declined for the linked account."));
    return rc;
}

/* After the look that follows, which knows how far it is: the other side may have agreed
 * before. */
static void tell_accepted(struct cli *cli, const struct listing *listing)
{
    const struct psn_contact_change *at = &listing->answered;
    PSN_AUTO_RELEASE(psn_buf) roles = psn_buf_init(256);
    char until[PSN_TIME_SIZE];

    if (!at->id)
        return;
    if (!listing->has_answered) {
        cli_note(cli, _("✓ Agreed for the linked account."));
        return;
    }
    cli_handover_contact_roles(at->admin, at->tech, at->billing, &roles);
    cli_note(cli, _("✓ Agreed for the linked account: %s of %s (%s), from %s to %s."),
             psn_buf_str(&roles), CLI_SHOWN(at->service), kind_text(at->kind),
             CLI_SHOWN(at->from), CLI_SHOWN(at->to));
    if (at->state == PSN_CONTACT_WAITING)
        cli_note(cli,
                 _("Now %s has to agree, with the token of OVH's mail to that "
                   "account, before %s."),
                 CLI_SHOWN(other_side(at)), cli_display_moment(at->ends_s, until));
    else if (at->state == PSN_CONTACT_DONE)
        cli_note(cli, _("Both sides have agreed, and OVH has made the change."));
    else
        cli_note(cli, _("Nobody has to act now: OVH goes on with it (%s)."),
                 state_text(at->state));
}

static enum psn_code resend(struct cli *cli,
                            const struct cmd_handover_contacts_options *options,
                            struct psn_error *err)
{
    enum psn_code rc =
        psn_contact_resend(cli->vault, cli->args[0], (int64_t)options->resend, err);

    if (!rc)
        cli_note(cli, _("OVH sends a new token to the linked account; the one before is "
                        "void."));
    return rc;
}

/* --- all of it --- */

static enum psn_code check(const struct cmd_handover_contacts_options *options,
                           struct psn_error *err)
{
    bool asks = options->to || options->admin || options->tech || options->billing;
    int ways =
        asks + (options->accept != 0) + (options->refuse != 0) + (options->resend != 0);

    if (ways > 1)
        return psn_fail(err, PSN_E_INVALID,
                        _("ask for changes, accept, refuse or resend: one at a time"));
    if (options->token_fd >= 0 && !options->accept && !options->refuse)
        return psn_fail(err, PSN_E_INVALID,
                        _("--token-fd goes with --accept or --refuse"));
    if (options->accept > INT64_MAX || options->refuse > INT64_MAX ||
        options->resend > INT64_MAX)
        return psn_fail(err, PSN_E_INVALID, _("this is no number of a task"));
    return PSN_OK;
}

static enum psn_code act(struct cli *cli,
                         const struct cmd_handover_contacts_options *options,
                         struct psn_error *err)
{
    if (options->accept || options->refuse)
        return answer(cli, options, err);
    return options->resend ? resend(cli, options, err) : PSN_OK;
}

static enum psn_code show(struct cli *cli,
                          const struct cmd_handover_contacts_options *options,
                          struct listing *listing, struct cli_json *json,
                          struct psn_error *err)
{
    bool asks = options->to || options->admin || options->tech || options->billing;
    enum psn_code rc;

    cli_json_open(json, NULL, '{');
    cli_json_open(json, "services", '[');
    rc = show_services(cli, listing, err);
    cli_json_close(json, ']');
    cli_json_open(json, "changes", '[');
    if (!rc)
        rc = show_changes(cli, options, asks ? request : look, listing, err);
    cli_json_close(json, ']');
    cli_json_close(json, '}');
    return rc;
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_contacts_options *options = arg;
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct listing listing = { .json = cli->json ? &json : NULL,
                               .answered.id = (int64_t)options->accept };
    enum psn_code rc = check(options, err);
    enum psn_code shown = PSN_OK;

    if (!rc)
        rc = cli_display_ca(cli, err);
    if (!rc)
        rc = act(cli, options, err);
    if (rc)
        return rc;
    rc = show(cli, options, &listing, &json, err);
    if (options->accept)
        tell_accepted(cli, &listing);
    if (cli->json && (!rc || listing.count > 0))
        shown = cli_json_print(cli, &json, rc ? NULL : err);
    return rc ? rc : shown;
}

const struct cli_command cmd_handover_contacts = {
    .name = "handover contacts",
    .arguments = N_("CLIENT"),
    .summary = N_("see, ask for, follow and answer changes of contacts at OVH"),
    .examples =
        N_("passation handover contacts martin\twho they are, and what is under way\n"
           "passation handover contacts martin --tech cd67890-ovh\tasks for it, of every "
           "service\n"
           "passation handover contacts martin --accept 1234567\tasks for OVH's token\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = contacts_options,
    .options_size = sizeof(struct cmd_handover_contacts_options),
    .run = run,
};

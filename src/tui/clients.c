#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "cli/doubt.h"
#include "tui/tui.h"

/* Clients, their mailboxes, the secrets of a mailbox. */
enum {
    DAY = 10, /* YYYY-MM-DD, the beginning of a time */
};

static const char *day(int64_t time_s, char out[PSN_TIME_SIZE])
{
    if (!time_s)
        return "-";
    (void)cli_display_moment(time_s, out);
    out[DAY] = '\0';
    return out;
}

/* --- clients --- */

struct counts {
    struct tui *ui;
    struct {
        char id[PSN_CLIENT_ID_MAX];
        char name[PSN_NAME_MAX];
        char nic[PSN_NIC_MAX];
        bool linked;
        size_t roles;
        size_t unsettled;
    } * clients; /* sorted by id */
    size_t count;
};

static enum psn_code take_client(void *arg, const struct psn_client *client,
                                 struct psn_error *err)
{
    struct counts *counts = arg;
    enum psn_code rc = PSN_GROW(counts->clients, counts->count, err);

    if (rc)
        return rc;
    memset(&counts->clients[counts->count], 0, sizeof *counts->clients);
    memcpy(counts->clients[counts->count].id, client->id, sizeof client->id);
    memcpy(counts->clients[counts->count].name, client->name, sizeof client->name);
    memcpy(counts->clients[counts->count].nic, client->nic, sizeof client->nic);
    counts->clients[counts->count++].linked = client->linked;
    return PSN_OK;
}

static enum psn_code count_role(void *arg, const struct psn_role *role,
                                struct psn_error *err)
{
    struct counts *counts = arg;

    (void)err;
    for (size_t i = 0; i < counts->count; i++)
        if (strcmp(counts->clients[i].id, role->client) == 0) {
            counts->clients[i].roles++;
            counts->clients[i].unsettled += role->state != PSN_ROLE_STABLE;
            break;
        }
    return PSN_OK;
}

static enum psn_code add_clients(struct counts *counts, struct psn_error *err)
{
    struct tui_list *list = &counts->ui->lists[TUI_CLIENTS];
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < counts->count; i++) {
        char roles[24];
        char unsettled[24];
        const char *const cells[] = { counts->clients[i].id,
                                      counts->clients[i].name,
                                      counts->clients[i].nic,
                                      roles,
                                      cli_display_count(counts->clients[i].unsettled,
                                                        unsettled),
                                      counts->clients[i].linked ? _("yes") : _("no") };

        (void)snprintf(roles, sizeof roles, "%zu", counts->clients[i].roles);
        rc = tui_list_add(list, counts->clients[i].unsettled ? TUI_WATCH : TUI_PLAIN,
                          NULL, cells, err);
    }
    return rc;
}

static enum psn_code load_clients(struct tui *ui, struct psn_error *err)
{
    struct tui_list *list = &ui->lists[TUI_CLIENTS];
    struct counts counts = { .ui = ui };
    const char *const titles[] = { _("CLIENT"),    _("NAME"),      _("NIC HANDLE"),
                                   _("MAILBOXES"), _("UNSETTLED"), _("LINKED") };
    enum psn_code rc;

    list->columns = sizeof titles / sizeof *titles;
    memcpy(list->titles, titles, sizeof titles);
    rc = psn_client_each(ui->cli->vault, take_client, &counts, err);
    if (!rc)
        rc = psn_role_each(ui->cli->vault, NULL, 0, false, count_role, &counts, err);
    if (!rc)
        rc = add_clients(&counts, err);
    free(counts.clients);
    return rc;
}

static enum psn_code describe_client(struct tui *ui, size_t row, struct tui_lines *out,
                                     struct psn_error *err)
{
    struct psn_client client = { 0 };
    char time[PSN_TIME_SIZE];
    enum psn_code rc = psn_client_get(
        ui->cli->vault, tui_list_cell(&ui->lists[TUI_CLIENTS], row, 0), &client, err);

    if (rc)
        return rc;
    tui_lines_row(out, _("Client"), client.id);
    tui_lines_row(out, _("Name"), client.name);
    tui_lines_row(out, _("NIC handle"), client.nic);
    for (size_t i = 0; i < client.domain_count; i++)
        tui_lines_row(out, i ? "" : _("Domains"), client.domains[i]);
    tui_lines_row(out, _("Endpoint"), client.endpoint);
    tui_lines_row(out, _("Linked as"), client.linked_nic);
    if (client.key_expires_s)
        tui_lines_row(out, _("Key ends"), day(client.key_expires_s, time));
    tui_lines_row(out, _("Owner"), client.owner);
    if (client.handover_s)
        tui_lines_row(out, _("Handover since"), day(client.handover_s, time));
    if (client.envelope_s)
        tui_lines_row(out, _("Envelope of"), day(client.envelope_s, time));
    tui_lines_row(out, _("Since"), day(client.created_s, time));
    psn_client_release(&client);
    return PSN_OK;
}

static bool key_clients(struct tui *ui, unsigned key)
{
    size_t row;

    if ((key != TUI_KEY_ENTER && key != TUI_KEY_RIGHT && key != 'l') ||
        !tui_list_chosen(tui_list(ui), &row))
        return false;
    (void)snprintf(ui->client, sizeof ui->client, "%s",
                   tui_list_cell(tui_list(ui), row, 0));
    tui_go(ui, TUI_TAB_CLIENTS, TUI_ROLES);
    return true;
}

const struct tui_view tui_view_clients = {
    .load = load_clients,
    .describe = describe_client,
    .key = key_clients,
    .keys = N_("Enter: mailboxes  d: details"),
    .empty =
        N_("There is no client yet: passation client add ID --nic NIC --domain DOMAIN"),
};

/* --- mailboxes --- */

static enum psn_code add_role(void *arg, const struct psn_role *role,
                              struct psn_error *err)
{
    struct tui *ui = arg;
    char version[24];
    char changed[PSN_TIME_SIZE];
    char verified[PSN_TIME_SIZE];
    const char *const cells[] = { role->address,
                                  role->client,
                                  cli_display_state(role),
                                  cli_display_count(role->version, version),
                                  day(role->changed_s, changed),
                                  day(role->verified_s, verified) };
    enum tui_style style = TUI_WATCH;

    if (ui->client[0] && strcmp(ui->client, role->client) != 0)
        return PSN_OK;
    if (role->doubt == PSN_DOUBT_NONE)
        style = TUI_PLAIN;
    else if (role->state == PSN_ROLE_STUCK || role->state == PSN_ROLE_MISSING)
        style = TUI_BAD;
    return tui_list_add(&ui->lists[TUI_ROLES], style, NULL, cells, err);
}

static enum psn_code load_roles(struct tui *ui, struct psn_error *err)
{
    struct tui_list *list = &ui->lists[TUI_ROLES];
    const char *const titles[] = { _("ADDRESS"), _("CLIENT"),  _("STATE"),
                                   _("VERSION"), _("CHANGED"), _("PROVED") };

    list->columns = sizeof titles / sizeof *titles;
    memcpy(list->titles, titles, sizeof titles);
    return psn_role_each(ui->cli->vault, NULL, 0, true, add_role, ui, err);
}

static void describe_host(struct tui_lines *out, const char *label, const char *host,
                          uint16_t port, const char *security)
{
    char text[PSN_SERVER_MAX];

    (void)snprintf(text, sizeof text, "%s:%u (%s)", host, (unsigned)port, security);
    tui_lines_row(out, label, host[0] ? text : "");
}

static enum psn_code describe_role_of(struct tui *ui, const char *address,
                                      struct tui_lines *out, struct psn_error *err)
{
    struct psn_mail_settings mail;
    struct psn_role role;
    char text[64];
    char time[PSN_TIME_SIZE];
    char doubt[CLI_DOUBT_MAX];
    enum psn_code rc = psn_role_get(ui->cli->vault, address, &role, err);

    if (!rc)
        rc = psn_role_mail_settings(ui->cli->vault, &role, &mail, err);
    if (rc)
        return rc;
    tui_lines_row(out, _("Address"), role.address);
    tui_lines_row(out, _("Client"), role.client);
    tui_lines_row(out, _("State"), cli_display_state(&role));
    tui_lines_row(out, _("Reason"), role.reason);
    (void)snprintf(text, sizeof text, "%llu, %s", (unsigned long long)role.version,
                   cli_display_moment(role.changed_s, time));
    tui_lines_row(out, _("Version"), role.version ? text : _("none proved yet"));
    tui_lines_row(out, _("Proved"), cli_display_moment(role.verified_s, time));
    tui_lines_row(out, _("Platform"), role.platform);
    describe_host(out, "IMAP", mail.imap_host, mail.imap_port, mail.imap_security);
    describe_host(out, "SMTP", mail.smtp_host, mail.smtp_port, mail.smtp_security);
    tui_lines_row(out, _("Webmail"), mail.webmail);
    if (cli_doubt_text(&role, doubt)[0])
        tui_lines_say(out, TUI_WATCH, doubt);
    if (role.doubt == PSN_DOUBT_CHANGING)
        tui_lines_say(
            out, TUI_WATCH,
            _("A change is under way: a newer password may be in force already. "
              "Finish it with: passation resume"));
    return tui_describe_who(ui, NULL, role.address, NULL, out, err);
}

static enum psn_code describe_role(struct tui *ui, size_t row, struct tui_lines *out,
                                   struct psn_error *err)
{
    return describe_role_of(ui, tui_list_cell(&ui->lists[TUI_ROLES], row, 0), out, err);
}

static bool key_roles(struct tui *ui, unsigned key)
{
    const char *address = tui_chosen_address(ui);

    if (!address)
        return false;
    if (key == TUI_KEY_ENTER || key == TUI_KEY_RIGHT || key == 'l') {
        (void)snprintf(ui->address, sizeof ui->address, "%s", address);
        tui_go(ui, ui->tab, TUI_SECRETS);
        return true;
    }
    return tui_key_on_role(ui, key, address, "");
}

const struct tui_view tui_view_roles = {
    .load = load_roles,
    .describe = describe_role,
    .key = key_roles,
    .keys = N_("Enter: secrets  s: show  c: copy  r: rotate  v: verify  g: grant"),
    .empty = N_("There is no mailbox yet: passation role add ADDRESS, or role adopt"),
};

/* --- secrets --- */

static enum psn_code keep_label(struct tui *ui, const char *label, struct psn_error *err)
{
    size_t count = ui->lists[TUI_SECRETS].count;
    void *grown = reallocarray(ui->labels, count + 1, sizeof *ui->labels);

    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    ui->labels = grown;
    (void)snprintf(ui->labels[count], sizeof ui->labels[count], "%s", label);
    return PSN_OK;
}

static enum psn_code add_secret(void *arg, const struct psn_secret_info *info,
                                struct psn_error *err)
{
    struct tui *ui = arg;
    char version[24];
    char changed[PSN_TIME_SIZE];
    const char *const cells[] = { info->label[0] ? info->label : _("password"),
                                  info->type,
                                  info->user,
                                  cli_display_count(info->version, version),
                                  day(info->changed_s, changed),
                                  info->expires };
    enum psn_code rc = keep_label(ui, info->label, err);

    /* A label may be called "password", too. */
    return rc ? rc
              : tui_list_add(&ui->lists[TUI_SECRETS], TUI_PLAIN, info->label, cells, err);
}

/* The password is the first of them. */
static enum psn_code load_secrets(struct tui *ui, struct psn_error *err)
{
    struct tui_list *list = &ui->lists[TUI_SECRETS];
    const char *const titles[] = { _("SECRET"),  _("TYPE"),    _("USER"),
                                   _("VERSION"), _("CHANGED"), _("EXPIRES") };
    struct psn_secret_info password = { .type = "" };
    struct psn_role role;
    enum psn_code rc = psn_role_get(ui->cli->vault, ui->address, &role, err);

    list->columns = sizeof titles / sizeof *titles;
    memcpy(list->titles, titles, sizeof titles);
    if (rc)
        return rc;
    (void)snprintf(password.user, sizeof password.user, "%s", role.address);
    password.version = role.version;
    password.changed_s = role.changed_s;
    rc = add_secret(ui, &password, err);
    return rc ? rc : psn_secret_each(ui->cli->vault, ui->address, add_secret, ui, err);
}

static enum psn_code describe_secret(struct tui *ui, size_t row, struct tui_lines *out,
                                     struct psn_error *err)
{
    const char *label = ui->labels[row];
    struct psn_secret_info info;
    char text[64];
    char time[PSN_TIME_SIZE];
    enum psn_code rc;

    if (!label[0])
        return describe_role_of(ui, ui->address, out, err);
    rc = psn_secret_get(ui->cli->vault, ui->address, label, &info, err);
    if (rc)
        return rc;
    tui_lines_row(out, _("Address"), info.address);
    tui_lines_row(out, _("Label"), info.label);
    tui_lines_row(out, _("Type"), info.type);
    tui_lines_row(out, _("User"), info.user);
    tui_lines_row(out, _("URL"), info.url);
    tui_lines_row(out, _("Expires"), info.expires);
    (void)snprintf(text, sizeof text, "%llu, %s", (unsigned long long)info.version,
                   cli_display_moment(info.changed_s, time));
    tui_lines_row(out, _("Version"), text);
    tui_lines_row(out, _("Note"), info.note);
    if (info.replacement)
        tui_lines_say(out, TUI_WATCH,
                      _("A replacement was made ready, since a leaver knows this one."));
    return tui_describe_who(ui, NULL, ui->address, label, out, err);
}

static bool key_secrets(struct tui *ui, unsigned key)
{
    size_t row;

    if (!tui_list_chosen(tui_list(ui), &row))
        return false;
    return tui_key_on_role(ui, key == TUI_KEY_ENTER ? 's' : key, ui->address,
                           ui->labels[row]);
}

const struct tui_view tui_view_secrets = {
    .load = load_secrets,
    .describe = describe_secret,
    .key = key_secrets,
    .keys = N_("Enter: show  c: copy  r: rotate  g: grant  d: details  Esc: back"),
    .empty = N_("There is nothing here."),
};

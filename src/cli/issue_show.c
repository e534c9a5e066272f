#include "cli/issue_show.h"

#include <stdio.h>
#include <string.h>

#include "cli/display.h"

/* What others issued to us. */
#define MASK "********"

struct view {
    struct cli *cli;
    struct cli_json *json; /* or NULL */
    bool reveal;
};

/* --- as JSON --- */

/* "host port security" as an object. */
static void put_server(struct cli_json *json, const char *name, const char *text)
{
    char line[PSN_SERVER_MAX];
    char *port;
    char *security;
    uint64_t number;

    (void)snprintf(line, sizeof line, "%s", text);
    port = strchr(line, ' ');
    security = port ? strchr(port + 1, ' ') : NULL;
    if (!security) {
        cli_json_null(json, name);
        return;
    }
    *port++ = '\0';
    *security++ = '\0';
    cli_json_open(json, name, '{');
    cli_json_text(json, "host", line);
    if (psn_text_parse_u64(port, 65535, &number))
        cli_json_number(json, "port", (int64_t)number);
    cli_json_text(json, "security", security);
    cli_json_close(json, '}');
}

/* null where there is none */
static void put_given(struct cli_json *json, const char *name, const char *text)
{
    cli_json_text(json, name, text[0] ? text : NULL);
}

static void put_json(struct view *view, const struct psn_opened_secret *secret)
{
    struct cli_json *json = view->json;

    cli_json_open(json, NULL, '{');
    cli_json_text(json, "address", secret->address);
    put_given(json, "label", secret->label);
    put_given(json, "username", secret->user);
    if (view->reveal)
        cli_json_secret(json, secret->label[0] ? "value" : "password", secret->value);
    cli_json_number(json, "version", (int64_t)secret->version);
    cli_json_time(json, "changed_at", secret->changed_s);
    cli_json_time(json, "verified_at", secret->proved_s);
    if (!secret->label[0]) {
        put_server(json, "imap", secret->imap);
        put_server(json, "smtp", secret->smtp);
        put_given(json, "webmail", secret->url);
        if (secret->self_change[0])
            cli_json_text(json, "self_change", secret->self_change);
    } else {
        put_given(json, "type", secret->type);
        put_given(json, "url", secret->url);
        put_given(json, "expires", secret->expires);
        put_given(json, "note", secret->note);
    }
    cli_json_close(json, '}');
}

static void put_head(struct cli_json *json, const struct psn_opened_head *head)
{
    cli_json_number(json, "serial", (int64_t)head->serial);
    cli_json_text(json, "issuer", head->issuer);
    cli_json_text(json, "issued_by", head->issued_by);
    cli_json_time(json, "issued_at", head->issued_s);
    cli_json_text(json, "person", head->person);
    cli_json_text(json, "client", head->client);
    cli_json_text(json, "client_name", head->client_name[0] ? head->client_name : NULL);
    cli_json_text(json, "right", head->version == 2 ? "own" : "read");
    cli_json_time(json, "from", head->from_s);
    cli_json_time(json, "until", head->until_s);
    cli_json_text(json, "reason", head->reason[0] ? head->reason : NULL);
    cli_json_text(json, "receipt", head->receipt);
    cli_json_bool(json, "outer_signature", head->outer_checked);
}

/* The next of the lines of a text; false at its end. */
static bool next_line(const struct psn_secret *text, size_t *at,
                      char ret_line[PSN_DOMAIN_NAME_MAX])
{
    const char *line = (const char *)psn_secret_bytes(text) + *at;

    if (*at >= psn_secret_size(text))
        return false;
    *at += strcspn(line, "\n");
    (void)snprintf(ret_line, PSN_DOMAIN_NAME_MAX, "%.*s", (int)strcspn(line, "\n"), line);
    *at += 1;
    return true;
}

static void put_account(struct view *view, const struct psn_opened_account *account)
{
    struct cli_json *json = view->json;
    char domain[PSN_DOMAIN_NAME_MAX];
    size_t at = 0;

    cli_json_open(json, "account", '{');
    cli_json_text(json, "nic", account->nic);
    cli_json_open(json, "domains", '[');
    while (next_line(account->domains, &at, domain))
        cli_json_text(json, NULL, domain);
    cli_json_close(json, ']');
    cli_json_text(json, "panel", account->panel[0] ? account->panel : NULL);
    if (view->reveal)
        cli_json_secret(json, "fingerprint_key", account->fingerprint_key);
    cli_json_close(json, '}');
}

static void put_file(struct view *view, const struct psn_opened_file *file)
{
    struct cli_json *json = view->json;

    cli_json_open(json, NULL, '{');
    cli_json_text(json, "name", file->name);
    cli_json_text(json, "media", file->media);
    cli_json_number(json, "size", (int64_t)psn_secret_size(file->content));
    cli_json_close(json, '}');
}

/* --- for people --- */

static enum psn_code print_value(struct cli *cli, const struct psn_opened_secret *secret,
                                 struct psn_error *err)
{
    enum psn_code rc;

    cli_print(cli, _("%s:\n"),
              secret->label[0] ? CLI_SHOWN(secret->label) : _("Password"));
    rc = cli_print_secret(cli, secret->value, err);
    cli_print(cli, "\n");
    return rc;
}

static enum psn_code print_secret(struct view *view,
                                  const struct psn_opened_secret *secret,
                                  struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    char text[64];
    char time[PSN_TIME_SIZE];

    cli_display_row(table, _("Address"), secret->address);
    if (secret->label[0])
        cli_display_row(table, _("Label"), secret->label);
    cli_display_row(table, _("User"), secret->user);
    (void)snprintf(text, sizeof text, "%llu, %s", (unsigned long long)secret->version,
                   cli_display_time(secret->changed_s, time));
    cli_display_row(table, _("Version"), text);
    if (secret->imap[0])
        cli_display_row(table, "IMAP", secret->imap);
    if (secret->smtp[0])
        cli_display_row(table, "SMTP", secret->smtp);
    if (secret->url[0])
        cli_display_row(table, secret->label[0] ? _("URL") : _("Webmail"), secret->url);
    if (secret->expires[0])
        cli_display_row(table, _("Expires"), secret->expires);
    if (secret->note[0])
        cli_display_row(table, _("Note"), secret->note);
    if (!view->reveal)
        cli_display_row(table, secret->label[0] ? _("Secret") : _("Password"), MASK);
    cli_table_print(view->cli, table);
    return view->reveal ? print_value(view->cli, secret, err) : PSN_OK;
}

static enum psn_code put(void *arg, const struct psn_opened_secret *secret,
                         struct psn_error *err)
{
    struct view *view = arg;

    if (view->json) {
        put_json(view, secret);
        return PSN_OK;
    }
    cli_print(view->cli, "\n");
    return print_secret(view, secret, err);
}

/* --- what only a trousseau has --- */

static enum psn_code print_account(struct view *view,
                                   const struct psn_opened_account *account,
                                   struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    char domain[PSN_DOMAIN_NAME_MAX];
    size_t at = 0;
    enum psn_code rc;

    cli_display_row(table, _("OVH account"), account->nic);
    for (bool is_first = true; next_line(account->domains, &at, domain); is_first = false)
        cli_display_row(table, is_first ? _("Domains") : "", domain);
    if (account->panel[0])
        cli_display_row(table, _("Panel"), account->panel);
    if (!view->reveal)
        cli_display_row(table, _("Fingerprint key"), MASK);
    cli_print(view->cli, "\n");
    cli_table_print(view->cli, table);
    if (!view->reveal)
        return PSN_OK;
    cli_print(view->cli, _("%s:\n"), _("Fingerprint key"));
    rc = cli_print_secret(view->cli, account->fingerprint_key, err);
    cli_print(view->cli, "\n");
    return rc;
}

static enum psn_code show_account(void *arg, const struct psn_opened_account *account,
                                  struct psn_error *err)
{
    struct view *view = arg;

    if (!view->json)
        return print_account(view, account, err);
    put_account(view, account);
    return PSN_OK;
}

static enum psn_code show_file(void *arg, const struct psn_opened_file *file,
                               struct psn_error *err)
{
    struct view *view = arg;
    PSN_AUTO(cli_table) *table = NULL;
    char text[2 * PSN_LABEL_TEXT_MAX + 32];

    (void)err;
    if (view->json) {
        put_file(view, file);
        return PSN_OK;
    }
    table = cli_table_new(2);
    (void)snprintf(text, sizeof text, _("%s, %zu bytes"), file->media,
                   psn_secret_size(file->content));
    cli_display_row(table, _("File"), file->name);
    cli_display_row(table, _("Content"), text);
    cli_print(view->cli, "\n");
    cli_table_print(view->cli, table);
    return PSN_OK;
}

static void print_head(struct cli *cli, const struct psn_opened_head *head)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    char serial[24];
    char time[PSN_TIME_SIZE];

    cli_display_row(table, _("From"), head->issued_by);
    cli_display_row(table, _("Signed by"), head->issuer);
    cli_display_row(table, _("Issue"), cli_display_count(head->serial, serial));
    cli_display_row(table, _("Made"), cli_display_time(head->issued_s, time));
    cli_display_row(table, _("For"), head->name[0] ? head->name : head->person);
    cli_display_row(table, _("Client"),
                    head->client_name[0] ? head->client_name : head->client);
    cli_display_row(table, _("Until"), cli_display_time(head->until_s, time));
    if (head->reason[0])
        cli_display_row(table, _("Reason"), head->reason);
    cli_display_row(table, _("Receipt"), head->receipt);
    cli_table_print(cli, table);
}

static void advise(struct cli *cli, const struct psn_opened_head *head, bool reveal)
{
    if (!head->outer_checked)
        cli_note(cli, _("There was no .sig beside the file; the signature inside "
                        "holds."));
    cli_note(cli, _("Read the receipt code to the issuer, so that he knows it arrived."));
    if (head->version == 2)
        cli_note(cli, _("These accesses are yours. Change each password yourself: then "
                        "nobody else knows it."));
    else
        cli_note(cli, _("Read-only: nobody changes the vault with this. The password "
                        "itself allows reading, sending and deleting."));
    if (!reveal)
        cli_note(cli, _("The secrets are shown with --reveal."));
}

/* What an issue of version 1 has not. */
static enum psn_code show_files(const struct psn_opened *opened, struct view *view,
                                struct psn_error *err)
{
    enum psn_code rc;

    if (psn_opened_head(opened)->version != 2)
        return PSN_OK;
    if (view->json)
        cli_json_open(view->json, "files", '[');
    rc = psn_opened_each_file(opened, show_file, view, err);
    if (view->json)
        cli_json_close(view->json, ']');
    return rc;
}

enum psn_code cli_issue_show(struct cli *cli, const struct psn_opened *opened,
                             bool reveal, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    const struct psn_opened_head *head = psn_opened_head(opened);
    struct view view = { cli, cli->json ? &json : NULL, reveal };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    put_head(&json, head);
    if (!cli->json)
        print_head(cli, head);
    rc = psn_opened_account(opened, show_account, &view, err);
    cli_json_open(&json, "secrets", '[');
    if (!rc)
        rc = psn_opened_each(opened, put, &view, err);
    cli_json_close(&json, ']');
    if (!rc)
        rc = show_files(opened, &view, err);
    cli_json_close(&json, '}');
    if (!rc && cli->json)
        return cli_json_print(cli, &json, err);
    if (!rc)
        advise(cli, head, reveal);
    return rc;
}

/* --- a received role, as `show` does --- */

struct shown {
    struct view view;
    bool copy;
    bool qr;
};

static enum psn_code hand_out(struct shown *shown, const struct psn_opened_secret *secret,
                              struct psn_error *err)
{
    struct view *view = &shown->view;
    struct view masked = { view->cli, NULL, false };
    enum psn_code rc;

    if (shown->copy)
        return cli_copy_secret(view->cli, secret->value, err);
    if (shown->qr)
        return cli_print_qr(view->cli, secret->value, err);
    if (!view->reveal)
        return print_secret(&masked, secret, err);
    rc = cli_print_secret(view->cli, secret->value, err);
    cli_print(view->cli, "\n");
    return rc ? rc : print_secret(&masked, secret, err);
}

static enum psn_code put_shown(void *arg, const struct psn_opened_secret *secret,
                               struct psn_error *err)
{
    struct shown *shown = arg;

    if (!shown->view.json)
        return hand_out(shown, secret, err);
    put_json(&shown->view, secret);
    return shown->copy ? cli_copy_secret(shown->view.cli, secret->value, err) : PSN_OK;
}

enum psn_code cli_received_show(struct cli *cli, const char *address, const char *label,
                                const struct cmd_show_options *options,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct shown shown = { .view = { cli, cli->json ? &json : NULL, options->reveal },
                           .copy = options->copy,
                           .qr = options->qr };
    enum psn_how how = PSN_HOW_SHOWN;
    enum psn_code rc = options->copy ? cli_check_clipboard(err) : PSN_OK;

    if (rc)
        return rc;
    if (options->copy || options->qr)
        how = options->copy ? PSN_HOW_COPIED : PSN_HOW_QR;
    if (options->reveal || options->copy || options->qr)
        rc = psn_received_reveal(cli->vault, address, label, how, put_shown, &shown, err);
    else
        rc = psn_received_describe(cli->vault, address, label, put_shown, &shown, err);
    return rc || !cli->json ? rc : cli_json_print(cli, &json, err);
}

/* --- is there one? --- */

struct wanted {
    char address[PSN_ADDRESS_TEXT_MAX];
    bool found;
};

static enum psn_code look(void *arg, const struct psn_received *received,
                          struct psn_error *err)
{
    struct wanted *wanted = arg;

    (void)err;
    wanted->found = wanted->found || strcmp(wanted->address, received->address) == 0;
    return PSN_OK;
}

bool cli_is_received(struct cli *cli, const char *address)
{
    struct wanted wanted = { .found = false };

    (void)snprintf(wanted.address, sizeof wanted.address, "%s", address);
    psn_text_lower(wanted.address);
    return psn_received_each(cli->vault, look, &wanted, NULL) == PSN_OK && wanted.found;
}

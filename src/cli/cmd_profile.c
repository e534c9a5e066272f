#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/doubt.h"
#include "cli/output.h"
#include "cli/profile.h"

/* profile: a mailbox's settings in the form that a mail program takes. */

enum {
    OUTPUT_MAX = 1024 * 1024,
    PATH_MAX_BYTES = 4096 + 512,
};

struct cmd_profile_options {
    const char *format;
    const char *output;
    bool force;
};

static const struct cli_option profile_options[] = {
    { "format", 0, CLI_TEXT, offsetof(struct cmd_profile_options, format),
      "mobileconfig|thunderbird|qr|outlook|sheet", N_("the program that is set up") },
    { "output", 'o', CLI_TEXT, offsetof(struct cmd_profile_options, output),
      N_("FILE|DIR"), N_("write a file (default: standard output)") },
    { "force", 'f', CLI_FLAG, offsetof(struct cmd_profile_options, force), NULL,
      N_("replace FILE if it exists") },
    { 0 },
};

/* --- the formats --- */

struct making {
    struct cli *cli;
    struct cli_kit kit;
    struct cli_kit_people people; /* of a sheet */
    struct psn_profile profile;
    const struct format *format;
    bool html; /* of a page, else it is plain text */
    struct psn_buf out;
};

struct format {
    const char *name;
    const char *end; /* of a file's name, after the address */
    enum psn_code (*make)(struct making *making, struct psn_error *err);
    bool is_page;
};

static enum psn_code put(struct making *making, const char *text, enum psn_code rc,
                         struct psn_error *err)
{
    if (rc)
        return rc;
    psn_buf_text(&making->out, text);
    return psn_buf_check(&making->out, err);
}

static enum psn_code make_apple(struct making *making, struct psn_error *err)
{
    PSN_AUTO_FREE char *text = NULL;
    enum psn_code rc = psn_profile_apple(&making->profile, &text, err);

    return put(making, text, rc, err);
}

static enum psn_code make_thunderbird(struct making *making, struct psn_error *err)
{
    PSN_AUTO_FREE char *text = NULL;
    enum psn_code rc = psn_profile_autoconfig(&making->profile, &text, err);

    return put(making, text, rc, err);
}

static bool is_drawn(const struct making *making, const char *output)
{
    return !output && !making->cli->json && isatty(STDOUT_FILENO);
}

/* An SVG drawing; on a terminal run_profile() draws the text itself. */
static enum psn_code make_qr(struct making *making, struct psn_error *err)
{
    PSN_AUTO_FREE char *text = NULL;
    PSN_AUTO(psn_secret) *content = NULL;
    enum psn_code rc = psn_profile_mobile(&making->profile, &text, err);

    if (!rc)
        rc = psn_secret_copy(text, strlen(text), &content, err);
    return rc ? rc : cli_draw_qr(content, &making->out, err);
}

static enum psn_code take_page(struct making *making, struct cli_writing *writing,
                               struct psn_error *err)
{
    enum psn_code rc = psn_buf_check(&writing->out, err);

    psn_buf_bytes(&making->out, writing->out.data, writing->out.size);
    cli_writing_release(writing);
    return rc ? rc : psn_buf_check(&making->out, err);
}

static enum psn_code make_outlook(struct making *making, struct psn_error *err)
{
    struct cli_writing writing = cli_writing_init(making->html);

    cli_kit_outlook(&making->kit, &writing);
    return take_page(making, &writing, err);
}

static enum psn_code make_sheet(struct making *making, struct psn_error *err)
{
    struct cli_writing writing = cli_writing_init(making->html);

    cli_kit_sheet(&making->kit, &making->people, &writing);
    return take_page(making, &writing, err);
}

static const struct format formats[] = {
    { "mobileconfig", ".mobileconfig", make_apple, false },
    { "thunderbird", "-thunderbird.xml", make_thunderbird, false },
    { "qr", "-qr.svg", make_qr, false },
    { "outlook", "-outlook.html", make_outlook, true },
    { "sheet", "-sheet.html", make_sheet, true },
};

static enum psn_code find_format(const char *name, const struct format **ret_format,
                                 struct psn_error *err)
{
    for (size_t i = 0; name && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(name, formats[i].name) == 0) {
            *ret_format = &formats[i];
            return PSN_OK;
        }
    if (name)
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no format of settings"),
                       CLI_SHOWN(name));
    else
        (void)psn_fail(err, PSN_E_INVALID, _("for which program? --format FORMAT"));
    return psn_hint(err, PSN_E_INVALID,
                    _("mobileconfig (iPhone, iPad, Mac), thunderbird, qr (Thunderbird on "
                      "a telephone), outlook, or sheet (who retypes a new password)"));
}

/* --- the settings --- */

bool cli_kit_has_older_name(const struct cli_kit *kit)
{
    return strcmp(kit->mail.imap_host, "imap.mail.ovh.net") == 0 ||
           strcmp(kit->mail.smtp_host, "smtp.mail.ovh.net") == 0;
}

static bool has_servers(const struct psn_mail_settings *mail)
{
    return mail->imap_host[0] && mail->smtp_host[0];
}

bool cli_kit_is_there(struct cli *cli, const char *address)
{
    struct psn_role role;
    struct psn_mail_settings mail;

    return !psn_role_get(cli->vault, address, &role, NULL) &&
           !psn_role_mail_settings(cli->vault, &role, &mail, NULL) && has_servers(&mail);
}

static enum psn_code fail_no_server(const struct cli_kit *kit, struct psn_error *err)
{
    const char *client = kit->role.client;

    (void)psn_fail(err, PSN_E_NOT_FOUND,
                   kit->mail.imap_host[0] ? _("%s: where it sends mail is not known")
                                          : _("%s: its mail server is not known"),
                   kit->role.address);
    if (strncmp(kit->client.endpoint, "https://", strlen("https://")) == 0)
        return psn_hint(err, PSN_E_NOT_FOUND,
                        kit->mail.imap_host[0]
                            ? _("say it: passation client set %s --smtp "
                                "smtps://HOST:465")
                            : _("say it: passation client set %s --imap imaps://HOST:993 "
                                "--smtp smtps://HOST:465"),
                        client);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("its service says it at the next look: passation verify %s"),
                    kit->role.address);
}

static enum psn_code load_kit(struct making *making, struct psn_error *err)
{
    struct cli_kit *kit = &making->kit;
    struct psn_vault *vault = making->cli->vault;
    enum psn_code rc = psn_role_get(vault, making->cli->args[0], &kit->role, err);

    if (!rc)
        rc = psn_client_get(vault, kit->role.client, &kit->client, err);
    if (!rc)
        rc = psn_role_mail_settings(vault, &kit->role, &kit->mail, err);
    if (rc)
        return rc;
    if (!has_servers(&kit->mail))
        return fail_no_server(kit, err);
    making->profile = (struct psn_profile){
        .address = kit->role.address,
        .organization = kit->client.name[0] ? kit->client.name : kit->client.id,
        .imap = { kit->mail.imap_host, kit->mail.imap_port, kit->mail.imap_security },
        .smtp = { kit->mail.smtp_host, kit->mail.smtp_port, kit->mail.smtp_security },
    };
    if (making->format->make != make_sheet)
        return PSN_OK;
    if (kit->role.version == 0)
        return psn_fail(err, PSN_E_NOT_FOUND, _("no password of '%s' is proved yet"),
                        kit->role.address);
    return cli_kit_people_load(making->cli, kit, &making->people, err);
}

/* --- where it goes --- */

static bool is_dir(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);

    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* The path of the file, or "": standard output. A page goes there as plain text. */
static enum psn_code choose_path(struct making *making, const char *output,
                                 struct psn_buf *path, struct psn_error *err)
{
    bool to_file = output && strcmp(output, "-") != 0;

    if (to_file && is_dir(output))
        psn_buf_format(path, "%s/%s%s", output, making->kit.role.address,
                       making->format->end);
    else if (to_file)
        psn_buf_text(path, output);
    making->html = to_file && !ends_with(psn_buf_str(path), ".txt");
    return psn_buf_check(path, err);
}

static void put_server_json(struct cli_json *json, const char *name,
                            const struct psn_profile_server *server)
{
    cli_json_open(json, name, '{');
    cli_json_text(json, "host", server->host);
    cli_json_number(json, "port", server->port);
    cli_json_text(json, "security", server->security);
    cli_json_close(json, '}');
}

static void put_people_json(struct cli_json *json, const struct cli_kit_people *people)
{
    cli_json_open(json, "people", '[');
    for (size_t i = 0; i < people->count; i++) {
        const struct cli_kit_person *person = &people->items[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "person", person->person.id);
        cli_json_text(json, "name", person->person.name);
        cli_json_open(json, "devices", '[');
        for (size_t j = 0; j < person->person.device_count; j++)
            cli_json_text(json, NULL, person->person.devices[j]);
        cli_json_close(json, ']');
        cli_json_text(json, "by", cli_kit_way_name(person->way));
        cli_display_json_count(json, "serial", person->serial);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static enum psn_code print_json(struct making *making, const char *path,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    const struct cli_kit *kit = &making->kit;

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "address", kit->role.address);
    cli_json_text(&json, "format", making->format->name);
    cli_json_text(&json, "username", kit->role.address);
    put_server_json(&json, "imap", &making->profile.imap);
    put_server_json(&json, "smtp", &making->profile.smtp);
    cli_json_text(&json, "webmail", kit->mail.webmail[0] ? kit->mail.webmail : NULL);
    if (making->format->make == make_sheet) {
        cli_display_json_count(&json, "version", kit->role.version);
        put_people_json(&json, &making->people);
    }
    cli_json_text(&json, "path", path[0] ? path : NULL);
    cli_json_text(&json, "content", path[0] ? NULL : psn_buf_str(&making->out));
    cli_json_close(&json, '}');
    return cli_json_print(making->cli, &json, err);
}

static enum psn_code deliver(struct making *making, const char *path, bool force,
                             struct psn_error *err)
{
    struct cli *cli = making->cli;
    enum psn_code rc = PSN_OK;

    if (path[0] && force)
        rc = cli_check_no_key(cli, path, err);
    if (!rc && path[0])
        rc = psn_file_write(path, making->out.data, making->out.size,
                            force ? PSN_FILE_REPLACE : PSN_FILE_NEW, err);
    if (rc == PSN_E_EXISTS)
        return psn_hint(err, rc, _("give -f to replace it"));
    if (rc)
        return rc;
    if (cli->json)
        return print_json(making, path, err);
    if (!path[0])
        return cli_write(cli, making->out.data, making->out.size, err);
    cli_print(cli, "%s\n", CLI_SHOWN(path));
    return PSN_OK;
}

/* What the file itself cannot say. */
static void advise(struct making *making)
{
    const struct cli_kit *kit = &making->kit;

    if (making->format->make == make_sheet && kit->role.doubt != PSN_DOUBT_CHANGING)
        cli_doubt_warn(making->cli, &kit->role);
    else if (making->format->make == make_sheet)
        cli_warn(making->cli,
                 _("%s: a change is under way; finish it before this sheet goes out: "
                   "passation resume %s"),
                 kit->role.address, kit->role.address);
    if (making->format->is_page)
        return;
    cli_note(making->cli, _("There is no password in it: the device asks for it."));
    if (cli_kit_has_older_name(kit))
        cli_note(making->cli,
                 _("%s and %s are the same servers as ssl0.ovh.net, their older name: "
                   "what is set up with it keeps working."),
                 kit->mail.imap_host, kit->mail.smtp_host);
}

/* --- the command --- */

static enum psn_code draw(struct making *making, struct psn_error *err)
{
    PSN_AUTO_FREE char *text = NULL;
    PSN_AUTO(psn_secret) *content = NULL;
    enum psn_code rc = psn_profile_mobile(&making->profile, &text, err);

    if (!rc)
        rc = psn_secret_copy(text, strlen(text), &content, err);
    return rc ? rc : cli_print_qr(making->cli, content, err);
}

static enum psn_code make(struct making *making,
                          const struct cmd_profile_options *options,
                          struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PATH_MAX_BYTES);
    enum psn_code rc = load_kit(making, err);

    if (!rc)
        rc = choose_path(making, options->output, &path, err);
    if (rc)
        return rc;
    if (making->format->make == make_qr && is_drawn(making, options->output)) {
        rc = draw(making, err);
    } else {
        rc = making->format->make(making, err);
        if (!rc)
            rc = deliver(making, psn_buf_str(&path), options->force, err);
    }
    if (!rc)
        advise(making);
    return rc;
}

static enum psn_code run_profile(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_profile_options *options = arg;
    struct making making = { .cli = cli, .out = psn_buf_init(OUTPUT_MAX) };
    enum psn_code rc = find_format(options->format, &making.format, err);

    if (!rc)
        rc = make(&making, options, err);
    cli_kit_people_release(&making.people);
    psn_client_release(&making.kit.client);
    psn_buf_release(&making.out);
    return rc;
}

const struct cli_command cmd_profile = {
    .name = "profile",
    .arguments = N_("ADDRESS"),
    .summary = N_("write a mailbox's settings for a mail program, without the password"),
    .examples = N_("passation profile contact@martin.fr --format mobileconfig -o .\t"
                   "a file that an iPhone or a Mac installs\n"
                   "passation profile contact@martin.fr --format qr\t"
                   "scanned by Thunderbird on a telephone\n"
                   "passation profile contact@martin.fr --format sheet -o contact.html\t"
                   "after a change: who types it, on what; to print\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = profile_options,
    .options_size = sizeof(struct cmd_profile_options),
    .run = run_profile,
};

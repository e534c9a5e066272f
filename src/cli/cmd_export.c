#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stream.h"
#include "cli/doubt.h"
#include "cli/due_list.h"
#include "cli/journal_json.h"
#include "cli/new_key.h"
#include "cli/output.h"

PSN_DEFINE_AUTO(psn_extract)

/*
 * export: secrets leave the vault in a form that other programs read. The order: what can
 * be refused is, then the person is warned and asked, then every exposure is durable,
 * then the file is written.
 */
struct cmd_export_options {
    const char *format;
    const char *output;
    struct cli_texts to;
    int new_passphrase_fd;
    int code_fd;
};

static const struct cli_option export_options[] = {
    { "format", 0, CLI_TEXT, offsetof(struct cmd_export_options, format),
      "kdbx|passage|bitwarden-json|csv|journal", N_("what is written") },
    { "output", 'o', CLI_TEXT, offsetof(struct cmd_export_options, output), N_("PATH"),
      N_("the file or folder to be made; '-' is standard output") },
    { "to", 0, CLI_TEXTS, offsetof(struct cmd_export_options, to), N_("RECIPIENT"),
      N_("who opens a passage tree: a person, age1… or an SSH key; may be repeated") },
    { "new-passphrase-fd", 0, CLI_FD,
      offsetof(struct cmd_export_options, new_passphrase_fd), N_("N"),
      N_("the KDBX file's passphrase is on file descriptor N") },
    { "code-fd", 0, CLI_FD, offsetof(struct cmd_export_options, code_fd), N_("N"),
      N_("make the passphrase, and write it to file descriptor N") },
    { 0 },
};

enum form {
    FORM_KDBX,
    FORM_PASSAGE,
    FORM_BITWARDEN,
    FORM_CSV,
    FORM_JOURNAL,
};

static const struct {
    const char *name;
    enum form form;
    bool is_plain; /* every password stands in it */
    bool may_pipe;
} forms[] = {
    { "kdbx", FORM_KDBX, false, false },
    { "passage", FORM_PASSAGE, false, false },
    { "bitwarden-json", FORM_BITWARDEN, true, true },
    { "csv", FORM_CSV, true, true },
    { "journal", FORM_JOURNAL, false, true },
};

struct exporting {
    struct cli *cli;
    const struct cmd_export_options *options;
    char path[CLI_PATH_MAX]; /* of what is made; a folder's without "/" at its end */
    enum form form;
    bool is_plain;
    bool to_stdout;
    struct psn_secret *passphrase;
    bool tell_passphrase;
    char readers[32][PSN_PERSON_ID_MAX]; /* of the recipients those who are known */
    const char *reader_ids[32];
    size_t reader_count;
    char keys[32][PSN_RECIPIENT_TEXT_MAX];
    const char *recipients[32];
    size_t recipient_count;
    struct cli_doubts doubts;
};

/* ---- what is asked for ---- */

static enum psn_code find_form(struct exporting *exporting, bool *ret_may_pipe,
                               struct psn_error *err)
{
    const char *format = exporting->options->format;

    for (size_t i = 0; format && i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].name, format) == 0) {
            exporting->form = forms[i].form;
            exporting->is_plain = forms[i].is_plain;
            *ret_may_pipe = forms[i].may_pipe;
            return PSN_OK;
        }
    if (format)
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no format"), CLI_SHOWN(format));
    else
        (void)psn_fail(err, PSN_E_INVALID, _("in which form?"));
    return psn_hint(err, PSN_E_INVALID,
                    _("--format kdbx (KeePassXC, encrypted), passage (encrypted), "
                      "bitwarden-json, csv (both in clear) or journal"));
}

/* Can something of this name be made there? Asked before any exposure is noted: what
 * fails for the name or the folder has disclosed nothing. */
static enum psn_code check_place(struct exporting *exporting, struct psn_error *err)
{
    char *path = exporting->path;
    const char *output = exporting->options->output;
    PSN_AUTO_FREE char *folder = NULL;
    size_t size = strlen(output);
    struct stat info;

    if (size >= sizeof exporting->path - 16)
        return psn_fail(err, PSN_E_INVALID, _("the path is too long"));
    memcpy(path, output, size + 1);
    while (exporting->form == FORM_PASSAGE && size > 1 && path[size - 1] == '/')
        path[--size] = '\0';
    if (size == 0 || path[size - 1] == '/')
        return psn_fail(err, PSN_E_INVALID, _("'%s' is no name for a file"),
                        CLI_SHOWN(output));
    if (lstat(path, &info) == 0) {
        (void)psn_fail(err, PSN_E_EXISTS, _("'%s' exists already"), CLI_SHOWN(output));
        return psn_hint(err, PSN_E_EXISTS,
                        _("an export writes over nothing: choose "
                          "another name"));
    }
    if (errno != ENOENT)
        return psn_fail(err, psn_file_code(errno), _("cannot write '%s': %s"),
                        CLI_SHOWN(output), strerror(errno));
    folder = psn_file_dir_of(path);
    return folder ? psn_file_check_dir(folder, err)
                  : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

static enum psn_code check_output(struct exporting *exporting, bool may_pipe,
                                  struct psn_error *err)
{
    const char *path = exporting->options->output;

    if (!path) {
        (void)psn_fail(err, PSN_E_INVALID, _("where to?"));
        return psn_hint(err, PSN_E_INVALID, _("name what is to be made: -o PATH"));
    }
    exporting->to_stdout = strcmp(path, "-") == 0;
    if (exporting->to_stdout && !may_pipe)
        return psn_fail(err, PSN_E_INVALID,
                        _("this form goes to a path of its own, not "
                          "to standard output"));
    if (exporting->to_stdout && exporting->is_plain && exporting->cli->json)
        return psn_fail(err, PSN_E_INVALID, _("--json and -o - do not go together"));
    return exporting->to_stdout ? PSN_OK : check_place(exporting, err);
}

static enum psn_code check_options(const struct exporting *exporting,
                                   struct psn_error *err)
{
    const struct cmd_export_options *options = exporting->options;
    bool has_passphrase = options->new_passphrase_fd >= 0 || options->code_fd >= 0;

    if (exporting->form != FORM_KDBX && has_passphrase)
        return psn_fail(err, PSN_E_INVALID, _("only a KDBX file has a passphrase"));
    if (options->new_passphrase_fd >= 0 && options->code_fd >= 0)
        return psn_fail(err, PSN_E_INVALID,
                        _("the passphrase is given or made, not both"));
    if (exporting->form != FORM_PASSAGE && options->to.count > 0)
        return psn_fail(err, PSN_E_INVALID, _("--to goes with --format passage"));
    if (exporting->form == FORM_PASSAGE && options->to.count == 0) {
        (void)psn_fail(err, PSN_E_INVALID, _("who is to open the tree?"));
        return psn_hint(err, PSN_E_INVALID,
                        _("name a key, or a person who has one: --to "
                          "age1…; --to PERSON"));
    }
    if (options->to.count > sizeof exporting->recipients / sizeof *exporting->recipients)
        return psn_fail(err, PSN_E_LIMIT, _("there are too many recipients"));
    if (options->code_fd >= 0 && fcntl(options->code_fd, F_GETFD) < 0)
        return psn_fail(err, PSN_E_INVALID, _("file descriptor %d is not open"),
                        options->code_fd);
    return PSN_OK;
}

/* Who has no slot any more counts as somebody who leaves. */
static enum psn_code check_slot_kept(struct exporting *exporting,
                                     const struct psn_person *person,
                                     struct psn_error *err)
{
    struct cli_due_list list = { 0 };
    bool lost = false;
    enum psn_code rc = person->departure.held_slot
                           ? cli_due_list_read(exporting->cli, person->id, &list, err)
                           : PSN_OK;

    lost = !rc && cli_due_list_count(&list, PSN_DUE_LEAVER) > 0;
    cli_due_list_release(&list);
    if (!lost)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("'%s' could unlock the vault, and may know whatever was in it"),
                   person->id);
    return psn_hint(err, PSN_E_POLICY,
                    _("who leaves: passation depart %s; who stays gets a slot again: "
                      "passation slot add %s"),
                    person->id, person->id);
}

static enum psn_code add_reader(struct exporting *exporting,
                                const struct psn_person *person, struct psn_error *err)
{
    char *id = exporting->readers[exporting->reader_count];
    enum psn_code rc = check_slot_kept(exporting, person, err);

    if (rc)
        return rc;
    if (person->departing_s)
        return psn_fail(err, PSN_E_POLICY, _("'%s' is leaving, or has left"), person->id);
    memcpy(id, person->id, sizeof person->id);
    exporting->reader_ids[exporting->reader_count++] = id;
    return PSN_OK;
}

/* A key is kept without its comment. */
static bool is_key(const char *kept, const char *given)
{
    size_t size = strlen(kept);

    return strncmp(kept, given, size) == 0 &&
           (given[size] == '\0' || strchr(" \t\r\n", given[size]));
}

struct owner {
    struct exporting *exporting;
    const char *key;
    bool found;
};

static enum psn_code add_if_his(void *arg, const struct psn_person *person,
                                struct psn_error *err)
{
    struct owner *owner = arg;

    for (size_t i = 0; !owner->found && i < person->key_count; i++)
        if (is_key(person->keys[i].text, owner->key)) {
            owner->found = true;
            return add_reader(owner->exporting, person, err);
        }
    return PSN_OK;
}

/* A key as it is, which may be somebody's who is known, or a person's first one. */
static enum psn_code add_recipient(struct exporting *exporting, const char *to,
                                   struct psn_error *err)
{
    size_t at = exporting->recipient_count;
    struct psn_vault *vault = exporting->cli->vault;
    struct psn_person person;
    enum psn_code rc = PSN_OK;

    if (strncmp(to, "age1", 4) != 0 && strncmp(to, "ssh-", 4) != 0) {
        rc = psn_person_get(vault, to, &person, err);
        if (!rc && person.key_count == 0) {
            (void)psn_fail(err, PSN_E_NOT_FOUND, _("'%s' has no key"), CLI_SHOWN(to));
            rc = psn_hint(err, PSN_E_NOT_FOUND, _("add it: passation person key %s"),
                          CLI_SHOWN(to));
        }
        if (!rc)
            rc = add_reader(exporting, &person, err);
        to = rc ? "" : person.keys[0].text;
    } else {
        rc = psn_person_each(vault, add_if_his, &(struct owner){ exporting, to, false },
                             err);
    }
    if (!rc && strlen(to) >= sizeof exporting->keys[at])
        rc = psn_fail(err, PSN_E_INVALID, _("the key is too long"));
    if (rc)
        return rc;
    memcpy(exporting->keys[at], to, strlen(to) + 1);
    exporting->recipients[at] = exporting->keys[at];
    exporting->recipient_count++;
    return PSN_OK;
}

/* A key that is mistyped is found before anything leaves the vault. */
static enum psn_code check_recipients(struct exporting *exporting, struct psn_error *err)
{
    struct psn_age_recipients *list = NULL;
    enum psn_code rc = psn_age_recipients_new(&list, err);

    for (size_t i = 0; !rc && i < exporting->options->to.count; i++) {
        rc = add_recipient(exporting, exporting->options->to.items[i], err);
        if (!rc)
            rc = psn_age_recipients_add(list, exporting->recipients[i], err);
    }
    psn_age_recipients_free(list);
    return rc;
}

static enum psn_code find_passphrase(struct exporting *exporting, struct psn_error *err)
{
    const struct cmd_export_options *options = exporting->options;

    if (options->new_passphrase_fd >= 0)
        return cli_read_new_passphrase(exporting->cli, options->new_passphrase_fd, NULL,
                                       &exporting->passphrase, err);
    exporting->tell_passphrase = options->code_fd >= 0;
    if (exporting->tell_passphrase)
        return psn_new_passphrase(cli_language(), &exporting->passphrase, err);
    if (cli_has_terminal(exporting->cli))
        return cli_ask_new_passphrase(exporting->cli, &exporting->passphrase, err);
    (void)psn_fail(err, PSN_E_INVALID,
                   _("a new passphrase is needed, and there is nobody to ask"));
    return psn_hint(err, PSN_E_INVALID,
                    _("give --new-passphrase-fd N, or --code-fd N for one that is made"));
}

/* ---- warning ---- */

static enum psn_code confirm(struct exporting *exporting, size_t count,
                             struct psn_error *err)
{
    struct cli *cli = exporting->cli;

    if (exporting->is_plain)
        cli_warn(cli, _("nothing encrypts this form: whoever gets hold of it reads every "
                        "password in it, and so does each backup of its disk"));
    cli_doubts_warn(cli, &exporting->doubts);
    return cli_confirm(
        cli, err,
        PSN_NGETTEXT("Export %zu secret? It counts as seen by you from then on, as in a "
                     "departure.",
                     "Export %zu secrets? They count as seen by you from then on, as in "
                     "a departure.",
                     count),
        count);
}

/* ---- writing ---- */

static enum psn_code put_bytes(struct exporting *exporting, const void *bytes,
                               size_t size, struct psn_error *err)
{
    int cause;

    if (!exporting->to_stdout)
        return psn_file_write(exporting->path, bytes, size, PSN_FILE_NEW, err);
    exporting->cli->result_printed = true;
    cause = psn_file_write_fd(STDOUT_FILENO, bytes, size);
    return cause == 0 ? PSN_OK
                      : psn_fail(err, psn_file_code(cause), _("cannot write '%s': %s"),
                                 "-", strerror(cause));
}

static enum psn_code write_kdbx(struct exporting *exporting,
                                const struct psn_entry *entries, size_t count,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_sink sink = psn_sink_buf(&file);
    enum psn_code rc =
        psn_kdbx_write("passation", exporting->passphrase, entries, count, &sink, err);

    if (!rc)
        rc = psn_kdbx_verify(file.data, file.size, exporting->passphrase, entries, count,
                             err);
    return rc ? rc : put_bytes(exporting, file.data, file.size, err);
}

static enum psn_code write_csv(struct exporting *exporting,
                               const struct psn_entry *entries, size_t count,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init_wiped(PSN_BITWARDEN_MAX);
    struct psn_sink sink = psn_sink_buf(&file);
    enum psn_code rc = psn_csv_write(entries, count, &sink, err);

    return rc ? rc : put_bytes(exporting, file.data, file.size, err);
}

static enum psn_code write_bitwarden(struct exporting *exporting,
                                     const struct psn_entry *entries, size_t count,
                                     struct psn_error *err)
{
    PSN_AUTO(psn_secret) *json = NULL;
    enum psn_code rc = psn_bitwarden_write(entries, count, &json, err);

    return rc ? rc
              : put_bytes(exporting, psn_secret_bytes(json), psn_secret_size(json), err);
}

static enum psn_code write_form(struct exporting *exporting,
                                const struct psn_extract *extract, struct psn_error *err)
{
    const struct psn_entry *entries = psn_extract_entries(extract);
    size_t count = psn_extract_count(extract);

    switch (exporting->form) {
    case FORM_KDBX:
        return write_kdbx(exporting, entries, count, err);
    case FORM_PASSAGE:
        return psn_passage_write(exporting->path, exporting->recipients,
                                 exporting->recipient_count, entries, count, err);
    case FORM_BITWARDEN:
        return write_bitwarden(exporting, entries, count, err);
    case FORM_CSV:
        return write_csv(exporting, entries, count, err);
    case FORM_JOURNAL:
        break;
    }
    return psn_fail(err, PSN_E_UNEXPECTED, _("in which form?"));
}

static enum psn_code tell_passphrase(const struct exporting *exporting,
                                     struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init_wiped(1024);
    int cause;

    psn_buf_bytes(&line, psn_secret_bytes(exporting->passphrase),
                  psn_secret_size(exporting->passphrase));
    psn_buf_char(&line, '\n');
    cause = psn_file_write_fd(exporting->options->code_fd, line.data, line.size);
    return cause == 0 ? PSN_OK
                      : psn_fail(err, psn_file_code(cause),
                                 _("the passphrase cannot be told: %s"), strerror(cause));
}

/* what: the member that holds the count. */
static enum psn_code print_object(const struct exporting *exporting, const char *what,
                                  size_t count, struct psn_error *err)
{
    struct cli *cli = exporting->cli;
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "format", exporting->options->format);
    cli_json_text(&json, "path", exporting->options->output);
    cli_json_number(&json, what, (int64_t)count);
    if (exporting->form != FORM_JOURNAL)
        cli_doubts_json(&json, &exporting->doubts);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code print_result(const struct exporting *exporting, size_t count,
                                  struct psn_error *err)
{
    struct cli *cli = exporting->cli;

    if (cli->json)
        return print_object(exporting, "secrets", count, err);
    if (!exporting->to_stdout)
        cli_note(cli,
                 PSN_NGETTEXT("✓ Exported: %zu secret, to %s",
                              "✓ Exported: %zu secrets, to %s", count),
                 count, CLI_SHOWN(exporting->options->output));
    return PSN_OK;
}

/* ---- secrets ---- */

static enum psn_code count_secrets(const struct exporting *exporting, size_t *ret_count,
                                   struct psn_error *err)
{
    struct cli *cli = exporting->cli;
    PSN_AUTO(psn_extract) *extract = NULL;
    enum psn_code rc = psn_extract_new(cli->vault, cli->args, cli->arg_count, NULL, 0,
                                       true, &extract, err);

    if (!rc)
        *ret_count = psn_extract_count(extract);
    if (!rc && *ret_count == 0)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("there is no secret to export"));
    return rc;
}

static enum psn_code export_secrets(struct exporting *exporting, struct psn_error *err)
{
    struct cli *cli = exporting->cli;
    PSN_AUTO(psn_extract) *extract = NULL;
    size_t count = 0;
    enum psn_code rc = check_recipients(exporting, err);

    if (!rc)
        rc = count_secrets(exporting, &count, err);
    if (!rc)
        rc = cli_doubts_find(cli, &exporting->doubts, cli->args, cli->arg_count, err);
    if (!rc)
        rc = confirm(exporting, count, err);
    if (!rc && exporting->form == FORM_KDBX)
        rc = find_passphrase(exporting, err);
    if (!rc)
        rc = psn_extract_new(cli->vault, cli->args, cli->arg_count, exporting->reader_ids,
                             exporting->reader_count, false, &extract, err);
    if (!rc)
        rc = write_form(exporting, extract, err);
    if (!rc && exporting->tell_passphrase)
        rc = tell_passphrase(exporting, err);
    return rc ? rc : print_result(exporting, psn_extract_count(extract), err);
}

/* ---- the journal ---- */

struct lines {
    struct psn_buf text;
    size_t count;
};

static enum psn_code add_journal_line(void *arg, const struct psn_journal_entry *entry,
                                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct lines *lines = arg;
    enum psn_code rc;

    cli_journal_json(&json, entry);
    rc = psn_buf_check(&json.text, err);
    psn_buf_bytes(&lines->text, json.text.data, json.text.size);
    psn_buf_char(&lines->text, '\n');
    lines->count++;
    return rc ? rc : psn_buf_check(&lines->text, err);
}

static enum psn_code export_journal(struct exporting *exporting, struct psn_error *err)
{
    struct cli *cli = exporting->cli;
    struct lines lines = { .text = psn_buf_init((size_t)256 * 1024 * 1024) };
    struct psn_client client = { 0 };
    const char *chain = cli->arg_count ? cli->args[0] : NULL;
    enum psn_code rc = PSN_OK;

    if (cli->arg_count > 1)
        rc = psn_fail(err, PSN_E_INVALID, _("the journal of one client, or all of it"));
    if (!rc && chain)
        rc = psn_client_get(cli->vault, chain, &client, err);
    psn_client_release(&client);
    if (!rc)
        rc = psn_journal_each(cli->vault, chain, 0, add_journal_line, &lines, err);
    if (!rc)
        rc = put_bytes(exporting, lines.text.data, lines.text.size, err);
    /* On standard output the journal itself is the result, an object a line. */
    if (!rc && !exporting->to_stdout && cli->json)
        rc = print_object(exporting, "entries", lines.count, err);
    else if (!rc && !exporting->to_stdout)
        cli_note(cli,
                 PSN_NGETTEXT("✓ Exported: %zu entry of the journal, to %s",
                              "✓ Exported: %zu entries of the journal, to %s",
                              lines.count),
                 lines.count, CLI_SHOWN(exporting->options->output));
    psn_buf_release(&lines.text);
    return rc;
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    struct exporting exporting = { .cli = cli, .options = arg };
    bool may_pipe = false;
    enum psn_code rc = find_form(&exporting, &may_pipe, err);

    if (!rc)
        rc = check_output(&exporting, may_pipe, err);
    if (!rc)
        rc = check_options(&exporting, err);
    if (!rc)
        rc = exporting.form == FORM_JOURNAL ? export_journal(&exporting, err)
                                            : export_secrets(&exporting, err);
    psn_secret_free(exporting.passphrase);
    cli_doubts_release(&exporting.doubts);
    return rc;
}

const struct cli_command cmd_export = {
    .name = "export",
    .arguments = N_("[CLIENT|ADDRESS]…"),
    .summary = N_("write secrets, or the journal, in a form that other programs read"),
    .examples =
        N_("passation export martin --format kdbx -o martin.kdbx\tfor KeePassXC, under "
           "a passphrase of its own\n"
           "passation export 'technique@*' --format passage --to nora -o tree\tone age "
           "file a secret, for nora's key\n"
           "passation export --format journal -o journal.jsonl\tthe journal, a JSON "
           "object a line; no secret is in it\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 0,
    .max_args = SIZE_MAX,
    .options = export_options,
    .options_size = sizeof(struct cmd_export_options),
    .run = run,
};

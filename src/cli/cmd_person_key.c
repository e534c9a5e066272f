#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/person_key.h"

enum {
    KEY_FILE_MAX = 4096
};

enum psn_code cli_read_public_key(const char *path, char ret_key[PSN_RECIPIENT_TEXT_MAX],
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(KEY_FILE_MAX);
    enum psn_code rc = strcmp(path, "-") == 0 ? psn_file_read_fd(STDIN_FILENO, &file, err)
                                              : psn_file_read(path, &file, err);
    const char *text = psn_buf_str(&file);
    size_t size;

    if (rc)
        return rc;
    if (strstr(text, "SECRET-KEY") || strstr(text, "PRIVATE KEY")) {
        (void)psn_fail(err, PSN_E_INVALID, _("'%s' is a private key"), CLI_SHOWN(path));
        return psn_hint(err, PSN_E_INVALID,
                        _("it belongs to its owner alone; ask for the public one"));
    }
    while (*text == '\n' || *text == '#')
        text += strcspn(text, "\n") + (text[strcspn(text, "\n")] != '\0');
    size = strcspn(text, "\n");
    if (size >= PSN_RECIPIENT_TEXT_MAX || text[size + strspn(text + size, "\r\n \t")])
        return psn_fail(err, PSN_E_INVALID, _("'%s' holds more than one public key"),
                        CLI_SHOWN(path));
    memcpy(ret_key, text, size);
    ret_key[size] = '\0';
    return PSN_OK;
}

static enum psn_code warn_of_other(void *arg, const struct psn_person *person,
                                   struct psn_error *err)
{
    (void)err;
    cli_warn(arg,
             _("'%s' has the same key: whoever holds it reads what is issued to "
               "either of them"),
             person->id);
    return PSN_OK;
}

void cli_tell_fingerprint(struct cli *cli, const char *person, const char *key)
{
    char fingerprint[PSN_PHONE_FINGERPRINT_MAX];
    char line[PSN_RECIPIENT_TEXT_MAX];
    size_t words = strncmp(key, "ssh-", 4) == 0 ? strcspn(key, " ") + 1 : 0;

    words += strcspn(key + words, " ");
    memcpy(line, key, words);
    line[words] = '\0';
    psn_person_key_fingerprint(line, fingerprint);
    PSN_IGNORE(psn_person_key_others(cli->vault, person, line, warn_of_other, cli, NULL));
    cli_note(
        cli,
        _("Read this over the telephone with its owner: %s\n"
          "If it is the same there, note it: passation person key %s --checked '%s'"),
        fingerprint, person, fingerprint);
}

/* --- person key --- */

struct cmd_person_key_options {
    const char *add;
    const char *rm;
    const char *checked;
};

static const struct cli_option key_options[] = {
    { "add", 0, CLI_TEXT, offsetof(struct cmd_person_key_options, add), N_("FILE"),
      N_("a public key, which is used from now on; '-' reads standard input") },
    { "rm", 0, CLI_TEXT, offsetof(struct cmd_person_key_options, rm), N_("KEY"),
      N_("forget this key, named by itself or by its fingerprint") },
    { "checked", 0, CLI_TEXT, offsetof(struct cmd_person_key_options, checked), N_("KEY"),
      N_("note that its fingerprint was compared with the owner") },
    { 0 },
};

static enum psn_code change(struct cli *cli, const struct cmd_person_key_options *options,
                            struct psn_error *err)
{
    char key[PSN_RECIPIENT_TEXT_MAX];
    const char *id = cli->args[0];
    enum psn_code rc = PSN_OK;

    if (options->add)
        rc = cli_read_public_key(options->add, key, err);
    if (!rc && options->add)
        rc = psn_person_key_add(cli->vault, id, key, err);
    if (!rc && options->add)
        cli_tell_fingerprint(cli, id, key);
    if (!rc && options->rm)
        rc = psn_person_key_rm(cli->vault, id, options->rm, err);
    if (!rc && options->checked)
        rc = psn_person_key_check(cli->vault, id, options->checked, err);
    return rc;
}

static enum psn_code run_key(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_person_key_options *options = arg;
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    if (!options->add && !options->rm && !options->checked) {
        (void)psn_fail(err, PSN_E_INVALID, _("what is to be done with the key?"));
        return psn_hint(err, PSN_E_INVALID,
                        _("give --add FILE, --rm KEY or --checked KEY; see them with: "
                          "passation person show %s"),
                        CLI_SHOWN(cli->args[0]));
    }
    rc = change(cli, options, err);
    if (rc)
        return rc;
    if (!cli->json) {
        cli_print(cli, _("%s: keys changed\n"), CLI_SHOWN(cli->args[0]));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "id", cli->args[0]);
    cli_json_bool(&json, "changed", true);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

const struct cli_command cmd_person_key = {
    .name = "person key",
    .arguments = N_("PERSON"),
    .summary =
        N_("give a person a public key, take one away, or note that it was checked"),
    .examples =
        N_("passation person key jp --add jp.pub\tissues go to this key from now on\n"
           "passation person key jp --checked '12345 67890 …'\t"
           "it was read over the telephone\n"
           "passation person key jp --rm age1…\tlost or retired\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = key_options,
    .options_size = sizeof(struct cmd_person_key_options),
    .run = run_key,
};

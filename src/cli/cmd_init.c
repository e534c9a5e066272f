#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/new_key.h"
#include "cli/paths.h"
#include "cli/rekey_plan.h"

enum {
    KEYS_MAX = 3
};

struct cmd_init_options {
    const char *id;
    const char *name;
    const char *email;
    const char *recovery_out;
};

static const struct cli_option init_options[] = {
    { "as", 0, CLI_TEXT, offsetof(struct cmd_init_options, id), N_("ID"),
      N_("your id in the vault (me)") },
    { "name", 0, CLI_TEXT, offsetof(struct cmd_init_options, name), N_("NAME"),
      N_("your name") },
    { "email", 0, CLI_TEXT, offsetof(struct cmd_init_options, email), N_("EMAIL"),
      N_("your e-mail address") },
    { "recovery-out", 0, CLI_TEXT, offsetof(struct cmd_init_options, recovery_out),
      N_("FILE"), N_("write the recovery code into this new file") },
    { 0 },
};

/* The keys of the first slots, and the secrets they point to. */
struct first_keys {
    struct psn_secret *passphrase;
    struct psn_secret *identity;
    struct psn_secret *recovery;
    struct psn_key keys[KEYS_MAX];
    size_t count;
};

static void first_keys_release(struct first_keys *first)
{
    psn_secret_free(first->passphrase);
    psn_secret_free(first->identity);
    psn_secret_free(first->recovery);
}

static void add_key(struct first_keys *first, enum psn_slot_kind kind,
                    const struct psn_secret *secret)
{
    if (secret)
        first->keys[first->count++] = (struct psn_key){ kind, secret };
}

static enum psn_code fill_person(const struct cmd_init_options *options,
                                 struct psn_person *person, struct psn_error *err)
{
    const char *id = options->id ? options->id : "me";
    const char *name = options->name ? options->name : "";
    const char *email = options->email ? options->email : "";

    *person = (struct psn_person){ .kind = PSN_PERSON_TEAM };
    if (strlen(id) >= sizeof person->id)
        return psn_fail(err, PSN_E_INVALID, _("the id '%s' is too long"), id);
    if (strlen(name) >= sizeof person->name || strlen(email) >= sizeof person->email)
        return psn_fail(err, PSN_E_INVALID,
                        _("the name or the e-mail address is too "
                          "long"));
    (void)snprintf(person->id, sizeof person->id, "%s", id);
    (void)snprintf(person->name, sizeof person->name, "%s", name);
    (void)snprintf(person->email, sizeof person->email, "%s", email);
    return psn_person_check(person, err);
}

/* Before anything is asked: an existing vault is never written over. */
static enum psn_code check_free(const struct cli *cli, struct psn_error *err)
{
    if (access(cli->vault_path, F_OK) != 0 && errno == ENOENT)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_EXISTS, _("there is a vault already: '%s'"),
                   cli->vault_path);
    return psn_hint(err, PSN_E_EXISTS,
                    _("give another file: passation --vault FILE init"));
}

static enum psn_code gather_chosen(struct cli *cli, struct first_keys *first,
                                   struct psn_error *err)
{
    const char *identity_file = cli->unlock.identity_file;
    enum psn_code rc;

    if (cli->unlock.recovery_fd >= 0)
        return psn_fail(err, PSN_E_INVALID,
                        _("a recovery code is generated, never "
                          "chosen: --recovery-out FILE"));
    rc = cli_read_new_passphrase(cli, cli->unlock.passphrase_fd,
                                 cli->unlock.passphrase_file, &first->passphrase, err);
    if (!rc && identity_file)
        rc = cli_read_identity(cli, identity_file, &first->identity, err);
    if (!rc && !first->passphrase && !first->identity)
        rc = cli_ask_new_passphrase(cli, &first->passphrase, err);
    if (rc)
        return rc;
    add_key(first, PSN_SLOT_PASSPHRASE, first->passphrase);
    add_key(first, PSN_SLOT_IDENTITY, first->identity);
    return PSN_OK;
}

enum psn_code cli_write_recovery(const char *path, const struct psn_secret *code,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_secret) *line = NULL;
    enum psn_code rc = psn_secret_new(psn_secret_size(code) + 1, &line, err);

    if (!rc)
        rc = psn_secret_append(line, psn_secret_bytes(code), psn_secret_size(code), err);
    if (!rc)
        rc = psn_secret_append(line, "\n", 1, err);
    return rc ? rc
              : psn_file_write(path, psn_secret_bytes(line), psn_secret_size(line),
                               PSN_FILE_NEW, err);
}

static enum psn_code gather(struct cli *cli, const struct cmd_init_options *options,
                            struct first_keys *first, struct psn_error *err)
{
    enum psn_code rc = gather_chosen(cli, first, err);

    if (rc || (!options->recovery_out && !cli_has_terminal(cli)))
        return rc;
    rc = psn_new_recovery_code(&first->recovery, err);
    if (!rc && options->recovery_out)
        rc = cli_write_recovery(options->recovery_out, first->recovery, err);
    if (!rc)
        add_key(first, PSN_SLOT_RECOVERY, first->recovery);
    return rc;
}

static enum psn_code print_json(struct cli *cli, const struct psn_person *person,
                                const struct first_keys *first,
                                const struct psn_vault_keys *keys, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "vault", psn_vault_path(cli->vault));
    cli_json_text(&json, "person", person->id);
    cli_json_open(&json, "slots", '[');
    for (size_t i = 0; i < first->count; i++)
        cli_json_text(&json, NULL, psn_slot_kind_name(first->keys[i].kind));
    cli_json_close(&json, ']');
    cli_json_text(&json, "fingerprint", keys->fingerprint);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code tell(struct cli *cli, const struct cmd_init_options *options,
                          const struct psn_person *person, const struct first_keys *first,
                          struct psn_error *err)
{
    struct psn_vault_keys keys;
    enum psn_code rc = psn_vault_public_keys(cli->vault, &keys, err);

    if (!rc && first->recovery && !options->recovery_out)
        rc = cli_tell_secret(cli,
                             _("The recovery code, shown this once. Write it down and "
                               "keep it away from this machine:"),
                             first->recovery, err);
    if (!rc && options->recovery_out)
        cli_note(cli,
                 _("The recovery code is in '%s': print it, keep it elsewhere, and "
                   "delete the file"),
                 CLI_SHOWN(options->recovery_out));
    if (!rc && !first->recovery)
        cli_warn(cli,
                 _("no recovery code was made, since there is no terminal to show it "
                   "on and no --recovery-out: if the key is lost, so is the vault"));
    if (!rc && cli->unlock.identity_file)
        cli_warn_identity_place(cli, cli->unlock.identity_file);
    if (rc || cli->json)
        return rc ? rc : print_json(cli, person, first, &keys, err);
    cli_print(cli, _("The vault is made: %s\n"), CLI_SHOWN(psn_vault_path(cli->vault)));
    cli_print(cli, _("Its fingerprint: %s\n"), keys.fingerprint);
    cli_note(cli, _("It may become the only copy of these passwords: passation backup "
                    "FILE"));
    cli_next(cli, _("Next: passation unlock, then: passation client add ID --nic NIC "
                    "--domain DOMAIN"));
    return PSN_OK;
}

static enum psn_code run_init(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_init_options *options = arg;
    __attribute__((cleanup(first_keys_release))) struct first_keys first = { 0 };
    struct psn_person person;
    enum psn_code rc = fill_person(options, &person, err);

    cli_warn_unlocked_memory(cli);
    if (!rc)
        rc = check_free(cli, err);
    if (!rc && options->recovery_out)
        rc = psn_file_check_new(options->recovery_out, err);
    if (!rc)
        rc = cli_paths_make_parent(cli->vault_path, err);
    if (!rc)
        rc = gather(cli, options, &first, err);
    if (rc)
        return rc;
    rc = psn_vault_create(&cli->vault_options, &person, first.keys, first.count,
                          &cli->vault, err);
    /* Its code opens nothing. */
    if (rc && first.recovery && options->recovery_out)
        (void)unlink(options->recovery_out);
    return rc ? rc : tell(cli, options, &person, &first, err);
}

const struct cli_command cmd_init = {
    .name = "init",
    .summary = N_("make a vault, with a passphrase and a recovery code"),
    .examples = N_("passation init\tasks for a passphrase, shows a recovery code\n"
                   "passation init --as sophie --name 'Sophie Martin'\tsays who you are\n"
                   "passation init --identity-file key.txt --recovery-out code.txt\t"
                   "for unattended use: an age identity\n"),
    .options = init_options,
    .options_size = sizeof(struct cmd_init_options),
    .run = run_init,
};

#include "base/text.h"
#include "cli/cmd_show.h"
#include "cli/doubt.h"

struct versions {
    struct cli *cli;
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
};

static const char *state_text(enum psn_version_state state)
{
    switch (state) {
    case PSN_VERSION_CURRENT:
        return _("current");
    case PSN_VERSION_PENDING:
        return _("being tried");
    case PSN_VERSION_REFUSED:
        return _("refused");
    case PSN_VERSION_SUPERSEDED:
        return _("superseded");
    }
    return psn_version_state_name(state);
}

static void put_json(struct cli_json *json, const struct psn_version *version,
                     const struct psn_secret *value)
{
    cli_json_open(json, NULL, '{');
    cli_json_number(json, "version", (int64_t)version->number);
    cli_json_text(json, "state", psn_version_state_name(version->state));
    cli_json_time(json, "created_at", version->created_s);
    if (value)
        cli_json_secret(json, "password", value);
    cli_json_close(json, '}');
}

static enum psn_code put_masked(void *arg, const struct psn_version *version,
                                struct psn_error *err)
{
    struct versions *versions = arg;
    char number[24];
    char time[PSN_TIME_SIZE];

    (void)err;
    if (versions->json) {
        put_json(versions->json, version, NULL);
        return PSN_OK;
    }
    cli_table_cell(versions->table, cli_display_count(version->number, number));
    cli_table_cell(versions->table, state_text(version->state));
    cli_table_cell(versions->table, cli_display_time(version->created_s, time));
    return PSN_OK;
}

/* Not by a table: its cells are ordinary memory. */
static enum psn_code put_revealed(void *arg, const struct psn_version *version,
                                  const struct psn_secret *value, struct psn_error *err)
{
    enum {
        STATE_COLUMNS = 12
    };
    struct versions *versions = arg;
    const char *state = state_text(version->state);
    size_t columns = psn_text_columns(state);
    char time[PSN_TIME_SIZE];
    enum psn_code rc;

    if (versions->json) {
        put_json(versions->json, version, value);
        return PSN_OK;
    }
    cli_print(versions->cli, "%4llu  %s%*s%s  ", (unsigned long long)version->number,
              state, columns < STATE_COLUMNS ? (int)(STATE_COLUMNS - columns) : 1, "",
              cli_display_time(version->created_s, time));
    rc = cli_print_secret(versions->cli, value, err);
    if (!rc)
        cli_print(versions->cli, "\n");
    return rc;
}

static enum psn_code walk(struct versions *versions, const char *address,
                          const char *label, bool reveal, struct psn_error *err)
{
    struct psn_vault *vault = versions->cli->vault;

    return reveal ? psn_reveal_versions(vault, address, label, PSN_HOW_SHOWN,
                                        put_revealed, versions, err)
                  : psn_version_each(vault, address, label, put_masked, versions, err);
}

static enum psn_code print_json(struct cli *cli, const char *address, const char *label,
                                bool reveal, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct versions versions = { .cli = cli, .json = &json };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "address", address);
    if (label[0])
        cli_json_text(&json, "label", label);
    cli_json_open(&json, "versions", '[');
    rc = walk(&versions, address, label, reveal, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

static enum psn_code print_versions(struct cli *cli, const char *address,
                                    const char *label, bool reveal, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    struct versions versions = { .cli = cli };
    enum psn_code rc;

    if (cli->json)
        return print_json(cli, address, label, reveal, err);
    if (reveal)
        return walk(&versions, address, label, true, err);
    table = cli_table_new(3);
    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    versions.table = table;
    cli_table_cell(table, _("VERSION"));
    cli_table_cell(table, _("STATE"));
    cli_table_cell(table, _("CREATED"));
    rc = walk(&versions, address, label, false, err);
    if (!rc)
        cli_table_print(cli, table);
    return rc;
}

enum psn_code cli_show_versions(struct cli *cli, const char *label, bool reveal,
                                struct psn_error *err)
{
    struct psn_role role;
    enum psn_code rc = psn_role_get(cli->vault, cli->args[0], &role, err);

    if (!rc)
        rc = print_versions(cli, role.address, label, reveal, err);
    /* Of a change under way the states themselves tell. */
    if (!rc && !label[0] && role.doubt != PSN_DOUBT_CHANGING)
        cli_doubt_warn(cli, &role);
    return rc;
}

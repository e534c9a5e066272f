#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "tui/tui.h"

/* Provenance: by what somebody may read a secret, and how he came to know it. */
struct asking {
    struct tui *ui;
    struct tui_lines *out;
    const char *person; /* NULL: everybody */
    const char *label;  /* NULL: all secrets of the mailbox */
    size_t count;
};

static bool is_asked(const struct asking *asking, const char *label)
{
    return !asking->label || strcmp(asking->label, label) == 0;
}

/* Under a person's name, what; under what, for one person. */
static const char *key_of(const struct asking *asking, const char *person,
                          const char *label)
{
    if (!asking->person)
        return person;
    return label[0] ? label : _("password");
}

static enum psn_code tell_slot(void *arg, const struct psn_reachable *reachable,
                               struct psn_error *err)
{
    struct asking *asking = arg;

    (void)err;
    /* It is the same for every secret of the mailbox. */
    if (reachable->by != PSN_REACH_SLOT || reachable->label[0])
        return PSN_OK;
    asking->count++;
    tui_lines_row(asking->out, key_of(asking, reachable->person, ""),
                  _("unlocks the vault"));
    return PSN_OK;
}

static enum psn_code tell_grant(void *arg, const struct psn_grant *grant,
                                struct psn_error *err)
{
    struct asking *asking = arg;
    char text[PSN_FIELD_MAX + 256];
    char from[PSN_TIME_SIZE];
    char until[PSN_TIME_SIZE];

    (void)err;
    if (grant->state == PSN_GRANT_ENDED)
        return PSN_OK;
    asking->count++;
    (void)cli_display_moment(grant->from_s, from);
    (void)cli_display_moment(grant->until_s, until);
    (void)snprintf(text, sizeof text, _("by a grant of %s, from %s"), grant->approver,
                   from);
    tui_lines_row(asking->out, key_of(asking, grant->person, ""), text);
    (void)snprintf(text, sizeof text,
                   grant->state == PSN_GRANT_EXPIRED ? _("ran out on %s") : _("until %s"),
                   until);
    tui_lines_row(asking->out, "", grant->until_s ? text : _("without an end"));
    tui_lines_row(asking->out, "", grant->reason);
    if (grant->labels[0]) {
        (void)snprintf(text, sizeof text, _("with: %s"),
                       strcmp(grant->labels, "*") == 0 ? _("all other secrets")
                                                       : grant->labels);
        tui_lines_row(asking->out, "", text);
    }
    return PSN_OK;
}

static enum psn_code tell_seen(void *arg, const struct psn_exposure *exposure,
                               struct psn_error *err)
{
    struct asking *asking = arg;
    char text[256];
    char time[PSN_TIME_SIZE];

    (void)err;
    if (!is_asked(asking, exposure->label))
        return PSN_OK;
    asking->count++;
    (void)snprintf(
        text, sizeof text, _("%s%sversion %llu, %s: %s, %s"),
        asking->person || asking->label || !exposure->label[0] ? "" : exposure->label,
        asking->person || asking->label || !exposure->label[0] ? "" : ", ",
        (unsigned long long)exposure->version, cli_display_fate(exposure),
        cli_display_how(exposure->how), cli_display_moment(exposure->at_s, time));
    tui_lines_row(asking->out, key_of(asking, exposure->person, exposure->label), text);
    return PSN_OK;
}

static enum psn_code tell_owner(struct asking *asking, const char *address,
                                struct psn_error *err)
{
    struct psn_client client = { 0 };
    struct psn_role role;
    enum psn_code rc = psn_role_get(asking->ui->cli->vault, address, &role, err);

    if (!rc)
        rc = psn_client_get(asking->ui->cli->vault, role.client, &client, err);
    if (!rc && client.owner[0] &&
        (!asking->person || strcmp(asking->person, client.owner) == 0)) {
        asking->count++;
        tui_lines_row(asking->out, key_of(asking, client.owner, ""),
                      _("it is his own: he owns the client's accesses"));
    }
    psn_client_release(&client);
    return rc;
}

enum psn_code tui_describe_who(struct tui *ui, const char *person, const char *address,
                               const char *label, struct tui_lines *out,
                               struct psn_error *err)
{
    struct asking asking = { ui, out, person, label, 0 };
    struct psn_vault *vault = ui->cli->vault;
    enum psn_code rc;

    tui_lines_head(out, _("May read it today"));
    rc = psn_reachable_each(vault, person, address, tell_slot, &asking, err);
    if (!rc)
        rc = psn_grant_each(vault, person, &address, 1, tell_grant, &asking, err);
    if (!rc)
        rc = tell_owner(&asking, address, err);
    if (!rc && asking.count == 0)
        tui_lines_say(out, TUI_DIM, person ? _("no right") : _("nobody"));
    asking.count = 0;
    tui_lines_head(out, _("Has seen it"));
    if (!rc)
        rc = psn_exposure_each(vault, person, address, tell_seen, &asking, err);
    if (!rc && asking.count == 0)
        tui_lines_say(out, TUI_DIM, person ? _("never") : _("nobody"));
    return rc;
}

#include "cli/doubt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/text.h"

/* When it was seen; 0: it was not seen but is under way. */
static int64_t seen_s(const struct psn_role *role)
{
    switch (role->doubt) {
    case PSN_DOUBT_OUTSIDE:
        return role->outside_s;
    case PSN_DOUBT_GONE:
        return role->gone_s;
    case PSN_DOUBT_CHANGING:
    case PSN_DOUBT_NONE:
        break;
    }
    return 0;
}

/* ---- those of a list ---- */

void cli_doubts_release(struct cli_doubts *doubts)
{
    free(doubts->roles);
    *doubts = (struct cli_doubts){ 0 };
}

static enum psn_code keep(struct cli_doubts *doubts, const struct psn_role *role,
                          struct psn_error *err)
{
    enum psn_code rc;

    if (role->doubt == PSN_DOUBT_NONE || role->version == 0)
        return PSN_OK;
    for (size_t i = 0; i < doubts->count; i++)
        if (strcmp(doubts->roles[i].address, role->address) == 0)
            return PSN_OK;
    rc = PSN_GROW(doubts->roles, doubts->count, err);
    if (!rc)
        doubts->roles[doubts->count++] = *role;
    return rc;
}

enum psn_code cli_doubts_note(struct cli *cli, struct cli_doubts *doubts,
                              const char *address, struct psn_error *err)
{
    struct psn_role role;
    bool is_removed = false;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND, psn_role_get(cli->vault, address, &role, err), &is_removed, err);

    return rc || is_removed ? rc : keep(doubts, &role, err);
}

struct finding {
    struct cli_doubts *doubts;
    const char *const *names;
    size_t count;
};

static enum psn_code keep_wanted(void *arg, const struct psn_role *role,
                                 struct psn_error *err)
{
    const struct finding *finding = arg;
    bool wanted = finding->count == 0;

    for (size_t i = 0; !wanted && i < finding->count; i++)
        wanted = strcmp(finding->names[i], role->client) == 0 ||
                 psn_text_glob(finding->names[i], role->address);
    return wanted ? keep(finding->doubts, role, err) : PSN_OK;
}

enum psn_code cli_doubts_find(struct cli *cli, struct cli_doubts *doubts,
                              const char *const *names, size_t count,
                              struct psn_error *err)
{
    struct finding finding = { doubts, names, count };

    return psn_role_each(cli->vault, NULL, 0, true, keep_wanted, &finding, err);
}

void cli_doubts_json(struct cli_json *json, const struct cli_doubts *doubts)
{
    cli_json_open(json, "doubts", '[');
    for (size_t i = 0; i < doubts->count; i++) {
        const struct psn_role *role = &doubts->roles[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "address", role->address);
        cli_json_text(json, "doubt", psn_doubt_name(role->doubt));
        cli_json_time(json, "seen_at", seen_s(role));
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

void cli_doubts_warn(const struct cli *cli, const struct cli_doubts *doubts)
{
    for (size_t i = 0; i < doubts->count; i++) {
        const struct psn_role *role = &doubts->roles[i];

        if (role->doubt == PSN_DOUBT_CHANGING)
            cli_warn(cli,
                     _("%s: a change is under way, and what was written is the password "
                       "of before, which may not be in force any more; finish it, then "
                       "write it again: passation resume %s"),
                     CLI_SHOWN(role->address), CLI_SHOWN(role->address));
        else
            cli_doubt_warn(cli, role);
    }
}

/* ---- one ---- */

static void warn_of_change(const struct cli *cli, const char *address)
{
    cli_warn(cli,
             _("%s: a change is under way, so a newer password may be in force already; "
               "finish it with 'passation resume %s', see both with 'passation show %s "
               "--versions --reveal'"),
             CLI_SHOWN(address), CLI_SHOWN(address), CLI_SHOWN(address));
}

void cli_doubt_warn(const struct cli *cli, const struct psn_role *role)
{
    const char *address = role->address;
    char time[PSN_TIME_SIZE];

    switch (role->doubt) {
    case PSN_DOUBT_NONE:
        return;
    case PSN_DOUBT_CHANGING:
        warn_of_change(cli, address);
        return;
    case PSN_DOUBT_OUTSIDE:
        cli_warn(cli,
                 _("%s: its password was changed by somebody else, seen on %s: the one "
                   "in the vault may open nothing any more; ask who did, then make a new "
                   "one: passation rotate %s"),
                 CLI_SHOWN(address), cli_display_moment(role->outside_s, time),
                 CLI_SHOWN(address));
        return;
    case PSN_DOUBT_GONE:
        cli_warn(cli,
                 _("%s: the mailbox is not there any more at OVH: its password opens "
                   "nothing; if that is as it should be: passation role rm %s"),
                 CLI_SHOWN(address), CLI_SHOWN(address));
        return;
    }
}

const char *cli_doubt_text(const struct psn_role *role, char out[CLI_DOUBT_MAX])
{
    char time[PSN_TIME_SIZE];

    (void)cli_display_moment(seen_s(role), time);
    out[0] = '\0';
    if (role->doubt == PSN_DOUBT_OUTSIDE)
        (void)snprintf(out, CLI_DOUBT_MAX, _("changed by somebody else, seen on %s"),
                       time);
    else if (role->doubt == PSN_DOUBT_GONE && role->gone_s)
        (void)snprintf(out, CLI_DOUBT_MAX, _("gone at OVH, seen on %s"), time);
    psn_text_cut_utf8(out);
    return out;
}

void cli_doubt_json(struct cli_json *json, const struct psn_role *role)
{
    cli_json_text(json, "doubt",
                  role->doubt == PSN_DOUBT_NONE ? NULL : psn_doubt_name(role->doubt));
    cli_json_time(json, "changed_outside_at", role->outside_s);
    cli_json_time(json, "gone_at", role->gone_s);
}

#include "cli/departure_report.h"
#include "cli/display.h"

/* How a departure stands, in the first lines of its report. */

enum {
    NAMES_MAX = 1024 * 1024,
};

/* Each name after a comma. */
static struct psn_buf list_removed(const struct psn_departure_report *report)
{
    struct psn_buf names = psn_buf_init(NAMES_MAX);

    for (size_t i = 0; i < report->facts.removed; i++)
        if (!report->removed[i].unchanged[0])
            psn_buf_format(&names, "%s%s", names.size ? ", " : "",
                           report->removed[i].name);
    return names;
}

/* What was given up as it is may work, and nothing is complete. */
static void write_ended(const struct psn_departure *facts, const char *closed,
                        const char *name, struct cli_writing *writing)
{
    cli_writing_line(
        writing, CLI_TONE_WAIT,
        facts->narrow
            ? _("! Ended on %s, and not complete: what stands below was not changed. Of "
                "all else that the vault holds, nothing that %s is known to have seen "
                "works any more, and no access of theirs is left that OVH shows. Not all "
                "that could be read was replaced.")
            : _("! Ended on %s, and not complete: what stands below was not changed. Of "
                "all else that the vault holds, nothing that %s could read works any "
                "more, and no access of theirs is left that OVH shows."),
        closed, name);
}

/* Of what was removed nobody knows, and the first line says so. */
static void write_complete(const struct psn_departure *facts, const char *closed,
                           const char *name, struct cli_writing *writing)
{
    if (facts->removed)
        cli_writing_line(
            writing, CLI_TONE_WAIT,
            facts->narrow
                ? _("! Complete on %s as far as the vault knows: of what it still holds, "
                    "nothing that %s is known to have seen works any more, and no access "
                    "of theirs is left that OVH shows. Not all that could be read was "
                    "replaced.")
                : _("! Complete on %s as far as the vault knows: of what it still holds, "
                    "nothing that %s could read works any more, and no access of theirs "
                    "is left that OVH shows."),
            closed, name);
    else
        cli_writing_line(
            writing, CLI_TONE_GOOD,
            facts->narrow ? _("✓ Complete on %s: nothing that %s is known to have seen "
                              "works any more, and no access of theirs is left that "
                              "OVH shows. Not all that could be read was replaced.")
                          : _("✓ Complete on %s: nothing that %s could read works any "
                              "more, and no access of theirs is left that OVH shows."),
            closed, name);
}

static void write_closed(const struct psn_departure_report *report,
                         struct cli_writing *writing)
{
    const struct psn_person *person = &report->person;
    const char *name = person->name[0] ? person->name : person->id;
    char closed[PSN_TIME_SIZE];

    (void)cli_display_moment(report->facts.closed_s, closed);
    if (report->facts.outside)
        cli_writing_line(
            writing, CLI_TONE_WAIT,
            _("! Ended on %s, and not complete any more: somebody else has changed "
              "passwords since (%zu), and what %s could read may work again. See what is "
              "left to do, below."),
            closed, report->facts.outside, name);
    else if (psn_departure_is_undone(&report->facts))
        cli_writing_line(writing, CLI_TONE_WAIT,
                         _("! Ended on %s, and not complete any more: something that %s "
                           "could read works, or may work, again. See what is left to "
                           "do, below."),
                         closed, name);
    else if (report->facts.unchanged || report->facts.lasting)
        write_ended(&report->facts, closed, name, writing);
    else
        write_complete(&report->facts, closed, name, writing);
}

static void write_removed(const struct psn_departure_report *report,
                          struct cli_writing *writing)
{
    PSN_AUTO_RELEASE(psn_buf) removed = list_removed(report);

    for (size_t i = 0; i < report->facts.removed; i++)
        if (report->removed[i].unchanged[0])
            cli_writing_line(writing, CLI_TONE_WAIT,
                             _("! NOT changed at OVH, so that what could be read there "
                               "may still work: %s. Why: %s"),
                             report->removed[i].name, report->removed[i].unchanged);
    if (removed.size > 0)
        cli_writing_line(writing, CLI_TONE_WAIT,
                         _("! Removed from the vault, so that whether what could be read "
                           "there still works, or a way in is open, is not known: %s."),
                         psn_buf_str(&removed));
}

static void write_lasting(const struct psn_departure_report *report,
                          struct cli_writing *writing)
{
    for (size_t i = 0; i < report->secret_count; i++)
        if (report->secrets[i].lasting[0])
            cli_writing_line(writing, CLI_TONE_WAIT,
                             _("! Stays known, since nobody can change it: %s, %s. Why: "
                               "%s"),
                             report->secrets[i].address, report->secrets[i].label,
                             report->secrets[i].lasting);
}

void cli_departure_headline(const struct psn_departure_report *report,
                            struct cli_writing *writing)
{
    const struct psn_departure *facts = &report->facts;

    if (facts->closed_s)
        write_closed(report, writing);
    else if (facts->accesses)
        cli_writing_line(
            writing, CLI_TONE_WAIT,
            _("! Not complete yet: ways in are still open (%zu), so that "
              "passwords will be replaced once more. See what is left to do, "
              "below."),
            facts->accesses);
    else
        cli_writing_line(writing, CLI_TONE_WAIT,
                         _("! Not complete yet: see what is left to do, below."));
    if (report->hidden)
        cli_writing_line(
            writing, CLI_TONE_WAIT,
            _("! Parts of OVH's accounts that our key may not look at, so that "
              "what lies there is not known: %zu; see below."),
            report->hidden);
    write_removed(report, writing);
    write_lasting(report, writing);
}

/* --- at the end of a run --- */

static void tell_incomplete(struct cli *cli, const struct psn_departure_report *report)
{
    PSN_AUTO_RELEASE(psn_buf) removed = list_removed(report);
    const struct psn_departure *facts = &report->facts;

    for (size_t i = 0; i < facts->removed; i++)
        if (report->removed[i].unchanged[0])
            cli_note(cli, _("! %s was NOT changed at OVH: %s"),
                     CLI_SHOWN(report->removed[i].name),
                     CLI_SHOWN(report->removed[i].unchanged));
    for (size_t i = 0; i < report->secret_count; i++)
        if (report->secrets[i].lasting[0])
            cli_note(cli, _("! %s, %s stays known, since nobody can change it: %s"),
                     CLI_SHOWN(report->secrets[i].address),
                     CLI_SHOWN(report->secrets[i].label),
                     CLI_SHOWN(report->secrets[i].lasting));
    if (facts->unchanged)
        cli_note(cli,
                 _("%s has left, but what was given up as it is may still work, and the "
                   "report names it."),
                 CLI_SHOWN(facts->person));
    else if (facts->lasting)
        cli_note(cli,
                 _("%s has left, but keeps what nobody can change, and the report names "
                   "it."),
                 CLI_SHOWN(facts->person));
    if (removed.size > 0)
        cli_note(
            cli,
            _("%s has left, as far as the vault knows: whether what could be read of "
              "what was removed from it still works is not known: %s"),
            CLI_SHOWN(facts->person), psn_buf_str(&removed));
}

void cli_departure_tell(struct cli *cli, const struct psn_departure_report *report)
{
    const struct psn_departure *facts = &report->facts;

    if (!facts->closed_s || psn_departure_is_undone(facts)) /* the run's end says it */
        return;
    if (facts->removed || facts->lasting)
        tell_incomplete(cli, report);
    else
        cli_note(cli,
                 facts->narrow
                     ? _("✓ %s has left: nothing of what they are known to have seen "
                         "works any more, and no way in of theirs is open, as far as OVH "
                         "shows. Whatever else was in the vault stays as it is.")
                     : _("✓ %s has left: nothing that could be read works any more, and "
                         "no way in of theirs is open, as far as OVH shows."),
                 CLI_SHOWN(facts->person));
}

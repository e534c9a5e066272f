#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/display.h"
#include "tui/tui.h"

/* The form for `passation grant`; its rules are checked by the command. */
enum {
    DATE_SIZE = 12,
};

struct people {
    char **ids; /* ends with NULL */
    size_t count;
};

static void release_people(struct people *people)
{
    for (size_t i = 0; i < people->count; i++)
        free(people->ids[i]);
    free(people->ids);
    *people = (struct people){ 0 };
}

/* Nothing is issued to who is leaving. */
static enum psn_code add_person(void *arg, const struct psn_person *person,
                                struct psn_error *err)
{
    struct people *people = arg;
    char **grown;

    if (person->departing_s)
        return PSN_OK;
    grown = reallocarray(people->ids, people->count + 2, sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    people->ids = grown;
    grown[people->count] = strdup(person->id);
    if (!grown[people->count])
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    grown[++people->count] = NULL;
    return PSN_OK;
}

struct request {
    char person[PSN_PERSON_ID_MAX];
    char until[DATE_SIZE];
    char reason[256];
    char format[8];
    char folder[512];
};

static bool fill_in(struct tui *ui, const char *address, const struct people *people,
                    struct request *request)
{
    static const char *const formats[] = { "age", "html", NULL };
    char title[PSN_ADDRESS_TEXT_MAX + 64];
    const struct tui_field fields[] = {
        { _("Person"), _("type its first letters, or ← →"), request->person,
          sizeof request->person, (const char *const *)people->ids,
          _("nobody was chosen") },
        { _("Last day"), _("YYYY-MM-DD; empty: no end, which is not advised"),
          request->until, sizeof request->until, NULL, NULL },
        { _("Reason"), _("it stands in the issue"), request->reason,
          sizeof request->reason, NULL, NULL },
        { _("Form"), _("← →: age, or html, a page for a browser"), request->format,
          sizeof request->format, formats, NULL },
        { _("Folder"), _("where the file goes"), request->folder, sizeof request->folder,
          NULL, NULL },
    };

    (void)snprintf(title, sizeof title, _("Grant %s"), address);
    return tui_form(ui, title, fields, sizeof fields / sizeof *fields);
}

static void grant(struct tui *ui, const struct request *request, const char *address,
                  const char *label)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TUI_COMMAND_BYTES);
    const char *words[TUI_COMMAND_WORDS];
    size_t count = 0;

    words[count++] = "grant";
    words[count++] = request->person;
    words[count++] = address;
    if (request->until[0]) {
        words[count++] = "--until";
        words[count++] = request->until;
    }
    if (request->reason[0]) {
        words[count++] = "--reason";
        words[count++] = request->reason;
    }
    if (label[0]) {
        words[count++] = "--with";
        words[count++] = label;
    }
    words[count++] = "--format";
    words[count++] = request->format;
    words[count++] = "-o";
    words[count++] = request->folder[0] ? request->folder : ".";
    cli_display_command(&text, words, count);
    if (tui_confirm(ui, _("Run this?\n\n%s"), psn_buf_str(&text)))
        tui_run(ui, words, count);
}

void tui_grant(struct tui *ui, const char *person, const char *address, const char *label)
{
    struct people people = { 0 };
    struct request request = { .format = "age", .folder = "." };
    char where[PSN_ADDRESS_TEXT_MAX];
    char what[PSN_LABEL_TEXT_MAX];
    struct psn_error err = { 0 };
    enum psn_code rc = psn_person_each(ui->cli->vault, add_person, &people, &err);

    /* What is chosen on the page may be read anew meanwhile. */
    (void)snprintf(where, sizeof where, "%s", address);
    (void)snprintf(what, sizeof what, "%s", label);
    if (!rc && people.count == 0)
        rc = psn_fail(&err, PSN_E_NOT_FOUND, _("there is nobody to grant it to"));
    if (!rc)
        (void)snprintf(request.person, sizeof request.person, "%s", person ? person : "");
    if (!rc && fill_in(ui, where, &people, &request))
        grant(ui, &request, where, what);
    if (rc)
        tui_tell_error(ui, &err);
    explicit_bzero(&request, sizeof request);
    release_people(&people);
}

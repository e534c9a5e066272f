#include "cli/departure_report.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/display.h"
#include "cli/finding_show.h"
#include "cli/saving.h"

/* --- for programs --- */

void cli_departure_facts_json(const struct psn_departure *facts, struct cli_json *json)
{
    cli_json_text(json, "person", facts->person);
    cli_json_time(json, "began_at", facts->began_s);
    cli_json_time(json, "closed_at", facts->closed_s);
    cli_json_bool(json, "complete",
                  facts->closed_s != 0 && !facts->unchanged && !facts->lasting &&
                      !psn_departure_is_undone(facts));
    cli_json_number(json, "removed", (int64_t)facts->removed);
    cli_json_number(json, "unchanged", (int64_t)facts->unchanged);
    cli_json_number(json, "stays_known", (int64_t)facts->lasting);
    cli_json_number(json, "changed_outside", (int64_t)facts->outside);
    cli_json_text(json, "scope", facts->narrow ? "seen" : "all");
    cli_json_bool(json, "held_slot", facts->held_slot);
    cli_json_bool(json, "holds_slot", facts->holds_slot);
    cli_json_open(json, "open", '{');
    cli_json_number(json, "passwords", (int64_t)facts->rotate);
    cli_json_number(json, "unproved", (int64_t)facts->unproved);
    cli_json_number(json, "tasks", (int64_t)facts->tasks);
    cli_json_number(json, "accesses", (int64_t)facts->accesses);
    cli_json_number(json, "api_keys", (int64_t)facts->keys);
    cli_json_close(json, '}');
}

static void put_secret(struct cli_json *json, const struct psn_departure_secret *secret)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "client", secret->client);
    cli_json_text(json, "address", secret->address);
    cli_json_text(json, "label", secret->label[0] ? secret->label : NULL);
    cli_display_json_count(json, "known_version", secret->version);
    cli_json_bool(json, "seen", secret->seen);
    cli_display_json_count(json, "version", secret->current);
    cli_json_bool(json, "replaced", secret->replaced);
    cli_json_time(json, "replaced_at", secret->replaced_s);
    if (!secret->label[0]) {
        cli_json_bool(json, "old_dead", secret->dead);
        cli_json_time(json, "old_refused_at", secret->dead ? secret->dead_s : 0);
        cli_json_text(json, "proof", secret->replaced ? secret->proof : NULL);
        cli_json_time(json, "changed_outside_at", secret->outside_s);
        cli_json_bool(json, "handed_over", secret->handed);
        cli_json_time(json, "changed_since_handed_over_at", secret->set_since_s);
    } else {
        cli_json_bool(json, "replacement_ready", secret->replacement != 0);
        cli_json_text(json, "unchangeable", secret->lasting[0] ? secret->lasting : NULL);
    }
    cli_json_close(json, '}');
}

static void put_access(struct cli_json *json, const struct psn_departure_access *at)
{
    const struct psn_finding *finding = &at->access.finding;

    cli_json_open(json, NULL, '{');
    cli_json_text(json, "client", at->client);
    cli_json_text(json, "id", finding->id);
    cli_json_text(json, "kind", psn_finding_kind_name(finding->kind));
    cli_json_text(json, "subject", finding->subject);
    cli_json_text(json, "whose", finding->whose[0] ? finding->whose : NULL);
    cli_json_bool(json, "theirs", at->his);
    cli_json_text(json, "state", psn_access_state_name(at->access.state));
    cli_json_time(json, "gone_at", at->access.gone_s);
    cli_json_text(json, "obstacle",
                  finding->obstacle[0] ? psn_finding_obstacle(finding) : NULL);
    cli_json_close(json, '}');
}

static void put_stay(struct cli_json *json, const struct psn_departure_stay *stay)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "person", stay->person);
    cli_json_text(json, "address", stay->by_slot ? NULL : stay->address);
    cli_json_text(json, "by", stay->by_slot ? "slot" : "grant");
    cli_json_bool(json, "issue_due", stay->due);
    cli_json_close(json, '}');
}

static void put_head(struct cli_json *json, const struct psn_head *head)
{
    char hash[2 * PSN_HEAD_SIZE + 1];

    for (size_t i = 0; i < PSN_HEAD_SIZE; i++)
        (void)snprintf(hash + 2 * i, 3, "%02x", head->hash[i]);
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "chain", head->chain[0] ? head->chain : NULL);
    cli_json_number(json, "count", (int64_t)head->count);
    cli_json_text(json, "hash", hash);
    cli_json_close(json, '}');
}

static void put_unchanged(struct cli_json *json,
                          const struct psn_departure_removed *removed)
{
    if (!removed->unchanged[0])
        return;
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "address", removed->name);
    cli_json_text(json, "why", removed->unchanged);
    cli_json_close(json, '}');
}

void cli_departure_json(const struct psn_departure_report *report, struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_departure_facts_json(&report->facts, json);
    cli_json_text(json, "name", report->person.name[0] ? report->person.name : NULL);
    cli_json_text(json, "by", report->by);
    cli_json_time(json, "made_at", report->now_s);
    cli_json_open(json, "secrets", '[');
    for (size_t i = 0; i < report->secret_count; i++)
        put_secret(json, &report->secrets[i]);
    cli_json_close(json, ']');
    cli_json_open(json, "accesses", '[');
    for (size_t i = 0; i < report->access_count; i++)
        put_access(json, &report->accesses[i]);
    cli_json_close(json, ']');
    cli_json_open(json, "stay", '[');
    for (size_t i = 0; i < report->stay_count; i++)
        put_stay(json, &report->stays[i]);
    cli_json_close(json, ']');
    cli_json_open(json, "journal", '[');
    for (size_t i = 0; i < report->head_count; i++)
        put_head(json, &report->heads[i]);
    cli_json_close(json, ']');
    cli_json_number(json, "hidden_parts", (int64_t)report->hidden);
    cli_json_open(json, "removed_names", '[');
    for (size_t i = 0; i < report->facts.removed; i++)
        cli_json_text(json, NULL, report->removed[i].name);
    cli_json_close(json, ']');
    cli_json_open(json, "unchanged_mailboxes", '[');
    for (size_t i = 0; i < report->facts.removed; i++)
        put_unchanged(json, &report->removed[i]);
    cli_json_close(json, ']');
    cli_json_text(json, "fingerprint", report->fingerprint);
    cli_json_close(json, '}');
}

/* --- files --- */

enum {
    NAME_MAX_BYTES = PSN_PERSON_ID_MAX + 16
};

struct report_file {
    struct cli_saving saving; /* depart-PERSON */
    const struct psn_departure_report *report;
    const char *person;
};

static enum psn_code save_page(const struct report_file *file, struct psn_error *err)
{
    struct cli_writing writing = cli_writing_init(true);
    enum psn_code rc;

    writing.stacked = true;
    cli_departure_write(file->saving.cli, file->report, &writing);
    rc = cli_save_signed(&file->saving, "html", &writing.out, err);
    cli_writing_release(&writing);
    return rc;
}

static enum psn_code save_json(const struct report_file *file, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_departure_json(file->report, &json);
    psn_buf_char(&json.text, '\n');
    return cli_save_signed(&file->saving, "json", &json.text, err);
}

/* Of what was removed from the vault nobody can say that it is over, and of what was
 * given up as it is, that it is not. */
static const char *completeness(const struct psn_departure *facts)
{
    if (!facts->closed_s || psn_departure_is_undone(facts))
        return "no";
    if (facts->unchanged || facts->lasting)
        return "except-unchanged";
    return facts->removed ? "as-far-as-known" : "yes";
}

static enum psn_code save_text(const struct report_file *file, struct psn_error *err)
{
    const struct psn_departure_report *report = file->report;
    struct cli_writing writing = cli_writing_init(false);
    PSN_AUTO_FREE char *statement = NULL;
    char fields[256];
    struct psn_statement_draft draft = { .kind = "departure",
                                         .fields = fields,
                                         .heads = report->heads,
                                         .head_count = report->head_count };
    enum psn_code rc;

    (void)snprintf(fields, sizeof fields, "Person: %s\nComplete: %s\n",
                   report->facts.person, completeness(&report->facts));
    cli_departure_write(file->saving.cli, report, &writing);
    rc = psn_buf_check(&writing.out, err);
    draft.text = psn_buf_str(&writing.out);
    if (!rc)
        rc = psn_statement_sign(file->saving.cli->vault, &draft, &statement, err);
    cli_writing_release(&writing);
    return rc ? rc : cli_save(&file->saving, "txt", statement, strlen(statement), err);
}

/* What a run that was killed while it wrote has left: "depart-PERSON.EXT.16 hex". */
static bool is_left_over(const char *name, const char *person)
{
    enum {
        RANDOM = 16
    };
    size_t head = strlen("depart-") + strlen(person);
    size_t size = strlen(name);

    return size > head + 1 + RANDOM && strncmp(name, "depart-", strlen("depart-")) == 0 &&
           strncmp(name + strlen("depart-"), person, strlen(person)) == 0 &&
           name[head] == '.' && name[size - RANDOM - 1] == '.' &&
           strspn(name + size - RANDOM, "0123456789abcdef") == RANDOM;
}

static void remove_left_over(const struct report_file *file)
{
    DIR *folder = opendir(file->saving.folder);
    const struct dirent *entry;

    if (!folder)
        return;
    while ((entry = readdir(folder)) != NULL)
        if (is_left_over(entry->d_name, file->report->facts.person))
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    (void)closedir(folder);
}

/* It is renewed for nobody, and nothing else would say so. */
static enum psn_code tell_envelope(void *arg, const struct psn_envelope *envelope,
                                   struct psn_error *err)
{
    const struct report_file *file = arg;

    (void)err;
    if (strcmp(envelope->person, file->person) == 0)
        cli_note(
            file->saving.cli,
            _("The envelope of '%s' is for %s, and stays as it is: passation envelope "
              "end %s"),
            envelope->client, envelope->person, envelope->client);
    return PSN_OK;
}

enum psn_code cli_departure_report(struct cli *cli,
                                   const struct psn_departure_report *report,
                                   struct psn_error *err)
{
    const char *person = report->facts.person;
    const char *folder = report->facts.folder;
    char name[NAME_MAX_BYTES];
    struct report_file file = { .saving = { cli, folder[0] ? folder : ".", name },
                                .report = report,
                                .person = person };
    enum psn_code rc;

    (void)snprintf(name, sizeof name, "depart-%s", person);
    remove_left_over(&file);
    rc = save_text(&file, err);
    if (!rc)
        rc = save_json(&file, err);
    if (!rc)
        rc = save_page(&file, err);
    if (!rc)
        cli_note(cli, _("The report: %s/depart-%s.html, .txt and .json, signed."),
                 CLI_SHOWN(file.saving.folder), person);
    return rc ? rc : psn_envelope_each(cli->vault, tell_envelope, &file, err);
}

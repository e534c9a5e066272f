#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/handover_pv.h"
#include "cli/handover_pv_part.h"
#include "cli/locale.h"
#include "cli/until.h"

/* The closing statement: written when the client's rows are gone, from the entry that the
 * vault's own journal keeps of their end. */

/* The digest of the final procès-verbal is the 64 hex digits of that entry. */
static const char *digest_of(const struct psn_handover_end *end,
                             char out[CLI_PV_HASH_MAX])
{
    static const char digits[] = "0123456789abcdef";

    out[0] = '\0';
    for (const char *at = end->text; *at;) {
        size_t size = strspn(at, digits);

        if (size == CLI_PV_HASH_MAX - 1) {
            memcpy(out, at, size);
            out[size] = '\0';
            return out;
        }
        at += size + (at[size] != '\0');
    }
    return out;
}

static void write_overwritten(const struct psn_handover_end *end,
                              struct cli_writing *writing)
{
    char file[64];
    char log[64];

    if (!end->destruction.is_overwritten)
        return;
    cli_writing_item(writing, 0,
                     _("the file of before, written over after that: %s bytes, and %s of "
                       "its log;"),
                     cli_display_grouped(end->destruction.file_bytes, file),
                     cli_display_grouped(end->destruction.log_bytes, log));
}

static const char *kind_text(enum psn_copy_fate fate)
{
    switch (fate) {
    case PSN_FATE_DELETED:
        return _("file");
    case PSN_FATE_UNDER_CODE:
        return _("trousseau");
    case PSN_FATE_ISSUED:
        return _("issue to a person");
    case PSN_FATE_HOLDS:
    case PSN_FATE_UNREADABLE:
    case PSN_FATE_UNSEEN:
        return _("copy");
    case PSN_FATE_GONE:
        return _("earlier reserve");
    case PSN_FATE_REWRITTEN:
    case PSN_FATE_LACKS:
    case PSN_FATE_NOT_OURS:
    case PSN_FATE_MISSING:
        break;
    }
    return _("backup");
}

static const char *fate_text(enum psn_copy_fate fate)
{
    switch (fate) {
    case PSN_FATE_DELETED:
        return _("deleted");
    case PSN_FATE_UNDER_CODE:
        return _("still lies there, under its code");
    case PSN_FATE_ISSUED:
        return _("still lies there, under the code or the key of that person; the "
                 "provider has to delete it");
    case PSN_FATE_REWRITTEN:
        return _("written anew without the client");
    case PSN_FATE_LACKS:
        return _("does not hold the client");
    case PSN_FATE_NOT_OURS:
        return _("no copy of this vault");
    case PSN_FATE_UNREADABLE:
        return _("cannot be opened, and holds still what it holds; the provider has to "
                 "destroy it");
    case PSN_FATE_MISSING:
        return _("there is no such file");
    case PSN_FATE_GONE:
        return _("was there at the closing, and is not there any more");
    case PSN_FATE_UNSEEN:
        return _("could not be looked at: if it holds the client, the provider has to "
                 "destroy it");
    case PSN_FATE_HOLDS:
        break;
    }
    return _("is still there, and holds the client; the provider has to destroy it");
}

static void write_copies(const struct psn_handover_end *end, bool reserves,
                         struct cli_writing *writing)
{
    for (size_t i = 0; i < end->copy_count; i++)
        if (psn_copy_is_reserve(end->copies[i].fate) == reserves)
            cli_writing_item(writing, 0, _("%s %s: %s;"), kind_text(end->copies[i].fate),
                             end->copies[i].path, fate_text(end->copies[i].fate));
}

static size_t count_reserves(const struct psn_handover_end *end)
{
    size_t count = 0;

    for (size_t i = 0; i < end->copy_count; i++)
        count += psn_copy_is_reserve(end->copies[i].fate);
    return count;
}

static void write_reserves(const struct psn_handover_end *end,
                           struct cli_writing *writing)
{
    if (count_reserves(end) == 0)
        return;
    cli_writing_heading(writing, _("Reserves: what still lies with the provider"));
    write_copies(end, true, writing);
}

static void write_what(const struct psn_handover_end *end, struct cli_writing *writing)
{
    cli_writing_heading(writing, _("What was destroyed"));
    cli_writing_item(writing, 0,
                     _("in the provider's vault: every row of the client (mailboxes, "
                       "secrets, grants, accesses, journal), and the key that opened "
                       "them;"));
    cli_writing_item(
        writing, 0,
        _("the vault's file: a new one was written without them, and took its "
          "place;"));
    write_overwritten(end, writing);
    write_copies(end, false, writing);
    cli_writing_item(writing, 0, _("of other backups this statement knows nothing."));
    write_reserves(end, writing);
}

static void write_belonging(const struct psn_handover_end *end,
                            struct cli_writing *writing)
{
    const char *const heads[] = { _("Fingerprint"), _("Entries"), _("SHA-256"), NULL };
    char digest[CLI_PV_HASH_MAX];
    char hash[CLI_PV_HASH_MAX];
    char count[48];

    cli_writing_heading(writing, _("What this statement belongs to"));
    if (end->text[0])
        cli_writing_field(writing, _("Entry in the provider's journal"), end->text);
    cli_writing_table(writing, heads);
    if (digest_of(end, digest)[0]) {
        cli_writing_cell(writing, CLI_TONE_PLAIN,
                         _("final version of the record of the handover of accesses"));
        cli_writing_cell(writing, CLI_TONE_PLAIN, "");
        cli_writing_cell_hash(writing, digest);
    }
    cli_writing_cell(writing, CLI_TONE_PLAIN,
                     _("head of the client's journal, which went with the rest"));
    cli_writing_cell(writing, CLI_TONE_PLAIN,
                     cli_display_grouped(end->chain_count, count));
    cli_writing_cell_hash(writing, cli_pv_hash(end->chain_head, hash));
    cli_writing_table_end(writing);
}

static void write_unknown(const struct psn_handover_end *end, struct cli_writing *writing)
{
    cli_writing_heading(writing, _("What this statement cannot know"));
    cli_writing_item(writing, 0,
                     _("whether the cells of a solid-state disk, or a snapshot of a file "
                       "system, still hold older blocks of the vault's file;"));
    cli_writing_item(
        writing, 0,
        _("backups that were out of reach: an old copy of the vault, "
          "wherever it lies, can still be opened with the provider's keys;"));
    if (end->lost_count)
        cli_writing_item(writing, 0,
                         PSN_NGETTEXT("%zu backup that the provider's journal names is "
                                      "not where it was written, and was not looked at;",
                                      "%zu backups that the provider's journal names are "
                                      "not where they were written, and were not looked "
                                      "at;",
                                      end->lost_count),
                         end->lost_count);
    cli_writing_item(writing, 0,
                     _("what was copied by hand, into mails, telephones, browsers or "
                       "onto paper;"));
    cli_writing_item(writing, 0, _("what people remember."));
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("None of this opens anything once the client has chosen new "
                       "passwords: do so for each that was not changed since the "
                       "handover."));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("For personal data that the provider processed on the client's behalf, this "
          "destruction is the one of article 28(3)(g) of Regulation (EU) 2016/679 "
          "(GDPR)."));
}

static void write_one(const struct psn_handover_end *end, bool french,
                      struct cli_writing *writing)
{
    const char *const parties[] = { _("The provider"), NULL };
    char clock[CLI_CLOCK_MAX];
    char when[CLI_CLOCK_MAX + 64];

    cli_writing_section(writing, french ? "fr" : "en", !french);
    cli_writing_title(writing, french
                                   ? _("Statement of the destruction of copies")
                                   : _("Annex: statement of the destruction of copies"));
    cli_writing_note(writing, count_reserves(end) > 0
                                  ? _("The handover is closed. The provider's copies are "
                                      "destroyed, except for the reserves below.")
                                  : _("The handover is closed. The provider's copies are "
                                      "destroyed."));
    /* Names went with the client's rows: people fill them in; what stays is the id. */
    cli_writing_field(writing, _("The provider"), "");
    cli_writing_field(writing, _("The client"), "");
    cli_writing_field(writing, _("Called by the provider"), end->client);
    (void)snprintf(when, sizeof when, "%s (%s)",
                   cli_display_moment(end->destroyed_s, clock), cli_until_zone());
    cli_writing_field(writing, _("Destroyed on"), when);
    cli_writing_field(writing, _("Made with"), "passation " PASSATION_VERSION);
    write_what(end, writing);
    write_belonging(end, writing);
    write_unknown(end, writing);
    if (french)
        cli_writing_signatures(writing, parties);
    else
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         _("The French text is the one that is signed. This annex says "
                           "the same; if they differ, the French text prevails."));
    cli_writing_section_end(writing);
}

static enum psn_code write_both(const struct psn_handover_end *end, bool html,
                                struct psn_buf *out, struct psn_error *err)
{
    struct cli_writing writing = cli_writing_init(html);
    char title[PSN_CLIENT_ID_MAX + 96];

    cli_locale_use("fr");
    (void)snprintf(title, sizeof title, "%s – %s",
                   _("Statement of the destruction of copies"), end->client);
    writing.footer = title;
    writing.stacked = true;
    cli_writing_begin(&writing, title);
    write_one(end, true, &writing);
    cli_locale_use("en");
    write_one(end, false, &writing);
    cli_locale_back();
    cli_writing_end(&writing);
    return cli_pv_take(&writing, out, err);
}

enum psn_code cli_handover_end_page(const struct psn_handover_end *end,
                                    struct psn_buf *out, struct psn_error *err)
{
    return write_both(end, true, out, err);
}

enum psn_code cli_handover_end_text(const struct psn_handover_end *end,
                                    struct psn_buf *out, struct psn_error *err)
{
    return write_both(end, false, out, err);
}

void cli_handover_end_json(const struct psn_handover_end *end, struct cli_json *json)
{
    char hash[CLI_PV_HASH_MAX];
    char digest[CLI_PV_HASH_MAX];

    (void)digest_of(end, digest);
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "client", end->client);
    cli_json_time(json, "destroyed_at", end->destroyed_s);
    cli_json_text(json, "statement_sha256", digest[0] ? digest : NULL);
    cli_json_open(json, "journal", '{');
    cli_json_number(json, "count", (int64_t)end->chain_count);
    cli_json_text(json, "hash", cli_pv_hash(end->chain_head, hash));
    cli_json_text(json, "entry", end->text[0] ? end->text : NULL);
    cli_json_close(json, '}');
    cli_json_open(json, "copies", '[');
    for (size_t i = 0; i < end->copy_count; i++) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "path", end->copies[i].path);
        cli_json_text(json, "fate", psn_copy_fate_name(end->copies[i].fate));
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    cli_json_number(json, "reserves", (int64_t)count_reserves(end));
    cli_json_number(json, "backups_not_found", (int64_t)end->lost_count);
    cli_json_text(json, "tool", "passation " PASSATION_VERSION);
    cli_json_close(json, '}');
}

#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/handover_pv_part.h"
#include "cli/handover_words.h"

/* Parts 4, 5 and 11: what is in the client's hands now, what is not, and the files. */

enum {
    ADDRESS_LABEL_MAX = PSN_ADDRESS_TEXT_MAX + PSN_LABEL_TEXT_MAX + 8,
};

/* --- 4: the accesses --- */

static const char *label_of(const struct psn_handover_secret *secret)
{
    return secret->label[0] ? secret->label : _("password of the mailbox");
}

/* When, which version, and by which order of OVH's. */
static void cell_change(struct cli_writing *writing,
                        const struct psn_handover_secret *secret)
{
    char clock[CLI_CLOCK_MAX];
    char room[64];
    char more[128];
    const char *task = cli_display_task(secret->proof, room, sizeof room);

    if (task[0])
        (void)snprintf(more, sizeof more, _("version %llu, OVHcloud's %s"),
                       (unsigned long long)secret->version, task);
    else
        (void)snprintf(more, sizeof more, _("version %llu"),
                       (unsigned long long)secret->version);
    cli_writing_cell_more(writing, CLI_TONE_PLAIN,
                          secret->changed_s ? cli_display_moment(secret->changed_s, clock)
                                            : _("not known"),
                          more);
}

static void cell_login(struct cli_writing *writing,
                       const struct psn_handover_secret *secret)
{
    char expires[128];
    char day[CLI_CLOCK_MAX];
    char more[PSN_FIELD_MAX + sizeof expires + 4];

    expires[0] = '\0';
    if (secret->expires[0])
        (void)snprintf(expires, sizeof expires, _("ends on %s"),
                       cli_display_day(secret->expires, day));
    (void)snprintf(more, sizeof more, "%s%s%s", secret->url,
                   secret->url[0] && expires[0] ? ", " : "", expires);
    cli_writing_cell_more(writing, CLI_TONE_PLAIN,
                          secret->user[0] ? secret->user : secret->address, more);
}

static void write_secrets(const struct psn_handover_facts *facts,
                          struct cli_writing *writing)
{
    const char *const heads[] = { _("Mailbox and secret"), _("Login and service"),
                                  _("Last change"), _("Fingerprint of the secret"),
                                  NULL };

    if (facts->secret_count == 0) {
        cli_writing_line(writing, CLI_TONE_PLAIN, _("The trousseau holds no secret."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < facts->secret_count; i++) {
        const struct psn_handover_secret *at = &facts->secrets[i];

        cli_writing_cell_more(writing, CLI_TONE_PLAIN, at->address, label_of(at));
        cell_login(writing, at);
        cell_change(writing, at);
        cli_writing_cell_hash(writing, at->fingerprint);
    }
    cli_writing_table_end(writing);
}

static void write_fingerprints(struct cli_writing *writing)
{
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("The fingerprint proves which secret was handed over without showing it: "
          "neither party can name another one later. It is an HMAC-SHA-256 of three "
          "lines (the mailbox, the label, which is empty for the mailbox's password, and "
          "the secret), under a key that lies only in the trousseau: nobody can find the "
          "secret from it. To prove a secret, open the trousseau on a computer that you "
          "trust, and compute it again with the key that it shows:"));
    cli_writing_code(writing, _("printf '%s\\n%s\\n%s' 'MAILBOX' 'LABEL' 'SECRET' | "
                                "openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY"));
}

static void write_items(const struct psn_handover_facts *facts,
                        struct cli_writing *writing)
{
    const char *const heads[] = { _("Item"), _("Mode"), _("Note"), NULL };

    cli_writing_subheading(writing, _("The list of nineteen items"));
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        const struct psn_handover_item *item = &facts->handover.items[i];
        char title[512];
        bool open = item->mode == PSN_HANDOVER_OPEN || item->mode == PSN_HANDOVER_RESERVE;

        (void)snprintf(title, sizeof title, "%zu. %s", i + 1,
                       psn_handover_item_info(i).title);
        cli_writing_cell(writing, CLI_TONE_PLAIN, title);
        cli_writing_cell(writing, open ? CLI_TONE_WAIT : CLI_TONE_PLAIN,
                         cli_handover_mode_text(item->mode));
        cli_writing_cell(writing, CLI_TONE_PLAIN, item->note);
    }
    cli_writing_table_end(writing);
}

void cli_pv_given(const struct psn_handover_facts *facts, struct cli_writing *writing)
{
    cli_pv_heading(writing, 4, _("Accesses handed over"));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        PSN_NGETTEXT("The trousseau holds %zu secret, encrypted: its mode is given. This "
                     "record does not show it.",
                     "The trousseau holds %zu secrets, encrypted: the mode of all is "
                     "given. This record shows none of them.",
                     facts->secret_count),
        facts->secret_count);
    write_secrets(facts, writing);
    if (facts->secret_count && facts->secrets[0].fingerprint[0])
        write_fingerprints(writing);
    else if (facts->secret_count)
        cli_writing_line(
            writing, CLI_TONE_PLAIN,
            _("The fingerprints of the secrets are in the record that lies in "
              "the trousseau: their key was never kept anywhere else."));
    write_items(facts, writing);
}

/* --- 5: what is not --- */

/* What is missing of what should have been handed over. Items are told by their modes. */
static bool is_reserve(const struct psn_handover_blocker *blocker)
{
    switch (blocker->block) {
    case PSN_BLOCKER_NOT_LOOKED:
    case PSN_BLOCKER_UNMANAGED:
    case PSN_BLOCKER_UNFINISHED:
    case PSN_BLOCKER_RECEIVER:
    case PSN_BLOCKER_OUTSIDE:
    case PSN_BLOCKER_OLD:
    case PSN_BLOCKER_DOOR:
    case PSN_BLOCKER_KNOWN:
    case PSN_BLOCKER_REPLACEMENT:
    case PSN_BLOCKER_STALE:
    case PSN_BLOCKER_HIDDEN:
        return true;
    case PSN_BLOCKER_ITEM:
    case PSN_BLOCKER_NOT_ISSUED:
    case PSN_BLOCKER_NOT_COMPARED:
    case PSN_BLOCKER_NO_RECEIPT:
    case PSN_BLOCKER_CONTACT:
    case PSN_BLOCKER_STILL_OURS:
    case PSN_BLOCKER_ONE_ROUND:
    case PSN_BLOCKER_ACCESS:
    case PSN_BLOCKER_OWN_KEY:
    case PSN_BLOCKER_COPIES:
        break;
    }
    return false;
}

static size_t write_reserves(const struct psn_handover_facts *facts,
                             struct cli_writing *writing)
{
    size_t number = 0;

    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        const struct psn_handover_item *item = &facts->handover.items[i];
        const char *title = psn_handover_item_info(i).title;

        if (item->mode == PSN_HANDOVER_RESERVE)
            cli_writing_item(writing, ++number, _("%s – %s"), title, item->note);
        else if (item->mode == PSN_HANDOVER_OPEN)
            cli_writing_item(writing, ++number, _("%s – not settled yet. %s"), title,
                             item->note);
    }
    return number;
}

static void write_blockers(const struct psn_handover_facts *facts,
                           struct cli_writing *writing, size_t number)
{
    for (size_t i = 0; i < facts->handover.blocker_count; i++) {
        const struct psn_handover_blocker *blocker = &facts->handover.blockers[i];
        PSN_AUTO_RELEASE(psn_buf) what = psn_buf_init(4096);

        if (!is_reserve(blocker))
            continue;
        cli_handover_blocker_what(blocker, &what);
        cli_writing_item(writing, ++number, "%s", psn_buf_str(&what));
    }
}

static bool is_any_reserve(const struct psn_handover_facts *facts)
{
    bool any = false;

    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++)
        any = any || facts->handover.items[i].mode == PSN_HANDOVER_RESERVE ||
              facts->handover.items[i].mode == PSN_HANDOVER_OPEN;
    for (size_t i = 0; i < facts->handover.blocker_count; i++)
        any = any || is_reserve(&facts->handover.blockers[i]);
    return any;
}

void cli_pv_not_given(const struct psn_handover_facts *facts, struct cli_writing *writing)
{
    cli_pv_heading(writing, 5, _("What is not handed over, and reserves"));
    if (is_any_reserve(facts))
        write_blockers(facts, writing, write_reserves(facts, writing));
    else
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         _("The provider makes no reserve: every item of the list above "
                           "is handed over, or there is none."));
    cli_writing_subheading(writing, _("Reserves of the client, by hand"));
    cli_writing_blank(writing);
    cli_writing_blank(writing);
}

/* --- 11: the files --- */

static void write_file_table(const struct psn_handover_facts *facts,
                             struct cli_writing *writing)
{
    const char *const heads[] = { _("File"), _("Size"), _("SHA-256"), NULL };

    if (facts->file_count == 0) {
        cli_writing_line(writing, CLI_TONE_PLAIN, _("No file."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < facts->file_count; i++) {
        const struct psn_handover_file *at = &facts->files[i];
        char number[48];
        char size[64];

        (void)snprintf(size, sizeof size,
                       PSN_NGETTEXT("%s byte", "%s bytes", (unsigned long)at->size),
                       cli_display_grouped(at->size, number));
        cli_writing_cell_more(writing, CLI_TONE_PLAIN, at->name,
                              at->encrypted ? _("encrypted") : "");
        cli_writing_cell(writing, CLI_TONE_PLAIN, size);
        cli_writing_cell_hash(writing, at->sha256);
    }
    cli_writing_table_end(writing);
}

/* The first word of the line is who signs. */
static void write_check(const struct psn_vault_keys *keys, struct cli_writing *writing)
{
    char command[256];

    cli_writing_subheading(writing, _("To check the signatures without passation"));
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("Put this line into a file named allowed_signers. Before, compare "
                       "the fingerprint of the key with the provider, by telephone or on "
                       "paper:"));
    cli_writing_code(writing, keys->allowed_signers);
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("Then either of these commands checks a file, FILE, with the "
                       "signature that lies beside it:"));
    (void)snprintf(command, sizeof command,
                   "ssh-keygen -Y verify -f allowed_signers -I %.*s -n passation-file -s "
                   "%s.sig < %s",
                   (int)strcspn(keys->allowed_signers, " "), keys->allowed_signers,
                   _("FILE"), _("FILE"));
    cli_writing_code(writing, command);
    (void)snprintf(command, sizeof command, "minisign -V -P %s -m %s", keys->minisign,
                   _("FILE"));
    cli_writing_code(writing, command);
}

static void write_heads(const struct psn_handover_facts *facts,
                        struct cli_writing *writing)
{
    const char *const heads[] = { _("Journal"), _("Entries"), _("Head"), NULL };

    cli_writing_subheading(writing, _("Journals, at the time of this record"));
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < facts->head_count; i++) {
        const struct psn_head *at = &facts->heads[i];
        char hash[CLI_PV_HASH_MAX];
        char count[48];

        cli_writing_cell(writing, CLI_TONE_PLAIN,
                         at->chain[0] ? at->chain : _("the vault"));
        cli_writing_cell(writing, CLI_TONE_PLAIN, cli_display_grouped(at->count, count));
        cli_writing_cell_hash(writing, cli_pv_hash(at->hash, hash));
    }
    cli_writing_table_end(writing);
}

void cli_pv_files(const struct psn_handover_facts *facts, struct cli_writing *writing)
{
    cli_pv_heading(writing, 11, _("Files handed over, and their fingerprints"));
    write_file_table(facts, writing);
    cli_writing_subheading(writing, _("Tool and keys"));
    cli_writing_field(writing, _("Made with"), "passation " PASSATION_VERSION);
    cli_writing_field(writing, _("Fingerprint of the signing key"),
                      facts->keys.fingerprint);
    cli_writing_field(writing, _("The same key for minisign"), facts->keys.minisign);
    write_check(&facts->keys, writing);
    if (facts->head_count)
        write_heads(facts, writing);
}

#include "cli/doctor_words.h"

#include <stdlib.h>
#include <string.h>

#include "cli/display.h"

/*
 * The doctor's words: one row for each finding. In them stand
 *
 *     {subject} {detail}   as they were found, fit for the terminal
 *     {what}               what lies in a table of the vault, or an address
 *     {path} {client} {account}   the subject, the client and the detail as words of a
 *                          command
 *     {mode} {number} {days} {date} {page}
 */
struct words {
    const char *text;
    const char *remedy; /* one step a line */
};

#define RESTORE \
    N_("keep the file as it is, and put a backup in its place: passation restore FILE")
#define MAKE_KEY   N_("passation ovh link {client} --new")
#define OWN_FILE   N_("chmod 600 {path}")
#define OWN_FOLDER N_("chmod 700 {path}")
#define SET_CLOCK  N_("sudo timedatectl set-ntp true")

static const struct words table[] = {
    [PSN_DOCTOR_VAULT_UNREADABLE] = { N_("the vault does not open: {detail}"), RESTORE },
    [PSN_DOCTOR_VAULT_PAGES] = { N_("{detail}"), RESTORE },
    [PSN_DOCTOR_VAULT_STATE] = { N_("the vault's sealed state does not open: {detail}"),
                                 RESTORE },
    [PSN_DOCTOR_VAULT_OLDER] = { N_("{detail}"),
                                 N_("look for the newer file; if it is lost: passation "
                                    "restore --accept-older FILE\n"
                                    "then see which passwords work: passation verify "
                                    "'*'") },
    [PSN_DOCTOR_VAULT_FORKED] = { N_("{detail}"),
                                  N_("keep the copy whose passwords work: passation "
                                     "restore --accept-older FILE") },
    [PSN_DOCTOR_ROWS] = { N_("{what}: rows were edited or damaged (places: {number})"),
                          RESTORE },
    [PSN_DOCTOR_ROWS_STRAY] = { N_("the vault holds rows that it does not know of (at "
                                   "least {number})"),
                                RESTORE },
    [PSN_DOCTOR_UNOPENABLE] = { N_("{what}: not everything of it can be opened: "
                                   "{detail}"),
                                RESTORE },
    [PSN_DOCTOR_JOURNAL] = { N_("{detail}"), RESTORE },
    [PSN_DOCTOR_HISTORY] = { N_("{detail}"), RESTORE },
    [PSN_DOCTOR_VAULT_MODE] = { N_("others may open the file of the vault {subject} "
                                   "(mode {mode})"),
                                OWN_FILE },
    [PSN_DOCTOR_VAULT_OWNER] = { N_("the vault {subject} belongs to another user (number "
                                    "{number})"),
                                 N_("sudo chown \"$USER\" {path}") },
    [PSN_DOCTOR_VAULT_READ_ONLY] = { N_("the vault {subject} cannot be written (mode "
                                        "{mode}): no password can be changed"),
                                     OWN_FILE },
    [PSN_DOCTOR_VAULT_LINKED] = { N_("the file of the vault has {number} names (hard "
                                     "links): {subject} is not the only one"),
                                  N_("see where the others are: find / -xdev -samefile "
                                     "{path}\n"
                                     "and make it a file of its own: cp -p {path} "
                                     "{path}.new && mv {path}.new {path}") },
    [PSN_DOCTOR_SIDE_MODE] = { N_("{subject}, which belongs to the vault, is not yours "
                                  "alone (mode {mode})"),
                               OWN_FILE },
    [PSN_DOCTOR_FOLDER_WRITABLE] = { N_("others can write in the folder of the vault, "
                                        "{subject} (mode {mode}), and so replace it"),
                                     OWN_FOLDER },
    [PSN_DOCTOR_STATE_MODE] = { N_("others can enter {subject} (mode {mode}), which "
                                   "tells "
                                   "an older vault from the newest"),
                                OWN_FOLDER },
    [PSN_DOCTOR_KEY_FILE_MODE] = { N_("others can read {subject}, which unlocks the "
                                      "vault "
                                      "(mode {mode})"),
                                   N_("chmod 600 {path}\n"
                                      "if somebody may have read it: passation rekey") },
    [PSN_DOCTOR_IDENTITY_BESIDE] = { N_("an age identity lies in clear in {subject}, "
                                        "beside the vault or open to others (mode "
                                        "{mode})"),
                                     N_("move it to a disk of its own: mv {path} "
                                        "/media/KEY/") },
    [PSN_DOCTOR_RECOVERY_BESIDE] = { N_("the recovery code of the vault lies in clear in "
                                        "{subject}"),
                                     N_("print it, then: shred -u {path}") },
    [PSN_DOCTOR_AGENT_FOLDER] = { N_("the folder of the agent, {subject}, is not yours "
                                     "alone (mode {mode})"),
                                  N_("passation lock\nchmod 700 {path}") },
    [PSN_DOCTOR_AGENT_SOCKET] = { N_("the socket of the agent, {subject}, is not yours "
                                     "alone (mode {mode})"),
                                  N_("passation lock\npassation unlock") },
    [PSN_DOCTOR_CA_MISSING] = { N_("PASSATION_CA_FILE names {subject}, which cannot be "
                                   "read"),
                                N_("unset PASSATION_CA_FILE") },
    [PSN_DOCTOR_CA_WRITABLE] = { N_("others can write {subject} (PASSATION_CA_FILE, mode "
                                    "{mode}): they say who may pose as a server"),
                                 OWN_FILE },
    [PSN_DOCTOR_OVH_CONFIG] = { N_("{subject} may hold keys for OVH in clear (mode "
                                   "{mode}); passation needs them in the vault alone"),
                                N_("once the clients are linked: shred -u {path}") },
    [PSN_DOCTOR_OVH_ENVIRONMENT] = { N_("the environment variable {subject} holds a key "
                                        "for OVH, for every program that you start"),
                                     N_("unset {path}") },
    [PSN_DOCTOR_MEMORY_UNLOCKED] = { N_("memory cannot be locked (limit: {number} "
                                        "bytes): "
                                        "secrets may reach the swap space"),
                                     N_("for this shell: ulimit -l 65536\n"
                                        "for good, as root: echo '* - memlock 65536' > "
                                        "/etc/security/limits.d/passation.conf") },
    [PSN_DOCTOR_CORE_DUMPS] = { N_("a crash may write secrets into a core file"),
                                N_("ulimit -c 0") },
    [PSN_DOCTOR_CLOCK_BEHIND] = { N_("the clock of this computer is behind the last "
                                     "change of the vault, {date}"),
                                  SET_CLOCK },
    [PSN_DOCTOR_CLOCK_OFF] = { N_("the clock of this computer is not that of OVH "
                                  "({subject}): {number} s"),
                               SET_CLOCK },
    [PSN_DOCTOR_SLOT_SINGLE] = { N_("there is only one way into the vault: whoever loses "
                                    "it has lost everything"),
                                 N_("passation slot add PERSON") },
    [PSN_DOCTOR_BACKUP_NONE] = { N_("there is no backup of this vault, which may be the "
                                    "only place that has the passwords"),
                                 N_("on another disk: passation backup FILE") },
    [PSN_DOCTOR_BACKUP_KEYS] = { N_("no backup has been made since the vault was "
                                    "rekeyed, "
                                    "{date}; older ones open with former keys only"),
                                 N_("on another disk: passation backup FILE") },
    [PSN_DOCTOR_KEY_EXPIRED] = { N_("the API key for {subject} has expired, {date}"),
                                 MAKE_KEY },
    [PSN_DOCTOR_KEY_REFUSED] = { N_("OVH refuses the API key for {subject}: {detail}"),
                                 MAKE_KEY },
    [PSN_DOCTOR_KEY_ACCOUNT] = { N_("the API key opens the account {detail}, and the "
                                    "client has {subject}"),
                                 N_("if the key is the right one: passation client set "
                                    "{client} --nic {account}\n"
                                    "else: passation ovh link {client} --new") },
    [PSN_DOCTOR_KEY_KNOWN] = { N_("somebody who has left may know the API key"),
                               MAKE_KEY },
    [PSN_DOCTOR_RULES_MISSING] = { N_("the API key lacks rules that commands need "
                                      "({number}): {detail}"),
                                   N_("passation ovh link {client} --new\n"
                                      "or by hand, then passation ovh link {client} "
                                      "--config ovh.conf:\n{page}") },
    [PSN_DOCTOR_TLS] = { N_("the connection is not safe: {detail}"),
                         N_("compare with another network: passation doctor") },
    [PSN_DOCTOR_ACCOUNT_MAIL] = { N_("the OVH account {detail} has the e-mail address "
                                     "{subject}, on a domain of its own: without that "
                                     "mailbox its owner cannot get in, and whoever reads "
                                     "it can"),
                                  N_("set an address at another provider, in the control "
                                     "panel: https://www.ovh.com/manager/") },
    [PSN_DOCTOR_UNFINISHED] = { N_("{subject}: a change is not finished"),
                                N_("passation resume {path}") },
    [PSN_DOCTOR_STUCK] = { N_("{subject}: a change is stuck; {detail}"),
                           N_("passation resume {path} --again") },
    [PSN_DOCTOR_DEPARTURE_OPEN] = { N_("the departure of {subject} is not complete"),
                                    N_("passation resume") },
    [PSN_DOCTOR_DUE] = { N_("things that are due: {number}"), N_("passation due") },
    [PSN_DOCTOR_HANDOVER_OPEN] = { N_("a handover is open since {date}"),
                                   N_("passation handover status {client}") },
    [PSN_DOCTOR_ENVELOPE_OLD] = { N_("the recovery envelope lacks something that the "
                                     "vault has"),
                                  N_("passation envelope update {client}") },
    [PSN_DOCTOR_ENVELOPE_LEFT] = { N_("the recovery envelope is for {subject}, who "
                                      "leaves, "
                                      "or counts as such, and is not renewed"),
                                   N_("passation envelope end {client}; or make one for "
                                      "somebody else: passation envelope create {client} "
                                      "--to PERSON") },
    [PSN_DOCTOR_ENVELOPE_REMADE] = { N_("a new recovery envelope was being made, and "
                                        "that was stopped: which sheet opens it is not "
                                        "known"),
                                     N_("passation envelope create {client} --to "
                                        "{subject}, and print that sheet") },
    [PSN_DOCTOR_PASSWORD_ENDING] = { N_("{subject}: its service ends the password, "
                                        "{date}"),
                                     N_("passation rotate {path}") },
    [PSN_DOCTOR_KEY_EXPIRING] = { N_("the API key for {subject} ends soon, {date}"),
                                  MAKE_KEY },
    [PSN_DOCTOR_KEY_WAITING] = { N_("an API key waits for its owner's approval since "
                                    "{date}"),
                                 N_("passation ovh link {client}") },
    [PSN_DOCTOR_KEY_WIDE] = { N_("the API key may do more than passation needs: "
                                 "{detail}"),
                              MAKE_KEY },
    [PSN_DOCTOR_CLIENT_UNLINKED] = { N_("the client is not linked to its OVH account"),
                                     N_("passation ovh link {client}") },
    [PSN_DOCTOR_SLOT_NO_RECOVERY] = { N_("the vault has no recovery code: a forgotten "
                                         "passphrase is the end of it"),
                                      N_("passation rekey --recovery-out FILE") },
    [PSN_DOCTOR_BACKUP_OLD] = { N_("the last backup is {days} days old, {date}"),
                                N_("on another disk: passation backup FILE") },
    [PSN_DOCTOR_FOLDER_READABLE] = { N_("others can look into the folder of the vault, "
                                        "{subject} (mode {mode})"),
                                     OWN_FOLDER },
    [PSN_DOCTOR_IDENTITY_ON_DISK] = { N_("the age identity {subject} lies in clear on "
                                         "the "
                                         "disk of the vault: whoever takes that disk has "
                                         "both"),
                                      N_("move it to a disk of its own: mv {path} "
                                         "/media/KEY/") },
    [PSN_DOCTOR_LEFTOVER] = { N_("{subject} is what an interrupted command has left, "
                                 "{date}"),
                              N_("rm {path}") },
    [PSN_DOCTOR_KEPT_COPY] = { N_("{subject} is another copy of a vault, {date}: the "
                                  "keys "
                                  "of that day open it"),
                               N_("the vault went on from it; if nobody needs it: shred "
                                  "-u {path}") },
    [PSN_DOCTOR_KEPT_UNSURE] = { N_("{subject} is another copy of a vault, {date}, and "
                                    "nothing shows that it is the older one"),
                                 N_("it may be the newer one, with passwords that are "
                                    "nowhere else: keep it") },
};

/* What the tables of the vault hold; anything else is shown as it is. */
static const char *what_of(const char *subject)
{
    static const struct {
        const char *word;
        const char *shown;
    } words[] = {
        { "accesses", N_("persistent accesses") },
        { "slots", N_("ways into the vault") },
        { "persons", N_("persons") },
        { "clients", N_("clients") },
        { "domains", N_("domains") },
        { "credentials", N_("API keys") },
        { "roles", N_("mailboxes") },
        { "secrets", N_("secrets") },
        { "versions", N_("passwords") },
        { "exposures", N_("who has seen what") },
        { "journal-heads", N_("heads of journals") },
        { "own-keys", N_("the vault's own keys") },
        { "grants", N_("grants") },
        { "issues", N_("issues") },
        { "issuers", N_("issuers and received roles") },
        { "received", N_("received documents") },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, subject) == 0)
            return _(words[i].shown);
    return subject;
}

static void put_shown(struct psn_buf *out, const char *text)
{
    psn_text_escape(out, text, strlen(text));
}

/* As a word of a command; what no terminal may see is escaped, and no name then. */
static void put_word(struct psn_buf *out, const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init((size_t)4 * CLI_PATH_MAX);

    put_shown(&shown, text);
    cli_display_word(out, shown.failed ? "" : psn_buf_str(&shown));
}

static void put_date(struct psn_buf *out, int64_t time_s)
{
    char date[PSN_TIME_SIZE];

    psn_buf_text(out, cli_display_moment(time_s, date));
}

/* The value of {name}. */
static void put_value(const struct cli_doctor_item *item, const char *name, size_t size,
                      struct psn_buf *out)
{
    enum {
        DAY_S = 24 * 3600
    };

#define IS(word) (size == sizeof(word) - 1 && memcmp(name, word, size) == 0)
    if (IS("subject"))
        put_shown(out, item->subject);
    else if (IS("detail"))
        put_shown(out, item->detail);
    else if (IS("what"))
        put_shown(out, what_of(item->subject));
    else if (IS("path"))
        put_word(out, item->subject);
    else if (IS("client"))
        put_word(out, item->client);
    else if (IS("account"))
        put_word(out, item->detail);
    else if (IS("mode"))
        psn_buf_format(out, "%04llo", (unsigned long long)item->number);
    else if (IS("number"))
        psn_buf_format(out, "%lld", (long long)item->number);
    else if (IS("days"))
        psn_buf_format(out, "%lld", (long long)(item->number / DAY_S));
    else if (IS("date"))
        put_date(out, item->time_s);
    else if (IS("page"))
        psn_buf_text(out, item->page ? item->page : "");
#undef IS
}

static void expand(const struct cli_doctor_item *item, const char *words,
                   struct psn_buf *out)
{
    while (*words) {
        size_t plain = strcspn(words, "{");
        size_t name;

        psn_buf_bytes(out, words, plain);
        words += plain;
        if (!*words)
            return;
        name = strcspn(words + 1, "}");
        put_value(item, words + 1, name, out);
        words += name + 1;
        words += *words == '}';
    }
}

void cli_doctor_text(const struct cli_doctor_item *item, struct psn_buf *out)
{
    if (item->client[0]) {
        put_shown(out, item->client);
        psn_buf_text(out, _(": "));
    }
    expand(item, _(table[item->code].text), out);
}

void cli_doctor_remedy(const struct cli_doctor_item *item, struct psn_buf *out)
{
    expand(item, _(table[item->code].remedy), out);
}

const char *cli_doctor_heading(enum psn_doctor_severity severity)
{
    switch (severity) {
    case PSN_DOCTOR_DAMAGE:
        return _("Damage: act before anything else");
    case PSN_DOCTOR_DANGER:
        return _("Danger");
    case PSN_DOCTOR_ADVICE:
        break;
    }
    return _("Advice");
}

const char *cli_doctor_part(enum psn_doctor_part part)
{
    switch (part) {
    case PSN_DOCTOR_FILES:
        return _("the files around the vault");
    case PSN_DOCTOR_CONTENT:
        return _("what the vault holds");
    case PSN_DOCTOR_ROLLBACK:
        return _("whether it is the newest vault");
    case PSN_DOCTOR_BACKUPS:
        return _("the age of the backups");
    case PSN_DOCTOR_WORK:
        return _("what is open");
    case PSN_DOCTOR_ACCOUNTS:
        return _("the keys for OVH");
    case PSN_DOCTOR_MAIL:
        return _("the mail servers");
    case PSN_DOCTOR_OVH:
        break;
    }
    return _("what OVH says");
}

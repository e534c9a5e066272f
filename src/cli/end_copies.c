#include "cli/end_copies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/grow.h"
#include "base/text.h"
#include "cli/display.h"

enum {
    LOST_SHOWN = 3,
};

static const char *result_text(enum psn_scrub_result result)
{
    switch (result) {
    case PSN_SCRUB_REWRITTEN:
        return _("written anew without the client");
    case PSN_SCRUB_LACKS:
        return _("does not hold the client");
    case PSN_SCRUB_NOT_OURS:
        return _("no copy of this vault");
    case PSN_SCRUB_UNREADABLE:
        return _("cannot be opened: what it holds is still there");
    case PSN_SCRUB_MISSING:
        return _("there is no such file");
    case PSN_SCRUB_HOLDS:
        return _("still holds the client");
    case PSN_SCRUB_UNSEEN:
        return _("could not be looked at");
    }
    return "";
}

static enum psn_copy_fate fate_of(enum psn_scrub_result result)
{
    switch (result) {
    case PSN_SCRUB_REWRITTEN:
        return PSN_FATE_REWRITTEN;
    case PSN_SCRUB_LACKS:
        return PSN_FATE_LACKS;
    case PSN_SCRUB_NOT_OURS:
        return PSN_FATE_NOT_OURS;
    case PSN_SCRUB_UNREADABLE:
        return PSN_FATE_UNREADABLE;
    case PSN_SCRUB_MISSING:
        return PSN_FATE_MISSING;
    case PSN_SCRUB_UNSEEN:
        return PSN_FATE_UNSEEN;
    case PSN_SCRUB_HOLDS:
        break;
    }
    return PSN_FATE_HOLDS;
}

/* --- kept for the statement --- */

static struct psn_end_copy *find(const struct cli_end_copies *copies, const char *path)
{
    for (size_t i = 0; i < copies->count; i++)
        if (strcmp(copies->items[i].path, path) == 0)
            return &copies->items[i];
    return NULL;
}

/* From wherever a later statement is written, the path means the same. */
static void add(struct cli_end_copies *copies, const char *path, enum psn_copy_fate fate)
{
    PSN_AUTO_FREE char *real = realpath(path, NULL);
    struct psn_end_copy copy = { .fate = fate };

    if (PSN_GROW(copies->items, copies->count, NULL) ||
        psn_text_keep(real ? real : path, &copy.path, NULL))
        copies->failed = true;
    else
        copies->items[copies->count++] = copy;
}

static void tell(struct cli_end_copies *copies, const char *path,
                 const struct psn_scrub *scrub, const struct psn_error *failed)
{
    bool gone = !failed && (scrub->result == PSN_SCRUB_REWRITTEN ||
                            scrub->result == PSN_SCRUB_LACKS);
    const char *why = failed ? failed->message : scrub->why;
    char text[1024];

    if (failed)
        (void)snprintf(text, sizeof text, "%s", why);
    else
        (void)snprintf(text, sizeof text, "%s%s%s%s", result_text(scrub->result),
                       why[0] ? " (" : "", why, why[0] ? ")" : "");
    copies->left += !gone;
    add(copies, path, failed ? PSN_FATE_HOLDS : fate_of(scrub->result));
    cli_json_open(copies->json, NULL, '{');
    cli_json_text(copies->json, "path", path);
    cli_json_text(copies->json, "result",
                  failed ? "failed" : psn_scrub_result_name(scrub->result));
    cli_json_text(copies->json, "why", why[0] ? why : NULL);
    cli_json_close(copies->json, '}');
    if (gone)
        cli_note(copies->cli, _("✓ %s: %s"), CLI_SHOWN(path), text);
    else
        cli_warn(copies->cli, _("%s: %s"), CLI_SHOWN(path), text);
}

void cli_end_copies_add_backup(struct cli_end_copies *copies, const char *path,
                               const struct psn_scrub *scrub,
                               const struct psn_error *failed)
{
    copies->told++;
    tell(copies, path, scrub, failed);
}

void cli_end_copies_add_file(struct cli_end_copies *copies, const char *path,
                             enum psn_copy_fate fate)
{
    add(copies, path, fate);
    if (fate == PSN_FATE_DELETED)
        cli_note(copies->cli, _("✓ %s: %s"), CLI_SHOWN(path), _("deleted"));
    else if (fate == PSN_FATE_ISSUED)
        cli_warn(copies->cli,
                 _("%s still lies there: it opens with the code or the key of the person "
                   "to whom it was issued. Delete it here."),
                 CLI_SHOWN(path));
    else
        cli_warn(copies->cli,
                 _("%s still lies there: it opens with the client's code. If he has it, "
                   "delete it here."),
                 CLI_SHOWN(path));
}

/* --- those that the vault knows of --- */

/* One that was named is told of by what becomes of it. */
static bool is_named(const struct cli_end_copies *copies, const char *path)
{
    for (size_t i = 0; i < copies->named->count; i++) {
        PSN_AUTO_FREE char *whole = realpath(copies->named->items[i], NULL);

        if (whole && strcmp(whole, path) == 0)
            return true;
    }
    return false;
}

/* A name alone is nowhere to be looked for. */
static bool is_lost(const struct psn_known_copy *at)
{
    struct stat info;

    return !strchr(at->path, '/') ||
           (lstat(at->path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR));
}

static enum psn_code look(struct cli_end_copies *copies, const struct psn_known_copy *at,
                          struct psn_scrub *ret_scrub, struct psn_error *err)
{
    *ret_scrub = (struct psn_scrub){ .result = PSN_SCRUB_MISSING };
    return is_lost(at) ? PSN_OK
                       : psn_backup_look(copies->cli->vault, at->path,
                                         copies->cli->args[0], ret_scrub, err);
}

static bool is_of_interest(enum psn_scrub_result result)
{
    return result == PSN_SCRUB_HOLDS || result == PSN_SCRUB_UNREADABLE ||
           result == PSN_SCRUB_UNSEEN;
}

enum psn_code cli_end_copies_find(struct cli_end_copies *copies, struct psn_error *err)
{
    return psn_known_copies(copies->cli->vault, &copies->known, &copies->known_count,
                            err);
}

static void warn_of(struct cli_end_copies *copies, const struct psn_known_copy *at,
                    const struct psn_scrub *scrub, size_t number)
{
    char made[PSN_TIME_SIZE];

    if (number == 0)
        cli_note(copies->cli, _("These copies of the vault hold the client, too, or may, "
                                "and are not named with --backup:"));
    if (scrub->result != PSN_SCRUB_HOLDS)
        cli_note(copies->cli, _("  %s: %s (%s)"), CLI_SHOWN(at->path),
                 result_text(scrub->result), CLI_SHOWN(scrub->why));
    else if (at->noted_s)
        cli_note(copies->cli, _("  %s: backup of %s"), CLI_SHOWN(at->path),
                 cli_display_moment(at->noted_s, made));
    else
        cli_note(copies->cli, _("  %s: in the vault's folder"), CLI_SHOWN(at->path));
}

static void warn_lost(struct cli_end_copies *copies, const struct psn_known_copy *at,
                      size_t number)
{
    char made[PSN_TIME_SIZE];

    if (number == 0)
        cli_note(copies->cli, _("Backups that the journal names, and that are not where "
                                "they were written, or whose folder it does not know:"));
    if (number < LOST_SHOWN)
        cli_note(copies->cli, _("  %s: backup of %s"), CLI_SHOWN(at->path),
                 cli_display_moment(at->noted_s, made));
}

static enum psn_code warn_of_present(struct cli_end_copies *copies, size_t *ret_count,
                                     struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    *ret_count = 0;
    for (size_t i = 0; !rc && i < copies->known_count; i++) {
        const struct psn_known_copy *at = &copies->known[i];
        struct psn_scrub scrub;

        if (is_named(copies, at->path))
            continue;
        rc = look(copies, at, &scrub, err);
        if (!rc && is_of_interest(scrub.result))
            warn_of(copies, at, &scrub, (*ret_count)++);
    }
    return rc;
}

static size_t warn_of_lost(struct cli_end_copies *copies)
{
    size_t count = 0;

    for (size_t i = 0; i < copies->known_count; i++)
        if (is_lost(&copies->known[i]))
            warn_lost(copies, &copies->known[i], count++);
    return count;
}

enum psn_code cli_end_copies_warn(struct cli_end_copies *copies, struct psn_error *err)
{
    size_t count = 0;
    enum psn_code rc = warn_of_present(copies, &count, err);

    if (!rc && count > 0)
        cli_note(copies->cli,
                 _("Have each written anew without him by --backup FILE, or destroy it "
                   "yourself. The closing statement names whatever is there then as kept "
                   "back."));
    if (rc)
        return rc;
    count = warn_of_lost(copies);
    if (count > LOST_SHOWN)
        cli_note(copies->cli,
                 PSN_NGETTEXT("  … and %zu more", "  … and %zu more", count - LOST_SHOWN),
                 count - LOST_SHOWN);
    if (count > 0)
        cli_note(copies->cli, _("Wherever they are now, they hold the client: destroy "
                                "them, too."));
    return PSN_OK;
}

/* --- afterwards --- */

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* One that an earlier statement named, and this run has not come to. It is looked at
 * again: what was there may be gone, and what was written anew replaced by an old copy.
 */
static enum psn_code carry(struct cli_end_copies *copies, const struct psn_end_copy *copy,
                           struct psn_error *err)
{
    bool was_reserve = psn_copy_is_reserve(copy->fate);
    bool is_there = access(copy->path, F_OK) == 0;
    struct psn_scrub scrub = { .result = PSN_SCRUB_MISSING };
    enum psn_code rc;

    if (copy->fate == PSN_FATE_DELETED || !is_there) {
        add(copies, copy->path, was_reserve ? PSN_FATE_GONE : copy->fate);
        return PSN_OK;
    }
    if (copy->fate == PSN_FATE_ISSUED || copy->fate == PSN_FATE_UNDER_CODE ||
        is_folder(copy->path)) {
        cli_end_copies_add_file(copies, copy->path,
                                copy->fate == PSN_FATE_ISSUED ? PSN_FATE_ISSUED
                                                              : PSN_FATE_UNDER_CODE);
        return PSN_OK;
    }
    rc = psn_backup_look(copies->cli->vault, copy->path, copies->cli->args[0], &scrub,
                         err);
    if (!rc && is_of_interest(scrub.result))
        tell(copies, copy->path, &scrub, NULL);
    else if (!rc)
        add(copies, copy->path, was_reserve ? fate_of(scrub.result) : copy->fate);
    return rc;
}

static enum psn_code take_earlier(void *arg, const struct psn_end_copy *copy,
                                  struct psn_error *err)
{
    struct cli_end_copies *copies = arg;
    struct psn_end_copy *now = find(copies, copy->path);

    if (!now) {
        enum psn_code rc = carry(copies, copy, err);

        now = find(copies, copy->path);
        copies->told += now && now->fate != copy->fate;
        return rc;
    }
    /* That it lacks the client is our doing. */
    if (now->fate == PSN_FATE_LACKS && copy->fate == PSN_FATE_REWRITTEN)
        now->fate = PSN_FATE_REWRITTEN;
    return PSN_OK;
}

static enum psn_code look_at_known(struct cli_end_copies *copies, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < copies->known_count; i++) {
        const struct psn_known_copy *at = &copies->known[i];
        struct psn_scrub scrub;

        if (is_named(copies, at->path) || find(copies, at->path))
            continue;
        rc = look(copies, at, &scrub, err);
        if (rc)
            break;
        copies->lost += scrub.result == PSN_SCRUB_MISSING;
        if (!is_of_interest(scrub.result))
            continue;
        copies->told++; /* no statement has it yet */
        tell(copies, at->path, &scrub, NULL);
    }
    return rc;
}

enum psn_code cli_end_copies_look(struct cli_end_copies *copies, struct psn_error *err)
{
    enum psn_code rc = psn_handover_end_copies(copies->cli->vault, copies->cli->args[0],
                                               take_earlier, copies, err);

    if (!rc)
        rc = look_at_known(copies, err);
    if (!rc && copies->failed)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return rc;
}

void cli_end_copies_release(struct cli_end_copies *copies)
{
    for (size_t i = 0; i < copies->count; i++)
        free(copies->items[i].path);
    free(copies->items);
    free(copies->known);
    *copies = (struct cli_end_copies){ 0 };
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/destruction.h"
#include "core/journal.h"
#include "core/unstated.h"
#include "passation/handover.h"

/*
 * What the vault's own journal knows of a handover when the client's rows are gone. What
 * became of each copy only the run knows that did it, so it is noted before it is stated:
 * a statement that is written later, or elsewhere, knows no less.
 */
#define EVENT_STATED  "handover.stated"
#define EVENT_COPY    "handover.copy"        /* text: fate, blank, path */
#define EVENT_WRITTEN "handover.overwritten" /* text: "file BYTES log BYTES" */

struct search {
    const char *client;
    struct psn_handover_end *end;
    bool found;
};

static enum psn_code find_end(void *arg, const struct psn_destruction_note *note,
                              struct psn_error *err)
{
    struct search *search = arg;
    struct psn_handover_end *end = search->end;

    (void)err;
    if (strcmp(note->client, search->client) != 0)
        return PSN_OK;
    search->found = true;
    *end = (struct psn_handover_end){ .destroyed_s = note->done_s,
                                      .chain_count = note->chain_count };
    (void)snprintf(end->client, sizeof end->client, "%s", note->client);
    (void)snprintf(end->by, sizeof end->by, "%s", note->actor);
    (void)snprintf(end->text, sizeof end->text, "%s", note->statement);
    memcpy(end->chain_head, note->chain_head, sizeof end->chain_head);
    return PSN_OK;
}

static void read_overwritten(const char *text, struct psn_destruction *destruction)
{
    static const char file[] = "file ";
    static const char log[] = " log ";
    const char *at = strstr(text, log);
    const char *bytes = text + sizeof file - 1;
    char number[24];

    if (!at || strncmp(text, file, sizeof file - 1) != 0 || at < bytes ||
        at - bytes >= (ptrdiff_t)sizeof number)
        return;
    (void)snprintf(number, sizeof number, "%.*s", (int)(at - bytes), bytes);
    destruction->is_overwritten =
        psn_text_parse_u64(number, UINT64_MAX, &destruction->file_bytes) &&
        psn_text_parse_u64(at + sizeof log - 1, UINT64_MAX, &destruction->log_bytes);
}

static enum psn_code find_noted(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct search *search = arg;
    struct psn_handover_end *end = search->end;

    (void)err;
    if (strcmp(entry->subject, search->client) != 0 || entry->time_s < end->destroyed_s)
        return PSN_OK;
    if (strcmp(entry->event, EVENT_STATED) == 0)
        end->stated = true;
    else if (strcmp(entry->event, EVENT_WRITTEN) == 0)
        read_overwritten(entry->text, &end->destruction);
    return PSN_OK;
}

enum psn_code psn_handover_end_get(struct psn_vault *vault, const char *client,
                                   struct psn_handover_end *ret_end,
                                   struct psn_error *err)
{
    struct search search = { client, ret_end, false };
    enum psn_code rc = psn_destruction_each(vault, find_end, &search, err);

    if (!rc && !search.found)
        return psn_fail(err, PSN_E_NOT_FOUND, _("no handover of '%s' has ended here"),
                        client);
    return rc ? rc : psn_journal_each(vault, "", 0, find_noted, &search, err);
}

/* --- the copies --- */

struct copies {
    const char *client;
    struct psn_end_copy *items;
    size_t count;
};

static void copies_release(struct copies *copies)
{
    for (size_t i = 0; i < copies->count; i++)
        free(copies->items[i].path);
    free(copies->items);
    *copies = (struct copies){ 0 };
}

static bool read_fate(const char *word, size_t size, enum psn_copy_fate *ret_fate)
{
    for (int fate = PSN_FATE_DELETED; fate <= PSN_FATE_ISSUED; fate++) {
        const char *name = psn_copy_fate_name((enum psn_copy_fate)fate);

        if (strlen(name) == size && strncmp(name, word, size) == 0) {
            *ret_fate = (enum psn_copy_fate)fate;
            return true;
        }
    }
    return false;
}

/* The last word on a path counts. */
static enum psn_code keep_copy(struct copies *copies, const char *path,
                               enum psn_copy_fate fate, struct psn_error *err)
{
    struct psn_end_copy copy = { .fate = fate };
    enum psn_code rc;

    for (size_t i = 0; i < copies->count; i++)
        if (strcmp(copies->items[i].path, path) == 0) {
            copies->items[i].fate = fate;
            return PSN_OK;
        }
    rc = PSN_GROW(copies->items, copies->count, err);
    if (!rc)
        rc = psn_text_keep(path, &copy.path, err);
    if (!rc)
        copies->items[copies->count++] = copy;
    return rc;
}

/* A client who was here before, and whose end was another one, has had other copies. */
static enum psn_code collect_copy(void *arg, const struct psn_journal_entry *entry,
                                  struct psn_error *err)
{
    struct copies *copies = arg;
    const char *client = copies->client;
    const char *blank = strchr(entry->text, ' ');
    enum psn_copy_fate fate;

    if (strcmp(entry->subject, client) != 0)
        return PSN_OK;
    if (strcmp(entry->event, PSN_EVENT_DESTROYED) == 0) {
        copies_release(copies);
        copies->client = client;
    } else if (strcmp(entry->event, EVENT_COPY) == 0 && blank &&
               read_fate(entry->text, (size_t)(blank - entry->text), &fate)) {
        return keep_copy(copies, blank + 1, fate, err);
    }
    return PSN_OK;
}

enum psn_code psn_handover_end_copies(struct psn_vault *vault, const char *client,
                                      psn_end_copy_fn *each, void *arg,
                                      struct psn_error *err)
{
    struct copies copies = { .client = client };
    enum psn_code rc = psn_journal_each(vault, "", 0, collect_copy, &copies, err);

    for (size_t i = 0; !rc && i < copies.count; i++)
        rc = each(arg, &copies.items[i], err);
    copies_release(&copies);
    return rc;
}

/* --- noting --- */

static enum psn_code note(struct psn_vault *vault, const struct psn_handover_end *end,
                          const char *event, const char *text, struct psn_error *err)
{
    return psn_journal_note(
        vault, NULL,
        &(struct psn_note){ .event = event, .subject = end->client, .text = text }, err);
}

static bool is_noted(const struct copies *noted, const struct psn_end_copy *copy)
{
    for (size_t i = 0; i < noted->count; i++)
        if (noted->items[i].fate == copy->fate &&
            strcmp(noted->items[i].path, copy->path) == 0)
            return true;
    return false;
}

/* A path that the journal cannot hold is named by the statement of this run alone. */
static enum psn_code note_copy(struct psn_vault *vault,
                               const struct psn_handover_end *end,
                               const struct psn_end_copy *copy, struct psn_error *err)
{
    char text[PSN_JOURNAL_TEXT_MAX];
    int size =
        snprintf(text, sizeof text, "%s %s", psn_copy_fate_name(copy->fate), copy->path);

    if (size < 0 || (size_t)size >= sizeof text || !psn_text_is_plain(text, (size_t)size))
        return PSN_OK;
    return note(vault, end, EVENT_COPY, text, err);
}

static enum psn_code note_overwritten(struct psn_vault *vault,
                                      const struct psn_handover_end *end,
                                      struct psn_error *err)
{
    char text[64];

    (void)snprintf(text, sizeof text, "file %llu log %llu",
                   (unsigned long long)end->destruction.file_bytes,
                   (unsigned long long)end->destruction.log_bytes);
    return note(vault, end, EVENT_WRITTEN, text, err);
}

enum psn_code psn_handover_end_note(struct psn_vault *vault,
                                    const struct psn_handover_end *end,
                                    struct psn_error *err)
{
    struct psn_handover_end before;
    struct copies noted = { .client = end->client };
    enum psn_code rc = psn_handover_end_get(vault, end->client, &before, err);

    if (!rc)
        rc = psn_journal_each(vault, "", 0, collect_copy, &noted, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (rc) {
        copies_release(&noted);
        return rc;
    }
    if (end->destruction.is_overwritten && !before.destruction.is_overwritten)
        rc = note_overwritten(vault, end, err);
    for (size_t i = 0; !rc && i < end->copy_count; i++)
        if (!is_noted(&noted, &end->copies[i]))
            rc = note_copy(vault, end, &end->copies[i], err);
    copies_release(&noted);
    return psn_vault_end(vault, rc, err);
}

/* --- stated --- */

static enum psn_code note_stated(struct psn_vault *vault, const char *client,
                                 struct psn_error *err)
{
    enum psn_code rc = psn_unstated_remove(vault, client, err);

    return rc ? rc
              : psn_journal_note(
                    vault, NULL,
                    &(struct psn_note){ .event = EVENT_STATED, .subject = client }, err);
}

enum psn_code psn_handover_stated(struct psn_vault *vault, const char *client,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, note_stated(vault, client, err), err);
}

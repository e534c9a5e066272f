#include "passation/extract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/trousseau.h"

/* A client's secrets are the items of a trousseau that is made for no document. */

struct psn_extract {
    struct psn_vault *vault;
    struct psn_trousseau *parts; /* one a client */
    size_t part_count;
    struct psn_entry *entries;
    size_t count;
};

struct selecting {
    struct psn_extract *extract;
    const char *const *names;
    bool *hit;
    size_t count;
    const char *const *readers;
    size_t reader_count;
    bool count_only;
    char (*ids)[PSN_CLIENT_ID_MAX];
    size_t id_count;
};

void psn_extract_free(struct psn_extract *extract)
{
    if (!extract)
        return;
    for (size_t i = 0; i < extract->part_count; i++)
        psn_trousseau_release(&extract->parts[i]);
    free(extract->parts);
    free(extract->entries);
    free(extract);
}

size_t psn_extract_count(const struct psn_extract *extract)
{
    return extract->count;
}

const struct psn_entry *psn_extract_entries(const struct psn_extract *extract)
{
    return extract->entries;
}

/* A name is a client's id, which has no "@", or a glob over addresses. */
static bool is_wanted(struct selecting *selecting, const char *client,
                      const char *address)
{
    bool wanted = selecting->count == 0;

    for (size_t i = 0; i < selecting->count; i++)
        if (strcmp(selecting->names[i], client) == 0 ||
            psn_text_glob(selecting->names[i], address)) {
            selecting->hit[i] = true;
            wanted = true;
        }
    return wanted;
}

static enum psn_code keep_id(void *arg, const char *id, struct psn_error *err)
{
    struct selecting *selecting = arg;
    enum psn_code rc = PSN_GROW(selecting->ids, selecting->id_count, err);

    if (rc)
        return rc;
    (void)snprintf(selecting->ids[selecting->id_count++], PSN_CLIENT_ID_MAX, "%s", id);
    for (size_t i = 0; i < selecting->count; i++)
        if (strcmp(selecting->names[i], id) == 0)
            selecting->hit[i] = true;
    return PSN_OK;
}

/* Those of the list that are wanted, in place. */
static size_t select_contents(struct selecting *selecting, const char *client,
                              struct psn_content_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++)
        if (is_wanted(selecting, client, list->items[i].address))
            list->items[kept++] = list->items[i];
    return kept;
}

/* Who is given the file knows what is in it, as by a grant. */
static enum psn_code note_reader(const struct selecting *selecting, const char *client,
                                 const char *reader, const struct psn_content *content,
                                 struct psn_error *err)
{
    struct psn_vault *vault = selecting->extract->vault;
    char text[PSN_PERSON_ID_MAX + 16];
    enum psn_code rc =
        psn_exposure_put_of(vault, reader, content->address, content->label,
                            content->version, PSN_HOW_EXPORTED, err);

    (void)snprintf(text, sizeof text, "to %s, exported", reader);
    return rc ? rc
              : psn_journal_note(vault, client,
                                 &(struct psn_note){ .event = "secret.issued",
                                                     .subject = content->address,
                                                     .label = content->label,
                                                     .version = content->version,
                                                     .text = text },
                                 err);
}

static enum psn_code note_readers(const struct selecting *selecting, const char *client,
                                  const struct psn_content_list *list,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++)
        for (size_t r = 0; !rc && r < selecting->reader_count; r++)
            rc = note_reader(selecting, client, selecting->readers[r], &list->items[i],
                             err);
    return rc;
}

static enum psn_code take_part(struct selecting *selecting, const char *id,
                               const struct psn_content_list *list, struct psn_error *err)
{
    struct psn_extract *extract = selecting->extract;
    struct psn_trousseau *part = &extract->parts[extract->part_count++];
    enum psn_code rc;

    *part = (struct psn_trousseau){ .vault = extract->vault, .is_export = true };
    part->draft.client = psn_client_init();
    rc = psn_client_read(extract->vault, id, &part->draft.client, err);
    if (!rc)
        rc = psn_trousseau_take_items(part, list->items, list->count, NULL, err);
    if (!rc)
        rc = note_readers(selecting, id, list, err);
    for (size_t i = 0; !rc && i < part->item_count; i++) {
        rc = PSN_GROW(extract->entries, extract->count, err);
        if (!rc)
            extract->entries[extract->count++] = part->entries[i];
    }
    return rc;
}

static enum psn_code take_client(struct selecting *selecting, const char *id,
                                 struct psn_error *err)
{
    struct psn_extract *extract = selecting->extract;
    struct psn_content_list list = { 0 };
    enum psn_code rc = psn_handover_contents(extract->vault, id, &list, err);

    if (!rc)
        list.count = select_contents(selecting, id, &list);
    if (!rc && extract->count + list.count > PSN_EXTRACT_MAX) {
        rc = psn_fail(err, PSN_E_LIMIT, _("there are too many secrets: at most %d"),
                      PSN_EXTRACT_MAX);
        (void)psn_hint(err, rc, _("export client by client"));
    }
    if (!rc && selecting->count_only)
        extract->count += list.count;
    else if (!rc && list.count > 0)
        rc = take_part(selecting, id, &list, err);
    free(list.items);
    return rc;
}

static enum psn_code check_hits(const struct selecting *selecting, struct psn_error *err)
{
    char shown[128];

    for (size_t i = 0; i < selecting->count; i++)
        if (!selecting->hit[i]) {
            (void)psn_fail(err, PSN_E_NOT_FOUND,
                           _("'%s' is no client, and no mailbox in the vault"),
                           psn_text_shown(selecting->names[i], shown, sizeof shown));
            return psn_hint(err, PSN_E_NOT_FOUND,
                            _("see them with: passation client ls; passation role ls"));
        }
    return PSN_OK;
}

static enum psn_code take_all(struct selecting *selecting, struct psn_error *err)
{
    struct psn_extract *extract = selecting->extract;
    enum psn_code rc = psn_client_ids(extract->vault, keep_id, selecting, err);

    if (!rc)
        rc = PSN_ROOM(extract->parts, selecting->id_count, err);
    for (size_t i = 0; !rc && i < selecting->id_count; i++)
        rc = take_client(selecting, selecting->ids[i], err);
    return rc ? rc : check_hits(selecting, err);
}

enum psn_code psn_extract_new(struct psn_vault *vault, const char *const *names,
                              size_t count, const char *const *readers,
                              size_t reader_count, bool count_only,
                              struct psn_extract **ret_extract, struct psn_error *err)
{
    struct psn_extract *extract = calloc(1, sizeof *extract);
    PSN_AUTO_FREE bool *hit = calloc(count + 1, sizeof *hit);
    struct selecting selecting = { .extract = extract,
                                   .names = names,
                                   .hit = hit,
                                   .count = count,
                                   .readers = readers,
                                   .reader_count = reader_count,
                                   .count_only = count_only };
    enum psn_code rc;

    if (!extract || !hit) {
        free(extract);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    extract->vault = vault;
    rc = psn_vault_begin(vault, count_only ? PSN_STORE_READ : PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, take_all(&selecting, err), err);
    free(selecting.ids);
    if (rc)
        psn_extract_free(extract);
    else
        *ret_extract = extract;
    return rc;
}

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "interop/foreign.h"
#include "interop/json_reader.h"

/*
 * https://bitwarden.com/help/condition-bitwarden-import/ and the exports of one's own
 * vault and of an organization. Items are told one by one; of folders, which stand before
 * them, the names are kept.
 */
enum {
    TEXT_MAX = PSN_FOREIGN_ENTRY_MAX,
    FOLDERS_MAX = 10000,
    ID_MAX = 64,
    FIELD_HIDDEN = 1,
    FIELD_LINKED = 3, /* points to another value of the item: holds none */
};

struct folder {
    char id[ID_MAX];
    char *name;
};

struct bitwarden {
    struct psn_json_reader json;
    psn_foreign_fn *each;
    void *arg;
    struct psn_error *err;
    struct folder *folders;
    size_t folder_count; /* sorted by id when the items begin */
    bool has_items;
    /* The item that is open. */
    struct psn_foreign_draft draft;
    size_t uris;
    bool is_deleted;
    struct psn_buf name; /* of a field */
    struct psn_buf value;
};

/* What stands in an item's parts: "login", "card" and so on. */
static const struct {
    const char *section;
    const char *name;
    enum psn_foreign_part part;
} members[] = {
    { "login", "username", PSN_FOREIGN_USER },
    { "login", "password", PSN_FOREIGN_PASSWORD },
    { "login", "totp", PSN_FOREIGN_TOTP },
    { "card", "number", PSN_FOREIGN_PASSWORD },
    { "card", "code", PSN_FOREIGN_SECRET },
    { "card", "cardholderName", PSN_FOREIGN_USER },
    { "card", "brand", PSN_FOREIGN_FIELD },
    { "card", "expMonth", PSN_FOREIGN_FIELD },
    { "card", "expYear", PSN_FOREIGN_FIELD },
    { "identity", "username", PSN_FOREIGN_USER },
    { "identity", "ssn", PSN_FOREIGN_SECRET },
    { "identity", "passportNumber", PSN_FOREIGN_SECRET },
    { "identity", "licenseNumber", PSN_FOREIGN_SECRET },
    { "sshKey", "privateKey", PSN_FOREIGN_PASSWORD },
};

static const char *json_text(const struct bitwarden *bitwarden)
{
    return psn_buf_str(&bitwarden->json.text);
}

static bool next_is_name(struct bitwarden *bitwarden)
{
    return psn_json_next(&bitwarden->json) == PSN_JSON_NAME;
}

static void skip_value(struct bitwarden *bitwarden)
{
    psn_json_skip(&bitwarden->json, psn_json_next(&bitwarden->json));
}

/* ---- folders ---- */

static void keep_folder(struct bitwarden *bitwarden, struct folder *folder)
{
    struct psn_json_reader *json = &bitwarden->json;

    if (bitwarden->folder_count == FOLDERS_MAX) {
        psn_json_refuse(json, _("there are too many folders"));
        return;
    }
    json->rc = PSN_GROW(bitwarden->folders, bitwarden->folder_count, bitwarden->err);
    if (!json->rc) {
        bitwarden->folders[bitwarden->folder_count++] = *folder;
        folder->name = NULL;
    }
}

static void read_folder(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;
    struct folder folder = { .name = NULL };

    while (next_is_name(bitwarden)) {
        bool is_id = psn_json_is(json, "id");
        bool is_name = psn_json_is(json, "name");
        enum psn_json_token token = psn_json_next(json);

        if (token == PSN_JSON_STRING && is_id && json->text.size < sizeof folder.id)
            memcpy(folder.id, json_text(bitwarden), json->text.size + 1);
        else if (token == PSN_JSON_STRING && is_name && !folder.name)
            json->rc = psn_text_keep(json_text(bitwarden), &folder.name, bitwarden->err);
        else
            psn_json_skip(json, token);
    }
    if (!json->rc && folder.id[0] && folder.name)
        keep_folder(bitwarden, &folder);
    free(folder.name);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct folder *)a)->id, ((const struct folder *)b)->id);
}

static void put_group(struct bitwarden *bitwarden)
{
    struct folder wanted = { .name = NULL };
    const struct folder *found = NULL;

    if (bitwarden->json.text.size < sizeof wanted.id && bitwarden->folder_count > 0) {
        memcpy(wanted.id, json_text(bitwarden), bitwarden->json.text.size + 1);
        found = bsearch(&wanted, bitwarden->folders, bitwarden->folder_count,
                        sizeof wanted, by_id);
    }
    if (found)
        psn_foreign_draft_put(&bitwarden->draft, PSN_FOREIGN_GROUP, found->name,
                              strlen(found->name));
}

/* ---- items ---- */

static void put(struct bitwarden *bitwarden, enum psn_foreign_part part, const char *name)
{
    const struct psn_buf *text = &bitwarden->json.text;

    if (part < PSN_FOREIGN_PARTS)
        psn_foreign_draft_put(&bitwarden->draft, part, text->data, text->size);
    else
        psn_foreign_draft_field(&bitwarden->draft, name, json_text(bitwarden), text->size,
                                part == PSN_FOREIGN_SECRET);
}

/* The first address is the entry's, others are fields. */
static void put_uri(struct bitwarden *bitwarden)
{
    if (bitwarden->uris++ == 0)
        put(bitwarden, PSN_FOREIGN_URL, NULL);
    else
        put(bitwarden, PSN_FOREIGN_FIELD, "URL");
}

static void read_uris(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;

    while (psn_json_next(json) == PSN_JSON_OBJECT)
        while (next_is_name(bitwarden)) {
            bool is_uri = psn_json_is(json, "uri");
            enum psn_json_token token = psn_json_next(json);

            if (is_uri && token == PSN_JSON_STRING)
                put_uri(bitwarden);
            else
                psn_json_skip(json, token);
        }
}

/* A passkey cannot leave the program that made it in a form that is of use here. */
static void read_passkeys(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;
    bool any = false;

    while (psn_json_next(json) == PSN_JSON_OBJECT) {
        psn_json_skip(json, PSN_JSON_OBJECT);
        any = true;
    }
    if (any)
        psn_foreign_draft_lose(&bitwarden->draft, _("passkey"),
                               _("passkeys are not taken"));
}

/* A member of "login", "card" …: in the table, or shown under its own name. */
static void read_member(struct bitwarden *bitwarden, const char *section)
{
    struct psn_json_reader *json = &bitwarden->json;
    enum psn_foreign_part part = PSN_FOREIGN_FIELD;
    enum psn_json_token token;
    char name[ID_MAX] = "";

    if (json->text.size < sizeof name)
        memcpy(name, json_text(bitwarden), json->text.size + 1);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].section, section) == 0 &&
            psn_json_is(json, members[i].name))
            part = members[i].part;
    token = psn_json_next(json);
    if (token == PSN_JSON_ARRAY && strcmp(name, "uris") == 0)
        read_uris(bitwarden);
    else if (token == PSN_JSON_ARRAY && strcmp(name, "fido2Credentials") == 0)
        read_passkeys(bitwarden);
    else if (token == PSN_JSON_STRING && name[0])
        put(bitwarden, part, name);
    else
        psn_json_skip(json, token);
}

static void read_section(struct bitwarden *bitwarden, const char *section)
{
    enum psn_json_token token = psn_json_next(&bitwarden->json);

    if (token != PSN_JSON_OBJECT) {
        psn_json_skip(&bitwarden->json, token);
        return;
    }
    while (next_is_name(bitwarden))
        read_member(bitwarden, section);
}

static void read_field(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;
    long type = 0;

    psn_buf_reset(&bitwarden->name);
    psn_buf_reset(&bitwarden->value);
    while (next_is_name(bitwarden)) {
        bool is_name = psn_json_is(json, "name");
        bool is_value = psn_json_is(json, "value");
        bool is_type = psn_json_is(json, "type");
        enum psn_json_token token = psn_json_next(json);

        if (token == PSN_JSON_STRING && (is_name || is_value))
            psn_buf_bytes(is_name ? &bitwarden->name : &bitwarden->value, json->text.data,
                          json->text.size);
        else if (token == PSN_JSON_NUMBER && is_type)
            type = strtol(json_text(bitwarden), NULL, 10);
        else
            psn_json_skip(json, token);
    }
    if (type == FIELD_LINKED)
        return;
    psn_foreign_draft_field(
        &bitwarden->draft, bitwarden->name.size ? psn_buf_str(&bitwarden->name) : "-",
        psn_buf_str(&bitwarden->value), bitwarden->value.size, type == FIELD_HIDDEN);
}

static void read_objects(struct bitwarden *bitwarden,
                         void (*read_one)(struct bitwarden *bitwarden))
{
    struct psn_json_reader *json = &bitwarden->json;
    enum psn_json_token token = psn_json_next(json);

    if (token != PSN_JSON_ARRAY) {
        psn_json_skip(json, token);
        return;
    }
    while (!json->rc && (token = psn_json_next(json)) == PSN_JSON_OBJECT)
        read_one(bitwarden);
    if (!json->rc && token != PSN_JSON_ARRAY_END)
        psn_json_refuse(json, _("this is not Bitwarden's JSON"));
}

static void read_collections(struct bitwarden *bitwarden)
{
    enum psn_json_token token = psn_json_next(&bitwarden->json);

    if (token != PSN_JSON_ARRAY) {
        psn_json_skip(&bitwarden->json, token);
        return;
    }
    while (psn_json_next(&bitwarden->json) == PSN_JSON_STRING)
        put_group(bitwarden);
}

static void put_type(struct bitwarden *bitwarden)
{
    static const char *const types[] = { "",     "login",    "note",
                                         "card", "identity", "ssh-key" };
    long type = strtol(json_text(bitwarden), NULL, 10);

    if (type <= 0 || (size_t)type >= sizeof types / sizeof *types)
        bitwarden->draft.problem = _("it is of a kind that is not known");
    else
        psn_foreign_draft_put(&bitwarden->draft, PSN_FOREIGN_TYPE, types[type],
                              strlen(types[type]));
}

static void read_scalar(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;
    bool is_name = psn_json_is(json, "name");
    bool is_notes = psn_json_is(json, "notes");
    bool is_folder = psn_json_is(json, "folderId");
    bool is_type = psn_json_is(json, "type");
    bool is_deleted = psn_json_is(json, "deletedDate");
    enum psn_json_token token = psn_json_next(json);

    if (token == PSN_JSON_STRING && is_name)
        put(bitwarden, PSN_FOREIGN_TITLE, NULL);
    else if (token == PSN_JSON_STRING && is_notes)
        put(bitwarden, PSN_FOREIGN_NOTE, NULL);
    else if (token == PSN_JSON_STRING && is_folder)
        put_group(bitwarden);
    else if (token == PSN_JSON_NUMBER && is_type)
        put_type(bitwarden);
    else if (token == PSN_JSON_STRING && is_deleted)
        bitwarden->is_deleted = true;
    else
        psn_json_skip(json, token);
}

static void read_item_member(struct bitwarden *bitwarden)
{
    static const char *const sections[] = { "login", "card", "identity", "sshKey" };
    struct psn_json_reader *json = &bitwarden->json;

    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (psn_json_is(json, sections[i])) {
            read_section(bitwarden, sections[i]);
            return;
        }
    if (psn_json_is(json, "fields"))
        read_objects(bitwarden, read_field);
    else if (psn_json_is(json, "collectionIds"))
        read_collections(bitwarden);
    else
        read_scalar(bitwarden);
}

static void read_item(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;

    psn_foreign_draft_begin(&bitwarden->draft, json->characters.line);
    bitwarden->uris = 0;
    bitwarden->is_deleted = false;
    while (next_is_name(bitwarden))
        read_item_member(bitwarden);
    if (!json->rc && !bitwarden->is_deleted)
        json->rc = psn_foreign_draft_tell(&bitwarden->draft, bitwarden->each,
                                          bitwarden->arg, bitwarden->err);
}

/* ---- all of it ---- */

static void read_encrypted(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;

    if (psn_json_next(json) != PSN_JSON_TRUE)
        return;
    psn_json_refuse(json, _("this export is encrypted"));
    (void)psn_hint(bitwarden->err, PSN_E_INVALID,
                   _("in Bitwarden, export as .json, which is not encrypted; delete the "
                     "file when it is imported"));
}

static void read_folders(struct bitwarden *bitwarden)
{
    if (bitwarden->has_items)
        psn_json_refuse(&bitwarden->json, _("the folders stand behind the items"));
    read_objects(bitwarden, read_folder);
}

static void read_items(struct bitwarden *bitwarden)
{
    bitwarden->has_items = true;
    if (bitwarden->folder_count > 0)
        qsort(bitwarden->folders, bitwarden->folder_count, sizeof *bitwarden->folders,
              by_id);
    read_objects(bitwarden, read_item);
}

static void read_document(struct bitwarden *bitwarden)
{
    struct psn_json_reader *json = &bitwarden->json;

    if (psn_json_next(json) != PSN_JSON_OBJECT)
        psn_json_refuse(json, _("this is not Bitwarden's JSON"));
    while (!json->rc && next_is_name(bitwarden)) {
        if (psn_json_is(json, "encrypted"))
            read_encrypted(bitwarden);
        else if (psn_json_is(json, "folders") || psn_json_is(json, "collections"))
            read_folders(bitwarden);
        else if (psn_json_is(json, "items"))
            read_items(bitwarden);
        else
            skip_value(bitwarden);
    }
    if (!json->rc && psn_json_next(json) == PSN_JSON_END && !bitwarden->has_items)
        psn_json_refuse(json, _("this is not Bitwarden's JSON"));
}

enum psn_code psn_bitwarden_read(const struct psn_source *source, psn_foreign_fn *each,
                                 void *arg, struct psn_error *err)
{
    struct bitwarden *bitwarden = calloc(1, sizeof *bitwarden);
    enum psn_code rc;

    if (!bitwarden)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    bitwarden->each = each;
    bitwarden->arg = arg;
    bitwarden->err = err;
    bitwarden->draft = psn_foreign_draft_init();
    bitwarden->name = psn_buf_init_wiped(TEXT_MAX);
    bitwarden->value = psn_buf_init_wiped(TEXT_MAX);
    psn_json_reader_begin(&bitwarden->json, source, TEXT_MAX, err);
    read_document(bitwarden);
    rc = bitwarden->json.rc;
    psn_json_reader_release(&bitwarden->json);
    psn_foreign_draft_release(&bitwarden->draft);
    psn_buf_release(&bitwarden->name);
    psn_buf_release(&bitwarden->value);
    for (size_t i = 0; i < bitwarden->folder_count; i++)
        free(bitwarden->folders[i].name);
    free(bitwarden->folders);
    free(bitwarden);
    return rc;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/stream.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "passation/entry.h"
#include "passation/profile.h"
#include "support/interop.h"

/*
 * kdbx-write ENTRIES NAME PASSFILE OUT     kdbx-read PASSFILE FILE
 * kdbx-verify ENTRIES PASSFILE FILE        bitwarden-write ENTRIES OUT
 * profile apple|autoconfig SETTINGS
 *
 * ENTRIES is a JSON array of objects with the names of struct psn_entry; password and id
 * in hexadecimal, fields as an array of pairs. kdbx-read prints the same. SETTINGS is a
 * JSON object with the names of struct psn_profile.
 */
enum {
    JSON_MAX = 64 * 1024 * 1024,
};

static enum psn_code load(const char *path, json_t **ret_root, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(JSON_MAX);
    json_error_t error;
    enum psn_code rc = psn_file_read(path, &text, err);

    if (rc)
        return rc;
    *ret_root = json_loadb(psn_buf_str(&text), text.size, 0, &error);
    return *ret_root ? PSN_OK : psn_fail(err, PSN_E_INVALID, "%s: %s", path, error.text);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Bytes out of hexadecimal, at most size_max; how many. */
static size_t from_hex(const char *hex, uint8_t *bytes, size_t size_max)
{
    size_t size = hex ? strlen(hex) / 2 : 0;

    for (size_t i = 0; i < size && i < size_max; i++) {
        const char digits[3] = { hex[2 * i], hex[2 * i + 1] };

        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return size < size_max ? size : size_max;
}

/* ---- entries ---- */

struct entries {
    json_t *root;
    struct psn_entry *list;
    struct psn_entry_field (*fields)[PSN_ENTRY_FIELDS_MAX];
    struct psn_secret **passwords;
    size_t count;
};

static void entries_release(struct entries *entries)
{
    for (size_t i = 0; entries->passwords && i < entries->count; i++)
        psn_secret_free(entries->passwords[i]);
    free(entries->list);
    free(entries->fields);
    free(entries->passwords);
    json_decref(entries->root);
}

static enum psn_code read_entry(struct entries *entries, size_t i, struct psn_error *err)
{
    static uint8_t password[PSN_ENTRY_TEXT_MAX + 1];
    const json_t *from = json_array_get(entries->root, i);
    const json_t *fields = json_object_get(from, "fields");
    struct psn_entry *entry = &entries->list[i];
    const char *hex = text_of(from, "password");
    enum psn_code rc = PSN_OK;

    *entry = (struct psn_entry){ .group = text_of(from, "group"),
                                 .title = text_of(from, "title"),
                                 .user = text_of(from, "user"),
                                 .url = text_of(from, "url"),
                                 .note = text_of(from, "note"),
                                 .expires = text_of(from, "expires"),
                                 .type = text_of(from, "type"),
                                 .fields = entries->fields[i],
                                 .field_count = json_array_size(fields),
                                 .changed_s = json_integer_value(
                                     json_object_get(from, "changed_s")) };
    (void)from_hex(text_of(from, "id"), entry->id, sizeof entry->id);
    for (size_t k = 0; k < entry->field_count && k < PSN_ENTRY_FIELDS_MAX; k++) {
        const json_t *pair = json_array_get(fields, k);

        entries->fields[i][k] =
            (struct psn_entry_field){ json_string_value(json_array_get(pair, 0)),
                                      json_string_value(json_array_get(pair, 1)) };
    }
    if (hex)
        rc = psn_secret_copy(password, from_hex(hex, password, sizeof password),
                             &entries->passwords[i], err);
    entry->password = entries->passwords[i];
    return rc;
}

static enum psn_code read_entries(const char *path, struct entries *entries,
                                  struct psn_error *err)
{
    enum psn_code rc = load(path, &entries->root, err);

    if (rc)
        return rc;
    entries->count = json_array_size(entries->root);
    entries->list = calloc(entries->count + 1, sizeof *entries->list);
    entries->fields = calloc(entries->count + 1, sizeof *entries->fields);
    entries->passwords = calloc(entries->count + 1, sizeof(struct psn_secret *));
    if (!entries->list || !entries->fields || !entries->passwords)
        return psn_fail(err, PSN_E_NOMEM, "out of memory");
    for (size_t i = 0; !rc && i < entries->count; i++)
        rc = read_entry(entries, i, err);
    return rc;
}

/* ---- KDBX ---- */

int interop_kdbx_write(char **args)
{
    PSN_AUTO_RELEASE(entries) entries = { 0 };
    PSN_AUTO(psn_secret) *passphrase = NULL;
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    struct psn_sink sink = psn_sink_buf(&file);
    struct psn_error err = { 0 };
    enum psn_code rc = read_entries(args[0], &entries, &err);

    if (!rc)
        rc = psn_secret_read_file(args[2], PSN_SECRET_MAX, &passphrase, &err);
    if (!rc)
        rc =
            psn_kdbx_write(args[1], passphrase, entries.list, entries.count, &sink, &err);
    if (!rc)
        rc = psn_file_write(args[3], file.data, file.size, PSN_FILE_REPLACE, &err);
    return rc ? interop_fail(&err) : 0;
}

static enum psn_code print_entry(void *arg, const struct psn_entry *entry,
                                 struct psn_error *err)
{
    static char hex[2 * PSN_ENTRY_TEXT_MAX + 1];
    json_t *list = arg;
    json_t *fields = json_array();
    json_t *object;
    char id[2 * PSN_ENTRY_ID_SIZE + 1];

    for (size_t i = 0; i < entry->field_count; i++)
        (void)json_array_append_new(
            fields, json_pack("[ss]", entry->fields[i].name, entry->fields[i].value));
    hex[0] = '\0';
    if (entry->password)
        (void)psn_hex(psn_secret_bytes(entry->password), psn_secret_size(entry->password),
                      hex);
    object = json_pack("{ss ss ss ss ss ss ss ss ss sI so}", "group", entry->group,
                       "title", entry->title, "user", entry->user, "password", hex, "url",
                       entry->url, "note", entry->note, "expires", entry->expires, "type",
                       entry->type, "id", psn_hex(entry->id, sizeof entry->id, id),
                       "changed_s", (json_int_t)entry->changed_s, "fields", fields);
    if (!object || json_array_append_new(list, object) != 0)
        return psn_fail(err, PSN_E_NOMEM, "out of memory");
    return PSN_OK;
}

static enum psn_code read_both(const char *pass_path, const char *path,
                               struct psn_secret **ret_passphrase, struct psn_buf *file,
                               struct psn_error *err)
{
    enum psn_code rc =
        psn_secret_read_file(pass_path, PSN_SECRET_MAX, ret_passphrase, err);

    return rc ? rc : psn_file_read(path, file, err);
}

int interop_kdbx_read(char **args)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(2 * PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *passphrase = NULL;
    struct psn_error err = { 0 };
    json_t *list = json_array();
    enum psn_code rc = read_both(args[0], args[1], &passphrase, &file, &err);

    if (!rc)
        rc = psn_kdbx_read(file.data, file.size, passphrase, print_entry, list, &err);
    if (!rc)
        (void)json_dumpf(list, stdout, JSON_INDENT(2));
    json_decref(list);
    return rc ? interop_fail(&err) : 0;
}

int interop_kdbx_verify(char **args)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(2 * PSN_KDBX_FILE_MAX);
    PSN_AUTO_RELEASE(entries) entries = { 0 };
    PSN_AUTO(psn_secret) *passphrase = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc = read_entries(args[0], &entries, &err);

    if (!rc)
        rc = read_both(args[1], args[2], &passphrase, &file, &err);
    if (!rc)
        rc = psn_kdbx_verify(file.data, file.size, passphrase, entries.list,
                             entries.count, &err);
    return rc ? interop_fail(&err) : 0;
}

/* ---- the others ---- */

int interop_bitwarden_write(char **args)
{
    PSN_AUTO_RELEASE(entries) entries = { 0 };
    PSN_AUTO(psn_secret) *json = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc = read_entries(args[0], &entries, &err);

    if (!rc)
        rc = psn_bitwarden_write(entries.list, entries.count, &json, &err);
    if (!rc)
        rc = psn_file_write(args[1], psn_secret_bytes(json), psn_secret_size(json),
                            PSN_FILE_REPLACE, &err);
    return rc ? interop_fail(&err) : 0;
}

static struct psn_profile_server server_of(const json_t *root, const char *name)
{
    const json_t *server = json_object_get(root, name);

    return (struct psn_profile_server){
        .host = text_of(server, "host"),
        .port = (uint16_t)json_integer_value(json_object_get(server, "port")),
        .security = text_of(server, "security"),
    };
}

int interop_profile(char **args)
{
    PSN_AUTO_FREE char *text = NULL;
    struct psn_error err = { 0 };
    struct psn_profile profile;
    json_t *root = NULL;
    enum psn_code rc = load(args[1], &root, &err);

    profile = (struct psn_profile){ .address = text_of(root, "address"),
                                    .user = text_of(root, "user"),
                                    .name = text_of(root, "name"),
                                    .organization = text_of(root, "organization"),
                                    .imap = server_of(root, "imap"),
                                    .smtp = server_of(root, "smtp") };
    if (!rc && strcmp(args[0], "apple") == 0)
        rc = psn_profile_apple(&profile, &text, &err);
    else if (!rc)
        rc = psn_profile_autoconfig(&profile, &text, &err);
    if (!rc)
        (void)fputs(text, stdout);
    json_decref(root);
    return rc ? interop_fail(&err) : 0;
}

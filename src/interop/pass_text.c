#include "interop/pass_text.h"

#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "interop/entry.h"
#include "interop/foreign.h"
#include "interop/otpauth.h"

/*
 * The text of an entry of pass or passage: the password on the first line, then lines
 * "key: value", a line with an otpauth URI, and free text. All of it is encrypted there,
 * so none of the free text is for lists, unless passation wrote that it is. What is
 * written here and could not be told from that, says so by a line of its own, "encoding:
 * base64".
 */
static const struct {
    const char *key;
    enum psn_foreign_part part;
} keys[] = {
    { "user", PSN_FOREIGN_USER },        { "username", PSN_FOREIGN_USER },
    { "login", PSN_FOREIGN_USER },       { "identifiant", PSN_FOREIGN_USER },
    { "utilisateur", PSN_FOREIGN_USER }, { "url", PSN_FOREIGN_URL },
    { "website", PSN_FOREIGN_URL },      { "site", PSN_FOREIGN_URL },
    { "totp", PSN_FOREIGN_TOTP },        { "otp", PSN_FOREIGN_TOTP },
    { "type", PSN_FOREIGN_TYPE },        { "expires", PSN_FOREIGN_EXPIRES },
    { "title", PSN_FOREIGN_TITLE },
};

enum {
    KEY_MAX = 64
};

static const char key_encoding[] = "encoding: base64";
static const char otpauth[] = "otpauth://";
static const char pem_begin[] = "-----BEGIN ";
static const char pem_end[] = "-----END ";

static bool begins_with(const char *text, size_t size, const char *what)
{
    return size >= strlen(what) && memcmp(text, what, strlen(what)) == 0;
}

/* Without a carriage return at its end. */
static size_t line_size(const char *text, size_t size)
{
    const char *end = memchr(text, '\n', size);

    return end ? (size_t)(end - text) : size;
}

static size_t without_return(const char *text, size_t size)
{
    return size > 0 && text[size - 1] == '\r' ? size - 1 : size;
}

/* "host port security", as passation writes a mailbox's servers. */
static bool is_server(const char *text, size_t size)
{
    const char *port = memchr(text, ' ', size);
    size_t digits = port ? strspn(port + 1, "0123456789") : 0;

    return digits > 0 && port + 1 + digits < text + size && port[1 + digits] == ' ';
}

/* A field that passation writes into an entry, and that is no secret. */
static bool is_own_field(const char *key, const char *value, size_t size)
{
    static const char *const own[] = { PSN_ENTRY_FIELD_USED, PSN_ENTRY_FIELD_OPEN_NOTE,
                                       PSN_ENTRY_FIELD_REMARK };

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i], key) == 0)
            return true;
    return (strcmp(key, "IMAP") == 0 || strcmp(key, "SMTP") == 0) &&
           is_server(value, size);
}

/* A key that is in no table. What sounds secret is a secret of its own; the rest is no
 * less hidden where it comes from, and stays with the note. */
static bool put_field(struct psn_foreign_draft *draft, const char *line, size_t key_size,
                      const char *value, size_t size)
{
    char key[KEY_MAX];

    if (key_size == 0 || key_size >= sizeof key || size == 0 ||
        draft->field_count == PSN_FOREIGN_FIELDS_MAX)
        return false;
    memcpy(key, line, key_size);
    key[key_size] = '\0';
    if (!is_own_field(key, value, size) && !psn_foreign_sounds_secret(key))
        return false;
    psn_foreign_draft_field(draft, key, value, size, false);
    return true;
}

/* "key: value" of a key that is known, and was not there yet; else false. */
static bool put_pair(struct psn_foreign_draft *draft, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    const char *value = colon ? colon + 1 : line;
    size_t key_size = colon ? (size_t)(colon - line) : 0;
    size_t value_size;

    while (value < line + size && (*value == ' ' || *value == '\t'))
        value++;
    value_size = (size_t)(line + size - value);
    for (size_t i = 0; colon && i < sizeof keys / sizeof *keys; i++) {
        if (key_size != strlen(keys[i].key) ||
            strncasecmp(line, keys[i].key, key_size) != 0)
            continue;
        if (draft->parts[keys[i].part] && keys[i].part != PSN_FOREIGN_TITLE)
            return false;
        psn_foreign_draft_put(draft, keys[i].part, value, value_size);
        return true;
    }
    return colon && put_field(draft, line, key_size, value, value_size);
}

/* A key in PEM is a password of several lines. Its size, or that of the first line. */
static size_t password_size(const char *text, size_t size)
{
    size_t at = line_size(text, size);

    if (!begins_with(text, size, pem_begin))
        return at;
    while (at < size) {
        const char *line = text + at + 1;
        size_t left = size - at - 1;

        at += 1 + line_size(line, left);
        if (begins_with(line, left, pem_end))
            return at;
    }
    return line_size(text, size);
}

/* Free text, and what the keys say. */
static void read_rest(struct psn_foreign_draft *draft, const char *text, size_t size,
                      bool *ret_is_encoded)
{
    PSN_AUTO_RELEASE(psn_buf) note = psn_buf_init_wiped(PSN_FOREIGN_ENTRY_MAX);
    bool in_note = false;

    while (size > 0) {
        size_t whole = line_size(text, size);
        size_t line = without_return(text, whole);

        in_note = in_note || line == 0;
        if (!in_note && line == strlen(key_encoding) &&
            begins_with(text, line, key_encoding)) {
            *ret_is_encoded = true;
        } else if (begins_with(text, line, otpauth)) {
            psn_foreign_draft_put(draft, PSN_FOREIGN_TOTP, text, line);
        } else if (in_note || !put_pair(draft, text, line)) {
            if (note.size > 0)
                psn_buf_char(&note, '\n');
            psn_buf_bytes(&note, text, line);
        }
        whole += whole < size;
        text += whole;
        size -= whole;
    }
    while (note.size > 0 && note.data[note.size - 1] == '\n')
        note.size--;
    if (note.failed)
        draft->texts.failed = note.failed;
    else
        psn_foreign_draft_put(draft, PSN_FOREIGN_NOTE, note.data, note.size);
}

void psn_foreign_read_text(struct psn_foreign_draft *draft, const char *text, size_t size)
{
    size_t first = password_size(text, size);
    size_t end = first + (first < size);
    bool is_encoded = false;

    read_rest(draft, text + end, size - end, &is_encoded);
    if (draft->note_kind == PSN_FOREIGN_NOTE_UNTOLD)
        draft->note_kind = PSN_FOREIGN_NOTE_SECRET;
    first = without_return(text, first);
    if (is_encoded)
        psn_foreign_draft_password_base64(draft, text, first);
    else if (begins_with(text, first, otpauth))
        psn_foreign_draft_put(draft, PSN_FOREIGN_TOTP, text, first);
    else
        psn_foreign_draft_put(draft, PSN_FOREIGN_PASSWORD, text, first);
}

/* ---- writing ---- */

static void put_key(struct psn_buf *out, const char *key, const char *text)
{
    if (psn_entry_has(text) && !strpbrk(text, "\r\n"))
        psn_buf_format(out, "%s: %s\n", key, text);
}

/* Would the text come back as it is? */
static bool is_readable(const char *text, size_t size)
{
    return size > 0 && !memchr(text, '\0', size) && password_size(text, size) == size &&
           without_return(text, size) == size && !begins_with(text, size, otpauth);
}

void psn_pass_text_write(const struct psn_entry *entry, const char *title,
                         struct psn_buf *out)
{
    const char *text =
        entry->password ? (const char *)psn_secret_bytes(entry->password) : "";
    size_t size = entry->password ? psn_secret_size(entry->password) : 0;
    bool plain = size == 0 || is_readable(text, size);

    if (plain)
        psn_buf_bytes(out, text, size);
    else
        psn_entry_put_base64(entry, out);
    psn_buf_char(out, '\n');
    if (!plain)
        psn_buf_format(out, "%s\n", key_encoding);
    put_key(out, "title", title);
    put_key(out, "user", entry->user);
    put_key(out, "url", entry->url);
    put_key(out, "type", entry->type);
    put_key(out, "expires", entry->expires);
    for (size_t i = 0; i < entry->field_count; i++)
        if (strcmp(entry->fields[i].name, PSN_ENTRY_FIELD_OPEN_NOTE) != 0)
            put_key(out, entry->fields[i].name, entry->fields[i].value);
    if (psn_entry_has(entry->note))
        put_key(out, PSN_ENTRY_FIELD_OPEN_NOTE, "yes");
    if (plain)
        psn_otpauth_uri(entry, out);
    if (out->size > 0 && out->data[out->size - 1] != '\n')
        psn_buf_char(out, '\n');
    if (psn_entry_has(entry->note))
        psn_buf_format(out, "\n%s\n", entry->note);
}

#include "interop/foreign.h"

#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/text.h"
#include "base/unset.h"
#include "crypto/base64.h"
#include "interop/entry.h"
#include "interop/xml_text.h"

struct psn_foreign_draft psn_foreign_draft_init(void)
{
    return (struct psn_foreign_draft){
        .texts = psn_buf_init_wiped(PSN_FOREIGN_ENTRY_MAX),
        .note = psn_buf_init_wiped(PSN_FOREIGN_ENTRY_MAX),
    };
}

void psn_foreign_draft_release(struct psn_foreign_draft *draft)
{
    psn_buf_release(&draft->texts);
    psn_buf_release(&draft->note);
}

void psn_foreign_draft_begin(struct psn_foreign_draft *draft, size_t line)
{
    struct psn_buf texts = draft->texts;
    struct psn_buf note = draft->note;

    psn_buf_reset(&texts);
    psn_buf_reset(&note);
    *draft = (struct psn_foreign_draft){ .texts = texts, .note = note, .line = line };
}

/* Where the copy begins, plus 1. */
static size_t keep(struct psn_foreign_draft *draft, const void *bytes, size_t size)
{
    size_t at = draft->texts.size + 1;

    psn_buf_bytes(&draft->texts, bytes, size);
    psn_buf_char(&draft->texts, '\0');
    return at;
}

static const char *text_at(const struct psn_foreign_draft *draft, size_t at)
{
    return at && draft->texts.data ? (const char *)draft->texts.data + at - 1 : "";
}

static bool check_text(struct psn_foreign_draft *draft, const char *bytes, size_t size)
{
    if (psn_xml_can_hold(bytes, size))
        return true;
    draft->problem = _("it holds what is not text");
    return false;
}

static void add_note(struct psn_foreign_draft *draft, const char *text, size_t size)
{
    if (draft->note.size > 0)
        psn_buf_char(&draft->note, '\n');
    psn_buf_bytes(&draft->note, text, size);
    if (draft->note.failed)
        draft->texts.failed = draft->note.failed;
}

/* What a second value of a part is called; NULL: the last one counts, or all are one. */
static const char *second_name(enum psn_foreign_part part)
{
    switch ((int)part) {
    case PSN_FOREIGN_PASSWORD:
        return "password";
    case PSN_FOREIGN_TOTP:
        return "totp";
    default:
        return NULL;
    }
}

/* An entry may have two columns, or lines, for one thing. Neither is lost. */
static bool put_second(struct psn_foreign_draft *draft, enum psn_foreign_part part,
                       const void *bytes, size_t size)
{
    const char *name = second_name(part);
    const char *before = psn_foreign_draft_text(draft, part);
    size_t before_size =
        part == PSN_FOREIGN_PASSWORD ? draft->password_size : strlen(before);

    if (!name || !draft->parts[part])
        return false;
    if (before_size != size || memcmp(before, bytes, size) != 0)
        psn_foreign_draft_field(draft, name, bytes, size, true);
    return true;
}

/* KeePass's {REF:P@I:…}, anywhere in the text: a part of another entry, which is found by
 * one of its parts. */
static bool is_reference(const char *at, size_t left)
{
    static const char head[] = "{REF:";
    static const char parts[] = "TUPANIO";
    const char *part = at + sizeof head - 1;

    return left > sizeof head + 2 && strncasecmp(at, head, sizeof head - 1) == 0 &&
           part[1] == '@' && part[3] == ':' &&
           memchr(parts, part[0] & ~0x20, sizeof parts - 1) &&
           memchr(parts, part[2] & ~0x20, sizeof parts - 1) && memchr(at, '}', left);
}

static bool has_reference(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '{' && is_reference(text + i, size - i))
            return true;
    return false;
}

static const char *name_of(enum psn_foreign_part part)
{
    switch ((int)part) {
    case PSN_FOREIGN_TITLE:
        return _("title");
    case PSN_FOREIGN_USER:
        return _("user name");
    case PSN_FOREIGN_URL:
        return _("URL");
    case PSN_FOREIGN_TOTP:
        return "TOTP";
    default:
        return NULL;
    }
}

/* Taken as it stands, it would be a value that nothing accepts. A note keeps it: that is
 * for people. */
static bool put_reference(struct psn_foreign_draft *draft, enum psn_foreign_part part,
                          const char *text, size_t size)
{
    const char *name = name_of(part);

    if ((!name && part != PSN_FOREIGN_PASSWORD) || !has_reference(text, size))
        return false;
    if (name)
        psn_foreign_draft_lose(draft, name, _("it refers to another entry of KeePass"));
    else
        draft->problem = _("its password refers to another entry of KeePass");
    return true;
}

void psn_foreign_draft_put(struct psn_foreign_draft *draft, enum psn_foreign_part part,
                           const void *bytes, size_t size)
{
    if (size == 0 || put_reference(draft, part, bytes, size) ||
        put_second(draft, part, bytes, size))
        return;
    if (part == PSN_FOREIGN_PASSWORD)
        draft->password_size = size;
    else if (!check_text(draft, bytes, size))
        return;
    if (part == PSN_FOREIGN_NOTE)
        add_note(draft, bytes, size);
    else
        draft->parts[part] = keep(draft, bytes, size);
}

/* Fields that passation writes where a form has no place for what they hold. */
static bool put_own(struct psn_foreign_draft *draft, const char *name, const char *value,
                    size_t size)
{
    if (strcmp(name, PSN_ENTRY_FIELD_BASE64) == 0)
        psn_foreign_draft_password_base64(draft, value, size);
    else if (strcmp(name, PSN_ENTRY_FIELD_TYPE) == 0)
        psn_foreign_draft_put(draft, PSN_FOREIGN_TYPE, value, size);
    else if (strcmp(name, PSN_ENTRY_FIELD_EXPIRES) == 0)
        psn_foreign_draft_put(draft, PSN_FOREIGN_EXPIRES, value, size);
    else if (strcmp(name, PSN_ENTRY_FIELD_USED) == 0)
        psn_foreign_draft_put(draft, PSN_FOREIGN_USED, value, size);
    else if (strcmp(name, PSN_ENTRY_FIELD_OPEN_NOTE) == 0)
        draft->note_kind = PSN_FOREIGN_NOTE_OPEN;
    else
        return strcmp(name, PSN_ENTRY_FIELD_REMARK) == 0;
    return true;
}

/* ---- what sounds secret ---- */

static bool is_letter(char c)
{
    return psn_text_is_lower(c) || psn_text_is_upper(c) || (unsigned char)c >= 0x80;
}

/* How long the word is that begins here: "apiKey" are two. */
static size_t word_size(const char *text)
{
    size_t size = 0;

    while (is_letter(text[size]) && !(size > 0 && psn_text_is_lower(text[size - 1]) &&
                                      psn_text_is_upper(text[size])))
        size++;
    return size;
}

static bool is_secret_word(const char *word, size_t size)
{
    static const char *const words[] = {
        "pin",        "puk",      "pass",       "password", "passwords", "passwd",
        "passphrase", "passcode", "passe",      "pwd",      "mdp",       "motdepasse",
        "secret",     "secrets",  "secrète",    "code",     "codes",     "token",
        "jeton",      "key",      "keys",       "clé",      "clés",      "cle",
        "clef",       "cvv",      "cvc",        "cvx",      "seed",      "recovery",
        "secours",    "security", "sécurité",   "answer",   "answers",   "réponse",
        "réponses",   "reponse",  "question",   "private",  "privée",    "otp",
        "totp",       "iban",     "combinaison"
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == size && strncasecmp(words[i], word, size) == 0)
            return true;
    return false;
}

bool psn_foreign_sounds_secret(const char *text)
{
    while (*text) {
        size_t size = word_size(text);

        if (size > 0 && is_secret_word(text, size))
            return true;
        text += size > 0 ? size : 1;
    }
    return false;
}

/* ---- fields ---- */

static bool has_room(struct psn_foreign_draft *draft)
{
    if (draft->field_count < PSN_FOREIGN_FIELDS_MAX)
        return true;
    draft->problem = _("it has too many fields");
    return false;
}

void psn_foreign_draft_field(struct psn_foreign_draft *draft, const char *name,
                             const char *value, size_t size, bool is_secret)
{
    size_t at = draft->field_count;

    if (size == 0 || !check_text(draft, value, size) ||
        !check_text(draft, name, strlen(name)))
        return;
    if (put_own(draft, name, value, size))
        return;
    if (has_reference(value, size)) {
        psn_foreign_draft_lose(draft, name, _("it refers to another entry of KeePass"));
        return;
    }
    if (!has_room(draft))
        return;
    draft->names[at] = keep(draft, name, strlen(name));
    draft->values[at] = keep(draft, value, size);
    draft->secret[at] = is_secret || psn_foreign_sounds_secret(name);
    draft->field_count++;
}

void psn_foreign_draft_lose(struct psn_foreign_draft *draft, const char *what,
                            const char *why)
{
    size_t at = draft->field_count;

    if (!has_room(draft))
        return;
    draft->names[at] = keep(draft, what, strlen(what));
    draft->values[at] = keep(draft, why, strlen(why));
    draft->lost[at] = true;
    draft->field_count++;
}

const char *psn_foreign_draft_text(const struct psn_foreign_draft *draft,
                                   enum psn_foreign_part part)
{
    return part == PSN_FOREIGN_NOTE ? psn_buf_str(&draft->note)
                                    : text_at(draft, draft->parts[part]);
}

void psn_foreign_draft_password_base64(struct psn_foreign_draft *draft, const char *text,
                                       size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) bytes = psn_buf_init_wiped(PSN_FOREIGN_ENTRY_MAX);
    uint8_t *at = psn_buf_reserve(&bytes, size + 1);
    size_t decoded = 0;

    if (!at)
        draft->texts.failed = bytes.failed;
    else if (!psn_base64_decode(PSN_BASE64, text, size, at, size, &decoded))
        draft->problem = _("its password is not encoded as it says");
    else {
        draft->parts[PSN_FOREIGN_PASSWORD] = 0; /* what stands in its place is no other */
        psn_foreign_draft_put(draft, PSN_FOREIGN_PASSWORD, at, decoded);
    }
}

/* passation writes the seed of a "totp" twice, as itself and for programs; of these some
 * do not give the type back. */
static void drop_second_seed(struct psn_foreign *entry)
{
    static const char mark[] = "secret=";
    const char *seed = strstr(entry->totp, mark);

    if (entry->password_size == 0 || !seed)
        return;
    seed += sizeof mark - 1;
    if (strcmp(entry->totp, entry->password) == 0 && !entry->type[0])
        entry->type = "totp";
    if (strncmp(seed, entry->password, entry->password_size) == 0 &&
        (!seed[entry->password_size] || seed[entry->password_size] == '&') &&
        !entry->type[0])
        entry->type = "totp";
    if (strcmp(entry->type, "totp") == 0)
        entry->totp = "";
}

enum psn_code psn_foreign_draft_tell(struct psn_foreign_draft *draft,
                                     psn_foreign_fn *each, void *arg,
                                     struct psn_error *err)
{
    PSN_UNSET struct psn_foreign_field fields[PSN_FOREIGN_FIELDS_MAX];
    struct psn_foreign entry = {
        .line = draft->line,
        .group = psn_foreign_draft_text(draft, PSN_FOREIGN_GROUP),
        .title = psn_foreign_draft_text(draft, PSN_FOREIGN_TITLE),
        .user = psn_foreign_draft_text(draft, PSN_FOREIGN_USER),
        .password = psn_foreign_draft_text(draft, PSN_FOREIGN_PASSWORD),
        .password_size = draft->password_size,
        .url = psn_foreign_draft_text(draft, PSN_FOREIGN_URL),
        .note = psn_foreign_draft_text(draft, PSN_FOREIGN_NOTE),
        .totp = psn_foreign_draft_text(draft, PSN_FOREIGN_TOTP),
        .expires = psn_foreign_draft_text(draft, PSN_FOREIGN_EXPIRES),
        .type = psn_foreign_draft_text(draft, PSN_FOREIGN_TYPE),
        .used = psn_foreign_draft_text(draft, PSN_FOREIGN_USED),
        .problem = draft->problem ? draft->problem : "",
        .note_kind = draft->note_kind,
        .fields = fields,
        .field_count = draft->field_count,
    };

    if (draft->texts.failed == PSN_E_LIMIT)
        return psn_fail(err, PSN_E_LIMIT, _("line %zu: the entry is too large"),
                        draft->line);
    if (draft->texts.failed)
        return psn_fail(err, draft->texts.failed, _("out of memory"));
    drop_second_seed(&entry);
    for (size_t i = 0; i < draft->field_count; i++)
        fields[i] = (struct psn_foreign_field){ text_at(draft, draft->names[i]),
                                                text_at(draft, draft->values[i]),
                                                draft->secret[i], draft->lost[i] };
    return each(arg, &entry, err);
}

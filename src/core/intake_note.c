#include <string.h>

#include "base/i18n.h"
#include "core/intake.h"
#include "interop/foreign.h"
#include "passation/entry.h"

/*
 * What an entry says beside its secrets. A note is open text: lists show it, and nobody
 * is noted as having read it. So only that stands in one which is meant to: text that may
 * be a secret, and what has no secret to hang on, is sealed.
 */

static void put_text(struct psn_buf *out, const char *text)
{
    for (; *text; text++)
        if (*text != '\r')
            psn_buf_char(out, (char)(*text == '\t' ? ' ' : *text));
}

bool psn_intake_is_known_type(const char *type)
{
    for (const char *const *at = psn_secret_types(); *at; at++)
        if (strcmp(*at, type) == 0)
            return true;
    return false;
}

/* Kinds that other programs and our own exports name, and that say nothing more here. */
static bool is_usual_type(const char *type)
{
    static const char *const usual[] = {
        "", "mailbox", "login", "note", "password", PSN_ENTRY_TYPE_SECRET,
    };

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(usual[i], type) == 0)
            return true;
    return psn_intake_is_known_type(type);
}

/* Of a mailbox the vault knows the servers itself. */
static bool is_shown(const struct psn_foreign_field *field, bool is_mailbox)
{
    bool is_server = strcmp(field->name, "IMAP") == 0 || strcmp(field->name, "SMTP") == 0;

    return !field->is_secret && !field->is_lost && !(is_mailbox && is_server);
}

static void add_line(struct psn_buf *note, const char *name, const char *value)
{
    if (!value[0])
        return;
    if (note->size > 0)
        psn_buf_char(note, '\n');
    put_text(note, name);
    psn_buf_text(note, ": ");
    put_text(note, value);
}

static bool is_secret(const struct psn_foreign *entry)
{
    return entry->note_kind == PSN_FOREIGN_NOTE_SECRET ||
           (entry->note_kind == PSN_FOREIGN_NOTE_UNTOLD &&
            psn_foreign_sounds_secret(entry->note));
}

void psn_intake_make_notes(const struct psn_foreign *entry,
                           const struct psn_intake_place *place, struct psn_buf *open,
                           struct psn_buf *sealed)
{
    bool is_apart = place->is_mailbox || entry->password_size == 0;
    struct psn_buf *rest = is_apart ? sealed : open;

    psn_buf_reset(open);
    psn_buf_reset(sealed);
    put_text(is_secret(entry) ? sealed : rest, entry->note);
    for (size_t i = 0; i < entry->field_count; i++)
        if (is_shown(&entry->fields[i], place->is_mailbox))
            add_line(rest, entry->fields[i].name, entry->fields[i].value);
    if (!is_usual_type(entry->type))
        add_line(rest, "Type", entry->type);
    if (!place->is_mailbox && strlen(entry->title) >= PSN_LABEL_TEXT_MAX)
        add_line(rest, _("Title"), entry->title);
    if (open->size < PSN_NOTE_MAX)
        return;
    if (sealed->size > 0)
        psn_buf_char(sealed, '\n');
    psn_buf_bytes(sealed, open->data, open->size);
    psn_buf_reset(open);
}

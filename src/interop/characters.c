#include "interop/characters.h"

#include <string.h>

#include "base/i18n.h"

void psn_characters_begin(struct psn_characters *characters,
                          const struct psn_source *source, struct psn_error *err)
{
    characters->source = source;
    characters->err = err;
    characters->rc = PSN_OK;
    characters->line = 1;
    characters->at = 0;
    characters->size = 0;
    characters->total = 0;
    characters->ended = false;
}

void psn_characters_release(struct psn_characters *characters)
{
    explicit_bzero(characters->window, sizeof characters->window);
}

static void fill(struct psn_characters *characters)
{
    characters->at = 0;
    characters->size = 0;
    if (characters->ended || characters->rc)
        return;
    characters->rc = characters->source->read(
        characters->source->self, characters->window, sizeof characters->window,
        &characters->size, characters->err);
    if (characters->rc)
        characters->size = 0;
    characters->ended = characters->size == 0;
    characters->total += characters->size;
    if (characters->total > PSN_FOREIGN_FILE_MAX) {
        characters->size = 0;
        characters->rc = psn_fail(characters->err, PSN_E_LIMIT,
                                  _("the file is too large: at most %d MiB"),
                                  PSN_FOREIGN_FILE_MAX / (1024 * 1024));
    }
}

int psn_characters_peek(struct psn_characters *characters)
{
    if (characters->at == characters->size)
        fill(characters);
    return characters->size > 0 ? characters->window[characters->at] : PSN_NO_CHARACTER;
}

int psn_characters_next(struct psn_characters *characters)
{
    int c = psn_characters_peek(characters);

    if (c == PSN_NO_CHARACTER)
        return c;
    characters->at++;
    if (c == '\n')
        characters->line++;
    return c;
}

const char *psn_characters_utf16(struct psn_characters *characters)
{
    const uint8_t *first = characters->window;

    (void)psn_characters_peek(characters);
    if (characters->size < 2)
        return NULL;
    if ((first[0] == 0xFF && first[1] == 0xFE) || (first[0] == 0xFE && first[1] == 0xFF))
        return "UTF-16";
    if ((first[0] == 0) == (first[1] == 0))
        return NULL;
    return first[0] == 0 ? "UTF-16BE" : "UTF-16LE";
}

void psn_characters_skip_mark(struct psn_characters *characters)
{
    static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };

    /* The first read of a file is more than three bytes, if it has them. */
    if (psn_characters_peek(characters) == mark[0] && characters->size >= sizeof mark &&
        memcmp(characters->window, mark, sizeof mark) == 0)
        characters->at = sizeof mark;
}

enum psn_code psn_characters_refuse(struct psn_characters *characters, size_t line,
                                    const char *why)
{
    if (characters->rc)
        return characters->rc;
    return psn_fail(characters->err, PSN_E_INVALID, _("line %zu: %s"), line, why);
}

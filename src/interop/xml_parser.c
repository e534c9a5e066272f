#include "interop/xml_parser.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* expat's realloc() has to know how much to move, and wipe. */
union block {
    size_t size; /* of what follows */
    max_align_t align;
};

static void *wiped_malloc(size_t size)
{
    union block *block =
        size > SIZE_MAX - sizeof *block ? NULL : malloc(sizeof *block + size);

    if (!block)
        return NULL;
    block->size = size;
    return block + 1;
}

static void wiped_free(void *memory)
{
    union block *block = memory;

    if (!block)
        return;
    block--;
    explicit_bzero(block + 1, block->size);
    free(block);
}

static void *wiped_realloc(void *memory, size_t size)
{
    const union block *block = memory;
    void *moved = wiped_malloc(size);

    if (moved && block)
        memcpy(moved, memory, block[-1].size < size ? block[-1].size : size);
    if (moved)
        wiped_free(memory);
    return moved;
}

XML_Parser psn_xml_parser_new(void)
{
    static const XML_Memory_Handling_Suite wiped = { wiped_malloc, wiped_realloc,
                                                     wiped_free };

    return XML_ParserCreate_MM("UTF-8", &wiped, NULL);
}

const struct psn_xml_row *psn_xml_find(const struct psn_xml_row *rows, size_t count,
                                       unsigned parent, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].parent == parent && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

bool psn_xml_is_too_long(XML_Parser parser, size_t fed)
{
    XML_Index at = XML_GetCurrentByteIndex(parser);

    return at >= 0 && (size_t)at < fed && fed - (size_t)at > PSN_XML_TOKEN_MAX;
}

#include "interop/xml_parser.h"

#include <stddef.h>
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

#include "support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    FILE_MAX = 256 * 1024,
    VALUE_MAX = 16 * 1024,
};

void vectors_load(struct vectors *vectors, const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    if (!file)
        fail_msg("cannot open '%s'", path);
    vectors->text = malloc(FILE_MAX + 1);
    assert_non_null(vectors->text);
    size = fread(vectors->text, 1, FILE_MAX, file);
    assert_true(size > 0 && size < FILE_MAX);
    vectors->text[size] = '\0';
    assert_int_equal(fclose(file), 0);
}

void vectors_release(struct vectors *vectors)
{
    free(vectors->text);
    vectors->text = NULL;
}

/* Where the value of "name = value" begins. */
static const char *find(const struct vectors *vectors, const char *name)
{
    size_t length = strlen(name);
    const char *line = vectors->text;

    while (line) {
        if (strncmp(line, name, length) == 0 && strncmp(line + length, " = ", 3) == 0)
            return line + length + 3;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    fail_msg("no vector '%s'", name);
    return NULL;
}

static unsigned digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;

    if (!at)
        fail_msg("'%c' is no hex digit", c);
    return (unsigned)(at - digits);
}

size_t vectors_get(const struct vectors *vectors, const char *name, void *out,
                   size_t capacity)
{
    const char *at = find(vectors, name);
    uint8_t *bytes = out;
    size_t size = 0;

    assert_non_null(at);
    for (; at && *at && *at != '\n'; at += 2) {
        assert_true(size < capacity);
        bytes[size++] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
    }
    return size;
}

const char *vectors_text(const struct vectors *vectors, const char *name, char *out,
                         size_t capacity)
{
    out[vectors_get(vectors, name, out, capacity - 1)] = '\0';
    return out;
}

uint64_t vectors_number(const struct vectors *vectors, const char *name)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    assert_int_equal(vectors_get(vectors, name, bytes, sizeof bytes), sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

void vectors_expect(const struct vectors *vectors, const char *name, const void *bytes,
                    size_t size)
{
    uint8_t expected[VALUE_MAX];

    if (vectors_get(vectors, name, expected, sizeof expected) != size ||
        memcmp(expected, bytes, size) != 0)
        fail_msg("not the vector '%s'", name);
}

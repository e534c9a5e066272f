#ifndef PSN_TESTS_VECTORS_H
#define PSN_TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>

/* Test vectors: lines "name = hex", '#' begins a comment. Failures end the test. */
struct vectors {
    char *text;
};

void vectors_load(struct vectors *vectors, const char *path);
void vectors_release(struct vectors *vectors);

/* The bytes of a name, at most capacity, into out; returns how many. */
size_t vectors_get(const struct vectors *vectors, const char *name, void *out,
                   size_t capacity);

/* The same as text with a NUL behind it. */
const char *vectors_text(const struct vectors *vectors, const char *name, char *out,
                         size_t capacity);

/* The same as a big-endian number of eight bytes. */
uint64_t vectors_number(const struct vectors *vectors, const char *name);

/* Fails unless the bytes are those of the name. */
void vectors_expect(const struct vectors *vectors, const char *name, const void *bytes,
                    size_t size);

#endif

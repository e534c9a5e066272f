#ifndef PSN_TESTS_FIXED_RANDOM_H
#define PSN_TESTS_FIXED_RANDOM_H

/* Lets libsodium draw, from now on in this process, numbers that are the same in each
 * run: a stream of its own for each seed text, of at most 24 characters. For programs
 * that make test vectors, and nothing else. */
void fixed_random_install(const char *seed_text);

#endif

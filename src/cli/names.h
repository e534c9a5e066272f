#ifndef PSN_CLI_NAMES_H
#define PSN_CLI_NAMES_H

#include "cli/cli.h"

/*
 * What a word of a command line stands for. The tables of commands say it themselves:
 * "PERSON GLOB…" and "FILE" are shown in the help, complete what is typed there, and tell
 * which names a mistyped one is compared with.
 */
enum cli_kind {
    CLI_KIND_FREE = 0, /* text, a number, a date … */
    CLI_KIND_FILE = 1u << 0,
    CLI_KIND_FOLDER = 1u << 1,
    CLI_KIND_CLIENT = 1u << 2,
    CLI_KIND_PERSON = 1u << 3,
    CLI_KIND_ADDRESS = 1u << 4,
    CLI_KIND_GLOB = 1u << 5,
    CLI_KIND_LABEL = 1u << 6,  /* of a secret of the addresses before it */
    CLI_KIND_ACCESS = 1u << 7, /* of the client before it */
    CLI_KIND_ITEM = 1u << 8,   /* of a handover's checklist */
    CLI_KIND_SLOT = 1u << 9,
    CLI_KIND_SERIAL = 1u << 10,  /* of an issue */
    CLI_KIND_DOMAIN = 1u << 11,  /* never of a word: the part of a new address */
    CLI_KIND_TYPE = 1u << 13,    /* of a secret */
    CLI_KIND_SERVICE = 1u << 14, /* one of OVH's mail services */
    CLI_KIND_FORMAT = 1u << 15,  /* of what is imported */
    CLI_KIND_UNKNOWN = 1u << 30, /* a word that no table here knows */
};

/* The kinds of a word such as "FILE" or "PERSON|ADDRESS", `size` bytes, as it stands in a
 * table, untranslated. What is in lower case within is typed as it is: it has no kind. */
unsigned cli_kind_of(const char *word, size_t size);

/* The kinds of a command's argument, counted from 0, by its `arguments`: "[GLOB…]" is
 * every one from there on. 0 also if the command takes no such argument. */
unsigned cli_kind_of_argument(const struct cli_command *command, size_t number);

/* The words in lower case that an option takes ("work|cut"), each in turn; returns where
 * the next one begins, or NULL. `at` is the option's value at first. */
const char *cli_kind_choice(const char *at, const char **ret_word, size_t *ret_size);

/* What was typed before a name: it narrows what the name can be. */
struct cli_names {
    struct psn_vault *vault; /* unlocked; NULL: only names that every vault has */
    const char *const *args;
    size_t arg_count;
    const char *typed; /* the beginning of the name; groups and globs are told after "@"
                          and "*" alone */
    void (*each)(void *arg, const char *name, const char *about); /* about may be "" */
    void *arg;
};

/* Calls each for every name of these kinds, as the vault has it: display needs escaping.
 * A name may be told twice. */
PSN_MUST_CHECK enum psn_code cli_names_each(const struct cli_names *names, unsigned kinds,
                                            struct psn_error *err);

#endif

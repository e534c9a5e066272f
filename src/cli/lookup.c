#include "cli/lookup.h"

#include <string.h>

const char *cli_command_word(const char *word)
{
    static const char *const others[][2] = { { "list", "ls" },
                                             { "remove", "rm" },
                                             { "delete", "rm" } };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(word, others[i][0]) == 0)
            return others[i][1];
    return word;
}

/* True if name is "first", or "first second". */
static bool is_named(const char *name, const char *first, const char *second)
{
    size_t size = strlen(first);

    if (strncmp(name, first, size) != 0)
        return false;
    if (!second)
        return name[size] == '\0';
    return name[size] == ' ' && strcmp(name + size + 1, second) == 0;
}

const struct cli_command *cli_command_find(const struct cli_command *const *commands,
                                           const char *first, const char *second)
{
    const char *word = second ? cli_command_word(second) : NULL;

    for (; *commands; commands++)
        if (is_named((*commands)->name, first, word))
            return *commands;
    return NULL;
}

bool cli_command_is_group(const struct cli_command *const *commands, const char *word)
{
    size_t size = strlen(word);

    for (; *commands; commands++)
        if (strncmp((*commands)->name, word, size) == 0 && (*commands)->name[size] == ' ')
            return true;
    return false;
}

const struct cli_option *cli_option_find(const struct cli_option *table, const char *name,
                                         size_t size, char letter)
{
    for (; table->name; table++) {
        if (letter ? table->letter == letter
                   : strlen(table->name) == size && memcmp(table->name, name, size) == 0)
            return table;
    }
    return NULL;
}

const struct cli_option *cli_option_own(const struct cli_command *command)
{
    static const struct cli_option none[] = { { 0 } };

    return command && command->options ? command->options : none;
}

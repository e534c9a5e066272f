#include "cli/locale.h"

#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/self.h"
#include "cli/until.h"

/*
 * The language is that of the first of LC_ALL, LC_MESSAGES and LANG that is set. A bare
 * machine has no French locale: then C.UTF-8 stands in, under which gettext takes the
 * language from LANGUAGE. LC_NUMERIC stays "C", since JSON has no decimal comma.
 */
enum {
    LANGUAGE_MAX = 64
};

static char language[LANGUAGE_MAX]; /* "fr_FR", or "" */
static const char *in_use;          /* instead of it, see cli_locale_use(); or NULL */

static const char *wanted_locale(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && value[0])
            return value;
    }
    return "C";
}

static void note_language(const char *locale)
{
    size_t size = strcspn(locale, ".");

    language[0] = '\0';
    if (size < sizeof language && strncmp(locale, "C", size) != 0 &&
        strncmp(locale, "POSIX", size) != 0)
        (void)snprintf(language, sizeof language, "%.*s", (int)size, locale);
}

static void set_locale(void)
{
    if (!setlocale(LC_CTYPE, ""))
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (!setlocale(LC_MESSAGES, ""))
        (void)setlocale(LC_MESSAGES, "C.UTF-8");
    if (language[0])
        (void)setenv("LANGUAGE", language, 1);
    else
        (void)unsetenv("LANGUAGE");
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Beside the binary in the build tree, then where an install put it. */
static const char *catalogue_folder(char *out, size_t size)
{
    static const char *const places[] = { "/locale", "/../share/locale" };
    char folder[CLI_PATH_MAX];

    for (size_t i = 0;
         cli_self_folder(folder, sizeof folder) && i < sizeof places / sizeof *places;
         i++) {
        if (snprintf(out, size, "%s%s", folder, places[i]) < (int)size && is_folder(out))
            return out;
    }
    return PASSATION_LOCALE_DIR;
}

void cli_locale_init(void)
{
    char folder[CLI_PATH_MAX];

    note_language(wanted_locale());
    set_locale();
    cli_until_use_zone();
    (void)bindtextdomain(PSN_TEXT_DOMAIN, catalogue_folder(folder, sizeof folder));
    (void)bind_textdomain_codeset(PSN_TEXT_DOMAIN, "UTF-8");
}

/*
 * Messages are in English in the sources, so that "C", which translates nothing, is
 * English; French is taken from LANGUAGE under any other locale. gettext keeps what it
 * has looked up until something tells it that the answer may have changed: setlocale()
 * does in the C library, textdomain() does in every libintl.
 */
void cli_locale_use(const char *wanted)
{
    /* Newer C libraries hold C.UTF-8 for English, too: it is the last resort. */
    static const char *const names[] = { "fr_FR.UTF-8", "fr_FR.utf8", "en_US.UTF-8",
                                         "C.UTF-8" };
    bool done = strcmp(wanted, "en") == 0 && setlocale(LC_MESSAGES, "C");

    in_use = wanted;
    if (!done)
        (void)setenv("LANGUAGE", wanted, 1);
    for (size_t i = 0; !done && i < sizeof names / sizeof *names; i++)
        done = setlocale(LC_MESSAGES, names[i]) != NULL;
    (void)textdomain(PSN_TEXT_DOMAIN);
}

void cli_locale_back(void)
{
    in_use = NULL;
    set_locale();
    (void)textdomain(PSN_TEXT_DOMAIN);
}

const char *cli_language(void)
{
    bool french = language[0] == 'f' && language[1] == 'r' &&
                  (language[2] == '\0' || language[2] == '_' || language[2] == '@');

    if (in_use)
        return in_use;
    return french ? "fr" : "en";
}

#include "cli/fields.h"

#include <string.h>

#include "base/text.h"

enum {
    DURATION_MAX_S = 30 * 86400,
    RATE_MAX = 1000000,
    FAILED_LOGINS_MAX = 1000000,
};

enum psn_code cli_field_copy(const char *option, const char *text, char *ret_field,
                             size_t size, struct psn_error *err)
{
    size_t length = strlen(text);

    if (length >= size)
        return psn_fail(err, PSN_E_INVALID,
                        _("the value of %s is too long: at most %zu bytes"), option,
                        size - 1);
    memcpy(ret_field, text, length + 1);
    return PSN_OK;
}

/* Reads the number before the slash; true if the text has both. */
static bool split(const char *text, uint64_t max, uint64_t *ret_number,
                  const char **ret_rest)
{
    const char *slash = strchr(text, '/');
    char number[24];
    size_t length;

    if (!slash)
        return false;
    length = (size_t)(slash - text);
    if (length >= sizeof number)
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    if (!psn_text_parse_u64(number, max, ret_number))
        return false;
    *ret_rest = slash + 1;
    return true;
}

static uint32_t per_minute(const char *unit)
{
    if (strcmp(unit, "min") == 0 || strcmp(unit, "m") == 0)
        return 1;
    return strcmp(unit, "s") == 0 ? 60 : 0;
}

enum psn_code cli_field_rate(const char *text, uint32_t *ret_per_min,
                             struct psn_error *err)
{
    const char *unit = NULL;
    uint64_t number = 0;

    if (strcmp(text, "0") == 0) {
        *ret_per_min = 0;
        return PSN_OK;
    }
    if (split(text, RATE_MAX, &number, &unit) && number > 0 && per_minute(unit) > 0) {
        *ret_per_min = (uint32_t)number * per_minute(unit);
        return PSN_OK;
    }
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no value for --rate"), CLI_SHOWN(text));
    return psn_hint(err, PSN_E_INVALID,
                    _("write the calls a minute as 60/min, or 0 for no limit"));
}

enum psn_code cli_field_duration(const char *option, const char *text, int64_t *ret_s,
                                 struct psn_error *err)
{
    if (psn_text_parse_duration(text, DURATION_MAX_S, ret_s))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no duration for %s"), CLI_SHOWN(text),
                   option);
    return psn_hint(err, PSN_E_INVALID,
                    _("write it as 45s, 10m, 2h or 3d; at most 30 days"));
}

enum psn_code cli_field_failed_logins(const char *text, uint32_t *ret_count,
                                      int64_t *ret_window_s, struct psn_error *err)
{
    const char *window = NULL;
    uint64_t number = 0;
    int64_t window_s = 0;

    if (split(text, FAILED_LOGINS_MAX, &number, &window) && number > 0 &&
        psn_text_parse_duration(window, DURATION_MAX_S, &window_s) && window_s > 0) {
        *ret_count = (uint32_t)number;
        *ret_window_s = window_s;
        return PSN_OK;
    }
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no value for --failed-logins"),
                   CLI_SHOWN(text));
    return psn_hint(err, PSN_E_INVALID,
                    _("write it as COUNT/DURATION: 3/5m is at most 3 refused logins in 5 "
                      "minutes"));
}

/* --- names of persons ----------------------------------------------------------------
 */

/* Words that stand before or after a dot in the address of a job, not of a person. */
static bool is_job_word(const char *word, size_t length)
{
    static const char *const words[] = {
        "accueil",     "achats",        "admin",     "atelier",    "billing",
        "boutique",    "client",        "clients",   "commande",   "commandes",
        "commercial",  "communication", "compta",    "comptable",  "contact",
        "devis",       "direction",     "equipe",    "factures",   "help",
        "info",        "infos",         "juridique", "livraison",  "magasin",
        "mail",        "marketing",     "news",      "newsletter", "no",
        "noreply",     "office",        "paie",      "presse",     "recrutement",
        "reply",       "reservation",   "rh",        "sales",      "sav",
        "secretariat", "service",       "services",  "shop",       "site",
        "stock",       "support",       "tech",      "technique",  "test",
        "vente",       "ventes",        "web",       "webmaster",
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && strncmp(words[i], word, length) == 0)
            return true;
    return false;
}

static bool is_name(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!psn_text_is_lower(word[i]) && word[i] != '-')
            return false;
    return length > 0 && !is_job_word(word, length);
}

bool cli_field_is_personal(const char *address)
{
    char local[65];
    size_t length = strcspn(address, "@");
    const char *dot;

    if (length >= sizeof local)
        return false;
    memcpy(local, address, length);
    local[length] = '\0';
    psn_text_lower(local);
    dot = strchr(local, '.');
    if (!dot)
        return false;
    return is_name(local, (size_t)(dot - local)) && strlen(dot + 1) >= 2 &&
           is_name(dot + 1, strlen(dot + 1));
}

bool cli_field_is_glob(const char *text)
{
    return strpbrk(text, "*?") != NULL;
}

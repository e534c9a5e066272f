#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/ssh_key.h"
#include "passation/signature.h"

/*
 * A line of allowed_signers (ssh-keygen(1), ALLOWED SIGNERS):
 *
 *     principals [options] keytype base64 [comment]
 *
 * The first line for the key that allows everything asked for decides. When none does,
 * the reason given is that of the line which came nearest. A line that is not understood
 * allows nothing: each of its options could only have narrowed what it allows.
 */
enum outcome { /* the further down, the nearer to being allowed */
    NOT_LISTED,
    OTHER_IDENTITY,
    NOT_UNDERSTOOD,
    CERTIFICATES_ONLY,
    OTHER_NAMESPACE,
    NOT_YET_VALID,
    EXPIRED,
    ALLOWED
};

struct span {
    const char *at;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes the next word; blanks between double quotes belong to it. False if there is none
 * or a quote stays open. */
static bool take_word(struct span *rest, struct span *ret_word)
{
    bool quoted = false;
    size_t size = 0;

    while (rest->size > 0 && is_blank(*rest->at)) {
        rest->at++;
        rest->size--;
    }
    for (; size < rest->size && (quoted || !is_blank(rest->at[size])); size++)
        if (rest->at[size] == '"' && (size == 0 || rest->at[size - 1] != '\\'))
            quoted = !quoted;
    *ret_word = (struct span){ rest->at, size };
    rest->at += size;
    rest->size -= size;
    return size > 0 && !quoted;
}

static struct span unquoted(struct span word)
{
    if (word.size >= 2 && word.at[0] == '"' && word.at[word.size - 1] == '"')
        return (struct span){ word.at + 1, word.size - 2 };
    return word;
}

/* One pattern of '*' and '?' against a text. */
static bool matches(struct span pattern, const char *text)
{
    char glob[PSN_NAMESPACE_MAX + 1];

    if (pattern.size == 0 || pattern.size >= sizeof glob)
        return false;
    memcpy(glob, pattern.at, pattern.size);
    glob[pattern.size] = '\0';
    return psn_text_glob(glob, text);
}

/* A list of patterns with commas; one that begins with '!' and matches, or is too long to
 * tell, forbids. */
static bool list_allows(struct span list, const char *text)
{
    bool allowed = false;

    while (list.size > 0) {
        const char *comma = memchr(list.at, ',', list.size);
        struct span one = { list.at, comma ? (size_t)(comma - list.at) : list.size };
        bool negated = one.size > 0 && one.at[0] == '!';

        list.at += one.size + (comma ? 1 : 0);
        list.size -= one.size + (comma ? 1 : 0);
        if (negated && (one.size > PSN_NAMESPACE_MAX ||
                        matches((struct span){ one.at + 1, one.size - 1 }, text)))
            return false;
        allowed = allowed || (!negated && matches(one, text));
    }
    return allowed;
}

/* Two digits at text; -1 if they are not. */
static int pair(const char *text)
{
    if (!psn_text_is_digit(text[0]) || !psn_text_is_digit(text[1]))
        return -1;
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* Local time, as ssh-keygen takes a time without Z. */
static int64_t local_time(int64_t utc_s, const struct tm *wanted)
{
    struct tm broken = *wanted;
    time_t local;

    broken.tm_isdst = -1;
    local = mktime(&broken);
    return local == (time_t)-1 ? utc_s : (int64_t)local;
}

/* YYYYMMDD[Z] or YYYYMMDDHHMM[SS][Z] */
static bool parse_time(struct span text, int64_t *ret_time_s)
{
    bool utc = text.size > 0 && text.at[text.size - 1] == 'Z';
    int part[7] = { 0 }; /* century, year, month, day, hour, minute, second */
    struct tm broken = { 0 };
    size_t count;

    text.size -= utc;
    count = text.size / 2;
    if (text.size % 2 != 0 || (count != 4 && count != 6 && count != 7))
        return false;
    for (size_t i = 0; i < count; i++) {
        part[i] = pair(text.at + 2 * i);
        if (part[i] < 0)
            return false;
    }
    if (part[2] < 1 || part[2] > 12 || part[3] < 1 || part[3] > 31 || part[4] > 23 ||
        part[5] > 59 || part[6] > 59)
        return false;
    *ret_time_s = psn_clock_days(part[0] * 100 + part[1], part[2], part[3]) * 86400 +
                  (int64_t)part[4] * 3600 + (int64_t)part[5] * 60 + part[6];
    broken = (struct tm){ .tm_year = part[0] * 100 + part[1] - 1900,
                          .tm_mon = part[2] - 1,
                          .tm_mday = part[3],
                          .tm_hour = part[4],
                          .tm_min = part[5],
                          .tm_sec = part[6] };
    if (!utc)
        *ret_time_s = local_time(*ret_time_s, &broken);
    return true;
}

struct options {
    struct span namespaces;
    bool has_namespaces;
    bool has_after;
    bool has_before;
    bool authority;
    int64_t after_s;
    int64_t before_s;
};

/* If the word begins with name="value", takes it off. */
static bool take_value(struct span *rest, const char *name, struct span *ret_value)
{
    size_t size = strlen(name);
    const char *close;

    if (rest->size < size + 3 || strncasecmp(rest->at, name, size) != 0 ||
        rest->at[size] != '=' || rest->at[size + 1] != '"')
        return false;
    close = memchr(rest->at + size + 2, '"', rest->size - size - 2);
    if (!close)
        return false;
    *ret_value =
        (struct span){ rest->at + size + 2, (size_t)(close - rest->at) - size - 2 };
    rest->size -= (size_t)(close - rest->at) + 1;
    rest->at = close + 1;
    return true;
}

static bool take_flag(struct span *rest, const char *name)
{
    size_t size = strlen(name);

    if (rest->size < size || strncasecmp(rest->at, name, size) != 0)
        return false;
    rest->at += size;
    rest->size -= size;
    return true;
}

/* One option; false if it is not known, given twice, or malformed. */
static bool parse_option(struct span *rest, struct options *options)
{
    struct span value;

    if (take_flag(rest, "cert-authority")) {
        options->authority = true;
        return true;
    }
    if (take_value(rest, "namespaces", &value)) {
        bool again = options->has_namespaces;

        options->has_namespaces = true;
        options->namespaces = value;
        return !again && !memchr(value.at, '\\', value.size);
    }
    if (take_value(rest, "valid-after", &value)) {
        bool again = options->has_after;

        options->has_after = true;
        return !again && parse_time(value, &options->after_s);
    }
    if (take_value(rest, "valid-before", &value)) {
        bool again = options->has_before;

        options->has_before = true;
        return !again && parse_time(value, &options->before_s);
    }
    return false;
}

static bool parse_options(struct span word, struct options *ret_options)
{
    struct options options = { 0 };

    while (parse_option(&word, &options)) {
        if (word.size == 0) {
            *ret_options = options;
            return true;
        }
        if (*word.at != ',')
            return false;
        word.at++;
        word.size--;
    }
    return false;
}

static bool is_key_type(struct span word)
{
    static const char *const starts[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-" };

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (word.size > strlen(starts[i]) &&
            memcmp(word.at, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static enum outcome judge_options(const struct options *options,
                                  const struct psn_signer *signer)
{
    if (options->authority)
        return CERTIFICATES_ONLY;
    if (options->has_namespaces && !list_allows(options->namespaces, signer->name_space))
        return OTHER_NAMESPACE;
    if (options->has_after && options->has_before &&
        options->before_s <= options->after_s)
        return NOT_UNDERSTOOD;
    if (options->has_after && signer->time_s < options->after_s)
        return NOT_YET_VALID;
    if (options->has_before && signer->time_s > options->before_s)
        return EXPIRED;
    return ALLOWED;
}

static enum outcome judge_line(struct span line, const struct psn_signer *signer)
{
    struct options options = { 0 };
    uint8_t key[PSN_SIGNATURE_KEY_SIZE];
    bool understood = true;
    struct span principals;
    struct span key_text;
    struct span word;

    if (!take_word(&line, &principals) || principals.at[0] == '#')
        return NOT_LISTED;
    if (!take_word(&line, &word))
        return NOT_LISTED;
    if (!is_key_type(word)) {
        understood = parse_options(word, &options);
        if (!take_word(&line, &word))
            return NOT_LISTED;
    }
    key_text = (struct span){ word.at, (size_t)(line.at + line.size - word.at) };
    if (psn_ssh_public_parse(key_text.at, key_text.size, key, NULL) ||
        memcmp(key, signer->key, sizeof key) != 0)
        return NOT_LISTED;
    if (!list_allows(unquoted(principals), signer->identity))
        return OTHER_IDENTITY;
    return understood ? judge_options(&options, signer) : NOT_UNDERSTOOD;
}

static enum psn_code report(enum outcome outcome, const struct psn_signer *signer,
                            struct psn_error *err)
{
    char shown[PSN_NAMESPACE_MAX + 1];
    const char *identity = psn_text_shown(signer->identity, shown, sizeof shown);
    const char *why = "";

    switch (outcome) {
    case ALLOWED:
        return PSN_OK;
    case NOT_LISTED:
        why = _("the signer's key is not in the list of allowed signers");
        break;
    case OTHER_IDENTITY:
        return psn_fail(err, PSN_E_DENIED, _("the signer's key is not allowed for '%s'"),
                        identity);
    case NOT_UNDERSTOOD:
        why = _("the list of allowed signers has options for the signer's key that are "
                "not understood");
        break;
    case CERTIFICATES_ONLY:
        why = _("the signer's key is only allowed to sign certificates");
        break;
    case OTHER_NAMESPACE:
        return psn_fail(err, PSN_E_DENIED,
                        _("the signer's key is not allowed in the namespace '%s'"),
                        psn_text_shown(signer->name_space, shown, sizeof shown));
    case NOT_YET_VALID:
        why = _("the signer's key is not valid yet");
        break;
    case EXPIRED:
        why = _("the signer's key is not valid any more");
        break;
    }
    return psn_fail(err, PSN_E_DENIED, "%s", why);
}

enum psn_code psn_allowed_signers_check(const char *text, size_t size,
                                        const struct psn_signer *signer,
                                        struct psn_error *err)
{
    enum outcome best = NOT_LISTED;

    if (size > PSN_SIGNATURE_TEXT_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("the list of signers has more than %d bytes"),
                        PSN_SIGNATURE_TEXT_MAX);
    for (size_t at = 0; at < size && best != ALLOWED;) {
        const char *newline = memchr(text + at, '\n', size - at);
        struct span line = { text + at,
                             newline ? (size_t)(newline - text) - at : size - at };
        enum outcome found;

        at += line.size + 1;
        if (line.size > 0 && line.at[line.size - 1] == '\r')
            line.size--;
        found = judge_line(line, signer);
        best = found > best ? found : best;
    }
    return report(best, signer, err);
}

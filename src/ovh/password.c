/* Passwords and the rules of the services. */
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "crypto/generate.h"
#include "ovh/backend.h"

enum {
    NAME_PART_MIN = 3, /* shorter parts of a display name are no rule */
    DRAWS_MAX = 100,
};

/* What a password is made of. */
struct makeup {
    bool lower;
    bool upper;
    bool digit;
    bool special;
    bool plain; /* printable ASCII only */
    bool blank;
};

static struct makeup look_at(const struct psn_secret *password)
{
    const uint8_t *bytes = psn_secret_bytes(password);
    struct makeup has = { .plain = true };

    for (size_t i = 0; i < psn_secret_size(password); i++) {
        char c = (char)bytes[i];

        has.lower = has.lower || psn_text_is_lower(c);
        has.upper = has.upper || psn_text_is_upper(c);
        has.digit = has.digit || psn_text_is_digit(c);
        has.blank = has.blank || c == ' ';
        has.plain = has.plain && bytes[i] >= ' ' && bytes[i] <= '~';
        has.special =
            has.special || (bytes[i] > ' ' && bytes[i] <= '~' && !psn_text_is_lower(c) &&
                            !psn_text_is_upper(c) && !psn_text_is_digit(c));
    }
    return has;
}

static char lower_of(char c)
{
    return (char)(psn_text_is_upper(c) ? c - 'A' + 'a' : c);
}

/* Does the password hold the word, in any case of letters? */
static bool holds(const struct psn_secret *password, const char *word, size_t size)
{
    const char *bytes = (const char *)psn_secret_bytes(password);
    size_t length = psn_secret_size(password);

    for (size_t at = 0; size > 0 && at + size <= length; at++) {
        size_t same = 0;

        while (same < size && lower_of(bytes[at + same]) == lower_of(word[same]))
            same++;
        if (same == size)
            return true;
    }
    return false;
}

/* The login, or a part of the names of three characters or more. */
static bool holds_a_name(const struct psn_mailbox *mailbox, const char *names,
                         const struct psn_secret *password)
{
    static const char between[] = " ,.-_#\t";

    if (holds(password, mailbox->local, strlen(mailbox->local)))
        return true;
    while (*names) {
        size_t size = strcspn(names, between);

        if (size >= NAME_PART_MIN && holds(password, names, size))
            return true;
        names += size;
        names += strspn(names, between);
    }
    return false;
}

static enum psn_code check_size(const struct psn_password_rules *rules, size_t size,
                                struct psn_error *err)
{
    if (size >= rules->min && size <= rules->max)
        return PSN_OK;
    return psn_fail(err, PSN_E_POLICY,
                    _("OVH wants a password of %d to %d "
                      "characters"),
                    (int)rules->min, (int)rules->max);
}

static enum psn_code check_makeup(const struct psn_password_rules *rules,
                                  const struct psn_secret *password,
                                  struct psn_error *err)
{
    const uint8_t *bytes = psn_secret_bytes(password);
    size_t size = psn_secret_size(password);
    struct makeup has = look_at(password);
    int classes = has.lower + has.upper + has.digit + has.special;

    if (!has.plain)
        return psn_fail(err, PSN_E_POLICY,
                        _("OVH allows no accented letter and no control character "
                          "in a password"));
    if (size > 0 && (bytes[0] == ' ' || bytes[size - 1] == ' '))
        return psn_fail(err, PSN_E_POLICY,
                        _("OVH allows no blank at the ends of a password"));
    if (has.blank && !rules->blanks)
        return psn_fail(err, PSN_E_POLICY, _("OVH allows no blank in a password here"));
    if ((rules->upper && !has.upper) || (rules->digit && !has.digit) ||
        (rules->special && !has.special))
        return psn_fail(err, PSN_E_POLICY,
                        _("OVH wants an upper-case letter, a digit and a special "
                          "character in a password here"));
    if (classes < rules->classes)
        return psn_fail(err, PSN_E_POLICY,
                        _("OVH wants %d of these in a password here: lower-case and "
                          "upper-case letters, digits, others"),
                        (int)rules->classes);
    return PSN_OK;
}

struct psn_password_rules psn_password_rules_default(enum psn_backend backend)
{
    const struct psn_backend_table *table = psn_backend_table(backend);

    return table ? table->rules : psn_backend_email_domain.rules;
}

enum psn_code psn_mailbox_check_password(const struct psn_mailbox *mailbox,
                                         const struct psn_password_rules *rules,
                                         const struct psn_secret *password,
                                         struct psn_error *err)
{
    struct psn_password_rules own = psn_password_rules_default(mailbox->backend);
    enum psn_code rc;

    if (!psn_backend_table(mailbox->backend))
        return psn_fail(err, PSN_E_INVALID, _("no mail service is known yet"));
    if (!rules)
        rules = &own;
    rc = check_size(rules, psn_secret_size(password), err);
    if (!rc)
        rc = check_makeup(rules, password, err);
    if (!rc && rules->no_names && holds_a_name(mailbox, rules->names, password))
        rc = psn_fail(err, PSN_E_POLICY,
                      _("OVH allows neither the name of the mailbox nor a part of its "
                        "display name in a password here"));
    return rc ? psn_wrap(err, rc, "%s@%s", mailbox->local, mailbox->domain) : PSN_OK;
}

/* Whole groups of five, as many as the rules want; cut only by the maximum. */
static size_t size_for(const struct psn_password_rules *rules)
{
    size_t size = PSN_PASSWORD_SIZE;

    while (size < rules->min)
        size += PSN_PASSWORD_GROUP + 1;
    return size > rules->max ? rules->max : size;
}

enum psn_code psn_mailbox_generate_password(const struct psn_mailbox *mailbox,
                                            const struct psn_password_rules *rules,
                                            struct psn_secret **ret_password,
                                            struct psn_error *err)
{
    struct psn_error failure = { 0 };
    enum psn_code rc = PSN_E_POLICY;

    for (int i = 0; rc == PSN_E_POLICY && i < DRAWS_MAX; i++) {
        PSN_AUTO(psn_secret) *password = NULL;

        psn_error_clear(&failure);
        rc = psn_generate_password_sized(size_for(rules), &password, &failure);
        if (!rc)
            rc = psn_mailbox_check_password(mailbox, rules, password, &failure);
        if (!rc)
            *ret_password = PSN_TAKE(password);
    }
    return rc ? psn_backend_hand_up(&failure, err) : PSN_OK;
}

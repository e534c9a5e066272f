#include "policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "service.h"
#include "state.h"
#include "text.h"

enum {
    DAY = 86400,
    MINUTE = 60,
    USUAL_MIN = 9,
    USUAL_MAX = 30,
    EXCHANGE_MAX = 127,
    ZIMBRA_MIN = 10,
    ZIMBRA_MAX = 64,
    CLASSES_NEEDED = 3,
    TOKEN_MIN = 3,
    LOGIN_MIN = 2,
    LOGIN_MAX = 32,
};

static const char zimbra_special[] = "!@#$%^&*()\\[]{}-_+=~`|:;\"'<>,./?";

struct shape {
    size_t length;
    bool lower, upper, digit, special, other; /* special: one that zimbra names */
    bool blank, accented;
};

static bool is_accented(uint32_t point)
{
    return (point >= 0xc0 && point <= 0x24f && point != 0xd7 && point != 0xf7) ||
           (point >= 0x300 && point <= 0x36f) || (point >= 0x1e00 && point <= 0x1eff);
}

static struct shape look_at(const char *password)
{
    struct shape shape = { .length = 0 };

    for (uint32_t c = sim_text_next(&password); c; c = sim_text_next(&password)) {
        shape.length++;
        shape.accented = shape.accented || is_accented(c);
        if (c < 128 && islower((int)c))
            shape.lower = true;
        else if (c < 128 && isupper((int)c))
            shape.upper = true;
        else if (c < 128 && isdigit((int)c))
            shape.digit = true;
        else
            shape.other = true;
        shape.blank = shape.blank || c == 0xa0 || (c < 128 && isspace((int)c));
        if (c < 128 && strchr(zimbra_special, (int)c))
            shape.special = true;
    }
    return shape;
}

static json_int_t number(const json_t *service, const char *member, json_int_t otherwise)
{
    const json_t *value = json_object_get(json_object_get(service, "service"), member);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static bool refuse(char *why, size_t size, const char *reason)
{
    snprintf(why, size, "'password' %s", reason);
    return false;
}

static bool check_length(const struct shape *shape, json_int_t min, json_int_t max,
                         char *why, size_t size)
{
    if ((json_int_t)shape->length < min)
        return refuse(why, size, "is too short");
    if ((json_int_t)shape->length > max)
        return refuse(why, size, "is too long");
    return true;
}

static bool check_zimbra(const struct shape *shape, char *why, size_t size)
{
    if (!check_length(shape, ZIMBRA_MIN, ZIMBRA_MAX, why, size))
        return false;
    if (!shape->upper)
        return refuse(why, size, "needs an upper case letter");
    if (!shape->digit)
        return refuse(why, size, "needs a digit");
    return shape->special || refuse(why, size, "needs a special character");
}

/* Is a word of the text, of three letters or more, inside the password? */
static bool contains_word(const char *password, const char *text)
{
    static const char between[] = " ,.-_#\t";
    char word[64];

    while (*text) {
        text += strspn(text, between);
        size_t length = strcspn(text, between);
        if (length >= TOKEN_MIN && length < sizeof word) {
            snprintf(word, sizeof word, "%.*s", (int)length, text);
            if (strcasestr(password, word))
                return true;
        }
        text += length;
    }
    return false;
}

static bool check_complexity(const struct shape *shape, const json_t *account,
                             const char *password, char *why, size_t size)
{
    const char *login = sim_state_text(account, "login");
    const char *sam = sim_state_text(account, "SAMAccountName");
    int classes = shape->lower + shape->upper + shape->digit + shape->other;

    if (classes < CLASSES_NEEDED)
        return refuse(why, size, "does not meet the complexity requirements");
    if ((*login && strcasestr(password, login)) || (*sam && strcasestr(password, sam)) ||
        contains_word(password, sim_state_text(account, "displayName")))
        return refuse(why, size, "must not contain the name of the account");
    return true;
}

static bool check_age(const struct sim *sim, const json_t *service, const json_t *account,
                      char *why, size_t size)
{
    json_int_t days = number(service, "minPasswordAge", 0);
    const json_t *since = json_object_get(account, "_password_s");

    if (days == 0 || !since || !sim_state_password(account, 0) ||
        sim_state_now_s(sim) - json_integer_value(since) >= days * DAY)
        return true;
    return refuse(why, size, "was changed too recently: minPasswordAge is not over");
}

static bool check_history(const json_t *service, const json_t *account,
                          const char *password, char *why, size_t size)
{
    const json_t *history = json_object_get(account, "_history");
    size_t kept = (size_t)number(service, "passwordHistoryCount", 0);
    size_t count = json_array_size(history);

    for (size_t i = count > kept ? count - kept : 0; i < count; i++)
        if (strcmp(sim_state_text(json_array_get(history, i), "password"), password) == 0)
            return refuse(why, size, "has been used before");
    return true;
}

static bool check(const struct sim *sim, const json_t *service, const json_t *account,
                  const char *password, char *why, size_t size)
{
    struct shape shape = look_at(password);
    json_int_t max =
        sim_service_family_of(service) == SIM_EXCHANGE ? EXCHANGE_MAX : USUAL_MAX;

    if (shape.blank)
        return refuse(why, size, "must not contain a blank");
    if (shape.accented)
        return refuse(why, size, "must not contain an accented letter");
    if (sim_service_is_zimbra(service))
        return check_zimbra(&shape, why, size);
    if (!check_length(&shape, number(service, "minPasswordLength", USUAL_MIN), max, why,
                      size))
        return false;
    if (sim_state_flag(json_object_get(service, "service"), "complexityEnabled") &&
        !check_complexity(&shape, account, password, why, size))
        return false;
    return check_age(sim, service, account, why, size) &&
           check_history(service, account, password, why, size);
}

enum sim_policy sim_policy_apply(const struct sim *sim, struct sim_call *call,
                                 const json_t *account, const char *password)
{
    const char *now = sim_state_password(account, 0);
    json_int_t status = sim->settings.same_password_status;
    char why[160];

    if (status && now && strcmp(now, password) == 0) {
        sim_call_refuse(call, (int)status, "Client::BadRequest",
                        "'password' must differ from the present one");
        return SIM_POLICY_REFUSED;
    }
    if (check(sim, call->service, account, password, why, sizeof why))
        return SIM_POLICY_GOOD;
    if (sim->settings.policy_late)
        return SIM_POLICY_LATE;
    sim_call_refuse(call, (int)sim->settings.policy_status, "Client::BadRequest", "%s",
                    why);
    return SIM_POLICY_REFUSED;
}

bool sim_policy_is_login(const json_t *service, const char *login)
{
    size_t length = strlen(login);
    bool second = sim_service_family_of(service) == SIM_ZIMBRA;

    if (length < LOGIN_MIN || length > LOGIN_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool edge = i == 0 || i + 1 == length;
        bool mark = strchr(second ? ".-_+|" : ".,-_", login[i]) != NULL;
        if (!isalnum((unsigned char)login[i]) && (!mark || (edge && second)))
            return false;
    }
    return true;
}

bool sim_policy_may_log_in(const struct sim *sim, const json_t *account)
{
    const json_t *service = sim_service_of(sim, account);
    json_int_t days = number(service, "maxPasswordAge", 0);
    int64_t now = sim_state_now_s(sim);
    const json_t *until = json_object_get(account, "_locked_until_s");
    const json_t *since = json_object_get(account, "_password_s");

    if (until && json_integer_value(until) > now)
        return false;
    return days == 0 || !since || now - json_integer_value(since) < days * DAY;
}

void sim_policy_note_login(const struct sim *sim, json_t *account, bool right)
{
    const json_t *service = sim_service_of(sim, account);
    json_int_t threshold = number(service, "lockoutThreshold", 0);
    json_int_t window = number(service, "lockoutObservationWindow", 0) * MINUTE;
    json_int_t now = (json_int_t)sim_state_now_s(sim);
    json_int_t first = json_integer_value(json_object_get(account, "_failed_since_s"));
    json_int_t failed = json_integer_value(json_object_get(account, "_failed"));
    json_t *state = json_object_get(account, "currentState");
    char date[SIM_TEXT_DATETIME_SIZE];

    sim_text_datetime(now, date);
    if (right && json_object_get(account, "lastLogonDate"))
        json_object_set_new(account, "lastLogonDate", json_string(date));
    if (right && json_object_get(state, "lastConnectionAt"))
        json_object_set_new(state, "lastConnectionAt", json_string(date));
    if (right || failed == 0 || (window > 0 && now - first >= window)) {
        failed = 0;
        json_object_set_new(account, "_failed_since_s", json_integer(now));
    }
    failed += right ? 0 : 1;
    if (threshold > 0 && failed >= threshold) {
        json_int_t minutes = number(service, "lockoutDuration", 30);
        json_object_set_new(account, "_locked_until_s",
                            json_integer(now + minutes * MINUTE));
        failed = 0;
    }
    json_object_set_new(account, "_failed", json_integer(failed));
}

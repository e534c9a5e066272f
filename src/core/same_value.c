#include "core/same_value.h"

#include <string.h>

#include "core/recovery.h"
#include "interop/totp.h"

/* What could not be compared, for want of memory, is taken for known. */
static bool is_same_seed(const struct psn_secret *known, const struct psn_secret *value)
{
    struct psn_totp left = { 0 };
    struct psn_totp right = { 0 };
    enum psn_code rc = psn_totp_parse(known, &left, NULL);
    bool same;

    if (!rc)
        rc = psn_totp_parse(value, &right, NULL);
    same = rc ? rc != PSN_E_INVALID : psn_secret_equal(left.key, right.key);
    psn_totp_release(&left);
    psn_totp_release(&right);
    return same;
}

static bool shares_code(const struct psn_secret *known, const struct psn_secret *value)
{
    struct psn_code_place left[PSN_RECOVERY_CODES_MAX];
    struct psn_code_place right[PSN_RECOVERY_CODES_MAX];
    size_t left_count = psn_recovery_split(known, left, PSN_RECOVERY_CODES_MAX);
    size_t right_count = psn_recovery_split(value, right, PSN_RECOVERY_CODES_MAX);
    const uint8_t *a = psn_secret_bytes(known);
    const uint8_t *b = psn_secret_bytes(value);

    for (size_t i = 0; i < left_count; i++)
        for (size_t j = 0; j < right_count; j++)
            if (left[i].size == right[j].size &&
                memcmp(a + left[i].at, b + right[j].at, left[i].size) == 0)
                return true;
    return false;
}

bool psn_value_is_known_by(const char *type, const struct psn_secret *known,
                           const struct psn_secret *value)
{
    if (psn_secret_equal(known, value))
        return true;
    if (strcmp(type, "totp") == 0)
        return is_same_seed(known, value);
    return strcmp(type, "recovery") == 0 && shares_code(known, value);
}

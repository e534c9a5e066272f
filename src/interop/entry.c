#include "interop/entry.h"

#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/base64.h"
#include "interop/xml_text.h"

static const int64_t time_max_s = INT64_C(253402300799); /* the end of the year 9999 */

static enum psn_code refuse(const struct psn_entry *entry, const char *why,
                            struct psn_error *err)
{
    char shown[128];

    return psn_fail(err, PSN_E_INVALID, _("entry '%s': %s"),
                    psn_text_shown(psn_entry_text(entry->title), shown, sizeof shown),
                    why);
}

static bool is_text(const char *text)
{
    size_t size = text ? strnlen(text, PSN_ENTRY_TEXT_MAX + 1) : 0;

    return size <= PSN_ENTRY_TEXT_MAX && (size == 0 || psn_xml_can_hold(text, size));
}

static bool is_taken(const char *name)
{
    static const char *const names[] = { "Title",
                                         "UserName",
                                         "Password",
                                         "URL",
                                         "Notes",
                                         PSN_ENTRY_FIELD_TYPE,
                                         PSN_ENTRY_FIELD_EXPIRES,
                                         PSN_ENTRY_FIELD_BASE64,
                                         PSN_ENTRY_FIELD_OTP,
                                         PSN_ENTRY_FIELD_REMARK };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static enum psn_code check_fields(const struct psn_entry *entry, struct psn_error *err)
{
    if (entry->field_count > PSN_ENTRY_FIELDS_MAX)
        return refuse(entry, _("it has too many fields"), err);
    for (size_t i = 0; i < entry->field_count; i++) {
        const struct psn_entry_field *field = &entry->fields[i];
        bool taken = !psn_entry_has(field->name) || is_taken(field->name);

        for (size_t k = 0; !taken && k < i; k++)
            taken = strcmp(entry->fields[k].name, field->name) == 0;
        if (taken)
            return refuse(entry, _("the name of a field is missing or taken"), err);
        if (!is_text(field->name) || !is_text(field->value))
            return refuse(entry, _("a field is not text that can be written"), err);
    }
    return PSN_OK;
}

static enum psn_code check(const struct psn_entry *entry, struct psn_error *err)
{
    static const uint8_t nobody[PSN_ENTRY_ID_SIZE];
    int year;
    int month;
    int day;

    if (!is_text(entry->group) || !is_text(entry->title) || !is_text(entry->user) ||
        !is_text(entry->url) || !is_text(entry->note) || !is_text(entry->type))
        return refuse(entry, _("a field is not text that can be written"), err);
    if ((psn_entry_has(entry->expires) &&
         !psn_clock_parse_date(entry->expires, &year, &month, &day)) ||
        entry->changed_s < 0 || entry->changed_s > time_max_s)
        return refuse(entry, _("one of its dates is not possible"), err);
    if (entry->password && psn_secret_size(entry->password) > PSN_ENTRY_TEXT_MAX)
        return refuse(entry, _("the secret is too long"), err);
    if (memcmp(entry->id, nobody, sizeof nobody) == 0)
        return refuse(entry, _("it has no identifier"), err);
    return check_fields(entry, err);
}

enum psn_code psn_entries_check(const struct psn_entry *entries, size_t count,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < count; i++)
        rc = check(&entries[i], err);
    return rc;
}

/* qsort() is not stable, but where the entries stand in their array tells their order. */
static int by_group(const void *a, const void *b)
{
    const struct psn_entry *left = *(const struct psn_entry *const *)a;
    const struct psn_entry *right = *(const struct psn_entry *const *)b;
    int order = strcmp(psn_entry_text(left->group), psn_entry_text(right->group));

    return order ? order : left < right ? -1 : left > right;
}

enum psn_code psn_entries_sorted(const struct psn_entry *entries, size_t count,
                                 const struct psn_entry ***ret_list,
                                 struct psn_error *err)
{
    const struct psn_entry **list = calloc(count + 1, sizeof(void *));

    if (!list)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < count; i++)
        list[i] = &entries[i];
    qsort(list, count, sizeof(void *), by_group);
    *ret_list = list;
    return PSN_OK;
}

static bool has_password(const struct psn_entry *entry)
{
    return entry->password && psn_secret_size(entry->password) > 0;
}

static bool is_printable(const struct psn_secret *secret)
{
    return psn_xml_can_hold((const char *)psn_secret_bytes(secret),
                            psn_secret_size(secret));
}

bool psn_entry_password_is_text(const struct psn_entry *entry)
{
    return has_password(entry) && is_printable(entry->password);
}

bool psn_entry_password_is_bytes(const struct psn_entry *entry)
{
    return has_password(entry) && !is_printable(entry->password);
}

void psn_entry_put_base64(const struct psn_entry *entry, struct psn_buf *out)
{
    size_t size = psn_secret_size(entry->password);
    char *at = (char *)psn_buf_reserve(out, PSN_BASE64_TEXT_SIZE(size));

    if (at)
        (void)psn_base64_encode(PSN_BASE64, psn_secret_bytes(entry->password), size, at);
    if (at)
        out->size--; /* the NUL does not count */
}

#include "core/recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/journal.h"
#include "core/reveal.h"
#include "core/version.h"
#include "crypto/secret.h"
#include "interop/totp.h"
#include "passation/otp.h"

/*
 * Codes that work once. The value of a secret holds them all and is never written anew;
 * which of them are used is in the secret's row, by their place in its current version. A
 * code is marked before it is shown: what a crash can leave is a mark too many, which a
 * person takes back, and never a code that is given out twice as if it were fresh.
 */
enum {
    MARK_SIZE = 8,
    MARKS_SIZE_MAX = PSN_RECOVERY_CODES_MAX * MARK_SIZE,
};

/* --- the value --- */

/* Where the text of a code ends: two blanks part codes, one belongs to them. */
static size_t code_size(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (strchr("\n\r\t,;", text[i]) ||
            (text[i] == ' ' && (i + 1 == size || strchr(" \n\r\t,;", text[i + 1]))))
            return i;
    return size;
}

size_t psn_recovery_split(const struct psn_secret *value,
                          struct psn_code_place *ret_codes, size_t max)
{
    const char *text = (const char *)psn_secret_bytes(value);
    size_t end = psn_secret_size(value);
    size_t count = 0;

    for (size_t at = 0; at < end && count < max;) {
        size_t size = text[at] == ' ' ? 0 : code_size(text + at, end - at);

        if (size > 0)
            ret_codes[count++] = (struct psn_code_place){ at, size };
        at += size + 1;
    }
    return count;
}

static enum psn_code check_codes(const struct psn_secret_info *info,
                                 const struct psn_secret *value, struct psn_error *err)
{
    struct psn_code_place codes[PSN_RECOVERY_CODES_MAX + 1];
    size_t count = psn_recovery_split(value, codes, PSN_RECOVERY_CODES_MAX + 1);

    if (count > PSN_RECOVERY_CODES_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("%s, %s: more than %d recovery codes"),
                        info->address, info->label, (int)PSN_RECOVERY_CODES_MAX);
    return count > 0 ? PSN_OK
                     : psn_fail(err, PSN_E_INVALID, _("%s, %s: there is no code in it"),
                                info->address, info->label);
}

enum psn_code psn_item_check_value(const struct psn_secret_info *info,
                                   const struct psn_secret *value, struct psn_error *err)
{
    struct psn_totp totp = { 0 };
    enum psn_code rc;

    if (strcmp(info->type, "recovery") == 0)
        return check_codes(info, value, err);
    if (strcmp(info->type, "totp") != 0)
        return PSN_OK;
    rc = psn_totp_parse(value, &totp, err);
    psn_totp_release(&totp);
    return rc ? psn_wrap(err, rc, "%s, %s", info->address, info->label) : PSN_OK;
}

enum psn_code psn_item_check_change(struct psn_vault *vault, const struct psn_item *item,
                                    const struct psn_secret_change *change,
                                    struct psn_error *err)
{
    PSN_AUTO(psn_secret) *present = NULL;
    const struct psn_secret_info *info = &item->info;
    struct psn_version version;
    enum psn_code rc;

    if (change->value)
        return psn_item_check_value(info, change->value, err);
    if (!change->type || change->replacement)
        return PSN_OK;
    rc = psn_version_get(vault, item->client, info->address, info->label, info->version,
                         &version, &present, err);
    return rc ? rc : psn_item_check_value(info, present, err);
}

enum psn_code psn_recovery_count(struct psn_vault *vault, const char *client,
                                 struct psn_secret_info *info, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_code_place codes[PSN_RECOVERY_CODES_MAX];
    struct psn_version version;
    enum psn_code rc;

    info->code_count = 0;
    if (strcmp(info->type, "recovery") != 0)
        return PSN_OK;
    rc = psn_version_get(vault, client, info->address, info->label, info->version,
                         &version, &value, err);
    if (!rc)
        info->code_count = psn_recovery_split(value, codes, PSN_RECOVERY_CODES_MAX);
    return rc;
}

/* --- the marks --- */

void psn_recovery_put_marks(struct psn_buf *record, uint16_t tag,
                            const struct psn_secret_info *info)
{
    PSN_AUTO_RELEASE(psn_buf) marks = psn_buf_init(MARKS_SIZE_MAX);
    size_t count = PSN_RECOVERY_CODES_MAX;

    while (count > 0 && info->code_used_s[count - 1] == 0)
        count--;
    for (size_t i = 0; i < count; i++)
        psn_buf_u64(&marks, (uint64_t)info->code_used_s[i]);
    if (marks.size)
        psn_record_put_bytes(record, tag, marks.data, marks.size);
    if (marks.failed)
        record->failed = marks.failed;
}

bool psn_recovery_get_marks(const struct psn_record *record, uint16_t tag,
                            struct psn_secret_info *info)
{
    const uint8_t *at;
    size_t size;

    memset(info->code_used_s, 0, sizeof info->code_used_s);
    (void)psn_record_bytes(record, tag, &at, &size);
    if (size % MARK_SIZE || size > MARKS_SIZE_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        info->code_used_s[i / MARK_SIZE] =
            (int64_t)((uint64_t)info->code_used_s[i / MARK_SIZE] << 8 | at[i]);
    return true;
}

/* A form by now (docs/issue-format.md): what was written once must be read for ever. */
static const char *const used_words[] = {
    N_("Codes that are used already, as counted from the top:"),
    "Codes déjà utilisés, comptés depuis le premier\u00a0:",
};

void psn_recovery_tell_marks(struct psn_secret_info *info)
{
    PSN_AUTO_RELEASE(psn_buf) note = psn_buf_init(sizeof info->note - 1);
    bool is_first = true;

    psn_buf_text(&note, info->note);
    for (size_t i = 0; i < PSN_RECOVERY_CODES_MAX; i++) {
        if (info->code_used_s[i] == 0)
            continue;
        if (is_first)
            psn_buf_format(&note, "%s%s", info->note[0] ? "\n" : "", _(used_words[0]));
        psn_buf_format(&note, is_first ? " %zu" : ", %zu", i + 1);
        is_first = false;
    }
    if (!is_first && !note.failed)
        (void)snprintf(info->note, sizeof info->note, "%s", psn_buf_str(&note));
}

/* " 1, 3" to the end of the text; else nothing is marked. */
static bool take_numbers(const char *text, struct psn_secret_info *info, int64_t used_s)
{
    bool used[PSN_RECOVERY_CODES_MAX] = { false };

    for (const char *before = " "; *text; before = ", ") {
        char *end;
        unsigned long number;

        if (strncmp(text, before, strlen(before)) != 0 ||
            !psn_text_is_digit(text[strlen(before)]))
            return false;
        number = strtoul(text + strlen(before), &end, 10);
        if (number < 1 || number > PSN_RECOVERY_CODES_MAX)
            return false;
        used[number - 1] = true;
        text = end;
    }
    for (size_t i = 0; i < PSN_RECOVERY_CODES_MAX; i++)
        if (used[i])
            info->code_used_s[i] = used_s;
    return true;
}

static bool take_line(const char *line, struct psn_secret_info *info, int64_t used_s)
{
    for (size_t i = 0; i < sizeof used_words / sizeof *used_words; i++) {
        size_t size = strlen(used_words[i]);

        if (strncmp(line, used_words[i], size) == 0 && line[size])
            return take_numbers(line + size, info, used_s);
    }
    return false;
}

/* A vault of before kept such a line as part of the note, so that there may be several.
 */
void psn_recovery_take_marks(struct psn_secret_info *info, int64_t used_s)
{
    bool more = strcmp(info->type, "recovery") == 0;

    while (more) {
        char *last = strrchr(info->note, '\n');

        more = take_line(last ? last + 1 : info->note, info, used_s);
        if (more)
            *(last ? last : info->note) = '\0';
    }
}

void psn_recovery_put_used(struct psn_buf *out, const struct psn_secret_info *info)
{
    for (size_t i = 0; i < PSN_RECOVERY_CODES_MAX; i++) {
        char time[PSN_TIME_SIZE];

        if (info->code_used_s[i])
            psn_buf_format(out, "%s%zu %s", out->size ? ", " : "", i + 1,
                           psn_clock_format(info->code_used_s[i], time));
    }
}

void psn_recovery_read_used(const char *text, struct psn_secret_info *info)
{
    while (*text) {
        size_t digits = strspn(text, "0123456789");
        size_t size = text[digits] == ' ' ? strcspn(text + digits + 1, ",") : 0;
        char time[PSN_TIME_SIZE] = "";
        long number = strtol(text, NULL, 10);
        int64_t time_s;

        if (digits == 0 || size >= sizeof time || number < 1 ||
            number > PSN_RECOVERY_CODES_MAX)
            return;
        memcpy(time, text + digits + (size > 0), size);
        if (!psn_clock_parse(time, &time_s) || time_s <= 0)
            return;
        info->code_used_s[number - 1] = time_s;
        text += digits + 1 + size;
        text += strspn(text, ", ");
    }
}

size_t psn_recovery_left(const struct psn_secret_info *info)
{
    size_t left = 0;

    for (size_t i = 0; i < info->code_count; i++)
        left += info->code_used_s[i] == 0;
    return left;
}

/* --- taking one --- */

static enum psn_code read_codes(struct psn_vault *vault, const char *address,
                                const char *label, struct psn_item *item,
                                struct psn_error *err)
{
    char quoted[4 * PSN_LABEL_TEXT_MAX];
    enum psn_code rc = psn_item_read(vault, address, label, item, err);

    if (rc)
        return rc;
    if (item->info.hidden)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s: the secret '%s' was removed"),
                        address, label);
    if (strcmp(item->info.type, "recovery") == 0)
        return psn_recovery_count(vault, item->client, &item->info, err);
    (void)psn_fail(err, PSN_E_INVALID, _("%s, %s: that holds no recovery codes"), address,
                   label);
    return psn_hint(err, PSN_E_INVALID,
                    _("if it does, say so: passation secret set %s %s --type recovery"),
                    address, psn_text_quoted(label, quoted, sizeof quoted));
}

static enum psn_code fail_all_used(const struct psn_secret_info *info,
                                   struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s, %s: all %zu recovery codes are used"),
                   info->address, info->label, info->code_count);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("have the service make new ones, and store them: passation secret "
                      "set %s %s --secret-fd N"),
                    info->address, info->label);
}

static void describe(const struct psn_secret_info *info, size_t index,
                     struct psn_recovery_code *code)
{
    code->number = index + 1;
    code->count = info->code_count;
    code->left = psn_recovery_left(info);
}

static enum psn_code disclose(struct psn_vault *vault, const struct psn_item *item,
                              size_t index, enum psn_how how,
                              struct psn_secret **ret_value, struct psn_error *err)
{
    char text[64];

    (void)snprintf(text, sizeof text, "recovery code %zu of %zu, %s", index + 1,
                   item->info.code_count, psn_how_name(how));
    return psn_disclose(vault,
                        &(struct psn_disclosure){ .client = item->client,
                                                  .address = item->info.address,
                                                  .label = item->info.label,
                                                  .version = item->info.version,
                                                  .how = how,
                                                  .text = text },
                        ret_value, err);
}

static enum psn_code take(struct psn_vault *vault, const char *address, const char *label,
                          enum psn_how how, struct psn_recovery_code *code,
                          struct psn_error *err)
{
    PSN_AUTO(psn_secret) *all = NULL;
    struct psn_code_place codes[PSN_RECOVERY_CODES_MAX];
    struct psn_item item = { 0 };
    struct psn_secret_info *info = &item.info;
    size_t index = 0;
    enum psn_code rc = read_codes(vault, address, label, &item, err);

    if (rc)
        return rc;
    while (index < info->code_count && info->code_used_s[index])
        index++;
    if (index == info->code_count)
        return fail_all_used(info, err);
    info->code_used_s[index] = vault->world.now_s();
    rc = psn_item_put(vault, &item, err);
    if (!rc)
        rc = disclose(vault, &item, index, how, &all, err);
    if (rc)
        return rc;
    (void)psn_recovery_split(all, codes, PSN_RECOVERY_CODES_MAX);
    describe(info, index, code);
    return psn_secret_copy(psn_secret_bytes(all) + codes[index].at, codes[index].size,
                           &code->value, err);
}

enum psn_code psn_recovery_take(struct psn_vault *vault, const char *address,
                                const char *label, enum psn_how how,
                                struct psn_recovery_code *ret_code, struct psn_error *err)
{
    struct psn_recovery_code code = { 0 };
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, take(vault, normal, label, how, &code, err), err);
    if (rc)
        psn_secret_free(code.value);
    else
        *ret_code = code;
    return rc;
}

/* --- marking one --- */

static enum psn_code mark(struct psn_vault *vault, const char *address, const char *label,
                          size_t number, bool used, struct psn_recovery_code *code,
                          struct psn_error *err)
{
    struct psn_item item = { 0 };
    struct psn_secret_info *info = &item.info;
    char text[64];
    enum psn_code rc = read_codes(vault, address, label, &item, err);

    if (rc)
        return rc;
    if (number == 0 || number > info->code_count)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s, %s: there is no code %zu of %zu"),
                        address, label, number, info->code_count);
    if (used == (info->code_used_s[number - 1] != 0))
        return psn_fail(err, PSN_E_CONFLICT,
                        used ? _("%s, %s: code %zu is marked as used already")
                             : _("%s, %s: code %zu is not marked as used"),
                        address, label, number);
    info->code_used_s[number - 1] = used ? vault->world.now_s() : 0;
    rc = psn_item_put(vault, &item, err);
    (void)snprintf(text, sizeof text, "recovery code %zu of %zu", number,
                   info->code_count);
    describe(info, number - 1, code);
    return rc ? rc
              : psn_journal_note(vault, item.client,
                                 &(struct psn_note){ .event = used ? "secret.code.used"
                                                                   : "secret.code.unused",
                                                     .subject = address,
                                                     .label = label,
                                                     .version = info->version,
                                                     .text = text },
                                 err);
}

enum psn_code psn_recovery_mark(struct psn_vault *vault, const char *address,
                                const char *label, size_t number, bool used,
                                struct psn_recovery_code *ret_code, struct psn_error *err)
{
    struct psn_recovery_code code = { 0 };
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, mark(vault, normal, label, number, used, &code, err), err);
    if (!rc)
        *ret_code = code;
    return rc;
}

#include "core/person.h"

#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/journal.h"
#include "core/record.h"

enum {
    TAG_ID = 1,
    TAG_KIND = 2,
    TAG_NAME = 3,
    TAG_EMAIL = 4,
    TAG_CREATED = 5,
    TAG_MAX = 5,
};

const char *psn_person_kind_name(enum psn_person_kind kind)
{
    switch (kind) {
    case PSN_PERSON_TEAM:
        return "team";
    case PSN_PERSON_PROVIDER:
        return "provider";
    case PSN_PERSON_CLIENT:
        return "client";
    }
    return "unknown";
}

bool psn_id_is_valid(const char *id)
{
    size_t length = strlen(id);

    if (length == 0 || length > PSN_ID_MAX || id[0] == '.' || id[0] == '_' ||
        id[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!psn_text_is_lower(id[i]) && !psn_text_is_digit(id[i]) &&
            !strchr("._-", id[i]))
            return false;
    return true;
}

enum psn_code psn_person_check_id(const char *id, struct psn_error *err)
{
    char shown[128];

    if (psn_id_is_valid(id))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' cannot be a person's id"),
                   psn_text_shown(id, shown, sizeof shown));
    return psn_hint(
        err, PSN_E_INVALID,
        _("use lower-case letters, digits, '.', '_' and '-', at most 64, beginning "
          "with a letter or digit"));
}

enum psn_code psn_person_check(const struct psn_person *person, struct psn_error *err)
{
    enum psn_code rc = psn_person_check_id(person->id, err);

    if (rc)
        return rc;
    if (!psn_text_is_plain(person->name, strlen(person->name)) ||
        !psn_text_is_plain(person->email, strlen(person->email)))
        return psn_fail(
            err, PSN_E_INVALID,
            _("the name or e-mail of '%s' holds characters that cannot be shown"),
            person->id);
    return PSN_OK;
}

enum psn_code psn_person_insert(struct psn_vault *vault, const struct psn_person *person,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_PERSON, person->id, &key, err);

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_ID, person->id);
    psn_record_put_number(&plain, TAG_KIND, (uint64_t)person->kind);
    psn_record_put_text(&plain, TAG_NAME, person->name);
    psn_record_put_text(&plain, TAG_EMAIL, person->email);
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)vault->world.now_s());
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_PERSON, &key, 1, vault->rows_key, plain.data,
                         plain.size, err);
    if (rc == PSN_E_EXISTS)
        return psn_wrap(err, rc, _("person '%s'"), person->id);
    if (rc)
        return rc;
    return psn_journal_note(
        vault, NULL,
        &(struct psn_note){ .event = "person.added",
                            .subject = person->id,
                            .text = psn_person_kind_name(person->kind) },
        err);
}

enum psn_code psn_person_read(struct psn_vault *vault, const char *id,
                              struct psn_person *ret_person, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    struct psn_record record;
    uint64_t revision;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_PERSON, id, &key, err);

    if (!rc)
        rc = psn_row_get(vault, PSN_TABLE_PERSON, &key, vault->rows_key, &plain,
                         &revision, err);
    if (!rc)
        rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (rc)
        return rc;
    *ret_person = (struct psn_person){ 0 };
    if (!psn_record_text(&record, TAG_ID, ret_person->id, sizeof ret_person->id) ||
        !psn_record_text(&record, TAG_NAME, ret_person->name, sizeof ret_person->name) ||
        !psn_record_text(&record, TAG_EMAIL, ret_person->email, sizeof ret_person->email))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a person is malformed"));
    ret_person->kind = (enum psn_person_kind)psn_record_number(&record, TAG_KIND);
    ret_person->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    return PSN_OK;
}

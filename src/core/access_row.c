#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "core/access.h"
#include "core/record.h"

enum {
    TAG_CLIENT = 1,
    TAG_ID = 2,
    TAG_KIND = 3, /* the word */
    TAG_SUBJECT = 4,
    TAG_DETAIL = 5,
    TAG_WHOSE = 6,
    TAG_SINCE = 7,
    TAG_DANGER = 8,
    TAG_EXTERNAL = 9,
    TAG_OWN = 10,
    TAG_METHOD = 11,
    TAG_PATH = 12,
    TAG_BODY = 13,
    TAG_OBSTACLE = 14,
    TAG_STATE = 15,
    TAG_NEW = 16,
    TAG_FIRST = 17,
    TAG_LAST = 18,
    TAG_DECIDED = 19,
    TAG_DECIDED_BY = 20,
    TAG_GONE = 21,
    TAG_LATER = 22,
    TAG_TAKEN = 23,
    TAG_KNOWN_TO = 24,
    TAG_ELSEWHERE = 25,
    TAG_MAX = 25,
    ID_PRF = 8,
    ACCESS_RECORD_MAX = 8 * 1024,
};

static enum psn_code row_key(struct psn_vault *vault, const char *client, const char *id,
                             struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_ACCESS, client, ret_key, err);

    return rc ? rc
              : psn_row_key_add_prf(vault, PSN_TABLE_ACCESS, id, ID_PRF, ret_key, err);
}

static void put_finding(const struct psn_finding *finding, struct psn_buf *out)
{
    psn_record_put_text(out, TAG_ID, finding->id);
    psn_record_put_text(out, TAG_KIND, psn_finding_kind_name(finding->kind));
    psn_record_put_text(out, TAG_SUBJECT, finding->subject);
    psn_record_put_text(out, TAG_DETAIL,
                        finding->source[0] ? finding->source : finding->detail);
    psn_record_put_text(out, TAG_WHOSE, finding->whose);
    psn_record_put_number(out, TAG_SINCE, (uint64_t)finding->since_s);
    psn_record_put_number(out, TAG_DANGER, (uint64_t)finding->danger);
    psn_record_put_number(out, TAG_EXTERNAL, finding->external);
    psn_record_put_number(out, TAG_OWN, finding->own);
    psn_record_put_text(out, TAG_METHOD, finding->method);
    psn_record_put_text(out, TAG_PATH, finding->path);
    psn_record_put_text(out, TAG_BODY, finding->body);
    psn_record_put_text(out, TAG_OBSTACLE, finding->obstacle);
}

enum psn_code psn_access_row_write(struct psn_vault *vault, struct psn_access_row *row,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(ACCESS_RECORD_MAX);
    const struct psn_access *access = &row->access;
    struct psn_row_key key;
    enum psn_code rc = row_key(vault, row->client, access->finding.id, &key, err);

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_CLIENT, row->client);
    put_finding(&access->finding, &plain);
    psn_record_put_number(&plain, TAG_STATE, (uint64_t)access->state);
    psn_record_put_number(&plain, TAG_NEW, access->is_new);
    psn_record_put_number(&plain, TAG_FIRST, (uint64_t)access->first_s);
    psn_record_put_number(&plain, TAG_LAST, (uint64_t)access->last_s);
    psn_record_put_number(&plain, TAG_DECIDED, (uint64_t)access->decided_s);
    psn_record_put_text(&plain, TAG_DECIDED_BY, access->decided_by);
    psn_record_put_number(&plain, TAG_GONE, (uint64_t)access->gone_s);
    psn_record_put_number(&plain, TAG_LATER, access->is_later);
    psn_record_put_number(&plain, TAG_TAKEN, access->is_taken);
    psn_record_put_text(&plain, TAG_KNOWN_TO, access->known_to);
    psn_record_put_number(&plain, TAG_ELSEWHERE, access->finding.elsewhere);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_ACCESS, &key, row->revision + 1,
                         vault->rows_key, plain.data, plain.size, err);
    if (!rc)
        row->revision++;
    return rc;
}

/* A kind that this version does not know would be shown as something it is not. */
static bool get_kind(const struct psn_record *record, enum psn_finding_kind *ret_kind)
{
    char word[64];

    if (!psn_record_text(record, TAG_KIND, word, sizeof word))
        return false;
    for (int kind = PSN_FINDING_DOMAIN; kind <= PSN_FINDING_UNREADABLE; kind++)
        if (strcmp(word, psn_finding_kind_name((enum psn_finding_kind)kind)) == 0) {
            *ret_kind = (enum psn_finding_kind)kind;
            return true;
        }
    return false;
}

static bool get_finding(const struct psn_record *record, struct psn_finding *finding)
{
    finding->since_s = (int64_t)psn_record_number(record, TAG_SINCE);
    finding->danger = (enum psn_danger)psn_record_number(record, TAG_DANGER);
    finding->external = psn_record_number(record, TAG_EXTERNAL) != 0;
    finding->own = psn_record_number(record, TAG_OWN) != 0;
    finding->elsewhere = psn_record_number(record, TAG_ELSEWHERE) != 0;
    return get_kind(record, &finding->kind) && finding->danger <= PSN_DANGER_DANGER &&
           psn_record_text(record, TAG_ID, finding->id, sizeof finding->id) &&
           psn_record_text(record, TAG_SUBJECT, finding->subject,
                           sizeof finding->subject) &&
           psn_record_text(record, TAG_DETAIL, finding->source, sizeof finding->source) &&
           psn_finding_detail(finding, finding->detail) &&
           psn_record_text(record, TAG_WHOSE, finding->whose, sizeof finding->whose) &&
           psn_record_text(record, TAG_METHOD, finding->method, sizeof finding->method) &&
           psn_record_text(record, TAG_PATH, finding->path, sizeof finding->path) &&
           psn_record_text(record, TAG_BODY, finding->body, sizeof finding->body) &&
           psn_record_text(record, TAG_OBSTACLE, finding->obstacle,
                           sizeof finding->obstacle);
}

static enum psn_code decode(const struct psn_buf *plain, struct psn_access_row *row,
                            struct psn_error *err)
{
    struct psn_access *access = &row->access;
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    access->state = (enum psn_access_state)psn_record_number(&record, TAG_STATE);
    access->is_new = psn_record_number(&record, TAG_NEW) != 0;
    access->first_s = (int64_t)psn_record_number(&record, TAG_FIRST);
    access->last_s = (int64_t)psn_record_number(&record, TAG_LAST);
    access->decided_s = (int64_t)psn_record_number(&record, TAG_DECIDED);
    access->gone_s = (int64_t)psn_record_number(&record, TAG_GONE);
    access->is_later = psn_record_number(&record, TAG_LATER) != 0;
    access->is_taken = psn_record_number(&record, TAG_TAKEN) != 0;
    if (access->state > PSN_ACCESS_GONE || !get_finding(&record, &access->finding) ||
        !psn_record_text(&record, TAG_CLIENT, row->client, sizeof row->client) ||
        !psn_record_text(&record, TAG_DECIDED_BY, access->decided_by,
                         sizeof access->decided_by) ||
        !psn_record_text(&record, TAG_KNOWN_TO, access->known_to,
                         sizeof access->known_to))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of an access is malformed"));
    return PSN_OK;
}

enum psn_code psn_access_row_read(struct psn_vault *vault, const char *client,
                                  const char *id, struct psn_access_row *ret_row,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(ACCESS_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = row_key(vault, client, id, &key, err);

    *ret_row = (struct psn_access_row){ 0 };
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_ACCESS, &key, vault->rows_key, &plain,
                          &ret_row->revision, err);
    if (!rc && ret_row->revision == 0)
        return PSN_E_NOT_FOUND;
    return rc ? rc : decode(&plain, ret_row, err);
}

struct walk {
    psn_access_row_fn *each;
    void *arg;
    uint64_t count;
};

static enum psn_code pass_on(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct walk *walk = arg;
    PSN_AUTO_FREE struct psn_access_row *access = calloc(1, sizeof *access);
    enum psn_code rc;

    if (!access)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    access->revision = row->revision;
    rc = decode(plain, access, err);
    walk->count++;
    return rc ? rc : walk->each(walk->arg, access, err);
}

static enum psn_code walk_rows(struct psn_vault *vault, const char *client,
                               struct walk *walk, struct psn_error *err)
{
    struct psn_row_key prefix;
    enum psn_code rc = PSN_OK;

    if (client)
        rc = psn_row_key_init(vault, PSN_TABLE_ACCESS, client, &prefix, err);
    return rc ? rc
              : psn_row_each(vault, PSN_TABLE_ACCESS, client ? &prefix : NULL,
                             vault->rows_key, pass_on, walk, err);
}

enum psn_code psn_access_row_each(struct psn_vault *vault, const char *client,
                                  psn_access_row_fn *each, void *arg,
                                  struct psn_error *err)
{
    struct walk walk = { each, arg, 0 };

    return walk_rows(vault, client, &walk, err);
}

static enum psn_code copy_one(void *arg, const struct psn_access_row *row,
                              struct psn_error *err)
{
    struct psn_access_row copy = *row;

    copy.revision = 0;
    return psn_access_row_write(arg, &copy, err);
}

enum psn_code psn_access_row_copy(struct psn_vault *from, struct psn_vault *to,
                                  uint64_t *ret_count, struct psn_error *err)
{
    struct walk walk = { copy_one, to, 0 };
    enum psn_code rc = walk_rows(from, NULL, &walk, err);

    *ret_count = walk.count;
    return rc;
}

/*
 * A zone as a file. OVH's records are data of people: what a record holds must not become
 * another record, a comment or an order to whoever reads the file. So nothing is copied
 * that is not visible ASCII; a name is escaped, text is quoted anew, and any other target
 * must be without what the format gives a meaning to (RFC 1035, 5.1). A record that
 * cannot stand there is an error, not left out: half a zone is no copy of one.
 *
 * SPF, DKIM and DMARC are kinds of OVH's own: in the DNS they are TXT.
 */
#include "ovh/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "ovh/contact.h"
#include "ovh/walk.h"

enum {
    DEFAULT_TTL = 3600,
    TTL_MAX = 0x7fffffff,
    TARGET_MAX = 16 * 1024,
    LINE_MAX_SIZE = 8 * TARGET_MAX, /* each byte escaped, and quotes */
    TYPE_MAX = 16,
    PIECE_MAX = 255, /* of one string in a TXT record */
    DAY_S = 86400,
};

struct record {
    char *line; /* owned; behind the name */
    char name[PSN_WALK_NAME_SIZE];
    char type[TYPE_MAX];
};

struct zone {
    const char *name;
    struct record *records;
    size_t count;
};

static void zone_release(struct zone *zone)
{
    for (size_t i = 0; i < zone->count; i++)
        free(zone->records[i].line);
    free(zone->records);
}

/* Said of the record by its number, which OVH's page shows, too. */
static enum psn_code refuse(const char *what, struct psn_error *err)
{
    return psn_fail(err, PSN_E_NETWORK, _("it cannot stand in a zone file (%s)"), what);
}

/* --- names --- */

static bool is_visible(char c)
{
    return c > ' ' && c <= '~';
}

static enum psn_code check_name(const char *name, struct psn_error *err)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++)
        if (!is_visible(name[i]))
            return refuse(_("its name holds a blank, a control character or a letter "
                            "outside ASCII"),
                          err);
    if (length > 0 && (name[0] == '.' || name[length - 1] == '.' || strstr(name, "..")))
        return refuse(_("its name leaves the zone"), err);
    return PSN_OK;
}

static void append_name(struct psn_buf *out, const char *name)
{
    if (!*name)
        psn_buf_char(out, '@');
    for (; *name; name++) {
        if (strchr("\"();@$\\", *name))
            psn_buf_char(out, '\\');
        psn_buf_char(out, *name);
    }
}

/* --- text --- */

static void append_byte(struct psn_buf *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        psn_buf_format(out, "\\%c", c);
    else if (c > '~')
        psn_buf_format(out, "\\%03u", (unsigned)c);
    else
        psn_buf_char(out, (char)c);
}

/* One string of a TXT record, in as many as it takes. */
static void append_string(struct psn_buf *out, const char *bytes, size_t size)
{
    psn_buf_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && i % PIECE_MAX == 0)
            psn_buf_text(out, "\" \"");
        append_byte(out, (unsigned char)bytes[i]);
    }
    psn_buf_char(out, '"');
}

/* "\"" or "\123": one byte. Advances, or returns false. */
static bool take_escape(const char **at, char *ret_byte)
{
    const char *text = *at + 1;
    unsigned value = 0;

    if (!*text)
        return false;
    if (!psn_text_is_digit(*text)) {
        *ret_byte = *text;
        *at = text + 1;
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (!psn_text_is_digit(text[i]))
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (value < ' ' || value == 0x7f || value > 0xff)
        return false;
    *ret_byte = (char)value;
    *at = text + 3;
    return true;
}

/* A quoted string, *at behind its first quote: its bytes. False if it has no end. */
static bool take_quoted(const char **at, struct psn_buf *bytes)
{
    while (**at && **at != '"') {
        char c = **at;

        if (c == '\\') {
            if (!take_escape(at, &c))
                return false;
        } else {
            (*at)++;
        }
        psn_buf_char(bytes, c);
    }
    if (!**at)
        return false;
    (*at)++;
    return true;
}

/* Strings in quotes, with blanks between them. False if it is not that, whole. */
static bool requote(const char *target, struct psn_buf *out)
{
    bool any = false;

    for (;;) {
        PSN_AUTO_RELEASE(psn_buf) bytes = psn_buf_init(TARGET_MAX);

        target += strspn(target, " ");
        if (!*target)
            return any;
        if (*target++ != '"' || !take_quoted(&target, &bytes))
            return false;
        if (any)
            psn_buf_char(out, ' ');
        append_string(out, psn_buf_str(&bytes), bytes.size);
        any = true;
    }
}

/* OVH hands text out in quotes or without. */
static enum psn_code append_text(struct psn_buf *out, const char *target,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) quoted = psn_buf_init(LINE_MAX_SIZE);

    for (const char *c = target; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return refuse(_("its text holds a control character"), err);
    if (!requote(target, &quoted)) {
        psn_buf_reset(&quoted);
        append_string(&quoted, target, strlen(target));
    }
    psn_buf_bytes(out, quoted.data, quoted.size);
    return psn_buf_check(&quoted, err);
}

/* --- other targets --- */

/* As given; a quote has its end, and what begins a comment or spans lines is in one. */
static enum psn_code append_target(struct psn_buf *out, const char *target,
                                   struct psn_error *err)
{
    bool quoted = false;

    for (const char *c = target; *c; c++) {
        if (*c != ' ' && !is_visible(*c))
            return refuse(_("its target holds a control character, or a letter outside "
                            "ASCII"),
                          err);
        if (*c == '\\' && c[1])
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (!quoted && strchr(";()", *c))
            return refuse(_("its target holds a comment or a bracket"), err);
    }
    if (!*target || quoted)
        return refuse(*target ? _("its target has a quote without an end")
                              : _("it has no target"),
                      err);
    psn_buf_text(out, target);
    return PSN_OK;
}

static bool is_text(const char *type)
{
    static const char *const types[] = { "TXT", "SPF", "DKIM", "DMARC" };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

/* --- records --- */

static enum psn_code read_type(const json_t *value, char type[TYPE_MAX],
                               struct psn_error *err)
{
    enum psn_code rc = psn_json_text(value, "fieldType", type, TYPE_MAX, err);

    for (const char *c = type; !rc && *c; c++)
        if (!psn_text_is_upper(*c) && !psn_text_is_digit(*c))
            return refuse(_("its kind is not one"), err);
    return !rc && !*type ? refuse(_("its kind is not one"), err) : rc;
}

/* 0 is the zone's own. */
static enum psn_code append_ttl(struct psn_buf *out, const json_t *value,
                                struct psn_error *err)
{
    int64_t ttl = 0;
    enum psn_code rc = psn_json_int_or(value, "ttl", 0, &ttl, err);

    if (!rc && (ttl < 0 || ttl > TTL_MAX))
        return refuse(_("its TTL is out of range"), err);
    if (!rc && ttl > 0)
        psn_buf_format(out, " %lld", (long long)ttl);
    return rc;
}

static enum psn_code read_record(const json_t *value, struct record *record,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(LINE_MAX_SIZE);
    PSN_AUTO_FREE char *target = calloc(1, TARGET_MAX);
    enum psn_code rc;

    if (!target)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_json_expect_object(value, err);
    if (!rc)
        rc = psn_json_text_or_empty(value, "subDomain", record->name, sizeof record->name,
                                    err);
    if (!rc)
        rc = check_name(record->name, err);
    if (!rc)
        rc = read_type(value, record->type, err);
    if (!rc)
        rc = psn_json_text(value, "target", target, TARGET_MAX, err);
    if (!rc)
        rc = append_ttl(&line, value, err);
    if (rc)
        return rc;
    psn_buf_format(&line, " IN %s ", is_text(record->type) ? "TXT" : record->type);
    rc = is_text(record->type) ? append_text(&line, target, err)
                               : append_target(&line, target, err);
    return rc ? rc : psn_buf_take(&line, &record->line, err);
}

/* One that went while the list was read is no longer of the zone. */
static enum psn_code add_record(struct psn_ovh *ovh, struct zone *zone, const char *id,
                                struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    bool is_gone;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND,
                  psn_ovh_get_at(ovh, "/domain/zone/*/record/*",
                                 PSN_OVH_PARTS(zone->name, id), &value, err),
                  &is_gone, err);

    if (is_gone)
        return PSN_OK;
    if (!rc)
        rc = read_record(value, &zone->records[zone->count], err);
    if (rc)
        return psn_wrap(err, rc, _("record %s of the zone '%s'"), id, zone->name);
    zone->count++;
    return PSN_OK;
}

/* The zone's own name first. */
static int compare_records(const void *a, const void *b)
{
    const struct record *left = a;
    const struct record *right = b;
    int order = strcmp(left->name, right->name);

    if (!order)
        order = strcmp(left->type, right->type);
    return order ? order : strcmp(left->line, right->line);
}

static enum psn_code read_zone(struct psn_ovh *ovh, struct zone *zone,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) ids = { NULL, 0 };
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc = psn_ovh_get_at(ovh, "/domain/zone/*/record",
                                      PSN_OVH_PARTS(zone->name), &list, err);

    if (!rc)
        rc = psn_names_read(list, &ids, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot read the zone '%s'"), zone->name);
    zone->records = calloc(ids.count + 1, sizeof *zone->records);
    if (!zone->records)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; !rc && i < ids.count; i++)
        rc = add_record(ovh, zone, ids.items[i], err);
    if (!rc && zone->count > 1)
        qsort(zone->records, zone->count, sizeof *zone->records, compare_records);
    return rc;
}

enum psn_code psn_ovh_zone_export(struct psn_ovh *ovh, const char *name,
                                  struct psn_buf *out, struct psn_error *err)
{
    PSN_AUTO_RELEASE(zone) zone = { .name = name };
    enum psn_code rc = read_zone(ovh, &zone, err);

    if (rc)
        return rc;
    psn_buf_format(out, "$ORIGIN %s.\n$TTL %d\n", name, DEFAULT_TTL);
    for (size_t i = 0; i < zone.count; i++) {
        append_name(out, zone.records[i].name);
        psn_buf_text(out, zone.records[i].line);
        psn_buf_char(out, '\n');
    }
    return psn_buf_check(out, err);
}

/* --- facts --- */

static enum psn_code garbage(const char *member, struct psn_error *err)
{
    return psn_fail(err, PSN_E_NETWORK,
                    _("garbage from the server (member '%s' is missing or of a wrong "
                      "kind)"),
                    member);
}

/* "2027-03-11": midnight. */
static enum psn_code read_date(const json_t *value, const char *member, int64_t *ret_s,
                               struct psn_error *err)
{
    char text[32];
    int year;
    int month;
    int day;
    enum psn_code rc = psn_json_text_or_empty(value, member, text, sizeof text, err);

    *ret_s = 0;
    if (rc || !text[0])
        return rc;
    if (psn_clock_parse(text, ret_s))
        return PSN_OK;
    if (!psn_clock_parse_date(text, &year, &month, &day))
        return garbage(member, err);
    *ret_s = psn_clock_days(year, month, day) * DAY_S;
    return PSN_OK;
}

static bool is_true(const json_t *object, const char *member)
{
    return json_is_true(json_object_get(object, member));
}

enum psn_code psn_ovh_domain_facts(struct psn_ovh *ovh, const char *domain,
                                   struct psn_domain_facts *ret_facts,
                                   struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_domain_facts facts = { .expires_s = 0 };
    const json_t *renew;
    enum psn_code rc =
        psn_ovh_get_at(ovh, psn_contact_place_of(PSN_CONTACT_DOMAIN)->infos,
                       PSN_OVH_PARTS(domain), &value, err);

    if (!rc)
        rc = psn_json_expect_object(value, err);
    if (!rc)
        rc = read_date(value, "expiration", &facts.expires_s, err);
    if (!rc)
        rc = psn_json_text_or_empty(value, "status", facts.status, sizeof facts.status,
                                    err);
    if (!rc && !psn_text_is_plain(facts.status, strlen(facts.status)))
        rc = garbage("status", err);
    renew = json_object_get(value, "renew");
    if (!rc && renew && !json_is_null(renew)) {
        rc = psn_json_bool(renew, "automatic", &facts.renews, err);
        facts.is_deleted = is_true(renew, "deleteAtExpiration");
    }
    if (rc)
        return psn_wrap(err, rc, _("cannot read when '%s' ends"), domain);
    *ret_facts = facts;
    return PSN_OK;
}

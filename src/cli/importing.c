#include "cli/importing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/stream.h"
#include "cli/gpg.h"

PSN_DEFINE_AUTO(psn_age_identities)

enum kind {
    KIND_PASS,
    KIND_PASSAGE,
    KIND_XML,
    KIND_JSON,
    KIND_CSV,
};

static const struct {
    const char *name;
    enum kind kind;
} formats[] = {
    { "pass", KIND_PASS },           { "passage", KIND_PASSAGE },
    { "keepass-xml", KIND_XML },     { "keepass-csv", KIND_CSV },
    { "bitwarden-json", KIND_JSON }, { "bitwarden-csv", KIND_CSV },
    { "1password-csv", KIND_CSV },   { "csv", KIND_CSV },
};

/* ---- which format ---- */

const char *cli_import_format(size_t i)
{
    return i < sizeof formats / sizeof *formats ? formats[i].name : NULL;
}

static bool has_file(const char *folder, const char *name)
{
    char path[CLI_PATH_MAX];
    struct stat info;

    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           lstat(path, &info) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);

    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

static enum psn_code guess_format(const char *source, const char **ret_format,
                                  struct psn_error *err)
{
    const char *guess = NULL;

    if (has_file(source, ".gpg-id"))
        guess = "pass";
    else if (has_file(source, ".age-recipients"))
        guess = "passage";
    else if (ends_with(source, ".xml"))
        guess = "keepass-xml";
    else if (ends_with(source, ".json"))
        guess = "bitwarden-json";
    else if (ends_with(source, ".csv"))
        guess = "csv";
    *ret_format = guess;
    if (guess)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("what kind of file is '%s'?"),
                   CLI_SHOWN(source));
    return psn_hint(err, PSN_E_INVALID,
                    _("--format pass, passage, keepass-xml, keepass-csv, bitwarden-json, "
                      "bitwarden-csv, 1password-csv or csv"));
}

static enum psn_code find_kind(const struct cli_importing *importing, enum kind *ret_kind,
                               struct psn_error *err)
{
    const char *format = importing->format;
    enum psn_code rc = format ? PSN_OK : guess_format(importing->source, &format, err);

    for (size_t i = 0; !rc && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, format) == 0) {
            *ret_kind = formats[i].kind;
            return PSN_OK;
        }
    if (rc)
        return rc;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is no format"), CLI_SHOWN(format));
    return psn_hint(err, PSN_E_INVALID,
                    _("--format pass, passage, keepass-xml, keepass-csv, bitwarden-json, "
                      "bitwarden-csv, 1password-csv or csv"));
}

/* ---- a map of columns ---- */

static const struct {
    const char *name;
    enum psn_foreign_part part;
} parts[] = {
    { "group", PSN_FOREIGN_GROUP },   { "title", PSN_FOREIGN_TITLE },
    { "user", PSN_FOREIGN_USER },     { "password", PSN_FOREIGN_PASSWORD },
    { "url", PSN_FOREIGN_URL },       { "note", PSN_FOREIGN_NOTE },
    { "totp", PSN_FOREIGN_TOTP },     { "expires", PSN_FOREIGN_EXPIRES },
    { "type", PSN_FOREIGN_TYPE },     { "field", PSN_FOREIGN_FIELD },
    { "secret", PSN_FOREIGN_SECRET }, { "ignore", PSN_FOREIGN_IGNORED },
};

static enum psn_code read_pair(const char *text, char *name, size_t size,
                               enum psn_foreign_part *ret_part, struct psn_error *err)
{
    const char *equal = strrchr(text, '=');

    if (equal && equal > text && (size_t)(equal - text) < size)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            if (strcmp(equal + 1, parts[i].name) == 0) {
                memcpy(name, text, (size_t)(equal - text));
                name[equal - text] = '\0';
                *ret_part = parts[i].part;
                return PSN_OK;
            }
    (void)psn_fail(err, PSN_E_INVALID, _("--map %s: not of the form COLUMN=FIELD"),
                   CLI_SHOWN(text));
    return psn_hint(err, PSN_E_INVALID,
                    _("FIELD is group, title, user, password, url, note, totp, expires, "
                      "type, field, secret or ignore"));
}

/* ---- sources ---- */

static enum psn_code read_csv(const struct psn_source *source,
                              const struct cli_texts *map, struct psn_foreign_list *list,
                              struct psn_error *err)
{
    struct psn_csv_column columns[PSN_FOREIGN_COLUMNS_MAX];
    char names[PSN_FOREIGN_COLUMNS_MAX][64];
    enum psn_code rc = PSN_OK;

    if (map->count > PSN_FOREIGN_COLUMNS_MAX)
        return psn_fail(err, PSN_E_INVALID, _("there are too many columns"));
    for (size_t i = 0; !rc && i < map->count; i++) {
        rc = read_pair(map->items[i], names[i], sizeof names[i], &columns[i].part, err);
        columns[i].name = names[i];
    }
    return rc ? rc
              : psn_csv_read(source, columns, map->count, psn_foreign_list_add, list,
                             err);
}

static enum psn_code read_file(const struct cli_importing *importing, enum kind kind,
                               struct psn_foreign_list *list, struct psn_error *err)
{
    bool is_stdin = strcmp(importing->source, "-") == 0;
    struct psn_stream_fd file = { .fd = STDIN_FILENO, .name = importing->source };
    struct psn_source source = psn_source_fd(&file);
    enum psn_code rc =
        is_stdin ? PSN_OK : psn_file_open(importing->source, &file.fd, err);

    if (rc)
        return rc;
    if (kind == KIND_XML)
        rc = psn_keepass_xml_read(&source, psn_foreign_list_add, list, err);
    else if (kind == KIND_JSON)
        rc = psn_bitwarden_read(&source, psn_foreign_list_add, list, err);
    else
        rc = read_csv(&source, importing->map, list, err);
    if (!is_stdin)
        (void)close(file.fd);
    return rc;
}

/* ---- passage ---- */

static enum psn_code decrypt(struct psn_age_identities *identities,
                             const struct psn_source *source,
                             struct psn_secret **ret_text, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped(PSN_FOREIGN_ENTRY_MAX);
    struct psn_sink sink = psn_sink_buf(&text);
    struct psn_age_limits limits = { .size_max = (uint64_t)2 * PSN_FOREIGN_ENTRY_MAX };
    enum psn_code rc = psn_age_decrypt(identities, &limits, source, &sink, NULL, err);

    return rc ? rc : psn_secret_copy(text.data, text.size, ret_text, err);
}

static enum psn_code open_age(void *arg, int fd, const char *name,
                              struct psn_secret **ret_text, struct psn_error *err)
{
    struct psn_stream_fd file = { .fd = fd, .name = name };
    struct psn_source source = psn_source_fd(&file);

    return decrypt(arg, &source, ret_text, err);
}

static bool is_encrypted(const struct psn_secret *text)
{
    static const char *const heads[] = { "age-encryption.org/", "-----BEGIN AGE " };
    const char *bytes = (const char *)psn_secret_bytes(text);

    return strncmp(bytes, heads[0], strlen(heads[0])) == 0 ||
           strncmp(bytes, heads[1], strlen(heads[1])) == 0;
}

/* An identity file that age itself has encrypted with a passphrase. */
static enum psn_code open_identity(struct cli *cli, struct psn_secret **identity,
                                   struct psn_error *err)
{
    PSN_AUTO(psn_secret) *passphrase = NULL;
    PSN_AUTO(psn_secret) *opened = NULL;
    PSN_AUTO(psn_age_identities) *by_passphrase = NULL;
    struct psn_stream_memory memory = { .bytes = psn_secret_bytes(*identity),
                                        .size = psn_secret_size(*identity) };
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc = cli_ask_secret(cli, _("Passphrase of the identity file: "),
                                      PSN_SECRET_MAX, &passphrase, err);

    if (!rc)
        rc = psn_age_identities_new(&by_passphrase, err);
    if (!rc)
        rc = psn_age_identities_add_passphrase(by_passphrase, passphrase,
                                               PSN_AGE_WORK_FACTOR_MAX, err);
    if (!rc)
        rc = decrypt(by_passphrase, &source, &opened, err);
    if (!rc) {
        psn_secret_free(*identity);
        *identity = PSN_TAKE(opened);
    }
    return rc;
}

/* Where passage keeps it: PASSAGE_IDENTITIES_FILE, else ~/.passage/identities. */
static enum psn_code identity_path(const char *given, char out[CLI_PATH_MAX],
                                   struct psn_error *err)
{
    const char *usual = getenv("PASSAGE_IDENTITIES_FILE");
    const char *home = getenv("HOME");
    int size =
        given   ? snprintf(out, CLI_PATH_MAX, "%s", given)
        : usual ? snprintf(out, CLI_PATH_MAX, "%s", usual)
                : snprintf(out, CLI_PATH_MAX, "%s/.passage/identities", home ? home : "");

    return size < CLI_PATH_MAX ? PSN_OK
                               : psn_fail(err, PSN_E_INVALID, _("the path is too long"));
}

static enum psn_code read_passage(struct cli *cli, const struct cli_importing *importing,
                                  struct psn_foreign_list *list, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *identity = NULL;
    PSN_AUTO(psn_age_identities) *identities = NULL;
    char path[CLI_PATH_MAX];
    enum psn_code rc = identity_path(importing->identity, path, err);

    if (!rc)
        rc = cli_read_identity(cli, path, &identity, err);
    if (rc)
        return psn_hint(err, rc,
                        _("say which identity opens the entries: --identity FILE"));
    if (is_encrypted(identity))
        rc = open_identity(cli, &identity, err);
    if (!rc)
        rc = psn_age_identities_new(&identities, err);
    if (!rc)
        rc = psn_age_identities_add(identities, identity, err);
    return rc ? rc
              : psn_tree_read(importing->source, ".age", open_age, identities,
                              psn_foreign_list_add, list, err);
}

enum psn_code cli_read_foreign(struct cli *cli, const struct cli_importing *importing,
                               struct psn_foreign_list **ret_list, bool *ret_is_plain,
                               struct psn_error *err)
{
    PSN_AUTO(psn_foreign_list) *list = NULL;
    enum kind kind = KIND_CSV;
    enum psn_code rc = find_kind(importing, &kind, err);

    if (!rc && kind != KIND_CSV && importing->map->count > 0)
        rc = psn_fail(err, PSN_E_INVALID, _("--map goes with a CSV file"));
    if (!rc)
        rc = psn_foreign_list_new(&list, err);
    if (rc)
        return rc;
    if (kind == KIND_PASS)
        rc = psn_tree_read(importing->source, ".gpg", cli_gpg_open, cli,
                           psn_foreign_list_add, list, err);
    else if (kind == KIND_PASSAGE)
        rc = read_passage(cli, importing, list, err);
    else
        rc = read_file(importing, kind, list, err);
    *ret_is_plain = kind != KIND_PASS && kind != KIND_PASSAGE;
    if (!rc)
        *ret_list = PSN_TAKE(list);
    return rc;
}

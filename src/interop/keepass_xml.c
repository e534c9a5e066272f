#include <string.h>

#include <expat.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "crypto/base64.h"
#include "interop/entry.h"
#include "interop/foreign.h"
#include "interop/kdbx.h"
#include "interop/keepass_otp.h"
#include "interop/xml_parser.h"

/*
 * KeePass 2's XML as KeePass and KeePassXC export it. What is not in the table is passed
 * over with all that is in it: history, icons, settings. The document is parsed in a
 * stream; an entry is told when its element ends.
 */
enum node {
    DOCUMENT,
    FILE_ELEMENT,
    META,
    ROOT,
    GROUP,
    ENTRY,
    TIMES,
    STRING,
    ATTACHMENT,
    LEAF,
    BIN = LEAF,
    GROUP_ID,
    GROUP_NAME,
    TAGS,
    EXPIRY,
    EXPIRES,
    KEY,
    VALUE,
    FILE_NAME,
};

static const struct psn_xml_row rows[] = {
    { DOCUMENT, FILE_ELEMENT, "KeePassFile" },
    { FILE_ELEMENT, META, "Meta" },
    { META, BIN, "RecycleBinUUID" },
    { FILE_ELEMENT, ROOT, "Root" },
    { ROOT, GROUP, "Group" },
    { GROUP, GROUP_ID, "UUID" },
    { GROUP, GROUP_NAME, "Name" },
    { GROUP, GROUP, "Group" },
    { GROUP, ENTRY, "Entry" },
    { ENTRY, TIMES, "Times" },
    { ENTRY, STRING, "String" },
    { ENTRY, TAGS, "Tags" },
    { TIMES, EXPIRY, "ExpiryTime" },
    { TIMES, EXPIRES, "Expires" },
    { STRING, KEY, "Key" },
    { STRING, VALUE, "Value" },
    { ENTRY, ATTACHMENT, "Binary" },
    { ATTACHMENT, FILE_NAME, "Key" },
};

static const struct {
    const char *key;
    enum psn_foreign_part part;
} keys[] = {
    { "Title", PSN_FOREIGN_TITLE },
    { "UserName", PSN_FOREIGN_USER },
    { "Password", PSN_FOREIGN_PASSWORD },
    { "URL", PSN_FOREIGN_URL },
    { "Notes", PSN_FOREIGN_NOTE },
    { PSN_ENTRY_FIELD_OTP, PSN_FOREIGN_TOTP },
    { PSN_ENTRY_FIELD_TYPE, PSN_FOREIGN_TYPE },
};

enum {
    STACK_MAX = PSN_FOREIGN_DEPTH_MAX + 8,
    KEY_MAX = 256,
    UUID_TEXT_MAX = 64,
    PIECE = 16 * 1024,
};

struct keepass {
    XML_Parser parser;
    psn_foreign_fn *each;
    void *arg;
    struct psn_error *err;
    enum psn_code rc;

    enum node stack[STACK_MAX];
    size_t depth;
    size_t skipped; /* elements that are passed over and still open */
    struct psn_buf text;

    char bin[UUID_TEXT_MAX];
    size_t groups;                                /* open ones */
    size_t group_ends[PSN_FOREIGN_DEPTH_MAX + 1]; /* of the path, before each */
    struct psn_buf path;
    size_t in_bin; /* how many groups were open when the bin began, or 0 */

    char key[KEY_MAX];
    bool is_hidden; /* the value that is open */
    bool is_cipher;
    char expiry[sizeof "2026-11-24"];
    bool expires;
    struct psn_keepass_otp otp;
    struct psn_foreign_draft draft;
};

static void stop(struct keepass *keepass, enum psn_code rc)
{
    if (!keepass->rc)
        keepass->rc = rc;
    (void)psn_expat.stop_parser(keepass->parser, XML_FALSE);
}

static size_t line_of(const struct keepass *keepass)
{
    return (size_t)psn_expat.get_line(keepass->parser);
}

static void refuse(struct keepass *keepass, const char *why)
{
    if (!keepass->rc)
        stop(keepass, psn_fail(keepass->err, PSN_E_INVALID, _("line %zu: %s"),
                               line_of(keepass), why));
}

/* ---- what the elements say ---- */

static void open_group(struct keepass *keepass)
{
    if (keepass->groups > PSN_FOREIGN_DEPTH_MAX) {
        refuse(keepass, _("there are too many folders in folders"));
        return;
    }
    keepass->group_ends[keepass->groups++] = keepass->path.size;
}

static void close_group(struct keepass *keepass)
{
    keepass->path.size = keepass->group_ends[--keepass->groups];
    if (keepass->path.data)
        keepass->path.data[keepass->path.size] = '\0';
    if (keepass->in_bin > keepass->groups)
        keepass->in_bin = 0;
}

/* The first group is the database itself. */
static void name_group(struct keepass *keepass)
{
    if (keepass->groups < 2 || keepass->text.size == 0)
        return;
    if (keepass->path.size > 0)
        psn_buf_char(&keepass->path, '/');
    psn_buf_bytes(&keepass->path, keepass->text.data, keepass->text.size);
    if (keepass->path.failed)
        refuse(keepass, _("the names of its folders are too long"));
}

static void identify_group(struct keepass *keepass)
{
    static const char nobody[] = "AAAAAAAAAAAAAAAAAAAAAA==";

    if (!keepass->in_bin && keepass->bin[0] && strcmp(keepass->bin, nobody) != 0 &&
        strcmp(keepass->bin, psn_buf_str(&keepass->text)) == 0)
        keepass->in_bin = keepass->groups;
}

/* A time is RFC 3339, or in KDBX 4's own form the seconds since year 1 in Base64. */
static void take_expiry(struct keepass *keepass)
{
    const char *text = psn_buf_str(&keepass->text);
    char time[PSN_TIME_SIZE] = "";
    uint8_t bytes[8];
    int64_t time_s = 0;

    if (psn_base64_decode_exact(PSN_BASE64, text, keepass->text.size, bytes,
                                sizeof bytes)) {
        for (size_t i = sizeof bytes; i > 0; i--)
            time_s = (int64_t)(((uint64_t)time_s << 8) | bytes[i - 1]);
        if (time_s < PSN_KDBX_EPOCH_S || time_s > 5 * PSN_KDBX_EPOCH_S)
            return;
        time_s -= PSN_KDBX_EPOCH_S;
    } else if (!psn_clock_parse(text, &time_s)) {
        return;
    }
    (void)psn_clock_format(time_s, time);
    memcpy(keepass->expiry, time, sizeof keepass->expiry - 1);
}

static void copy_text(struct keepass *keepass, char *out, size_t size)
{
    const char *text = psn_buf_str(&keepass->text);

    out[0] = '\0';
    if (keepass->text.size >= size || strlen(text) != keepass->text.size)
        refuse(keepass, _("a name is too long"));
    else
        memcpy(out, text, keepass->text.size + 1);
}

static void take_value(struct keepass *keepass)
{
    const char *text = psn_buf_str(&keepass->text);
    size_t size = keepass->text.size;

    if (keepass->is_cipher) {
        keepass->draft.problem = _("a value of it is encrypted in the file");
        return;
    }
    if (psn_keepass_otp_take(&keepass->otp, keepass->key, text, size))
        return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keepass->key, keys[i].key) == 0) {
            psn_foreign_draft_put(&keepass->draft, keys[i].part, text, size);
            return;
        }
    psn_foreign_draft_field(&keepass->draft, keepass->key, text, size,
                            keepass->is_hidden);
}

/* What is attached to an entry stays where it is; the person is told. */
static void lose_attachment(struct keepass *keepass)
{
    PSN_AUTO_RELEASE(psn_buf) what = psn_buf_init(PSN_FOREIGN_ENTRY_MAX);

    psn_buf_format(&what, _("attachment %s"), psn_buf_str(&keepass->text));
    if (what.failed)
        keepass->draft.texts.failed = what.failed;
    psn_foreign_draft_lose(&keepass->draft, psn_buf_str(&what),
                           _("attachments are not taken: save it from there"));
}

static void tell_entry(struct keepass *keepass)
{
    enum psn_code rc;

    if (keepass->in_bin)
        return;
    psn_keepass_otp_put(&keepass->otp, &keepass->draft);
    if (keepass->expires)
        psn_foreign_draft_put(&keepass->draft, PSN_FOREIGN_EXPIRES, keepass->expiry,
                              strlen(keepass->expiry));
    psn_foreign_draft_put(&keepass->draft, PSN_FOREIGN_GROUP, psn_buf_str(&keepass->path),
                          keepass->path.size);
    rc = psn_foreign_draft_tell(&keepass->draft, keepass->each, keepass->arg,
                                keepass->err);
    if (rc)
        stop(keepass, rc);
}

static void begin_node(struct keepass *keepass, enum node node,
                       const XML_Char **attributes)
{
    psn_buf_reset(&keepass->text);
    if (node == GROUP)
        open_group(keepass);
    else if (node == STRING)
        keepass->key[0] = '\0';
    if (node == ENTRY) {
        psn_foreign_draft_begin(&keepass->draft, line_of(keepass));
        psn_keepass_otp_begin(&keepass->otp);
        keepass->expires = false;
        keepass->expiry[0] = '\0';
    }
    if (node != VALUE)
        return;
    keepass->is_hidden = keepass->is_cipher = false;
    for (; attributes[0]; attributes += 2) {
        bool is_true = strcmp(attributes[1], "True") == 0;

        keepass->is_hidden |= is_true && strcmp(attributes[0], "ProtectInMemory") == 0;
        keepass->is_cipher |= is_true && strcmp(attributes[0], "Protected") == 0;
    }
}

static void end_leaf(struct keepass *keepass, enum node node)
{
    if (node == BIN)
        copy_text(keepass, keepass->bin, sizeof keepass->bin);
    else if (node == GROUP_ID)
        identify_group(keepass);
    else if (node == GROUP_NAME)
        name_group(keepass);
    else if (node == EXPIRY)
        take_expiry(keepass);
    else if (node == EXPIRES)
        keepass->expires = strcmp(psn_buf_str(&keepass->text), "True") == 0;
    else if (node == TAGS)
        psn_foreign_draft_field(&keepass->draft, "Tags", psn_buf_str(&keepass->text),
                                keepass->text.size, false);
    else if (node == KEY)
        copy_text(keepass, keepass->key, sizeof keepass->key);
    else if (node == VALUE)
        take_value(keepass);
    else if (node == FILE_NAME)
        lose_attachment(keepass);
}

/* ---- what expat calls ---- */

static void XMLCALL on_start(void *self, const XML_Char *name,
                             const XML_Char **attributes)
{
    struct keepass *keepass = self;
    enum node parent = keepass->depth ? keepass->stack[keepass->depth - 1] : DOCUMENT;
    const struct psn_xml_row *row =
        keepass->skipped ? NULL
                         : psn_xml_find(rows, sizeof rows / sizeof *rows, parent, name);

    if (keepass->rc)
        return;
    if (!row && parent == DOCUMENT)
        refuse(keepass, _("this is not KeePass 2's XML"));
    if (row && keepass->depth == STACK_MAX)
        refuse(keepass, _("there are too many folders in folders"));
    if (!row)
        keepass->skipped++;
    if (!row || keepass->rc)
        return;
    keepass->stack[keepass->depth++] = row->node;
    begin_node(keepass, row->node, attributes);
}

static void XMLCALL on_end(void *self, const XML_Char *name)
{
    struct keepass *keepass = self;
    enum node node;
    enum psn_code rc;

    (void)name; /* expat has matched it */
    if (keepass->rc)
        return;
    if (keepass->skipped) {
        keepass->skipped--;
        return;
    }
    node = keepass->stack[--keepass->depth];
    rc = psn_buf_check(&keepass->text, keepass->err);
    if (rc)
        stop(keepass, rc);
    else if (node >= LEAF)
        end_leaf(keepass, node);
    else if (node == ENTRY)
        tell_entry(keepass);
    else if (node == GROUP)
        close_group(keepass);
    psn_buf_reset(&keepass->text);
}

static void XMLCALL on_text(void *self, const XML_Char *text, int size)
{
    struct keepass *keepass = self;

    if (!keepass->rc && !keepass->skipped && keepass->depth > 0 &&
        keepass->stack[keepass->depth - 1] >= LEAF)
        psn_buf_bytes(&keepass->text, text, (size_t)size);
}

/* No document type, so no entities. */
static void XMLCALL on_doctype(void *self, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    refuse(self, _("a document type has no place here"));
}

/* ---- all of it ---- */

static void keepass_release(struct keepass *keepass)
{
    if (keepass->parser)
        psn_expat.parser_free(keepass->parser);
    psn_buf_release(&keepass->text);
    psn_buf_release(&keepass->path);
    psn_keepass_otp_release(&keepass->otp);
    psn_foreign_draft_release(&keepass->draft);
    explicit_bzero(keepass, sizeof *keepass);
}

/* *ret_size: how much of the source was parsed; 0 at its end. */
static enum psn_code parse_piece(struct keepass *keepass, const struct psn_source *source,
                                 size_t *ret_size)
{
    void *piece = psn_expat.get_buffer(keepass->parser, PIECE);
    enum psn_code rc;

    if (!piece)
        return psn_fail(keepass->err, PSN_E_NOMEM, _("out of memory"));
    rc = source->read(source->self, piece, PIECE, ret_size, keepass->err);
    if (rc)
        return rc;
    if (psn_expat.parse_buffer(keepass->parser, (int)*ret_size, *ret_size == 0) ==
            XML_STATUS_OK ||
        keepass->rc)
        return keepass->rc;
    if (psn_expat.get_error_code(keepass->parser) == XML_ERROR_NO_MEMORY)
        return psn_fail(keepass->err, PSN_E_NOMEM, _("out of memory"));
    refuse(keepass, _("the XML is malformed"));
    return keepass->rc;
}

enum psn_code psn_keepass_xml_read(const struct psn_source *source, psn_foreign_fn *each,
                                   void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(keepass)
    keepass = { .each = each,
                .arg = arg,
                .err = err,
                .text = psn_buf_init_wiped(PSN_FOREIGN_ENTRY_MAX),
                .path = psn_buf_init_wiped(PSN_ENTRY_TEXT_MAX),
                .otp = psn_keepass_otp_init(),
                .draft = psn_foreign_draft_init() };
    size_t total = 0;
    size_t size = 1;
    enum psn_code rc = psn_xml_parser_new(&keepass.parser, err);

    if (rc)
        return rc;
    psn_expat.set_user_data(keepass.parser, &keepass);
    psn_expat.set_element_handler(keepass.parser, on_start, on_end);
    psn_expat.set_text_handler(keepass.parser, on_text);
    psn_expat.set_doctype_handler(keepass.parser, on_doctype);
    while (!rc && size > 0) {
        rc = parse_piece(&keepass, source, &size);
        total += size;
        if (!rc && psn_xml_is_too_long(keepass.parser, total))
            rc = psn_fail(err, PSN_E_LIMIT, _("line %zu: the entry is too large"),
                          line_of(&keepass));
        if (!rc && total > PSN_FOREIGN_FILE_MAX)
            rc = psn_fail(err, PSN_E_LIMIT, _("the file is too large: at most %d MiB"),
                          PSN_FOREIGN_FILE_MAX / (1024 * 1024));
    }
    return rc;
}

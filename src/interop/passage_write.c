#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "age/lists.h"
#include "base/auto.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/stream.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "interop/entry.h"
#include "interop/pass_text.h"

/* The tree is made in a folder beside, which takes its name when all of it is durable. */
enum {
    PATH_SIZE = 4096,
    NAME_SIZE_MAX = 200, /* of a file, without its suffix */
    TEXT_MAX = 8 * PSN_ENTRY_TEXT_MAX,
    TRIES = 1000,
};

struct passage {
    char partial[PATH_SIZE];
    const struct psn_age_recipients *to;
    struct psn_error *err;
};

static bool is_mailbox(const struct psn_entry *entry)
{
    return strcmp(psn_entry_text(entry->type), "mailbox") == 0 &&
           strcmp(psn_entry_text(entry->group), psn_entry_text(entry->title)) == 0;
}

/* The text as the name of a file: no separator, not hidden, not too long. */
static void make_name(const char *text, char out[NAME_SIZE_MAX + 1])
{
    (void)snprintf(out, NAME_SIZE_MAX + 1, "%s", text[0] ? text : "-");
    psn_text_cut_utf8(out);
    psn_text_mask(out);
    for (char *at = out; *at; at++)
        if (*at == '/' || (at == out && *at == '.'))
            *at = '_';
}

/* The folder of an entry; made when it is not there. */
static enum psn_code make_folder(const struct passage *passage,
                                 const struct psn_entry *entry, char out[PATH_SIZE])
{
    char name[NAME_SIZE_MAX + 1];
    int size;

    if (!psn_entry_has(entry->group) || is_mailbox(entry)) {
        (void)snprintf(out, PATH_SIZE, "%s", passage->partial);
        return PSN_OK;
    }
    make_name(entry->group, name);
    size = snprintf(out, PATH_SIZE, "%s/%s", passage->partial, name);
    if (size >= PATH_SIZE)
        return psn_fail(passage->err, PSN_E_INVALID, _("the folder's name is too long"));
    if (mkdir(out, 0700) != 0 && errno != EEXIST)
        return psn_fail(passage->err, psn_file_code(errno),
                        _("cannot create folder '%s': %s"), out, strerror(errno));
    return PSN_OK;
}

static enum psn_code encrypt(const struct passage *passage, const struct psn_entry *entry,
                             const char *title, struct psn_buf *file)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped(TEXT_MAX);
    struct psn_stream_memory memory = { 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(file);
    enum psn_code rc;

    psn_pass_text_write(entry, title, &text);
    rc = psn_buf_check(&text, passage->err);
    memory = (struct psn_stream_memory){ .bytes = text.data, .size = text.size };
    return rc ? rc : psn_age_encrypt(passage->to, false, &source, &sink, passage->err);
}

/* A name that is taken gets a number; the text then tells the title. */
static enum psn_code write_numbered(const struct passage *passage,
                                    const struct psn_entry *entry, const char *folder,
                                    unsigned number, bool *ret_taken)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init((size_t)2 * TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PATH_SIZE);
    struct psn_error why = { 0 };
    char name[NAME_SIZE_MAX + 1];
    const char *title = psn_entry_text(entry->title);
    bool same;
    enum psn_code rc;

    make_name(title, name);
    same = number == 1 && strcmp(name, title) == 0;
    psn_buf_format(&path, number == 1 ? "%s/%s.age" : "%s/%s-%u.age", folder, name,
                   number);
    rc = psn_buf_check(&path, passage->err);
    if (!rc)
        rc = encrypt(passage, entry, same ? NULL : title, &file);
    if (rc)
        return rc;
    rc = psn_file_write(psn_buf_str(&path), file.data, file.size, PSN_FILE_NEW, &why);
    *ret_taken = rc == PSN_E_EXISTS;
    if (*ret_taken)
        return PSN_OK;
    if (rc && passage->err)
        *passage->err = why;
    return rc;
}

static enum psn_code write_entry(const struct passage *passage,
                                 const struct psn_entry *entry)
{
    char folder[PATH_SIZE];
    bool is_taken = true;
    enum psn_code rc = make_folder(passage, entry, folder);

    for (unsigned i = 1; !rc && is_taken && i <= TRIES; i++)
        rc = write_numbered(passage, entry, folder, i, &is_taken);
    if (!rc && is_taken)
        return psn_fail(passage->err, PSN_E_LIMIT,
                        _("too many entries have the same name"));
    return rc;
}

static enum psn_code write_recipients(const struct passage *passage,
                                      const char *const *recipients, size_t count)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PATH_SIZE);
    enum psn_code rc;

    for (size_t i = 0; i < count; i++)
        psn_buf_format(&text, "%s\n", recipients[i]);
    psn_buf_format(&path, "%s/.age-recipients", passage->partial);
    rc = psn_buf_check(&text, passage->err);
    if (!rc)
        rc = psn_buf_check(&path, passage->err);
    return rc ? rc
              : psn_file_write(psn_buf_str(&path), text.data, text.size, PSN_FILE_NEW,
                               passage->err);
}

static enum psn_code settle(const struct passage *passage, const char *folder)
{
    if (renameat2(AT_FDCWD, passage->partial, AT_FDCWD, folder, RENAME_NOREPLACE) != 0)
        return psn_fail(passage->err, psn_file_code(errno), _("cannot write '%s': %s"),
                        folder, strerror(errno));
    return psn_file_sync_dir_of(folder, passage->err);
}

static enum psn_code add_recipients(struct psn_age_recipients *to,
                                    const char *const *recipients, size_t count,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (count == 0)
        return psn_fail(err, PSN_E_INVALID, _("nobody is named who could open the tree"));
    for (size_t i = 0; !rc && i < count; i++)
        rc = psn_age_recipients_add(to, recipients[i], err);
    return rc;
}

static enum psn_code make_partial(struct passage *passage, const char *folder)
{
    struct stat info;

    if (lstat(folder, &info) == 0)
        return psn_fail(passage->err, PSN_E_EXISTS, _("'%s' exists already"), folder);
    if (snprintf(passage->partial, sizeof passage->partial, "%s.XXXXXX", folder) >=
        PATH_SIZE)
        return psn_fail(passage->err, PSN_E_INVALID, _("the folder's name is too long"));
    if (!mkdtemp(passage->partial))
        return psn_fail(passage->err, psn_file_code(errno),
                        _("cannot create folder '%s': %s"), folder, strerror(errno));
    return PSN_OK;
}

enum psn_code psn_passage_write(const char *folder, const char *const *recipients,
                                size_t recipient_count, const struct psn_entry *entries,
                                size_t count, struct psn_error *err)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;
    struct passage passage = { .err = err };
    enum psn_code rc = psn_entries_check(entries, count, err);

    if (!rc)
        rc = psn_age_recipients_new(&to, err);
    if (!rc)
        rc = add_recipients(to, recipients, recipient_count, err);
    if (!rc)
        rc = make_partial(&passage, folder);
    if (rc)
        return rc;
    passage.to = to;
    rc = write_recipients(&passage, recipients, recipient_count);
    for (size_t i = 0; !rc && i < count; i++)
        rc = write_entry(&passage, &entries[i]);
    if (!rc)
        rc = settle(&passage, folder);
    if (rc)
        psn_file_remove_tree(passage.partial);
    return rc;
}

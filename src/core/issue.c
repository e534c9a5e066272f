#include "core/issue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "age/lists.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/stream.h"
#include "core/journal.h"
#include "crypto/generate.h"
#include "page/page.h"
#include "passation/signature.h"

enum {
    WORK_FACTOR = 16, /* the code carries the strength, and telephones must open it */
};

/* --- signed, then encrypted --- */

/* The document with its signature right behind it. */
static enum psn_code sign_text(const struct psn_draft *draft,
                               struct psn_secret **ret_signed, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *whole = NULL;
    PSN_AUTO_FREE char *signature = NULL;
    const uint8_t *bytes = psn_secret_bytes(draft->text);
    size_t size = psn_secret_size(draft->text);
    struct psn_stream_memory memory = { bytes, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc =
        psn_sshsig_sign(draft->seed, "passation-issue", &source, &signature, err);

    if (!rc)
        rc = psn_secret_new(size + strlen(signature), &whole, err);
    if (!rc)
        rc = psn_secret_append(whole, bytes, size, err);
    if (!rc)
        rc = psn_secret_append(whole, signature, strlen(signature), err);
    if (!rc)
        *ret_signed = PSN_TAKE(whole);
    return rc;
}

enum psn_code psn_draft_encrypt(const struct psn_draft *draft, bool armor,
                                struct psn_buf *out, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *whole = NULL;
    PSN_AUTO(psn_age_recipients) *to = NULL;
    struct psn_sink sink = psn_sink_buf(out);
    enum psn_code rc = sign_text(draft, &whole, err);

    if (!rc)
        rc = psn_age_recipients_new(&to, err);
    if (!rc)
        rc = draft->code
                 ? psn_age_recipients_set_passphrase(to, draft->code, WORK_FACTOR, err)
                 : psn_age_recipients_add(to, draft->person.keys[0].text, err);
    if (!rc) {
        struct psn_stream_memory memory = { psn_secret_bytes(whole),
                                            psn_secret_size(whole), 0 };
        struct psn_source source = psn_source_memory(&memory);

        rc = psn_age_encrypt(to, armor, &source, &sink, err);
    }
    return rc ? rc : psn_buf_check(out, err);
}

/* --- the files --- */

enum psn_code psn_delivery_check(const struct psn_delivery *delivery,
                                 struct psn_error *err)
{
    enum psn_code rc =
        psn_file_check_dir(delivery->directory ? delivery->directory : ".", err);

    return rc ? psn_hint(err, rc, _("make it first, or name another with -o")) : PSN_OK;
}

enum psn_code psn_delivery_folder(const struct psn_delivery *delivery, char **ret_folder,
                                  struct psn_error *err)
{
    const char *directory = delivery->directory ? delivery->directory : ".";

    *ret_folder = realpath(directory, NULL);
    if (!*ret_folder)
        return psn_fail(err, psn_file_code(errno), _("the folder '%s': %s"), directory,
                        strerror(errno));
    return PSN_OK;
}

static enum psn_code make_file(const struct psn_draft *draft, struct psn_buf *out,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) armored = psn_buf_init(PSN_ISSUE_FILE_MAX);
    enum psn_code rc;

    if (draft->row.format == PSN_ISSUE_AGE)
        return psn_draft_encrypt(draft, false, out, err);
    rc = psn_draft_encrypt(draft, true, &armored, err);
    return rc ? rc : psn_page_wrap(psn_buf_str(&armored), armored.size, out, err);
}

static enum psn_code make_signature(const struct psn_draft *draft,
                                    const struct psn_buf *file, char **ret_text,
                                    struct psn_error *err)
{
    struct psn_stream_memory memory = { file->data, file->size, 0 };
    struct psn_source source = psn_source_memory(&memory);

    return psn_sshsig_sign(draft->seed, "passation-file", &source, ret_text, err);
}

static enum psn_code make_path(struct psn_draft *draft,
                               const struct psn_delivery *delivery, struct psn_error *err)
{
    const char *directory = delivery->directory ? delivery->directory : ".";
    size_t end = strlen(directory);
    int size = snprintf(
        draft->row.path, sizeof draft->row.path, "%s%s%s-%s-%llu.%s", directory,
        end && directory[end - 1] == '/' ? "" : "/", draft->row.person, draft->row.client,
        (unsigned long long)draft->row.serial, psn_issue_format_name(draft->row.format));

    if (size < 0 || (size_t)size + sizeof ".sig" > sizeof draft->row.path)
        return psn_fail(err, PSN_E_INVALID, _("the folder's name is too long"));
    return PSN_OK;
}

static enum psn_code beside_path(const struct psn_draft *draft, struct psn_buf *out,
                                 struct psn_error *err)
{
    psn_buf_format(out, "%s.sig", draft->row.path);
    return psn_buf_check(out, err);
}

/* Takes away what nobody is to be sent: the issue, if it was written, and what stands
 * beside it. */
static void discard_files(const struct psn_draft *draft, bool issue_too)
{
    PSN_AUTO_RELEASE(psn_buf) beside = psn_buf_init(PSN_ISSUE_PATH_MAX);

    if (beside_path(draft, &beside, NULL) == PSN_OK)
        (void)unlink(psn_buf_str(&beside));
    if (issue_too)
        (void)unlink(draft->row.path);
}

/* The signature first: the issue itself is there whole, or not at all. */
static enum psn_code write_files(struct psn_draft *draft,
                                 const struct psn_delivery *delivery,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_ISSUE_FILE_MAX);
    PSN_AUTO_FREE char *signature = NULL;
    PSN_AUTO_RELEASE(psn_buf) beside = psn_buf_init(PSN_ISSUE_PATH_MAX);
    enum psn_file_mode mode = delivery->replace ? PSN_FILE_REPLACE : PSN_FILE_NEW;
    enum psn_code rc = make_path(draft, delivery, err);

    if (!rc)
        rc = make_file(draft, &file, err);
    if (!rc)
        rc = make_signature(draft, &file, &signature, err);
    if (!rc)
        rc = beside_path(draft, &beside, err);
    if (!rc)
        rc =
            psn_file_write(psn_buf_str(&beside), signature, strlen(signature), mode, err);
    if (rc)
        return rc;
    rc = psn_file_write(draft->row.path, file.data, file.size, mode, err);
    if (rc)
        discard_files(draft, false);
    return rc;
}

/* --- what is durable afterwards --- */

static bool holds(const struct psn_issue_row *row, const char *address)
{
    for (size_t i = 0; i < row->address_count; i++)
        if (strcmp(row->addresses[i], address) == 0)
            return true;
    return false;
}

static bool holds_any(const struct psn_issue_row *row, const char *const *addresses,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (holds(row, addresses[i]))
            return true;
    return false;
}

struct replaced {
    const struct psn_issue_row *by; /* or, by NULL, all that hold one of these: */
    const char *const *addresses;
    size_t address_count;
    struct psn_issue_row *items;
    size_t count;
};

/* An older issue that nobody confirmed, whose every mailbox is in the new one. */
static bool is_replaced(const struct replaced *replaced, const struct psn_issue_row *row)
{
    if (row->state != PSN_ISSUE_PREPARED && row->state != PSN_ISSUE_WRITTEN)
        return false;
    if (!replaced->by)
        return holds_any(row, replaced->addresses, replaced->address_count);
    if (row->serial >= replaced->by->serial ||
        strcmp(row->client, replaced->by->client) != 0)
        return false;
    for (size_t i = 0; i < row->address_count; i++)
        if (!holds(replaced->by, row->addresses[i]))
            return false;
    return true;
}

static enum psn_code collect_replaced(void *arg, const struct psn_issue_row *row,
                                      struct psn_error *err)
{
    struct replaced *replaced = arg;
    enum psn_code rc;

    if (!is_replaced(replaced, row))
        return PSN_OK;
    rc = PSN_GROW(replaced->items, replaced->count, err);
    if (rc)
        return rc;
    if (!psn_issue_row_copy(row, &replaced->items[replaced->count]))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    replaced->count++;
    return PSN_OK;
}

static enum psn_code void_all(struct psn_vault *vault, const char *person,
                              struct replaced *replaced, struct psn_error *err)
{
    enum psn_code rc = psn_issue_row_each(vault, person, collect_replaced, replaced, err);

    for (size_t i = 0; i < replaced->count; i++) {
        replaced->items[i].state = PSN_ISSUE_VOID;
        if (!rc)
            rc = psn_issue_row_write(vault, &replaced->items[i], err);
        psn_issue_row_release(&replaced->items[i]);
    }
    free(replaced->items);
    return rc;
}

enum psn_code psn_issue_void(struct psn_vault *vault, const char *person,
                             const char *const *addresses, size_t count,
                             struct psn_error *err)
{
    struct replaced replaced = { .addresses = addresses, .address_count = count };

    return void_all(vault, person, &replaced, err);
}

/* The grant remembers what was given under it. */
static enum psn_code settle_grant(struct psn_vault *vault, const struct psn_draft *draft,
                                  const char *address, struct psn_error *err)
{
    struct psn_grant_row grant;
    const struct psn_issue_row *row = &draft->row;
    enum psn_code rc = psn_grant_read(vault, row->person, address, &grant, err);

    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;                      /* the role was removed since */
    if (rc || grant.serial > row->serial) { /* another outbox was later, and faster */
        psn_grant_row_release(&grant);
        return rc;
    }
    free(grant.issued);
    grant.issued_count = 0;
    grant.issued = calloc(row->content_count + 1, sizeof *grant.issued);
    if (!grant.issued)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; !rc && i < row->content_count; i++)
        if (strcmp(row->contents[i].address, address) == 0)
            grant.issued[grant.issued_count++] = row->contents[i];
    grant.serial = row->serial;
    if (!rc)
        rc = psn_grant_write(vault, &grant, err);
    psn_grant_row_release(&grant);
    return rc;
}

static enum psn_code settle(struct psn_vault *vault, struct psn_draft *draft,
                            struct psn_error *err)
{
    struct replaced replaced = { .by = &draft->row };
    char serial[32];
    enum psn_code rc;

    draft->row.state = PSN_ISSUE_WRITTEN;
    rc = psn_issue_row_write(vault, &draft->row, err);
    for (size_t i = 0; !rc && i < draft->row.address_count; i++)
        rc = settle_grant(vault, draft, draft->row.addresses[i], err);
    if (!rc)
        rc = void_all(vault, draft->row.person, &replaced, err);
    psn_issue_serial_text(draft->row.serial, serial);
    return rc ? rc
              : psn_journal_note(vault, draft->row.client,
                                 &(struct psn_note){ .event = "issue.written",
                                                     .subject = draft->row.person,
                                                     .text = serial },
                                 err);
}

static enum psn_code finish(struct psn_vault *vault, struct psn_draft *draft,
                            struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, settle(vault, draft, err), err);
}

/* Somebody changed the issue's row since it was prepared: only the end of a grant does.
 */
static enum psn_code fail_ended(const struct psn_draft *draft, struct psn_error *err)
{
    psn_error_clear(err);
    (void)psn_fail(
        err, PSN_E_CONFLICT,
        _("the vault or a grant of %s changed while the issue was made: it was "
          "taken back"),
        draft->row.person);
    return psn_draft_hint_ended(PSN_E_CONFLICT, err);
}

static enum psn_code deliver(struct psn_vault *vault, struct psn_draft *draft,
                             const struct psn_delivery *delivery, struct psn_error *err)
{
    struct psn_issue view;
    enum psn_code rc = PSN_OK;

    if (draft->row.by_code)
        rc = psn_generate_passphrase(delivery->language ? delivery->language : "en",
                                     &draft->code, err);
    if (!rc)
        rc = write_files(draft, delivery, err);
    if (rc)
        return rc;
    view = psn_issue_view(&draft->row);
    /* Before the grant counts as served: a code that nobody heard would be lost. */
    if (draft->code)
        rc = delivery->tell_code(delivery->arg, &view, draft->code, err);
    if (rc) {
        discard_files(draft, true); /* nobody could open it */
        return rc;
    }
    rc = finish(vault, draft, err);
    if (rc == PSN_E_CONFLICT) {
        discard_files(draft, true);
        return fail_ended(draft, err);
    }
    view = psn_issue_view(&draft->row);
    return !rc && delivery->done ? delivery->done(delivery->arg, &view, err) : rc;
}

enum psn_code psn_issue_make(struct psn_vault *vault, const struct psn_issue_order *order,
                             const struct psn_delivery *delivery, struct psn_error *err)
{
    struct psn_draft draft = { .order = order };
    enum psn_code rc = psn_draft_compose(vault, &draft, err);

    if (!rc)
        rc = deliver(vault, &draft, delivery, err);
    psn_draft_release(&draft);
    return rc ? psn_wrap(err, rc, _("the issue for %s"), order->person) : PSN_OK;
}

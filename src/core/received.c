#include "passation/received.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/journal.h"
#include "core/opened.h"
#include "core/role.h"
#include "core/trust.h"

/* Roles that others gave us: kept as they came, signature and all. */

/* --- keeping one --- */

static enum psn_code store_role(struct psn_vault *vault, const struct psn_opened *opened,
                                const struct psn_opened_secret *secret,
                                struct psn_received *ret_before, struct psn_error *err)
{
    const struct psn_opened_head *head = &opened->head;
    struct psn_received_row row;
    enum psn_code rc =
        psn_received_read(vault, head->issuer, head->vault, secret->address, &row, err);

    if (rc && rc != PSN_E_NOT_FOUND)
        return rc;
    *ret_before = row.view;
    if (row.view.serial > head->serial) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("a newer issue of %s is kept already: this one is out of date"),
                       secret->address);
        return psn_hint(err, PSN_E_POLICY,
                        _("ask %s for the newest one, if it is not this"),
                        head->issued_by);
    }
    row.view = (struct psn_received){ .serial = head->serial,
                                      .version = secret->version,
                                      .stored_s = vault->world.now_s(),
                                      .changed_s = secret->changed_s,
                                      .proved_s = secret->proved_s,
                                      .until_s = head->until_s };
    memcpy(row.view.address, secret->address, sizeof row.view.address);
    memcpy(row.view.client, head->client, sizeof row.view.client);
    memcpy(row.view.issuer, head->issuer, sizeof row.view.issuer);
    memcpy(row.view.issued_by, head->issued_by, sizeof row.view.issued_by);
    memcpy(row.view.vault, head->vault, sizeof row.view.vault);
    return psn_received_write(vault, &row, err);
}

/* The issues that the new one takes roles from. Their documents go, unless a role that
 * the new one does not name is still of them: one look at all roles tells. */
struct superseded {
    struct psn_received *items;
    size_t count;
    bool *used;
};

static bool same_issue(const struct psn_received *a, const struct psn_received *b)
{
    return a->serial == b->serial && strcmp(a->issuer, b->issuer) == 0 &&
           strcmp(a->vault, b->vault) == 0;
}

static enum psn_code supersede(struct superseded *list, const struct psn_received *before,
                               struct psn_error *err)
{
    enum psn_code rc;

    for (size_t i = 0; i < list->count; i++)
        if (same_issue(&list->items[i], before))
            return PSN_OK;
    if (!before->serial)
        return PSN_OK;
    rc = PSN_GROW(list->items, list->count, err);
    if (!rc)
        list->items[list->count++] = *before;
    return rc;
}

static enum psn_code look(void *arg, const struct psn_received_row *row,
                          struct psn_error *err)
{
    struct superseded *list = arg;

    (void)err;
    for (size_t i = 0; i < list->count; i++)
        list->used[i] = list->used[i] || same_issue(&row->view, &list->items[i]);
    return PSN_OK;
}

static enum psn_code drop_unused(struct psn_vault *vault, struct superseded *list,
                                 struct psn_error *err)
{
    enum psn_code rc;

    if (list->count == 0)
        return PSN_OK;
    list->used = calloc(list->count, sizeof *list->used);
    if (!list->used)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_received_scan(vault, look, list, err);
    for (size_t i = 0; !rc && i < list->count; i++)
        if (!list->used[i])
            rc = psn_received_drop_text(vault, &list->items[i], err);
    return rc;
}

static enum psn_code keep_text(struct psn_vault *vault, const struct psn_opened *opened,
                               struct psn_error *err)
{
    struct psn_received of = { .serial = opened->head.serial };
    PSN_AUTO(psn_secret) *known = NULL;
    bool is_new;
    enum psn_code rc;

    memcpy(of.issuer, opened->head.issuer, sizeof of.issuer);
    memcpy(of.vault, opened->head.vault, sizeof of.vault);
    rc = psn_allow(PSN_E_NOT_FOUND, psn_received_get_text(vault, &of, &known, err),
                   &is_new, err);
    if (rc)
        return rc;
    if (is_new)
        return psn_received_put_text(vault, &of, opened->text, err);
    /* One serial, two texts: the issuer's vault was copied, or somebody has his key. */
    return psn_secret_equal(known, opened->text)
               ? PSN_OK
               : psn_fail(err, PSN_E_INTEGRITY,
                          _("another issue with the same serial is kept already"));
}

static enum psn_code store_block(struct psn_vault *vault, const struct psn_opened *opened,
                                 const struct psn_block *block, struct superseded *list,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_opened_secret secret;
    struct psn_received before = { 0 };
    char serial[32];
    enum psn_code rc = psn_opened_block(block, &secret, &value, err);

    if (!rc)
        rc = store_role(vault, opened, &secret, &before, err);
    if (!rc)
        rc = supersede(list, &before, err);
    (void)snprintf(serial, sizeof serial, "serial %llu",
                   (unsigned long long)opened->head.serial);
    if (rc || before.serial == opened->head.serial)
        return rc;
    return psn_journal_note(vault, NULL,
                            &(struct psn_note){ .event = "role.received",
                                                .subject = secret.address,
                                                .version = secret.version,
                                                .text = serial },
                            err);
}

static enum psn_code store(struct psn_vault *vault, const struct psn_opened *opened,
                           struct psn_error *err)
{
    struct superseded list = { 0 };
    enum psn_code rc = keep_text(vault, opened, err);

    for (size_t i = 1; !rc && i < opened->document.count; i++)
        if (opened->document.blocks[i].kind == PSN_BLOCK_MAILBOX)
            rc = store_block(vault, opened, &opened->document.blocks[i], &list, err);
    if (!rc)
        rc = drop_unused(vault, &list, err);
    free(list.items);
    free(list.used);
    return rc;
}

enum psn_code psn_opened_store(struct psn_vault *vault, const struct psn_opened *opened,
                               struct psn_error *err)
{
    enum psn_code rc;

    if (opened->document.version != 1) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("a trousseau is its owner's: it is not kept as a grant is"));
        return psn_hint(err, PSN_E_POLICY,
                        _("make a client of it: passation client import FILE"));
    }
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, store(vault, opened, err), err);
}

/* --- listing --- */

struct received_list {
    struct psn_received *items;
    size_t count;
    const char *address; /* NULL: all */
};

static enum psn_code collect(void *arg, const struct psn_received_row *row,
                             struct psn_error *err)
{
    struct received_list *list = arg;
    enum psn_code rc;

    if (list->address && strcmp(list->address, row->view.address) != 0)
        return PSN_OK;
    rc = PSN_GROW(list->items, list->count, err);
    if (!rc)
        list->items[list->count++] = row->view;
    return rc;
}

static int compare(const void *a, const void *b)
{
    return psn_role_order(((const struct psn_received *)a)->address,
                          ((const struct psn_received *)b)->address);
}

enum psn_code psn_received_each(struct psn_vault *vault, psn_received_fn *each, void *arg,
                                struct psn_error *err)
{
    struct received_list list = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, psn_received_scan(vault, collect, &list, err), err);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare);
    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, &list.items[i], err);
    free(list.items);
    return rc;
}

/* --- revealing --- */

static enum psn_code find(struct psn_vault *vault, const char *address,
                          struct psn_received *ret_received, struct psn_error *err)
{
    struct received_list list = { .address = address };
    enum psn_code rc = psn_received_scan(vault, collect, &list, err);

    if (!rc && list.count == 0)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("no role '%s' in the vault"), address);
    if (!rc && list.count > 1)
        rc = psn_fail(err, PSN_E_CONFLICT,
                      _("two issuers gave '%s': open the file itself"), address);
    if (!rc)
        *ret_received = list.items[0];
    free(list.items);
    return rc;
}

/* how NULL: only to describe it. */
static enum psn_code reveal(struct psn_vault *vault, const char *address,
                            const char *label, const enum psn_how *how,
                            struct psn_opened **ret_opened, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *text = NULL;
    struct psn_received received;
    enum psn_code rc = find(vault, address, &received, err);

    if (!rc)
        rc = psn_received_get_text(vault, &received, &text, err);
    if (!rc)
        rc = psn_opened_read(&text, ret_opened, err);
    return rc || !how ? rc
                      : psn_journal_note(vault, NULL,
                                         &(struct psn_note){ .event = "received.revealed",
                                                             .subject = address,
                                                             .label = label,
                                                             .version = received.version,
                                                             .text = psn_how_name(*how) },
                                         err);
}

struct chosen {
    const char *address;
    const char *label; /* NULL: all */
    psn_opened_fn *each;
    void *arg;
    bool masked;
    bool found;
};

static enum psn_code pass_on(void *arg, const struct psn_opened_secret *secret,
                             struct psn_error *err)
{
    struct chosen *chosen = arg;
    struct psn_opened_secret shown = *secret;

    if (strcmp(secret->address, chosen->address) != 0 ||
        (chosen->label && strcmp(secret->label, chosen->label) != 0))
        return PSN_OK;
    chosen->found = true;
    if (chosen->masked)
        shown.value = NULL;
    return chosen->each(chosen->arg, &shown, err);
}

static enum psn_code show(struct psn_vault *vault, const char *address, const char *label,
                          const enum psn_how *how, psn_opened_fn *each, void *arg,
                          struct psn_error *err)
{
    PSN_AUTO(psn_opened) *opened = NULL;
    char normal[PSN_ADDRESS_TEXT_MAX];
    struct chosen chosen = { normal, label, each, arg, how == NULL, false };
    enum psn_code rc = psn_role_begin(vault, PSN_STORE_WRITE, address, normal, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, reveal(vault, normal, label, how, &opened, err), err);
    if (!rc)
        rc = psn_opened_each(opened, pass_on, &chosen, err);
    if (!rc && !chosen.found)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("%s has no secret '%s'"), normal, label);
    return rc;
}

enum psn_code psn_received_reveal(struct psn_vault *vault, const char *address,
                                  const char *label, enum psn_how how,
                                  psn_opened_fn *each, void *arg, struct psn_error *err)
{
    return show(vault, address, label, &how, each, arg, err);
}

enum psn_code psn_received_describe(struct psn_vault *vault, const char *address,
                                    const char *label, psn_opened_fn *each, void *arg,
                                    struct psn_error *err)
{
    return show(vault, address, label, NULL, each, arg, err);
}

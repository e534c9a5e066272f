#include "core/vault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/beside.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/loop.h"
#include "core/journal.h"
#include "core/key_rate.h"
#include "core/state.h"
#include "crypto/generate.h"
#include "crypto/init.h"

/*
 * A vault's handle: what it is used with, its transactions, and its end, which wipes it.
 * How it is made, opened and unlocked stands in vault_open.c.
 */

enum psn_code psn_init(struct psn_error *err)
{
    return psn_crypto_init(err);
}

enum psn_code psn_init_alone(struct psn_error *err)
{
    psn_store_alone();
    return psn_init(err);
}

static struct psn_world real_world(void)
{
    return (struct psn_world){ .imap = psn_imap_real(),
                               .now_s = psn_clock_now_s,
                               .boot_ms = psn_clock_boot_ms,
                               .sleep_ms = psn_loop_sleep_ms };
}

static char *copy_text(const char *text)
{
    return text ? strdup(text) : NULL;
}

enum psn_code psn_vault_new(const struct psn_vault_options *options,
                            struct psn_vault **ret_vault, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *vault = calloc(1, sizeof *vault);

    if (!vault)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    vault->op_lock = PSN_FILE_LOCK_NONE;
    vault->world = real_world();
    vault->examined = options->examine;
    vault->path = copy_text(options->path);
    vault->state_dir = copy_text(options->state_dir);
    vault->ca_file = copy_text(options->ca_file);
    if (!vault->path || (options->state_dir && !vault->state_dir) ||
        (options->ca_file && !vault->ca_file))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ret_vault = PSN_TAKE(vault);
    return PSN_OK;
}

void psn_vault_free(struct psn_vault *vault)
{
    if (!vault)
        return;
    psn_seen_flush(vault);
    psn_vault_forget_keys(vault);
    psn_store_free(vault->store);
    psn_http_client_free(vault->http_client);
    psn_key_rates_free(vault->rates);
    psn_file_unlock(&vault->op_lock);
    free(vault->path);
    free(vault->state_dir);
    free(vault->ca_file);
    free(vault);
}

const uint8_t *psn_vault_id(const struct psn_vault *vault)
{
    return vault->id;
}

const char *psn_vault_path(const struct psn_vault *vault)
{
    return vault->path;
}

enum psn_seen psn_vault_seen(const struct psn_vault *vault)
{
    return vault->seen;
}

enum psn_code psn_vault_settle_seen(struct psn_vault *vault, struct psn_error *err)
{
    psn_seen_flush(vault);
    if (vault->seen_why.code && err)
        *err = vault->seen_why;
    return vault->seen_why.code;
}

void psn_vault_set_world(struct psn_vault *vault, const struct psn_world *world)
{
    vault->world = *world;
}

enum psn_code psn_vault_http(struct psn_vault *vault, struct psn_http *ret_http,
                             struct psn_error *err)
{
    if (!vault->world.http.perform) {
        enum psn_code rc = psn_http_client_new(&vault->http_client, err);

        if (rc)
            return rc;
        vault->world.http = psn_http_client_port(vault->http_client);
    }
    *ret_http = vault->world.http;
    return PSN_OK;
}

enum psn_code psn_vault_lock_operation(struct psn_vault *vault, const char *what,
                                       struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(4096);
    enum psn_code rc;

    if (vault->op_lock.fd >= 0) {
        vault->op_holds++;
        return PSN_OK;
    }
    psn_buf_format(&path, "%s" PSN_BESIDE_LOCK, vault->path);
    rc = psn_buf_check(&path, err);
    if (!rc)
        rc = psn_file_lock_soon(psn_buf_str(&path), what, &vault->op_lock, err);
    if (rc)
        return rc;
    psn_store_drop_second_names(vault->path);
    vault->op_holds = 1;
    return PSN_OK;
}

void psn_vault_unlock_operation(struct psn_vault *vault)
{
    if (vault->op_holds > 1) {
        vault->op_holds--;
        return;
    }
    vault->op_holds = 0;
    psn_file_unlock(&vault->op_lock);
}

/* --- transactions --- */

enum psn_code psn_vault_begin_box(struct psn_vault *vault, enum psn_store_mode mode,
                                  struct psn_buf *root_box, struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    if (rc)
        return rc;
    assert(!vault->in_transaction);
    if (vault->examined && mode == PSN_STORE_WRITE)
        return psn_fail(err, PSN_E_POLICY, _("'%s' was opened to be examined, not used"),
                        vault->path);
    psn_seen_flush_due(vault);
    if (!vault->store)
        return psn_fail(err, PSN_E_IO, _("the vault '%s' is not open"), vault->path);
    rc = psn_store_begin(vault->store, mode, root_box, err);
    if (rc)
        return rc;
    rc = psn_state_open(vault, root_box, &vault->state, err);
    if (rc) {
        psn_store_rollback(vault->store);
        return psn_wrap(err, rc, _("cannot read the state of '%s'"), vault->path);
    }
    psn_store_trust(vault->store, &vault->state.roots);
    psn_loop_hold();
    vault->noted_chain.client[0] = '\0'; /* what a write that was given up has left */
    vault->seen_by_actor_alone[0] = '\0';
    vault->is_role_known = false;
    vault->in_transaction = true;
    vault->writing = mode == PSN_STORE_WRITE;
    return PSN_OK;
}

enum psn_code psn_vault_begin(struct psn_vault *vault, enum psn_store_mode mode,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(PSN_ROOT_BOX_MAX);

    return psn_vault_begin_box(vault, mode, &root_box, err);
}

static enum psn_code commit(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(PSN_ROOT_BOX_MAX);
    enum psn_code rc;

    if (!vault->writing)
        return psn_store_commit(vault->store, NULL, err);
    rc = psn_journal_settle(vault, err);
    if (!rc)
        rc = psn_store_roots(vault->store, &vault->state.roots, err);
    if (!rc)
        rc = psn_state_advance(vault, err);
    if (!rc)
        rc = psn_state_seal(vault, &vault->state, &root_box, err);
    return rc ? rc : psn_store_commit(vault->store, &root_box, err);
}

enum psn_code psn_vault_end(struct psn_vault *vault, enum psn_code rc,
                            struct psn_error *err)
{
    if (!rc)
        rc = commit(vault, err);
    if (rc)
        psn_store_rollback(vault->store);
    psn_loop_release();
    vault->in_transaction = false;
    if (!rc && vault->writing)
        psn_seen_note(vault);
    return rc;
}

/* The empty state, generation 1, before there is any row. */
enum psn_code psn_vault_found(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(PSN_ROOT_BOX_MAX);
    enum psn_code rc = psn_store_begin(vault->store, PSN_STORE_WRITE, &root_box, err);

    if (rc)
        return rc;
    vault->state = (struct psn_state){ 0 };
    psn_store_trust(vault->store, &vault->state.roots);
    psn_loop_hold();
    vault->noted_chain.client[0] = '\0';
    vault->seen_by_actor_alone[0] = '\0';
    vault->is_role_known = false;
    vault->in_transaction = true;
    vault->writing = true;
    return PSN_OK;
}

/* --- generated secrets for people --- */

enum psn_code psn_new_passphrase(const char *language, struct psn_secret **ret_passphrase,
                                 struct psn_error *err)
{
    return psn_generate_passphrase(language, ret_passphrase, err);
}

enum psn_code psn_new_recovery_code(struct psn_secret **ret_code, struct psn_error *err)
{
    return psn_generate_recovery(ret_code, err);
}

enum psn_code psn_new_password(struct psn_secret **ret_password, struct psn_error *err)
{
    return psn_generate_password(ret_password, err);
}

enum psn_code psn_passphrase_check(const struct psn_secret *passphrase,
                                   struct psn_error *err)
{
    return psn_check_passphrase(passphrase, err);
}

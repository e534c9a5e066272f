#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/handover.h"

/* The envelopes of all clients; the files of one, and the sheet, where they were written
 * last. */

static enum psn_code remove_file(const struct psn_envelope *envelope, const char *ending,
                                 psn_envelope_file_fn *each, void *arg, size_t *removed,
                                 struct psn_error *err)
{
    char path[sizeof envelope->folder + PSN_CLIENT_ID_MAX + 64];

    (void)snprintf(path, sizeof path, "%s/enveloppe-%s%s", envelope->folder,
                   envelope->client, ending);
    if (unlink(path) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? PSN_OK
                   : psn_fail(err, psn_file_code(errno), _("the file '%s': %s"), path,
                              strerror(errno));
    ++*removed;
    if (each)
        each(arg, path);
    return PSN_OK;
}

enum psn_code psn_envelope_remove_files(const struct psn_envelope *envelope,
                                        psn_envelope_file_fn *each, void *arg,
                                        size_t *ret_removed, struct psn_error *err)
{
    /* The sheet first: it is the one that opens the others. */
    static const char *const endings[] = { "-cle.html",     ".html", ".html.sig",
                                           ".html.minisig", ".age",  ".age.sig",
                                           ".age.minisig" };
    enum psn_code first = PSN_OK;

    *ret_removed = 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        enum psn_code rc =
            remove_file(envelope, endings[i], each, arg, ret_removed, first ? NULL : err);

        first = first ? first : rc;
    }
    return first;
}

/* --- all of them --- */

struct envelopes {
    char (*clients)[PSN_CLIENT_ID_MAX];
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_client *client,
                             struct psn_error *err)
{
    struct envelopes *envelopes = arg;
    enum psn_code rc;

    if (!client->envelope_s)
        return PSN_OK;
    rc = PSN_GROW(envelopes->clients, envelopes->count, err);
    if (!rc)
        memcpy(envelopes->clients[envelopes->count++], client->id,
               sizeof *envelopes->clients);
    return rc;
}

enum psn_code psn_envelope_each(struct psn_vault *vault, psn_envelope_fn *each, void *arg,
                                struct psn_error *err)
{
    struct envelopes envelopes = { 0 };
    enum psn_code rc = psn_client_each(vault, collect, &envelopes, err);

    for (size_t i = 0; !rc && i < envelopes.count; i++) {
        struct psn_envelope envelope = { 0 };

        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
        if (!rc)
            rc = psn_vault_end(
                vault,
                psn_envelope_read(vault, NULL, envelopes.clients[i], &envelope, err),
                err);
        if (!rc)
            rc = each(arg, &envelope, err);
    }
    free(envelopes.clients);
    return rc;
}

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/stream.h"
#include "core/trousseau.h"
#include "crypto/digest.h"
#include "crypto/hash.h"
#include "page/page.h"
#include "passation/profile.h"
#include "passation/signature.h"

/*
 * The files of a trousseau. What opens without a code holds no secret. Signatures lie
 * beside the files that somebody may be given alone; the list of digests, signed, covers
 * them all.
 */
#define SETTINGS "reglages"
#define ZONES    "zones"

/* --- one file --- */

static enum psn_code remember(struct psn_trousseau *trousseau, const char *name,
                              const void *bytes, size_t size, bool encrypted,
                              struct psn_error *err)
{
    struct psn_handover_file *file;
    enum psn_code rc = PSN_GROW(trousseau->files, trousseau->file_count, err);

    if (rc)
        return rc;
    file = &trousseau->files[trousseau->file_count++];
    *file = (struct psn_handover_file){ .size = size, .encrypted = encrypted };
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    psn_sha256_hex(&(struct psn_part){ bytes, size }, 1, file->sha256);
    return PSN_OK;
}

static enum psn_code write_file(const struct psn_trousseau *trousseau, const char *name,
                                const void *bytes, size_t size, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_ISSUE_PATH_MAX);
    enum psn_code rc;

    psn_buf_format(&path, "%s/%s", trousseau->partial, name);
    rc = psn_buf_check(&path, err);
    return rc ? rc
              : psn_file_write(psn_buf_str(&path), bytes, size,
                               trousseau->replace ? PSN_FILE_REPLACE : PSN_FILE_NEW, err);
}

static enum psn_code write_beside(const struct psn_trousseau *trousseau, const char *name,
                                  const char *extension, const char *text,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) beside = psn_buf_init(PSN_ISSUE_PATH_MAX);
    enum psn_code rc;

    psn_buf_format(&beside, "%s.%s", name, extension);
    rc = psn_buf_check(&beside, err);
    return rc ? rc : write_file(trousseau, psn_buf_str(&beside), text, strlen(text), err);
}

/* In both forms: whoever has OpenSSH needs nothing else, and minisign is one small
 * program. */
static enum psn_code sign(const struct psn_trousseau *trousseau, const char *name,
                          const void *bytes, size_t size, struct psn_error *err)
{
    PSN_AUTO_FREE char *ssh = NULL;
    PSN_AUTO_FREE char *minisign = NULL;
    struct psn_stream_memory memory = { bytes, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_vault_keys keys;
    struct psn_minisign_key key;
    char comment[PSN_CLIENT_ID_MAX + PSN_HANDOVER_TEXT_MAX + 64];
    enum psn_code rc = psn_vault_public_keys(trousseau->vault, &keys, err);

    (void)snprintf(comment, sizeof comment, "passation %s %llu %s",
                   trousseau->draft.client.id,
                   (unsigned long long)trousseau->draft.row.serial, name);
    if (!rc)
        rc = psn_minisign_public_parse(keys.minisign, strlen(keys.minisign), &key, err);
    if (!rc)
        rc = psn_sshsig_sign(trousseau->draft.seed, "passation-file", &source, &ssh, err);
    memory.at = 0;
    if (!rc)
        rc = psn_minisign_sign(trousseau->draft.seed, &key, &source, comment, &minisign,
                               err);
    if (!rc)
        rc = write_beside(trousseau, name, "sig", ssh, err);
    return rc ? rc : write_beside(trousseau, name, "minisig", minisign, err);
}

enum psn_code psn_trousseau_put(struct psn_trousseau *trousseau, const char *name,
                                const void *bytes, size_t size, bool encrypted,
                                bool is_main, struct psn_error *err)
{
    enum psn_code rc = write_file(trousseau, name, bytes, size, err);

    if (!rc)
        rc = remember(trousseau, name, bytes, size, encrypted, err);
    return rc || !is_main ? rc : sign(trousseau, name, bytes, size, err);
}

enum psn_code psn_trousseau_add(struct psn_trousseau *trousseau, const char *name,
                                const void *bytes, size_t size, struct psn_error *err)
{
    return psn_trousseau_put(trousseau, name, bytes, size, false, true, err);
}

/* --- what opens with the code --- */

static enum psn_code write_age(struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_ISSUE_FILE_MAX);
    enum psn_code rc = psn_draft_encrypt(&trousseau->draft, false, &file, err);

    return rc ? rc
              : psn_trousseau_put(trousseau, "trousseau.age", file.data, file.size, true,
                                  true, err);
}

static enum psn_code write_page(struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) armored = psn_buf_init(PSN_ISSUE_FILE_MAX);
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(PSN_ISSUE_FILE_MAX);
    enum psn_code rc = psn_draft_encrypt(&trousseau->draft, true, &armored, err);

    if (!rc)
        rc = psn_page_wrap(psn_buf_str(&armored), armored.size, &page, err);
    return rc ? rc
              : psn_trousseau_put(trousseau, "trousseau.html", page.data, page.size, true,
                                  true, err);
}

static enum psn_code write_kdbx(struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    const struct psn_client *client = &trousseau->draft.client;
    struct psn_sink sink = psn_sink_buf(&file);
    enum psn_code rc =
        psn_kdbx_write(client->name[0] ? client->name : client->id, trousseau->draft.code,
                       trousseau->entries, trousseau->item_count, &sink, err);

    if (!rc)
        rc = psn_buf_check(&file, err);
    return rc ? rc
              : psn_trousseau_put(trousseau, "trousseau.kdbx", file.data, file.size, true,
                                  true, err);
}

/* --- what holds no secret --- */

static enum psn_code make_folder(const struct psn_trousseau *trousseau, const char *name,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_ISSUE_PATH_MAX);
    enum psn_code rc;

    psn_buf_format(&path, "%s/%s", trousseau->partial, name);
    rc = psn_buf_check(&path, err);
    if (rc || mkdir(psn_buf_str(&path), 0700) == 0)
        return rc;
    return psn_fail(err, psn_file_code(errno), _("the folder '%s': %s"),
                    psn_buf_str(&path), strerror(errno));
}

static enum psn_code write_text(struct psn_trousseau *trousseau, const char *folder,
                                const char *name, const char *extension, const char *text,
                                size_t size, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_ISSUE_PATH_MAX);
    enum psn_code rc;

    psn_buf_format(&path, "%s/%s.%s", folder, name, extension);
    rc = psn_buf_check(&path, err);
    return rc ? rc
              : psn_trousseau_put(trousseau, psn_buf_str(&path), text, size, false, false,
                                  err);
}

static enum psn_code write_settings_of(struct psn_trousseau *trousseau,
                                       const struct psn_trousseau_item *item,
                                       struct psn_error *err)
{
    PSN_AUTO_FREE char *apple = NULL;
    PSN_AUTO_FREE char *thunderbird = NULL;
    const struct psn_client *client = &trousseau->draft.client;
    const struct psn_profile profile = {
        .address = item->content.address,
        .organization = client->name[0] ? client->name : client->id,
        .imap = { item->mail.imap_host, item->mail.imap_port, item->mail.imap_security },
        .smtp = { item->mail.smtp_host, item->mail.smtp_port, item->mail.smtp_security },
    };
    enum psn_code rc = psn_profile_apple(&profile, &apple, err);

    if (!rc)
        rc = psn_profile_autoconfig(&profile, &thunderbird, err);
    if (!rc)
        rc = write_text(trousseau, SETTINGS, item->content.address, "mobileconfig", apple,
                        strlen(apple), err);
    return rc ? rc
              : write_text(trousseau, SETTINGS, item->content.address, "xml", thunderbird,
                           strlen(thunderbird), err);
}

static enum psn_code write_settings(struct psn_trousseau *trousseau,
                                    struct psn_error *err)
{
    enum psn_code rc = make_folder(trousseau, SETTINGS, err);

    for (size_t i = 0; !rc && i < trousseau->item_count; i++) {
        const struct psn_trousseau_item *item = &trousseau->items[i];

        if (!item->content.label[0] && item->mail.imap_host[0] && item->mail.smtp_host[0])
            rc = write_settings_of(trousseau, item, err);
    }
    return rc;
}

static enum psn_code write_zones(struct psn_trousseau *trousseau, struct psn_error *err)
{
    enum psn_code rc =
        trousseau->zone_count ? make_folder(trousseau, ZONES, err) : PSN_OK;

    for (size_t i = 0; !rc && i < trousseau->zone_count; i++)
        rc = write_text(trousseau, ZONES, trousseau->zones[i].domain, "zone",
                        trousseau->zones[i].text, strlen(trousseau->zones[i].text), err);
    return rc;
}

enum psn_code psn_trousseau_write(struct psn_trousseau *trousseau, struct psn_error *err)
{
    enum psn_code rc = write_page(trousseau, err);

    if (!rc)
        rc = write_age(trousseau, err);
    if (!rc)
        rc = write_kdbx(trousseau, err);
    if (!rc)
        rc = write_settings(trousseau, err);
    return rc ? rc : write_zones(trousseau, err);
}

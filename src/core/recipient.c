#include "core/recipient.h"

#include <stdio.h>
#include <string.h>

#include "age/lists.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/stream.h"
#include "base/text.h"
#include "crypto/hash.h"

/* Cuts blanks around the key and, after an SSH key's second word, its comment. */
static bool cut(const char *text, char ret_text[PSN_RECIPIENT_TEXT_MAX])
{
    static const char ssh[] = "ssh-ed25519 ";
    size_t skip = strspn(text, " \t\r\n");
    const char *from = text + skip;
    size_t size = strncmp(from, ssh, sizeof ssh - 1) == 0 ? sizeof ssh - 1 : 0;

    size += strcspn(from + size, " \t\r\n");
    if (size == 0 || size >= PSN_RECIPIENT_TEXT_MAX)
        return false;
    if (from[0] == 'a' && from[size + strspn(from + size, " \t\r\n")])
        return false;
    memcpy(ret_text, from, size);
    ret_text[size] = '\0';
    return true;
}

/* Closes a box to whom the list names. Keys of small order show only here. */
static enum psn_code close_box(const struct psn_age_recipients *to, struct psn_buf *box,
                               struct psn_error *err)
{
    struct psn_stream_memory nothing = { "", 0, 0 };
    struct psn_source source = psn_source_memory(&nothing);
    struct psn_sink sink = psn_sink_buf(box);
    enum psn_code rc = psn_age_encrypt(to, false, &source, &sink, err);

    return rc ? rc : psn_buf_check(box, err);
}

static enum psn_code parse(const char *text, char ret_text[PSN_RECIPIENT_TEXT_MAX],
                           struct psn_age_recipients **ret_to, struct psn_error *err)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;
    enum psn_code rc = psn_age_recipients_new(&to, err);

    if (!rc && !cut(text, ret_text))
        rc = psn_fail(err, PSN_E_INVALID, _("this is no public key"));
    if (!rc)
        rc = psn_age_recipients_add(to, ret_text, err);
    if (!rc)
        *ret_to = PSN_TAKE(to);
    return rc;
}

enum psn_code psn_recipient_normalize(const char *text,
                                      char ret_text[PSN_RECIPIENT_TEXT_MAX],
                                      struct psn_error *err)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(PSN_TEXT_MAX);
    struct psn_error cause = { 0 };
    char normal[PSN_RECIPIENT_TEXT_MAX];
    enum psn_code rc = parse(text, normal, &to, &cause);

    if (!rc)
        rc = close_box(to, &box, &cause);
    if (rc) {
        if (err)
            *err = cause;
        return psn_hint(err, rc,
                        _("a key is one line, 'age1…' (from age-keygen -y) or "
                          "'ssh-ed25519 AAAA…' (from ~/.ssh/id_ed25519.pub)"));
    }
    memcpy(ret_text, normal, sizeof normal);
    return PSN_OK;
}

bool psn_recipient_is_normal(const char *text)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;
    char normal[PSN_RECIPIENT_TEXT_MAX];

    return parse(text, normal, &to, NULL) == PSN_OK && strcmp(text, normal) == 0;
}

/* What is encrypted to the key opens with the identity, whatever kinds they are. */
enum psn_code psn_recipient_is_of(const char *recipient,
                                  const struct psn_secret *identity, bool *ret_is,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;
    PSN_AUTO(psn_age_identities) *by = NULL;
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(PSN_TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init(PSN_TEXT_MAX);
    struct psn_stream_memory memory;
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(&plain);
    enum psn_code rc = psn_age_recipients_new(&to, err);

    if (!rc)
        rc = psn_age_identities_new(&by, err);
    if (!rc)
        rc = psn_age_recipients_add(to, recipient, err);
    if (!rc)
        rc = psn_age_identities_add(by, identity, err);
    if (!rc)
        rc = close_box(to, &box, err);
    if (rc)
        return rc;
    memory = (struct psn_stream_memory){ box.data, box.size, 0 };
    *ret_is = psn_age_decrypt(by, NULL, &source, &sink, NULL, NULL) == PSN_OK;
    return PSN_OK;
}

void psn_person_key_fingerprint(const char *text,
                                char ret_text[PSN_PHONE_FINGERPRINT_MAX])
{
    static const char label[] = "passation key fingerprint 1";
    enum {
        GROUPS = 6,
        GROUP_BYTES = 5
    };
    uint8_t hash[PSN_HASH_SIZE];
    const struct psn_part parts[] = { { label, sizeof label - 1 },
                                      { text, strlen(text) } };
    size_t at = 0;

    psn_hash(parts, 2, hash);
    for (size_t i = 0; i < GROUPS; i++) {
        uint64_t number = 0;

        for (size_t j = 0; j < GROUP_BYTES; j++)
            number = number << 8 | hash[i * GROUP_BYTES + j];
        at += (size_t)snprintf(ret_text + at, PSN_PHONE_FINGERPRINT_MAX - at, "%s%05u",
                               i ? " " : "", (unsigned)(number % 100000));
    }
}

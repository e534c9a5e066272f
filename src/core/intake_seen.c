#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/intake.h"
#include "crypto/hash.h"

/* A set of hashes, by open addressing; 0 is an empty place. */
enum {
    FIRST_CAPACITY = 64, /* a power of two */
};

void psn_intake_seen_release(struct psn_intake_seen *seen)
{
    free(seen->hashes);
    *seen = (struct psn_intake_seen){ 0 };
}

static uint64_t hash_of(const char *address, const char *label)
{
    const struct psn_part parts[] = { { address, strlen(address) + 1 },
                                      { label, strlen(label) } };
    uint8_t hash[PSN_HASH_SIZE];
    uint64_t number;

    psn_hash(parts, sizeof parts / sizeof *parts, hash);
    memcpy(&number, hash, sizeof number);
    return number ? number : 1;
}

static size_t place_of(const struct psn_intake_seen *seen, uint64_t hash)
{
    size_t at = (size_t)hash & (seen->capacity - 1);

    while (seen->hashes[at] && seen->hashes[at] != hash)
        at = (at + 1) & (seen->capacity - 1);
    return at;
}

bool psn_intake_seen_has(const struct psn_intake_seen *seen, const char *address,
                         const char *label)
{
    return seen->capacity > 0 &&
           seen->hashes[place_of(seen, hash_of(address, label))] != 0;
}

static enum psn_code grow(struct psn_intake_seen *seen, struct psn_error *err)
{
    struct psn_intake_seen grown = { .count = seen->count };

    grown.capacity = seen->capacity ? 2 * seen->capacity : (size_t)FIRST_CAPACITY;
    grown.hashes = calloc(grown.capacity, sizeof *grown.hashes);
    if (!grown.hashes)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->hashes[i])
            grown.hashes[place_of(&grown, seen->hashes[i])] = seen->hashes[i];
    free(seen->hashes);
    *seen = grown;
    return PSN_OK;
}

enum psn_code psn_intake_seen_add(struct psn_intake_seen *seen, const char *address,
                                  const char *label, bool *ret_was_there,
                                  struct psn_error *err)
{
    uint64_t hash = hash_of(address, label);
    enum psn_code rc = PSN_OK;
    size_t at;

    if (2 * (seen->count + 1) > seen->capacity)
        rc = grow(seen, err);
    if (rc)
        return rc;
    at = place_of(seen, hash);
    if (ret_was_there)
        *ret_was_there = seen->hashes[at] != 0;
    seen->count += seen->hashes[at] == 0;
    seen->hashes[at] = hash;
    return PSN_OK;
}

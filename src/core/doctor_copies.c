#include <string.h>
#include <sys/stat.h>

#include "core/backup.h"
#include "core/doctor.h"
#include "core/state.h"

/*
 * Other copies of the vault in its folder. One is superfluous if the vault in use went on
 * from it: then all that it holds is in the vault, or was replaced. Any other one may be
 * what a restore has put aside, or the newer one that somebody is looking for, with
 * passwords that are nowhere else. The history tells them apart. It lies in clear in
 * every copy, so a copy from before a rekey is known again, too.
 */
struct copies {
    struct psn_vault *vault; /* NULL: no copy is known to be superfluous */
    const struct psn_doctor_options *options;
    const char *base; /* the vault's name in its folder */
    struct stat info;
};

static bool has_state(struct psn_store *copy, uint64_t generation,
                      struct psn_store_entry *entry)
{
    return !psn_store_journal_get(copy, psn_history_chain, generation, entry, NULL);
}

/* The last state of the copy, as long as it is none later than the vault's. 0: it has a
 * later one, or none. */
static uint64_t last_state(struct psn_store *copy, uint64_t vault_state,
                           struct psn_store_entry *entry)
{
    uint64_t there = 0;
    uint64_t beyond = vault_state + 1;

    if (has_state(copy, beyond, entry))
        return 0;
    while (beyond - there > 1) {
        uint64_t middle = there + (beyond - there) / 2;

        if (has_state(copy, middle, entry))
            there = middle;
        else
            beyond = middle;
    }
    return there;
}

static bool is_in_history(struct psn_vault *vault, struct psn_store *copy)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    uint64_t last = last_state(copy, vault->state.generation, &entry);
    bool is_ancestor = false;

    return last > 0 && has_state(copy, last, &entry) &&
           !psn_state_check_ancestor(vault, last, entry.hash, &is_ancestor, NULL) &&
           is_ancestor;
}

static bool is_superfluous(struct psn_vault *vault, const char *path)
{
    PSN_AUTO(psn_store) *copy = NULL;
    PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(PSN_ROOT_BOX_MAX);
    bool found;

    if (psn_store_open_still(path, psn_vault_store_hash, &copy, NULL) ||
        psn_store_begin(copy, PSN_STORE_READ, &root_box, NULL))
        return false;
    found = is_in_history(vault, copy);
    psn_store_rollback(copy);
    return found;
}

static void look_at_file(void *arg, const char *path)
{
    const struct copies *copies = arg;
    const char *name = strrchr(path, '/') + 1;
    size_t length = strlen(copies->base);
    struct stat info;

    if (lstat(path, &info) != 0 || info.st_ino == copies->info.st_ino ||
        !psn_is_a_vault_file(path) ||
        (strncmp(name, copies->base, length) == 0 &&
         psn_doctor_is_leftover(name + length)))
        return;
    PSN_DOCTOR_TELL(copies->options,
                    .code = copies->vault && is_superfluous(copies->vault, path)
                                ? PSN_DOCTOR_KEPT_COPY
                                : PSN_DOCTOR_KEPT_UNSURE,
                    .subject = path, .time_s = info.st_mtime);
}

void psn_doctor_copies(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(options->vault);
    const char *slash = strrchr(options->vault, '/');
    struct copies copies = { .options = options,
                             .base = slash ? slash + 1 : options->vault };

    if (!folder || lstat(options->vault, &copies.info) != 0)
        return;
    if (vault && !psn_vault_begin(vault, PSN_STORE_READ, NULL))
        copies.vault = vault;
    /* That the folder cannot be read was told already. */
    PSN_IGNORE(psn_doctor_each_file(folder, look_at_file, &copies, NULL));
    if (copies.vault)
        PSN_IGNORE(psn_vault_end(vault, PSN_OK, NULL));
}

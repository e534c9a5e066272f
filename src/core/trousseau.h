#ifndef PSN_CORE_TROUSSEAU_H
#define PSN_CORE_TROUSSEAU_H

#include "core/handover.h"
#include "core/issue.h"
#include "ovh/mailbox.h"
#include "passation/entry.h"

/*
 * A trousseau that is being made, or opened again:
 *
 *     compose   one transaction: serial, exposures, journal, the row "prepared", the text
 *     write     every file into a folder beside, which then takes its place
 *     compare   each artefact opened from the disk with the code, against the vault
 *     finish    the code told; one transaction: the row "written", the handover's row
 *
 * Killed before the last one, the handover has no trousseau, or the one before; the
 * folder may be there, and nobody has its code, or somebody heard it: it opens what the
 * journal says was disclosed, and its receipt code does not count.
 */

/* A secret of it. */
struct psn_trousseau_item {
    struct psn_content content;
    struct psn_secret *value;
    struct psn_secret_info info;   /* of a label */
    struct psn_mail_settings mail; /* of a mailbox */
    enum psn_backend backend;
    int64_t changed_s;
    char fingerprint[65];
    char title[PSN_ADDRESS_TEXT_MAX];
    struct psn_entry_field fields[3]; /* for other programs: the servers; of an export,
                                         what an import reads back */
    char field_texts[3][PSN_SERVER_MAX];
    char *used; /* one of them */
    size_t field_count;
};

/* A DNS zone of the client, as OVH has it. */
struct psn_trousseau_zone {
    char domain[PSN_DOMAIN_NAME_MAX];
    char *text;
};

struct psn_trousseau {
    struct psn_vault *vault;
    const char *client;
    const struct psn_trousseau_request *request; /* NULL: of an envelope */
    struct psn_issue_order order;
    struct psn_draft draft;
    struct psn_trousseau_item *items;
    size_t item_count;
    struct psn_entry *entries; /* of the items, which they borrow from */
    struct psn_trousseau_zone *zones;
    size_t zone_count;
    struct psn_secret *fingerprint_key; /* lies nowhere but in the trousseau */
    char folder[4096];                  /* in its place */
    char partial[4096];                 /* while it is being made */
    bool replace;                       /* files of the same names */
    bool
        is_export; /* for no document: each secret is disclosed to whose slot is in use */
    struct psn_handover_file *files;
    size_t file_count;
};
void psn_trousseau_release(struct psn_trousseau *trousseau);

/* Is a path that of a trousseau's folder of the client? By its name alone. */
bool psn_trousseau_is_folder(const char *path, const char *client);

/* A file of the folder: name may have one folder before it. is_main: it has signatures of
 * its own beside it, and the handover's row remembers it. */
PSN_MUST_CHECK enum psn_code psn_trousseau_put(struct psn_trousseau *trousseau,
                                               const char *name, const void *bytes,
                                               size_t size, bool encrypted, bool is_main,
                                               struct psn_error *err);

/* Inside a read or write: the items of these contents with their values, and the entries.
 * With `writer`, each is disclosed to the draft's person and put into the document; of an
 * export, to whose slot is in use; else nothing leaves the vault. */
PSN_MUST_CHECK enum psn_code psn_trousseau_take_items(struct psn_trousseau *trousseau,
                                                      const struct psn_content *contents,
                                                      size_t count,
                                                      struct psn_document_writer *writer,
                                                      struct psn_error *err);

/* Outside a transaction: the client's DNS zones, from OVH. One that lies elsewhere is
 * left out. */
PSN_MUST_CHECK enum psn_code psn_trousseau_take_zones(struct psn_trousseau *trousseau,
                                                      struct psn_error *err);
/* Inside a write: the document, for this person; recipient: the one key it is encrypted
 * to, or NULL for a code. E_POLICY: there is nothing to hand over. */
PSN_MUST_CHECK enum psn_code psn_trousseau_compose(struct psn_trousseau *trousseau,
                                                   const char *person,
                                                   const char *recipient,
                                                   const char *event,
                                                   struct psn_error *err);

/* The files that are the same whatever is in it. */
PSN_MUST_CHECK enum psn_code psn_trousseau_write(struct psn_trousseau *trousseau,
                                                 struct psn_error *err);

/* Opens every artefact in `folder` with the code and compares it with the items, checks
 * every signature and digest. E_VERIFY says what differs. */
PSN_MUST_CHECK enum psn_code psn_trousseau_compare(struct psn_trousseau *trousseau,
                                                   const char *folder,
                                                   const struct psn_secret *code,
                                                   struct psn_error *err);

/* Every file that the folder's SHA256SUMS names; *ret_count: how many. E_VERIFY says
 * which one differs, E_NOT_FOUND which one is not there. */
PSN_MUST_CHECK enum psn_code psn_trousseau_check_sums(const char *folder,
                                                      size_t *ret_count,
                                                      struct psn_error *err);

/* The same of an envelope's two files, with its key. */
PSN_MUST_CHECK enum psn_code psn_trousseau_compare_envelope(
    struct psn_trousseau *trousseau, const char *folder, const struct psn_secret *key,
    struct psn_error *err);

#endif

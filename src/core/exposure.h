#ifndef PSN_CORE_EXPOSURE_H
#define PSN_CORE_EXPOSURE_H

#include "core/survey.h"
#include "core/vault.h"
#include "passation/exposure.h"

/* The rows of exposures: who has seen which version of what. All inside a transaction. */

/* Notes that the person whose slot is in use has had a version before him. Once per
 * person, version and way; again is no change. */
PSN_MUST_CHECK enum psn_code psn_exposure_put(struct psn_vault *vault,
                                              const char *address, const char *label,
                                              uint64_t version, enum psn_how how,
                                              struct psn_error *err);
/* The same of another person. */
PSN_MUST_CHECK enum psn_code psn_exposure_put_of(struct psn_vault *vault,
                                                 const char *person, const char *address,
                                                 const char *label, uint64_t version,
                                                 enum psn_how how, struct psn_error *err);

/* A row's key: PRF of the address, of the label, version, PRF of person and way. */
enum {
    PSN_EXPOSURE_PRF = 8, /* bytes of the second and of the third */
    PSN_EXPOSURE_KEY_SIZE = PSN_PRF_SIZE + PSN_EXPOSURE_PRF + 8 + PSN_EXPOSURE_PRF,
};
/* For a rekey, which gives rows new keys: where a row lies, and what it says. */
PSN_MUST_CHECK enum psn_code psn_exposure_key(struct psn_vault *vault,
                                              const struct psn_exposure *exposure,
                                              struct psn_row_key *ret_key,
                                              struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_exposure_decode(const struct psn_buf *plain,
                                                 struct psn_exposure *ret_exposure,
                                                 struct psn_error *err);

struct psn_exposure_list {
    struct psn_exposure *items;
    size_t count;
};
void psn_exposure_list_release(struct psn_exposure_list *list);
PSN_MUST_CHECK enum psn_code psn_exposure_list_add(struct psn_exposure_list *list,
                                                   const struct psn_exposure *exposure,
                                                   struct psn_error *err);
/* By address, label, version, person and time. */
void psn_exposure_list_sort(struct psn_exposure_list *list);

/* What a person (NULL: anybody) has seen of an address (NULL: any), sorted by address,
 * label, version, person and time, each with whether it is in force. */
PSN_MUST_CHECK enum psn_code psn_exposure_list(struct psn_vault *vault,
                                               const char *person, const char *address,
                                               struct psn_exposure_list *ret_list,
                                               struct psn_error *err);

/* What anybody has seen of a client's mailboxes, by mailbox. */
PSN_MUST_CHECK enum psn_code psn_exposure_list_of_client(
    struct psn_vault *vault, const char *client, struct psn_exposure_list *ret_list,
    struct psn_error *err);

/* Does what was seen still work at OVH, as far as is known? A password goes with its
 * mailbox. */
PSN_MUST_CHECK enum psn_code psn_exposure_works(struct psn_vault *vault,
                                                const struct psn_exposure *seen,
                                                bool *ret_works, struct psn_error *err);

/* What a person has seen of anything, the same way, if it is a few: else *ret_all is
 * false and the list empty, and a survey tells at less cost. Others' rows are passed by,
 * not opened. */
enum {
    PSN_EXPOSURE_FEW = 256
};
PSN_MUST_CHECK enum psn_code psn_exposure_list_few(struct psn_vault *vault,
                                                   const char *person,
                                                   struct psn_exposure_list *ret_list,
                                                   bool *ret_all, struct psn_error *err);

/* Of all that is seen, what is in force and known to somebody without a right to it, in
 * the same order. Few exposures are: what a survey, or the row's key, can tell is asked
 * before anything is opened, kept or read. */
PSN_MUST_CHECK enum psn_code psn_exposure_list_known(struct psn_vault *vault,
                                                     const struct psn_survey *survey,
                                                     const char *person,
                                                     struct psn_exposure_list *ret_list,
                                                     struct psn_error *err);

/* Inside a transaction: what all but the actor have seen of the address, in no order, and
 * whether it is in force is not looked for. */
PSN_MUST_CHECK enum psn_code psn_exposure_list_others(struct psn_vault *vault,
                                                      const char *address,
                                                      struct psn_exposure_list *ret_list,
                                                      struct psn_error *err);

/* A value that is to be, or was, put in as a version of a secret. */
struct psn_coming {
    const char *client;
    const char *address;
    const char *label; /* "": the password */
    uint64_t version;
    const struct psn_secret *value;
};
/* Inside a transaction: what others than the actor have seen by which they know the value
 * (same_value.h), be it an earlier version or another secret of that address. */
PSN_MUST_CHECK enum psn_code psn_exposure_list_knowing(
    struct psn_vault *vault, const struct psn_coming *coming,
    struct psn_exposure_list *ret_known, struct psn_error *err);
/* Inside a write: all of those have seen the new version, too. */
PSN_MUST_CHECK enum psn_code psn_exposure_put_known(struct psn_vault *vault,
                                                    const struct psn_coming *coming,
                                                    const struct psn_exposure_list *known,
                                                    struct psn_error *err);
/* Both at once. */
PSN_MUST_CHECK enum psn_code psn_exposure_carry(struct psn_vault *vault,
                                                const struct psn_coming *coming,
                                                struct psn_error *err);

#endif

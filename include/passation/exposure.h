#ifndef PASSATION_EXPOSURE_H
#define PASSATION_EXPOSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/grant.h"
#include "passation/role.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Who has seen what. An exposure is person × version of a secret × how × when; it is
 * written before the first byte is revealed, so there may be one too many, never one too
 * few.
 */
struct psn_exposure {
    char person[PSN_PERSON_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    char label[PSN_LABEL_TEXT_MAX]; /* "" is the mailbox's password */
    uint64_t version;
    enum psn_how how;
    int64_t at_s;
    bool in_force; /* the version is current, or may be in force … */
    bool dying;    /* … only because it was replaced and is not proved refused yet */
    bool ready;    /* a replacement that waits to be put in force */
    bool outside;  /* somebody else has changed the password, who may have set this one */
    bool lasting;  /* in force, and nobody can change it: psn_secret_info.unchangeable */
};

/* Everything a person has seen, and everything seen of an address (either may be NULL).
 * In the order of address, label, version, time. */
typedef enum psn_code psn_exposure_fn(void *arg, const struct psn_exposure *exposure,
                                      struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_exposure_each(struct psn_vault *vault,
                                                       const char *person,
                                                       const char *address,
                                                       psn_exposure_fn *each, void *arg,
                                                       struct psn_error *err);

/* Everybody who has seen that version, in the order of people. */
PSN_API PSN_MUST_CHECK enum psn_code psn_exposure_each_of(
    struct psn_vault *vault, const char *address, const char *label, uint64_t version,
    psn_exposure_fn *each, void *arg, struct psn_error *err);

/* What a person can get at without asking anybody: by an active grant, or everything by a
 * slot. */
enum psn_reach {
    PSN_REACH_GRANT,
    PSN_REACH_SLOT,
};
struct psn_reachable {
    char person[PSN_PERSON_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    enum psn_reach by;
};
typedef enum psn_code psn_reachable_fn(void *arg, const struct psn_reachable *reachable,
                                       struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_reachable_each(struct psn_vault *vault,
                                                        const char *person,
                                                        const char *address,
                                                        psn_reachable_fn *each, void *arg,
                                                        struct psn_error *err);

/* One line a client of the exposure board: how many people who have no access any more
 * (grant ended, departing, no slot) know a secret that is still in force, and since when.
 * Worst first. */
struct psn_board_row {
    char client[PSN_CLIENT_ID_MAX];
    size_t people;
    size_t secrets;
    size_t lasting;                     /* of those: nobody can change them */
    int64_t oldest_s;                   /* when the oldest of them was seen */
    char address[PSN_ADDRESS_TEXT_MAX]; /* the worst one … */
    char person[PSN_PERSON_ID_MAX];     /* … and who has seen it */
};
typedef enum psn_code psn_board_fn(void *arg, const struct psn_board_row *row,
                                   struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_board_each(struct psn_vault *vault,
                                                    psn_board_fn *each, void *arg,
                                                    struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif

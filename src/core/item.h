#ifndef PSN_CORE_ITEM_H
#define PSN_CORE_ITEM_H

#include "core/role.h"
#include "passation/role.h"

/* A secret's row under a label; inside a transaction, address in normal form. */
struct psn_item {
    struct psn_secret_info info;
    char client[PSN_CLIENT_ID_MAX];
    uint64_t revision;
};
PSN_MUST_CHECK enum psn_code psn_item_read(struct psn_vault *vault, const char *address,
                                           const char *label, struct psn_item *ret_item,
                                           struct psn_error *err);
/* The same for one under a label whose client is known. */
PSN_MUST_CHECK enum psn_code psn_item_read_of(struct psn_vault *vault, const char *client,
                                              const char *address, const char *label,
                                              struct psn_item *ret_item,
                                              struct psn_error *err);

/* E_NOT_FOUND, with the way to see those that are there. */
enum psn_code psn_item_fail_unknown(const char *address, const char *label,
                                    struct psn_error *err);

/* Inside a write: stores it as it is now. */
PSN_MUST_CHECK enum psn_code psn_item_put(struct psn_vault *vault,
                                          const struct psn_item *item,
                                          struct psn_error *err);

/* Inside a write: psn_secret_add() of an address in normal form and checked fields.
 * forgotten: who may know it from before is read once for all (departure_returned.h);
 * NULL: nobody does. */
struct psn_forgotten_list;
PSN_MUST_CHECK enum psn_code psn_item_insert(struct psn_vault *vault,
                                             const struct psn_secret_info *info,
                                             const struct psn_secret *value,
                                             struct psn_forgotten_list *forgotten,
                                             struct psn_error *err);

/* Inside a write: psn_secret_set() of an address in normal form. */
PSN_MUST_CHECK enum psn_code psn_item_set(struct psn_vault *vault, const char *address,
                                          const char *label,
                                          const struct psn_secret_change *change,
                                          uint64_t *ret_version, struct psn_error *err);

/* Begins a write that is about one secret, as psn_role_begin(). */
PSN_MUST_CHECK enum psn_code psn_item_begin(struct psn_vault *vault, const char *address,
                                            const char *label,
                                            char ret_address[PSN_ADDRESS_TEXT_MAX],
                                            struct psn_error *err);

/* E_INVALID, with what is wrong. */
PSN_MUST_CHECK enum psn_code psn_item_check_label(const char *label,
                                                  struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_item_check_fields(const struct psn_secret_info *info,
                                                   struct psn_error *err);

/* Copies a new secret's fields, the address in normal form, and checks all of them. */
PSN_MUST_CHECK enum psn_code psn_item_check_new(const struct psn_secret_info *info,
                                                struct psn_secret_info *ret_checked,
                                                struct psn_error *err);
/* Inside a transaction: that the role is there and has no secret of that label. */
PSN_MUST_CHECK enum psn_code psn_item_check_free(struct psn_vault *vault,
                                                 const struct psn_secret_info *info,
                                                 struct psn_role_row *ret_role,
                                                 struct psn_error *err);

/* Inside a write: makes a replacement ready for a secret that a leaver knows: a version
 * that becomes the current one by psn_secret_set(). None for a kind that only the
 * service itself gives out. */
PSN_MUST_CHECK enum psn_code psn_item_replace(struct psn_vault *vault,
                                              struct psn_item *item,
                                              struct psn_error *err);

/* Inside a write that stores the item afterwards: nobody can change it, and why; "" takes
 * that back, NULL says nothing. E_INVALID; E_CONFLICT: a new value lies ready. */
PSN_MUST_CHECK enum psn_code psn_item_call_unchangeable(struct psn_vault *vault,
                                                        struct psn_item *item,
                                                        const char *why,
                                                        struct psn_error *err);
/* Does it stay known to that person, since nobody can change it? Not if he says so
 * himself, nor somebody who is leaving, has left or lost his slot. */
PSN_MUST_CHECK enum psn_code psn_item_lasts(struct psn_vault *vault,
                                            const struct psn_secret_info *info,
                                            const char *person, bool *ret_lasts,
                                            struct psn_error *err);
/* Inside a write: takes back all that a person who is leaving has called so. */
PSN_MUST_CHECK enum psn_code psn_item_judge_anew(struct psn_vault *vault,
                                                 const char *person,
                                                 struct psn_error *err);

/* What a row under a label says; how many codes it holds is left out. */
PSN_MUST_CHECK enum psn_code psn_item_decode(const struct psn_buf *plain,
                                             struct psn_secret_info *ret_info,
                                             struct psn_error *err);

/* The same as psn_secret_each(), inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_item_each(struct psn_vault *vault, const char *address,
                                           psn_secret_fn *each, void *arg,
                                           struct psn_error *err);

/* And those that were hidden: they are in the vault all the same. */
PSN_MUST_CHECK enum psn_code psn_item_each_all(struct psn_vault *vault,
                                               const char *address, psn_secret_fn *each,
                                               void *arg, struct psn_error *err);

#endif

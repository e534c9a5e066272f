#ifndef PSN_CORE_RECOVERY_H
#define PSN_CORE_RECOVERY_H

#include "core/item.h"
#include "core/record.h"

/* The codes in a value of the type "recovery"; at most `max` are looked at. */
struct psn_code_place {
    size_t at;
    size_t size;
};
size_t psn_recovery_split(const struct psn_secret *value,
                          struct psn_code_place *ret_codes, size_t max);

/* Is this a value that a secret of the type can have? E_INVALID, E_LIMIT: the kind is
 * "totp" and it is no seed, or "recovery" and it holds no code or too many. */
PSN_MUST_CHECK enum psn_code psn_item_check_value(const struct psn_secret_info *info,
                                                  const struct psn_secret *value,
                                                  struct psn_error *err);

/* Inside a transaction: the same of a change, where the type may be what changes: a value
 * that is given has to fit the type, and one that is there a type that is given. */
PSN_MUST_CHECK enum psn_code psn_item_check_change(struct psn_vault *vault,
                                                   const struct psn_item *item,
                                                   const struct psn_secret_change *change,
                                                   struct psn_error *err);

/* Inside a transaction: how many codes there are, read from the value, which goes no
 * further. Nothing for other types. */
PSN_MUST_CHECK enum psn_code psn_recovery_count(struct psn_vault *vault,
                                                const char *client,
                                                struct psn_secret_info *info,
                                                struct psn_error *err);

/* The field of the marks: when each code was used, in their order, up to the last that
 * was; 8 bytes each, 0: not used. */
void psn_recovery_put_marks(struct psn_buf *record, uint16_t tag,
                            const struct psn_secret_info *info);
bool psn_recovery_get_marks(const struct psn_record *record, uint16_t tag,
                            struct psn_secret_info *info);

/* The same for programs: "1 TIME, 3 TIME", or nothing. */
void psn_recovery_put_used(struct psn_buf *out, const struct psn_secret_info *info);
/* Reads that; what is not of the form is left out. */
void psn_recovery_read_used(const char *text, struct psn_secret_info *info);

/* Writes into the note which codes are used, so that who is given the value knows it;
 * nothing if none is, or if the note is full. */
void psn_recovery_tell_marks(struct psn_secret_info *info);
/* Takes that out of the note again, in whatever language it was written: those codes are
 * marked, as used at used_s. */
void psn_recovery_take_marks(struct psn_secret_info *info, int64_t used_s);

#endif

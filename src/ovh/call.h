#ifndef PSN_OVH_CALL_H
#define PSN_OVH_CALL_H

#include "base/buf.h"
#include "ovh/answer.h"
#include "ovh/client.h"
#include "ovh/json.h"
#include "passation/error.h"

/*
 * Calls, for the files of ovh/ that know a part of the API. Paths are built from parts
 * and never edited as text: each '*' of the pattern (four at most) is replaced by the
 * next part, in which everything but RFC 3986's unreserved characters is escaped. A path
 * that begins with "/v2/" goes to the second version of the API.
 */
enum {
    PSN_OVH_PATH_MAX = 2048,
};

/* E_NETWORK if a part is empty, "." or "..": such a name comes from the server only. */
struct psn_ovh_parts {
    const char *part[4];
};
#define PSN_OVH_PARTS(...) ((struct psn_ovh_parts){ { __VA_ARGS__ } })
PSN_MUST_CHECK enum psn_code psn_ovh_path(struct psn_buf *path, const char *pattern,
                                          struct psn_ovh_parts parts,
                                          struct psn_error *err);

/* Reads; repeats after a fault that may pass. The caller owns the value. */
PSN_MUST_CHECK enum psn_code psn_ovh_get(struct psn_ovh *ovh, const struct psn_buf *path,
                                         json_t **ret_value, struct psn_error *err);

/* Both at once. */
PSN_MUST_CHECK enum psn_code psn_ovh_get_at(struct psn_ovh *ovh, const char *pattern,
                                            struct psn_ovh_parts parts,
                                            json_t **ret_value, struct psn_error *err);

/* Reads a list of v2 to its last page, as one array. The caller owns it. */
PSN_MUST_CHECK enum psn_code psn_ovh_get_pages(struct psn_ovh *ovh,
                                               const struct psn_buf *path,
                                               json_t **ret_list, struct psn_error *err);

/* Sleeps by the clock of the handle. */
void psn_ovh_pause(struct psn_ovh *ovh, int64_t duration_ms);

/* Why the last read or change was refused; NONE if it was not. */
enum psn_ovh_reason psn_ovh_last_reason(const struct psn_ovh *ovh);

struct psn_ovh_change {
    const char *method;
    const struct psn_buf *path;
    const struct psn_secret *body;   /* JSON, or NULL */
    const struct psn_secret *hidden; /* what no message may hold, or NULL */
    bool by_application;             /* the application key alone, no signature */
    bool is_repeatable;              /* once more, it comes to the same: that an answer
                                        is lost does no harm */
};

/* Changes something: sent once (twice only if the timestamp was refused, since nothing
 * was done then). On DONE *ret_value is what was answered, NULL for a void answer; err
 * explains everything else. */
void psn_ovh_send(struct psn_ovh *ovh, const struct psn_ovh_change *change,
                  struct psn_ovh_answer *ret_answer, json_t **ret_value,
                  struct psn_error *err);

#endif

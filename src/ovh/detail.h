#ifndef PSN_OVH_DETAIL_H
#define PSN_OVH_DETAIL_H

#include "base/auto.h"
#include "base/buf.h"
#include "ovh/call.h"
#include "passation/finding.h"

/*
 * What is told of a finding. It is read in other languages than it was made in: by a
 * colleague, and in a statement that is in two. So the program's own words are kept as
 * they are in the sources, between marks, and translated when they are read.
 *
 *     PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
 *     psn_detail_add(&detail, PSN_OVH_PARTS(name, ", "));
 *     psn_detail_say(&detail, N_("owner %s"), PSN_OVH_PARTS(owner));
 *
 * The marks are control characters, which nothing but psn_detail_say() puts there: each
 * text is escaped as it is added. Failure is sticky, as a psn_buf's.
 */
struct psn_detail {
    struct psn_buf source;
};

struct psn_detail psn_detail_init(void);
void psn_detail_release(struct psn_detail *detail);

/* Appends texts that are in no language: names, addresses, numbers, OVH's words. */
void psn_detail_add(struct psn_detail *detail, struct psn_ovh_parts texts);

/* Appends a message, N_("…"), with a text for each "%s" of it, in their order. */
void psn_detail_say(struct psn_detail *detail, const char *message,
                    struct psn_ovh_parts texts);

/* Appends the day of a time, which is read in the reader's language and time zone. */
void psn_detail_day(struct psn_detail *detail, int64_t time_s);

/* Makes it the finding's. One that is too long is cut. */
PSN_MUST_CHECK enum psn_code psn_detail_put(const struct psn_detail *detail,
                                            struct psn_finding *finding,
                                            struct psn_error *err);

#endif

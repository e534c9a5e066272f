#ifndef PSN_OVH_WALK_H
#define PSN_OVH_WALK_H

#include "base/auto.h"
#include "ovh/call.h"
#include "passation/finding.h"

/* What all parts of an inventory share. */
enum {
    PSN_WALK_NAME_SIZE = 256, /* a name in a list; a longer one is garbage */
};

struct psn_walk {
    struct psn_ovh *ovh;
    char **domains;
    size_t domain_count;
    char nic[PSN_WALK_NAME_SIZE]; /* of the account, or "" if it cannot be read */
    psn_finding_fn *each;
    void *arg;
};

/* The names of one part. */
struct psn_names {
    char **items;
    size_t count;
};
void psn_names_release(struct psn_names *names);

/* Copies text, cut at a character's edge. */
void psn_walk_cut(char *out, size_t size, const char *text);

/* Hands on a finding whose kind, subject and external are set. Its id becomes "kind:a:b"
 * (b may be NULL); one that would not fit ends in a hash of all of it. detail (or NULL)
 * is escaped and cut. */
PSN_MUST_CHECK enum psn_code psn_walk_report(const struct psn_walk *walk,
                                             struct psn_finding *finding, const char *a,
                                             const char *b, const struct psn_buf *detail,
                                             struct psn_error *err);

/* True for an address that does not end on one of the domains. */
bool psn_walk_leads_outside(const struct psn_walk *walk, const char *address);
bool psn_walk_is_other_account(const struct psn_walk *walk, const char *nic);

/* Reads a part; *ret_value stays NULL if it is unreadable, which has been reported. */
PSN_MUST_CHECK enum psn_code psn_walk_look(const struct psn_walk *walk,
                                           const struct psn_buf *path, json_t **ret_value,
                                           struct psn_error *err);

/* The same for what was just listed: if it is gone by now, it is gone. */
PSN_MUST_CHECK enum psn_code psn_walk_look_at(const struct psn_walk *walk,
                                              const struct psn_buf *path,
                                              json_t **ret_value, struct psn_error *err);

/* Reads a list of names, sorted; empty if it is unreadable. a and b fill the pattern. */
PSN_MUST_CHECK enum psn_code psn_walk_names(const struct psn_walk *walk,
                                            const char *pattern, const char *a,
                                            const char *b, struct psn_names *names,
                                            struct psn_error *err);

#endif

#ifndef PSN_OVH_WALK_H
#define PSN_OVH_WALK_H

#include "base/auto.h"
#include "ovh/call.h"
#include "ovh/detail.h"
#include "passation/finding.h"

/* What all parts of an inventory and of a sweep share. */
enum {
    PSN_WALK_NAME_SIZE = 256, /* a name in a list; a longer one is garbage */
};

/* The names of one part. */
struct psn_names {
    char **items;
    size_t count;
};

/* What the walk itself works with, if that could be learnt. */
struct psn_walk_own {
    char key[32];         /* a credential's number */
    char application[32]; /* and its application's */
    char client[PSN_WALK_NAME_SIZE];
    char identity[PSN_WALK_NAME_SIZE]; /* of a service account, its URN */
    const char *const *ids;            /* findings that the caller knows as ours */
    size_t id_count;
    const char *const *elsewhere_ids; /* … and as ours for another client */
    size_t elsewhere_count;
};

struct psn_walk {
    bool is_sweep; /* accesses only, and all of them */
    struct psn_walk_own own;
    struct psn_ovh *ovh;
    char **domains;
    size_t domain_count;
    const struct psn_names *mailboxes; /* of the domain at hand, by local part; or NULL */
    char nic[PSN_WALK_NAME_SIZE];      /* of the account, or "" if it cannot be read */
    psn_finding_fn *each;
    void *arg;
};

void psn_names_release(struct psn_names *names);
/* Takes a list of strings or numbers, sorted. E_NETWORK if it holds something else. */
PSN_MUST_CHECK enum psn_code psn_names_read(const json_t *list, struct psn_names *names,
                                            struct psn_error *err);
/* Adds one behind the others. */
PSN_MUST_CHECK enum psn_code psn_names_add(struct psn_names *names, const char *name,
                                           struct psn_error *err);

/* Copies text, cut at a character's edge. */
void psn_walk_cut(char *out, size_t size, const char *text);

/* Hands on a finding; its id and detail are set here, all else before. Its id becomes
 * "kind:a:b" (b may be NULL); one that would not fit ends in a hash of all of it. detail
 * may be NULL. A sweep passes over domains and mailboxes. */
PSN_MUST_CHECK enum psn_code psn_walk_report(const struct psn_walk *walk,
                                             struct psn_finding *finding, const char *a,
                                             const char *b,
                                             const struct psn_detail *detail,
                                             struct psn_error *err);

/* Sets whose the finding is. */
void psn_walk_set_whose(struct psn_finding *finding, const char *whose);

/* Sets what removes the finding: a path, or one as psn_ovh_path() makes it. One that is
 * too long to be written down becomes an obstacle. */
void psn_walk_put_removal(struct psn_finding *finding, const char *method,
                          const struct psn_buf *path);
PSN_MUST_CHECK enum psn_code psn_walk_set_removal(struct psn_finding *finding,
                                                  const char *method, const char *pattern,
                                                  struct psn_ovh_parts parts,
                                                  struct psn_error *err);
/* Sets why nothing removes it. */
void psn_walk_set_obstacle(struct psn_finding *finding, const char *message);

/* True for an address that does not end on one of the domains. */
bool psn_walk_leads_outside(const struct psn_walk *walk, const char *address);
bool psn_walk_is_other_account(const struct psn_walk *walk, const char *nic);
/* A sweep passes over what gives the account a right on itself. */
bool psn_walk_skips_account(const struct psn_walk *walk, const char *nic);

/* Reads a part; *ret_value stays NULL if it is unreadable, which has been reported. */
PSN_MUST_CHECK enum psn_code psn_walk_look(const struct psn_walk *walk,
                                           const struct psn_buf *path, json_t **ret_value,
                                           struct psn_error *err);

/* What a read that failed means for the walk: a finding (PSN_OK), or its end. */
PSN_MUST_CHECK enum psn_code psn_walk_refused(const struct psn_walk *walk,
                                              const char *path, enum psn_code rc,
                                              const struct psn_error *failure,
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

/* A list, and one look at each of its items, which take() reports. domain (or NULL)
 * fills the first place of both patterns. */
typedef enum psn_code psn_walk_item_fn(const struct psn_walk *walk, const char *domain,
                                       const char *name, const json_t *value,
                                       struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_walk_items(const struct psn_walk *walk,
                                            const char *domain, const char *list_pattern,
                                            const char *item_pattern,
                                            psn_walk_item_fn *take,
                                            struct psn_error *err);

/* Is the domain one of those that are walked? */
bool psn_walk_has_domain(const struct psn_walk *walk, const char *domain);

#endif

#ifndef PSN_OVH_DIRECTORY_H
#define PSN_OVH_DIRECTORY_H

#include "base/auto.h"
#include "ovh/client.h"
#include "ovh/mailbox.h"
#include "ovh/walk.h"

/*
 * Which services an account has, and which of them has a mailbox: a domain may have
 * mailboxes on several at once. What was read is kept for the run; a mailbox is asked for
 * where it was last, so that most cost one call. Several fibers (base/loop.h) may look at
 * once: one reads a list, the others wait for it.
 */
struct psn_service {
    enum psn_backend backend;
    struct psn_place place;
    struct psn_names domains; /* normal form */
    bool has_domains;
    bool is_absent; /* of /email/domain: the domain has no such service */
    bool has_rules; /* described: all below, and place.host, place.is_zimbra */
    struct psn_password_rules rules;
    char state[32];                      /* OVH's word: "ok", "suspended" … */
    char offer[64];                      /* "" where there is none */
    char moved_to[PSN_SERVICE_NAME_MAX]; /* the MX Plan service that took over */
};

struct psn_services {
    struct psn_service **items;
    size_t count;
};
void psn_services_release(struct psn_services *list);
/* Adds one, or finds it there; NULL if there is no memory. The list owns it. */
struct psn_service *psn_services_add(struct psn_services *list, enum psn_backend backend,
                                     const char *name);

struct psn_directory;
PSN_MUST_CHECK enum psn_code psn_directory_new(struct psn_ovh *ovh,
                                               struct psn_directory **ret_directory,
                                               struct psn_error *err);
void psn_directory_free(struct psn_directory *directory);
PSN_DEFINE_AUTO(psn_directory)
/* Forgets all that was read: a mailbox is not where it was. */
void psn_directory_forget(struct psn_directory *directory);

/* Why something was refused first, or NONE. */
enum psn_ovh_reason psn_directory_refused_for(const struct psn_directory *directory);

/* Does a service of the account have the domain? As psn_directory_find(), E_NOT_FOUND or
 * E_REFUSED if none has, or none that may be read. */
PSN_MUST_CHECK enum psn_code psn_directory_serves(struct psn_directory *directory,
                                                  const char *domain,
                                                  struct psn_error *err);

/* Looks for a mailbox: first where mailbox->backend and ->place say, then everywhere.
 * Sets both, the info, and the rules of its service. If it is nowhere, info->exists is
 * false and the mailbox stays as it was. E_NOT_FOUND: no service has the domain;
 * E_REFUSED: what might have it may not be read, is closed or suspended. */
PSN_MUST_CHECK enum psn_code psn_directory_find(struct psn_directory *directory,
                                                struct psn_mailbox *mailbox,
                                                struct psn_mailbox_info *ret_info,
                                                struct psn_password_rules *ret_rules,
                                                struct psn_error *err);

/* Where a new mailbox goes: the one service that has the domain, or the one of the
 * back-end asked for (NONE: any). E_REFUSED: no free slot; E_INVALID: several services
 * may take it. */
PSN_MUST_CHECK enum psn_code psn_directory_place(struct psn_directory *directory,
                                                 enum psn_backend wanted,
                                                 struct psn_mailbox *mailbox,
                                                 struct psn_password_rules *ret_rules,
                                                 struct psn_error *err);

#endif

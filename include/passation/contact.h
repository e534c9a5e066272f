#ifndef PASSATION_CONTACT_H
#define PASSATION_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct psn_secret;
struct psn_vault;

/*
 * The contacts of a client's services at OVH: administrator, technical and billing
 * contact, each an account (NIC). They are not removed but replaced, and only when both
 * the account that leaves and the one that enters have agreed, within seven days, each
 * with the token that OVH has sent to it by mail.
 *
 * Every service changes by itself: one change at a time for each, one task of OVH's for
 * each pair of accounts. The owner (titulaire) of a domain name is none of its contacts;
 * changing him is a matter for people, see docs/contacts.md.
 *
 * Sequence: psn_contact_request(); people answer on OVH's page or by
 * psn_contact_answer(); psn_contact_look() until every change has ended. All but
 * psn_contact_history() ask OVH, with the second key of the client, and take the
 * operation lock. Accounts are compared whole, without regard to case.
 */
enum psn_contact_kind {
    PSN_CONTACT_MAIL,    /* the first MX Plan of a domain */
    PSN_CONTACT_DOMAIN,  /* the domain name */
    PSN_CONTACT_ZONE,    /* its DNS zone */
    PSN_CONTACT_HOSTING, /* a web hosting */
    PSN_CONTACT_PRO,     /* an Email Pro service */
    PSN_CONTACT_UNKNOWN, /* asked for elsewhere: OVH's tasks do not tell the kind */
    PSN_CONTACT_KINDS,
};

enum {
    PSN_CONTACT_NAME_MAX = 241, /* of a service, as OVH names it */
    PSN_CONTACT_NIC_MAX = 65,
    PSN_CONTACT_WEEK_S = 7 * 24 * 3600, /* then OVH drops an unanswered change */
};

/* A service and its three contacts now. */
struct psn_contact_service {
    enum psn_contact_kind kind;
    char name[PSN_CONTACT_NAME_MAX];
    char admin[PSN_CONTACT_NIC_MAX];
    char tech[PSN_CONTACT_NIC_MAX];
    char billing[PSN_CONTACT_NIC_MAX];
};

enum psn_contact_state {
    PSN_CONTACT_WAITING,  /* for both sides, or for one */
    PSN_CONTACT_CHECKING, /* OVH checks the accounts; people are asked afterwards */
    PSN_CONTACT_DOING,    /* both have agreed */
    PSN_CONTACT_DONE,
    PSN_CONTACT_REFUSED, /* by one side, or by OVH's check: an unpaid bill */
    PSN_CONTACT_ABORTED,
    PSN_CONTACT_EXPIRED, /* seven days have passed */
    PSN_CONTACT_FAILED,  /* at OVH */
    PSN_CONTACT_STATES,
};

/* One task of OVH's: some contacts of one service, from one account to another. */
struct psn_contact_change {
    int64_t id; /* OVH's number; 0: asked for, and OVH's answer is not known */
    enum psn_contact_kind kind;
    char service[PSN_CONTACT_NAME_MAX]; /* "acme.fr" */
    bool admin;                         /* which contacts it replaces */
    bool tech;
    bool billing;
    char from[PSN_CONTACT_NIC_MAX];
    char to[PSN_CONTACT_NIC_MAX];
    enum psn_contact_state state;
    int64_t asked_s;
    int64_t ends_s;    /* seven days after; of no meaning once it has ended */
    int64_t done_s;    /* when it ended, well or not; 0: it has not */
    bool from_is_ours; /* the linked account is the one that leaves, or that enters */
    bool to_is_ours;
    bool is_agreed; /* for the linked account, by passation; the other side answers */
};

/* "mail", "domain", "zone", "hosting", "pro", "service". Never NULL. */
PSN_API const char *psn_contact_kind_name(enum psn_contact_kind kind);
/* "waiting", "checking", "doing", "done", "refused", "aborted", "expired", "failed". */
PSN_API const char *psn_contact_state_name(enum psn_contact_state state);
/* Has the change come to an end, good or bad? */
PSN_API bool psn_contact_is_over(enum psn_contact_state state);
/* What people can do about it, a sentence in their language; "" if nothing. */
PSN_API const char *psn_contact_advice(const struct psn_contact_change *change);

typedef enum psn_code psn_contact_service_fn(void *arg,
                                             const struct psn_contact_service *service,
                                             struct psn_error *err);
typedef enum psn_code psn_contact_change_fn(void *arg,
                                            const struct psn_contact_change *change,
                                            struct psn_error *err);

/*
 * Calls each for the services of a client, with their contacts: those of its domains,
 * Email Pro services that have one of them, and web hostings. Hostings are all of the
 * account's; where another client of the vault has the same account, only those whose
 * name is one of the client's domains, or ends in one. Uses the key for daily work if
 * there is no second one. E_POLICY with advice: that key may not read it.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_services(struct psn_vault *vault,
                                                          const char *client,
                                                          psn_contact_service_fn *each,
                                                          void *arg,
                                                          struct psn_error *err);

/* Who is to be contact; NULL: stays who he is. */
struct psn_contact_wish {
    const char *admin;
    const char *tech;
    const char *billing;
    bool (*wanted)(void *arg, const struct psn_contact_service *service); /* NULL: all */
    void *wanted_arg;
};

/*
 * Asks for every service where a contact is another than wished, and calls each for the
 * changes that are under way then: those asked for now, and those that were already. A
 * service that is as wished, or where the change is under way, is not asked for again.
 * One that OVH refuses keeps back no other; the first failure is the result, with the
 * service in its message. After a lost answer the change is looked for before it is asked
 * for again: by the same call, and by the next one.
 *
 * E_INVALID: a NIC has no possible form, or none is given; E_POLICY: no second key;
 * E_REFUSED: OVH refuses, the message says why (not the administrator, an account that it
 * does not know in this region …); E_BUSY: another change of that service is under way;
 * E_NETWORK: not known, call again.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_request(
    struct psn_vault *vault, const char *client, const struct psn_contact_wish *wish,
    psn_contact_change_fn *each, void *arg, struct psn_error *err);

/* Asks OVH how every change stands that was asked for by us and has not ended, and those
 * under way of the client's services that were asked for elsewhere; calls each for them,
 * by their numbers. An end is noted in the journal when it is first seen, and the change
 * is then told for the last time. E_POLICY as above. */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_look(struct psn_vault *vault,
                                                      const char *client,
                                                      psn_contact_change_fn *each,
                                                      void *arg, struct psn_error *err);

/* Agrees to a change for the linked account, or declines it, with the token that OVH has
 * sent to that account. A change that has gone on (or ended as wished) is a success: it
 * may be called again after E_NETWORK. E_NOT_FOUND: no such change; E_REFUSED: OVH
 * refuses the token, or the linked account is neither side; E_POLICY: no second key. */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_answer(struct psn_vault *vault,
                                                        const char *client, int64_t id,
                                                        const struct psn_secret *token,
                                                        bool accept,
                                                        struct psn_error *err);

/* Has OVH send a new token to the linked account; the one before is void. */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_resend(struct psn_vault *vault,
                                                        const char *client, int64_t id,
                                                        struct psn_error *err);

/* Calls each for all changes that the journal knows, of any age, by their first note;
 * their state is what was last seen. OVH is not asked. */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_history(struct psn_vault *vault,
                                                         const char *client,
                                                         psn_contact_change_fn *each,
                                                         void *arg,
                                                         struct psn_error *err);

/* When a domain name ends, and whether OVH renews it, for the record of a handover. */
struct psn_domain_facts {
    int64_t expires_s; /* 0: OVH does not say */
    bool renews;       /* by itself */
    bool is_deleted;   /* at its end, as was ordered */
    char status[32];   /* "ok", "expired" … */
};

/* E_NOT_FOUND: the domain is not registered in this account. */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_domain_facts(
    struct psn_vault *vault, const char *client, const char *domain,
    struct psn_domain_facts *ret_facts, struct psn_error *err);

/* The DNS zone as a file (RFC 1035), the same bytes for the same records. Freed by the
 * caller. E_NOT_FOUND: no such zone here; E_NETWORK: a record that cannot stand in a
 * zone file, named in the message. */
PSN_API PSN_MUST_CHECK enum psn_code psn_contact_zone_file(struct psn_vault *vault,
                                                           const char *client,
                                                           const char *domain,
                                                           char **ret_text,
                                                           struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif

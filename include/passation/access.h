#ifndef PASSATION_ACCESS_H
#define PASSATION_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/finding.h"
#include "passation/person.h"

#ifdef __cplusplus
extern "C" {
#endif

struct psn_vault;

/*
 * Persistent accesses: what lets somebody into a client's mail or account whatever the
 * passwords are. A sweep asks OVH and keeps the answer in the vault, so that the next one
 * can say what is new. Each access is judged once: kept, since it is legitimate, or cut.
 * One whose owner or target changed since it was kept is to be judged anew.
 */
enum psn_access_state {
    PSN_ACCESS_OPEN,    /* nobody has said yet what it is */
    PSN_ACCESS_KEPT,    /* legitimate */
    PSN_ACCESS_CUTTING, /* its removal was ordered; OVH still has it, or may have */
    PSN_ACCESS_GONE,    /* it was there, and is not any more */
};

struct psn_access {
    struct psn_finding finding;
    enum psn_access_state state;
    bool is_new;     /* the sweep before did not show it so */
    bool is_later;   /* and it was not the client's first sweep that did */
    int64_t first_s; /* first seen so by a sweep */
    int64_t last_s;
    int64_t decided_s; /* kept or ordered to be cut; 0: neither */
    int64_t gone_s;    /* when it was found gone; 0: it is there */
    char decided_by[PSN_PERSON_ID_MAX];
    bool is_taken; /* CUTTING: OVH has taken the order; else it may not have heard it */
    /* Told by a sweep: taken, and so lately that OVH's task may be at work. */
    bool is_under_way;
    /* Told by a sweep: a key or an application, while one of ours does not tell which it
     * is. It goes only if it is named. */
    bool may_be_ours;
    /* For the statement of a handover alone: when this vault last ordered its removal, by
     * the journal, with OVH's number for it; 0: it did not, or there is none. */
    int64_t ordered_s;
    int64_t task;
    /* A key of ours that somebody who is leaving could read: his, once it is not in use.
     */
    char known_to[PSN_PERSON_ID_MAX];
};
typedef enum psn_code psn_access_fn(void *arg, const struct psn_access *access,
                                    struct psn_error *err);

/* "open", "kept", "cutting", "gone". Never NULL. */
PSN_API const char *psn_access_state_name(enum psn_access_state state);

/* Is it something that somebody has to look at: not ours, not kept, not harmless? */
PSN_API bool psn_access_is_pending(const struct psn_access *access);

/* Is it pending, and does OVH's API remove it? What stays inside is somebody's way of
 * working: it goes only if it is named. */
PSN_API bool psn_access_is_removable(const struct psn_access *access);

/* Asks OVH what there is, remembers it, and calls each: those that are there, in a stable
 * order, then those that have gone since the sweep before. Takes the operation lock. What
 * could not be read is remembered as it was. E_POLICY: the client is not linked. */
PSN_API PSN_MUST_CHECK enum psn_code psn_sweep(struct psn_vault *vault,
                                               const char *client, psn_access_fn *each,
                                               void *arg, struct psn_error *err);

/* The same of every linked client at once, some at a time, and told to nobody: what is
 * new is then in psn_due_each(). blind is told of each that could not be looked at.
 * *ret_blind: how many. */
struct psn_sweep_all {
    void (*blind)(void *arg, const char *client, const struct psn_error *why);
    bool (*stop)(void *arg);
    void *arg;
};
PSN_API PSN_MUST_CHECK enum psn_code psn_sweep_all(struct psn_vault *vault,
                                                   const struct psn_sweep_all *how,
                                                   size_t *ret_blind,
                                                   struct psn_error *err);

/* What the last sweep found, without asking OVH. client NULL: of everybody. */
PSN_API PSN_MUST_CHECK enum psn_code psn_access_each(struct psn_vault *vault,
                                                     const char *client,
                                                     psn_access_fn *each, void *arg,
                                                     struct psn_error *err);

/* Marks accesses as legitimate, all or none. E_NOT_FOUND names an id that the last sweep
 * did not show. */
PSN_API PSN_MUST_CHECK enum psn_code psn_access_keep(struct psn_vault *vault,
                                                     const char *client,
                                                     const char *const *ids, size_t count,
                                                     struct psn_error *err);

/* What became of one access that was to be cut; failed: why nothing could be done. */
struct psn_access_cut {
    const struct psn_access *access;
    enum psn_cut_state state;
    const struct psn_error *failed; /* or NULL */
};
typedef enum psn_code psn_access_cut_fn(void *arg, const struct psn_access_cut *cut,
                                        struct psn_error *err);

/* Sweeps, and removes the accesses named at OVH. The order is in the journal before OVH
 * hears it. The second key of the client is used if there is one. One that fails keeps
 * back no other; the first failure is the result. E_NOT_FOUND as above, before anything
 * is sent; E_POLICY for passation's own key. */
PSN_API PSN_MUST_CHECK enum psn_code psn_access_cut(struct psn_vault *vault,
                                                    const char *client,
                                                    const char *const *ids, size_t count,
                                                    psn_access_cut_fn *each, void *arg,
                                                    struct psn_error *err);

/*
 * Our own access to a client's account, and its end: what no sweep touches. All of it is
 * removed at OVH in an order in which what is left can always be removed, too: first the
 * key for daily work with what else is ours, last what removes, which kills itself.
 */
struct psn_own_access {
    enum psn_finding_kind kind; /* key, application, service account or policy */
    char id[PSN_FINDING_ID_MAX];
    char detail[PSN_FINDING_TEXT_MAX]; /* for people, in their language */
    bool is_last;                      /* it removes all others, then itself */
    bool is_kept;                      /* it is not removed; detail says why */
};
typedef enum psn_code psn_own_access_fn(void *arg, const struct psn_own_access *access,
                                        struct psn_error *err);

/* Calls each for what there is of ours, in the order of its removal; the key that removes
 * before its application, if that is what ends it. Removes nothing.
 * Takes the operation lock. E_POLICY: the client is not linked; E_REFUSED: OVH refuses
 * the key. None is told of where all was removed before. */
PSN_API PSN_MUST_CHECK enum psn_code psn_own_access_list(struct psn_vault *vault,
                                                         const char *client,
                                                         psn_own_access_fn *each,
                                                         void *arg,
                                                         struct psn_error *err);

struct psn_own_access_report {
    size_t removed;                   /* by this call */
    size_t kept;                      /* see psn_own_access.is_kept */
    bool was_gone;                    /* it had all been removed before */
    int64_t proved_s;                 /* when OVH refused the removed key */
    char proof[PSN_FINDING_TEXT_MAX]; /* in what words, English */
};

/*
 * Removes all of it, with the second key of the client, or with the key for daily work if
 * there is no other and its rules allow every step; and forgets the dead keys. Each order
 * is in the journal before OVH hears it; an answer that is lost is looked for. In the end
 * OVH refuses a call with the key that removed itself: that is the proof, and noted. Call
 * it again until it is PSN_OK: it goes on where it was.
 *
 * An application that another client of the vault uses too is kept, its keys for this
 * client are not. E_POLICY: the key may not do all of it (nothing was removed), with
 * advice; E_REFUSED: OVH refuses the key, and not because we have removed it;
 * E_UNFINISHED, E_NETWORK: call again.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_own_access_revoke(
    struct psn_vault *vault, const char *client, struct psn_own_access_report *ret_report,
    struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif

#ifndef PASSATION_DEPARTURE_H
#define PASSATION_DEPARTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/access.h"
#include "passation/due.h"
#include "passation/error.h"
#include "passation/grant.h"
#include "passation/journal.h"
#include "passation/rotation.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A departure: whatever a person could read stops working, in an order that is a security
 * property. (0) In one transaction his grants end, nothing is issued to him any more, and
 * what he knows is written down. (1) His persistent accesses are cut, since a delegate
 * can set a password. (2) What he could read is replaced, (3) and proved: the new one
 * works, the old one is refused. (4) Those who stay get the new one. (5) A second look:
 * what was replaced while an access of his was open counts as known, and is replaced
 * again when it is closed. (6) The report is the caller's, from psn_departure_report().
 *
 * It may be stopped or killed anywhere; psn_depart() goes on. It is complete only when
 * nothing that he knew is in force and no access of his is left.
 */
struct psn_departure_request {
    const char *person;
    bool narrow;        /* of a slot-holder, only what he is known to have seen */
    bool all;           /* cut what is nobody's known, too: neither his nor kept */
    const char *folder; /* where the report is to go; NULL: as it was */
};

/* --- what would be done --- */

enum psn_departure_step {
    PSN_DEPARTURE_END,    /* a grant ends: address */
    PSN_DEPARTURE_CUT,    /* an access is removed: client, access */
    PSN_DEPARTURE_LEAVE,  /* an access that is not his stays: client, access */
    PSN_DEPARTURE_ROTATE, /* a mailbox gets a new password: address, version */
    PSN_DEPARTURE_TASK,   /* a secret is to be changed by hand: address, label, version */
    PSN_DEPARTURE_LASTING, /* one that nobody can change stays known to him: the same */
    PSN_DEPARTURE_REKEY,   /* the vault gets new keys without his slot, by hand, before */
    PSN_DEPARTURE_BLIND,   /* a client whose account cannot be looked at: client, why */
};
/* "end", "cut", "leave", "rotate", "task", "stays-known", "rekey", "blind". Never NULL.
 */
PSN_API const char *psn_departure_step_name(enum psn_departure_step step);

struct psn_departure_item {
    enum psn_departure_step step;
    char client[PSN_CLIENT_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    uint64_t version;
    bool seen;     /* else he could only have */
    bool recovery; /* ROTATE: the OVH account's own mail arrives in this mailbox */
    bool handed;   /* ROTATE: the client has received it, and is the one to do it */
    const struct psn_access *access; /* of CUT and LEAVE; borrowed for the call */
    const struct psn_error *why;     /* of BLIND */
};
typedef enum psn_code psn_departure_item_fn(void *arg,
                                            const struct psn_departure_item *item,
                                            struct psn_error *err);

/* Looks at OVH, changes nothing there, and calls each in the order of the steps. E_POLICY
 * for one's own departure. */
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_plan(
    struct psn_vault *vault, const struct psn_departure_request *request,
    psn_departure_item_fn *each, void *arg, struct psn_error *err);

/* The plan as text, which is the same as long as there is the same to do. The caller
 * frees it. */
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_plan_text(
    struct psn_vault *vault, const struct psn_departure_request *request, char **ret_text,
    struct psn_error *err);
/* Reads the request back; person (of PSN_PERSON_ID_MAX) is filled. E_INVALID. */
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_plan_read(
    const char *text, size_t size, char *ret_person,
    struct psn_departure_request *ret_request, struct psn_error *err);

/* --- doing it --- */

enum psn_departure_stage {
    PSN_DEPARTURE_SWEEPING,
    PSN_DEPARTURE_ROTATING,
    PSN_DEPARTURE_LOOKING_AGAIN,
};

struct psn_departure_run {
    struct psn_run mailboxes;            /* of the rotations */
    const struct psn_delivery *delivery; /* to those who stay; NULL: later */
    /* What is being done now; may be NULL. */
    void (*stage)(void *arg, enum psn_departure_stage stage);
    /* An access that was to be cut, and what became of it. */
    enum psn_code (*cut)(void *arg, const char *client, const struct psn_access_cut *cut,
                         struct psn_error *err);
    /* A client's account could not be looked at; may be NULL. */
    void (*blind)(void *arg, const char *client, const struct psn_error *why);
    void *arg; /* of the three above */
};

/* Step (0): durable at once, whatever becomes of the rest. Again for somebody who is
 * leaving already, it only takes what is asked for in addition. E_NOT_FOUND; E_POLICY for
 * one's own departure. */
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_begin(
    struct psn_vault *vault, const struct psn_departure_request *request,
    struct psn_error *err);

/* Steps (1) to (5) for somebody who is leaving; then he has left, if nothing is open.
 * *ret_waiting: issues that need a code that cannot be told. E_UNFINISHED: something is
 * open that a later run may finish, or that waits for somebody; E_FINDINGS: a secret that
 * no API changes is to be changed by hand; E_BUSY: another run holds the lock. */
PSN_API PSN_MUST_CHECK enum psn_code psn_depart(struct psn_vault *vault,
                                                const char *person,
                                                const struct psn_departure_run *run,
                                                size_t *ret_waiting,
                                                struct psn_error *err);

/* --- what has become of it --- */

struct psn_departure {
    char person[PSN_PERSON_ID_MAX];
    int64_t began_s;
    int64_t closed_s; /* 0: it is open */
    bool narrow;
    bool all;
    bool held_slot;
    bool holds_slot; /* the vault needs new keys, before anything else */
    size_t rotate;   /* mailboxes whose password he knows, in force */
    size_t unproved; /* passwords of his that are replaced, and not proved dead */
    size_t tasks;    /* secrets to be changed by hand */
    size_t lasting;  /* secrets that nobody can change: they stay known to him */
    size_t handed; /* of the first three: the client has received them, and sets them … */
    size_t ready; /* … and of those, a new value was made ready before, maybe in use */
    size_t accesses;                    /* of his, that are not gone */
    size_t keys;                        /* OVH credentials that he may know */
    char key_client[PSN_CLIENT_ID_MAX]; /* of one of those */
    char folder[PSN_PERSON_FOLDER_MAX];
    size_t removed;   /* from the vault, with what he could read; only in a report */
    size_t unchanged; /* of those: mailboxes that were given up as they are */
    size_t outside;   /* changed by somebody else since they were replaced; the same */
};
/* It has ended, and since then something that he knows works, or may, or a way in of his
 * is open: a password that came back, or one whose predecessor is not proved refused. */
PSN_API bool psn_departure_is_undone(const struct psn_departure *departure);
typedef enum psn_code psn_departure_fn(void *arg, const struct psn_departure *departure,
                                       struct psn_error *err);
/* E_NOT_FOUND: he is not leaving. */
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_get(
    struct psn_vault *vault, const char *person, struct psn_departure *ret_departure,
    struct psn_error *err);
/* The report of a departure that is complete was written: psn_departure_each() does not
 * name it any more. */
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_reported(struct psn_vault *vault,
                                                            const char *person,
                                                            struct psn_error *err);
/* Those that are open, in the order of ids. */
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_each(struct psn_vault *vault,
                                                        psn_departure_fn *each, void *arg,
                                                        struct psn_error *err);

/* --- the report --- */

/* A secret that he could read when he left. */
struct psn_departure_secret {
    char client[PSN_CLIENT_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX]; /* "": the mailbox's password */
    uint64_t version;               /* what he could read, the newest */
    uint64_t current;
    uint64_t replacement; /* made ready for somebody to set; 0: none */
    int64_t replaced_s;   /* proved by a login, or set by hand */
    int64_t dead_s;       /* the login that was refused */
    int64_t outside_s;    /* somebody else was seen to have changed it since; 0: no */
    bool seen;
    bool again;    /* a password that was set while a way in of his was open */
    bool replaced; /* what he could read is not in force any more … */
    bool dead;     /* … and was refused, of a password */
    bool handed;   /* the client has received the mailbox: its password is his to set */
    int64_t set_since_s;       /* … and a login was refused since; 0: not seen */
    char lasting[PSN_WHY_MAX]; /* why nobody can change it, so that it stays known; or ""
                                */
    char proof[PSN_JOURNAL_TEXT_MAX]; /* "OVH task 12 …", in English */
};
/* Who else has it, by a grant or a slot. */
struct psn_departure_stay {
    char person[PSN_PERSON_ID_MAX];
    char name[PSN_NAME_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    bool by_slot;
    bool due; /* the present password is not issued to him yet */
};
struct psn_departure_access {
    char client[PSN_CLIENT_ID_MAX];
    bool his;
    struct psn_access access;
};

/* A client or mailbox that was removed from the vault with something that could be read
 * and was in force: whether it works nobody knows, unless it was given up as it is. */
struct psn_departure_removed {
    char name[PSN_ADDRESS_TEXT_MAX];
    char unchanged[PSN_JOURNAL_TEXT_MAX]; /* why it was not changed; or "" */
};

struct psn_departure_report {
    struct psn_departure facts;
    struct psn_person person;
    char by[PSN_PERSON_ID_MAX];
    int64_t now_s;
    char fingerprint[64];
    struct psn_departure_secret *secrets; /* by client, address, label */
    size_t secret_count;
    size_t hidden; /* parts of accounts that our key may not look at */
    struct psn_departure_removed *removed; /* facts.removed of them */
    struct psn_departure_stay *stays;      /* by person, address */
    size_t stay_count;
    struct psn_departure_access *accesses; /* found since he left, or gone since */
    size_t access_count;
    struct psn_head *heads; /* of the vault, then of each client that it concerns */
    size_t head_count;
};
PSN_API PSN_MUST_CHECK enum psn_code psn_departure_report(
    struct psn_vault *vault, const char *person, struct psn_departure_report **ret_report,
    struct psn_error *err);
PSN_API void psn_departure_report_free(struct psn_departure_report *report);

#ifdef __cplusplus
}
#endif

#endif

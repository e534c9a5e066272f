#ifndef PASSATION_HANDOVER_H
#define PASSATION_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/access.h"
#include "passation/client.h"
#include "passation/destruction.h"
#include "passation/error.h"
#include "passation/exposure.h"
#include "passation/grant.h"
#include "passation/journal.h"
#include "passation/person.h"
#include "passation/role.h"
#include "passation/rotation.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A handover: the client gets everything, and nothing stays here. It lasts weeks and may
 * be stopped or killed anywhere:
 *
 *     looked at, every password new  →  the trousseau is issued, reopened and compared
 *     →  its receipt came back  →  OVH's contacts changed  →  the client set passwords of
 *     his own  →  accesses that outlive passwords judged  →  our keys at OVH gone  →  our
 *     copies destroyed  →  closing statement
 *
 * What is durable is in one row under the client's own key and in his journal; how far it
 * is, is read from them each time: psn_handover_get() says what blocks, and who must act.
 */

/* --- the checklist, by ownership first --- */

enum {
    PSN_HANDOVER_ITEMS = 19,
    PSN_HANDOVER_TEXT_MAX = 513,
    PSN_HANDOVER_FILES_MAX = 1024,
};

enum psn_handover_mode {
    PSN_HANDOVER_OPEN,        /* nobody has said yet */
    PSN_HANDOVER_TRANSFERRED, /* at the provider, to the client */
    PSN_HANDOVER_GIVEN,       /* as a secret or a file of the trousseau */
    PSN_HANDOVER_REMOVED,     /* our access to it is removed, after */
    PSN_HANDOVER_NONE,        /* there is none */
    PSN_HANDOVER_RESERVE,     /* not handed over; the note says why */
    PSN_HANDOVER_LAST,        /* by passation itself, at the closing */
};
/* "open", "transferred", "given", "removed", "none", "reserve", "last". Never NULL. */
PSN_API const char *psn_handover_mode_name(enum psn_handover_mode mode);

/* What there is to know of an item, the same for every client; texts translated. */
struct psn_handover_item_info {
    const char *word; /* stable: "account", "domain", "mailboxes" … */
    const char *title;
    const char *how;  /* the best way to hand it over */
    const char *trap; /* what goes wrong with it */
    bool by_machine;  /* passation finds out by itself */
};
/* number from 0. */
PSN_API struct psn_handover_item_info psn_handover_item_info(size_t number);

struct psn_handover_item {
    enum psn_handover_mode mode;
    char note[PSN_HANDOVER_TEXT_MAX];
    int64_t set_s; /* 0: never */
};

/* --- what it is, and how far --- */

struct psn_handover_terms {
    const char *client;
    const char *to; /* a person; NULL below for what stays as it was */
    const char *contract;
    const char *giver; /* as the statement names the parties: name, SIREN, by whom */
    const char *receiver;
    const char *place;    /* or channel */
    const char *identity; /* how the receiver's identity was checked */
};

enum psn_handover_stage {
    PSN_HANDOVER_INVENTORY, /* everything of the client is known, the checklist is done */
    PSN_HANDOVER_ROTATION,  /* every password was replaced since the handover began */
    PSN_HANDOVER_ISSUE,     /* the trousseau holds what is in force, and was compared */
    PSN_HANDOVER_RECEIPT,
    PSN_HANDOVER_CONTACTS,
    PSN_HANDOVER_OWNED, /* the passwords that we know are refused */
    PSN_HANDOVER_ACCESSES,
    PSN_HANDOVER_CLOSING, /* our keys at OVH, our copies, the statement */
    PSN_HANDOVER_STAGES,
};
/* "inventory", "rotation", "issue", "receipt", "contacts", "owned", "accesses",
 * "closing". Never NULL. */
PSN_API const char *psn_handover_stage_name(enum psn_handover_stage stage);

enum psn_handover_block {
    PSN_BLOCKER_NOT_LOOKED, /* the account was not looked at since the handover began */
    PSN_BLOCKER_UNMANAGED, /* a mailbox at OVH that the vault does not have: address, text
                            its id; holds up nothing once it is said that it stays out */
    PSN_BLOCKER_ITEM,      /* an open item: text its word */
    PSN_BLOCKER_UNFINISHED, /* a mailbox with a change under way: address */
    PSN_BLOCKER_RECEIVER,   /* whom everything is handed over to is leaving, or gone: text
                             his id */
    PSN_BLOCKER_OUTSIDE,    /* somebody else has changed the password: address */
    PSN_BLOCKER_OLD,        /* a password from before: address */
    PSN_BLOCKER_DOOR,       /* an access of somebody who is leaving: text its id */
    PSN_BLOCKER_KNOWN,      /* a secret known to somebody without right: address, label */
    PSN_BLOCKER_REPLACEMENT, /* a new value is ready, and was not set: address, label */
    PSN_BLOCKER_NOT_ISSUED,
    PSN_BLOCKER_STALE,        /* newer than in the trousseau: address, label */
    PSN_BLOCKER_NOT_COMPARED, /* the trousseau was not reopened from disk */
    PSN_BLOCKER_NO_RECEIPT,
    PSN_BLOCKER_CONTACT,    /* an own contact of ours is left, or a change is under way:
                             text the service, id its task or 0 */
    PSN_BLOCKER_STILL_OURS, /* the password that we know is accepted, or was not tried
                             yet: address */
    PSN_BLOCKER_ONE_ROUND,  /* refused once; to be asked again after until_s: address */
    PSN_BLOCKER_ACCESS,     /* an access that nobody has judged: text its id */
    PSN_BLOCKER_OWN_KEY,    /* our keys at OVH */
    PSN_BLOCKER_HIDDEN,     /* a secret that was taken out of the lists, and goes with our
                             copies; holds up nothing: address, label */
    PSN_BLOCKER_COPIES,     /* our copies */
};
/* "not_looked", "unmanaged" … as above. Never NULL. */
PSN_API const char *psn_handover_block_name(enum psn_handover_block block);

enum psn_handover_who {
    PSN_WHO_US,
    PSN_WHO_CLIENT,
    PSN_WHO_OVH,
    PSN_WHO_OTHER, /* the account that `account` names */
};
PSN_API const char *psn_handover_who_name(enum psn_handover_who who);

struct psn_handover_blocker {
    enum psn_handover_stage stage;
    enum psn_handover_block block;
    enum psn_handover_who who;
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    char text[PSN_HANDOVER_TEXT_MAX];
    char account[PSN_NIC_MAX];
    char from[PSN_NIC_MAX]; /* of a change of contact: whom it replaces, by whom */
    char to[PSN_NIC_MAX];   /* without a from: a change has made him the contact */
    bool admin;             /* and which of the three contacts it is */
    bool tech;
    bool billing;
    bool
        fixed; /* an access that OVH's API cannot remove: kept, or removed by its owner */
    int64_t id;
    int64_t until_s;
};

struct psn_handover {
    char client[PSN_CLIENT_ID_MAX];
    char to[PSN_PERSON_ID_MAX];
    char by[PSN_PERSON_ID_MAX];
    int64_t began_s;
    int64_t abandoned_s; /* 0: it is open */
    char contract[PSN_HANDOVER_TEXT_MAX];
    char giver[PSN_HANDOVER_TEXT_MAX];
    char receiver[PSN_HANDOVER_TEXT_MAX];
    char place[PSN_HANDOVER_TEXT_MAX];
    char identity[PSN_HANDOVER_TEXT_MAX];
    struct psn_handover_item items[PSN_HANDOVER_ITEMS];
    int64_t looked_s; /* when the account was looked at last; 0: never since it began */
    uint64_t serial;  /* of the trousseau; 0: none */
    int64_t issued_s;
    int64_t compared_s;  /* every artefact was reopened from disk and compared; 0: no */
    int64_t confirmed_s; /* its receipt came back; 0: no */
    char path[4096];     /* its folder, as it was written */
    int64_t contacts_s;  /* contacts were looked at last, and nothing was open; 0: no */
    int64_t keys_gone_s; /* our keys at OVH; 0: they are there */
    enum psn_handover_stage stage; /* the first that something blocks, or CLOSING */
    struct psn_handover_blocker *blockers; /* by stage; owned */
    size_t blocker_count;
};
PSN_API void psn_handover_release(struct psn_handover *handover);

/* Begins a handover, or changes the terms of the one that is open. E_NOT_FOUND: client or
 * person; E_POLICY: a person who is leaving, or is of the team. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_start(
    struct psn_vault *vault, const struct psn_handover_terms *terms,
    struct psn_error *err);

/* E_NOT_FOUND with advice: there is none. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_get(struct psn_vault *vault,
                                                      const char *client,
                                                      struct psn_handover *ret_handover,
                                                      struct psn_error *err);
/* Every one that is open, in the order of clients; borrowed for the call. */
typedef enum psn_code psn_handover_fn(void *arg, const struct psn_handover *handover,
                                      struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_each(struct psn_vault *vault,
                                                       psn_handover_fn *each, void *arg,
                                                       struct psn_error *err);

/* Says how an item of the checklist is handed over. E_NOT_FOUND: no such word; E_INVALID:
 * a reserve without a note. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_item_set(
    struct psn_vault *vault, const char *client, const char *word,
    enum psn_handover_mode mode, const char *note, struct psn_error *err);

/* Gives it up; everything stays as it is. reason may be NULL. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_abandon(struct psn_vault *vault,
                                                          const char *client,
                                                          const char *reason,
                                                          struct psn_error *err);

/* --- doing what a machine can do --- */

struct psn_handover_run {
    struct psn_run mailboxes; /* of rotations and logins */
    bool follow; /* only what was asked for before: contact changes and logins */
    void (*stage)(void *arg, enum psn_handover_stage stage); /* may be NULL */
    void *arg;
};
/* Looks at the account, replaces passwords from before, follows contact changes, asks the
 * mail servers: whatever the present stage needs and no person has to do. Nothing is
 * destroyed. Then psn_handover_get() says what is left. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_next(struct psn_vault *vault,
                                                       const char *client,
                                                       const struct psn_handover_run *run,
                                                       struct psn_error *err);

/* --- the statement's facts --- */

/* A secret of the trousseau. fingerprint: HMAC-SHA-256, in hex, under the trousseau's
 * fingerprint key, of address LF label LF value. */
struct psn_handover_secret {
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX]; /* "": the mailbox's password */
    char type[PSN_LABEL_TEXT_MAX];
    char user[PSN_FIELD_MAX];
    char url[PSN_FIELD_MAX];
    char expires[11];
    uint64_t version;
    int64_t changed_s;
    char proof[PSN_JOURNAL_TEXT_MAX]; /* "OVH task 12 …", in English; or "" */
    char fingerprint[65];
    bool is_refused; /* by its mail server, twice since it was given: the client chose
                        another, and this one opens nothing */
};
/* Somebody who can use an access after this day. */
struct psn_handover_stay {
    char person[PSN_PERSON_ID_MAX];
    char name[PSN_NAME_MAX];
    enum psn_person_kind kind;
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    bool by_grant;
    int64_t until_s;           /* of his grant; 0: no end was given */
    bool by_slot;              /* he can open the vault that made this */
    bool knows;                /* he has seen what is in force */
    bool former;               /* or one before, which nobody has seen refused yet */
    char lasting[PSN_WHY_MAX]; /* why nobody can change it, so that it stays known; or ""
                                */
};
struct psn_handover_file {
    char name[PSN_HANDOVER_TEXT_MAX]; /* within the folder */
    uint64_t size;
    char sha256[65];
    bool encrypted;
};
/* A date on which something of the client ends: a domain, a key, a secret. */
struct psn_handover_date {
    char what[PSN_FIELD_MAX]; /* "acme.fr", "technique@acme.fr / Elementor" */
    enum psn_handover_date_kind {
        PSN_DATE_SERVICE, /* at OVH */
        PSN_DATE_SECRET,
    } kind;
    char on[11];     /* YYYY-MM-DD */
    bool is_renewed; /* by OVH, by itself */
};
/* A change of contact at OVH, of any age since the handover began. */
struct psn_handover_contact {
    char service[PSN_HANDOVER_TEXT_MAX]; /* "domain acme.fr" */
    int64_t task;
    char state[24]; /* as psn_contact_state_name() has it */
    char from[PSN_NIC_MAX];
    char to[PSN_NIC_MAX];
    bool admin; /* which contacts */
    bool tech;
    bool billing;
    int64_t at_s;
};

struct psn_handover_facts {
    struct psn_handover handover;
    struct psn_client client;
    struct psn_person to;
    struct psn_person by;
    struct psn_vault_keys keys; /* of the vault that signs */
    int64_t now_s;
    bool final; /* it is closed with this one; else it goes into the trousseau */
    struct psn_handover_secret *secrets; /* by address, label */
    size_t secret_count;
    struct psn_access *accesses; /* found by sweeps since it began, gone ones too */
    size_t access_count;
    struct psn_handover_stay *stays; /* by person, address, label */
    size_t stay_count;
    struct psn_handover_contact *contacts; /* by date */
    size_t contact_count;
    struct psn_handover_date *dates; /* by date */
    size_t date_count;
    struct psn_handover_file *files; /* of the trousseau, by name */
    size_t file_count;
    struct psn_head *heads; /* of the vault, then of the client */
    size_t head_count;
};
/* final: of the last statement, after which no grant and no copy of ours is left: who
 * stays is who knows a secret that is in force. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_facts(
    struct psn_vault *vault, const char *client, bool final,
    struct psn_handover_facts **ret_facts, struct psn_error *err);
PSN_API void psn_handover_facts_free(struct psn_handover_facts *facts);

/* --- the trousseau --- */

struct psn_trousseau; /* a folder that is being made */
struct psn_trousseau_request {
    const char *client;
    const char *directory; /* the trousseau's folder is made in it */
    const char *language;  /* of the code: "fr" or "en" */
    /* Tells the code to whoever passes it on; it is stored nowhere. */
    enum psn_code (*tell_code)(void *arg, const struct psn_issue *issue,
                               const struct psn_secret *code, struct psn_error *err);
    /* Writes the statement into the folder, which is not in its place yet, by
     * psn_trousseau_add() for each of its files. */
    enum psn_code (*state)(void *arg, const struct psn_handover_facts *facts,
                           struct psn_trousseau *trousseau, struct psn_error *err);
    void *arg;
};
/* A file more in the folder that is being made: name without a path. */
PSN_API PSN_MUST_CHECK enum psn_code psn_trousseau_add(struct psn_trousseau *trousseau,
                                                       const char *name,
                                                       const void *bytes, size_t size,
                                                       struct psn_error *err);
/* Makes the trousseau: exposures are durable first; the folder takes its place whole;
 * then every artefact is opened again from the disk with the code, and compared.
 * E_POLICY: something blocks that comes before; E_VERIFY: what was read back differs. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_issue(
    struct psn_vault *vault, const struct psn_trousseau_request *request,
    struct psn_error *err);
/* Opens and compares the artefacts again. directory NULL: where it was written. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_compare(struct psn_vault *vault,
                                                          const char *client,
                                                          const char *directory,
                                                          const struct psn_secret *code,
                                                          struct psn_error *err);
/* The receipt code of the trousseau. As psn_receipt_check(): E_VERIFY if it is not.
 * E_POLICY: there is none, or a rotation that was stopped would go on after it. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_confirm(struct psn_vault *vault,
                                                          const char *client,
                                                          const char *code,
                                                          struct psn_error *err);

/* What a person knows without right and is in force, and its client has received in a
 * handover that is open: the client is to change it, nothing here replaces it. One for
 * each secret, by address and label. E_NOT_FOUND: there is no such person. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handed_each(struct psn_vault *vault,
                                                     const char *person,
                                                     psn_exposure_fn *each, void *arg,
                                                     struct psn_error *err);

/* --- the end --- */

/* What became of a file that held things of the client. */
enum psn_copy_fate {
    PSN_FATE_DELETED,    /* of the client, beside the vault */
    PSN_FATE_UNDER_CODE, /* the same, still there under the client's code */
    PSN_FATE_REWRITTEN,  /* a copy of the vault, from here on */
    PSN_FATE_LACKS,
    PSN_FATE_NOT_OURS,
    PSN_FATE_UNREADABLE,
    PSN_FATE_MISSING,
    PSN_FATE_HOLDS,  /* it was to be rewritten and was not, or nobody named it */
    PSN_FATE_GONE,   /* it was there at an earlier statement, and is no more */
    PSN_FATE_UNSEEN, /* nobody knows: it could not be looked at */
    PSN_FATE_ISSUED, /* what was issued to somebody, still there under his code or key
                      */
};

struct psn_handover_close {
    const char *client;
    const char *confirm;        /* the client's id again */
    bool unchanged;             /* though passwords that we know still open mailboxes */
    const char *const *backups; /* copies of the vault that are to lose the client, too */
    size_t backup_count;
    /* Before anything is destroyed: writes the final statement. *ret_text: the signed
     * text, whose SHA-256 the journal keeps; freed here. */
    enum psn_code (*state)(void *arg, const struct psn_handover_facts *facts,
                           char **ret_text, struct psn_error *err);
    void (*progress)(void *arg, uint64_t done, uint64_t total); /* may be NULL */
    /* What was destroyed, in this run; either may be NULL. */
    void (*destroyed)(void *arg, const struct psn_destruction *destruction);
    void (*backup)(void *arg, const char *path, const struct psn_scrub *scrub,
                   const struct psn_error *failed);
    /* Files of the client beside the vault: those of the recovery envelope, which go, and
     * the trousseau's folder where it still lies, which does not: it is his; and what was
     * issued to others. May be NULL. */
    void (*file)(void *arg, const char *path, enum psn_copy_fate fate);
    void *arg; /* of the five above */
};
/* Our keys at OVH go, the final statement is written, our copies are destroyed. Run again
 * after it was stopped anywhere, it goes on; then the closing statement is the caller's,
 * from psn_handover_end_get(). E_POLICY: something blocks, and nothing was done;
 * E_INTEGRITY: the trousseau still lies where it was written, and is damaged. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_close(
    struct psn_vault *vault, const struct psn_handover_close *close,
    struct psn_error *err);

/* For who has questions to ask before: E_POLICY if something blocks it. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_check_closable(struct psn_vault *vault,
                                                                 const char *client,
                                                                 bool unchanged,
                                                                 struct psn_error *err);

/* One of them. */
struct psn_end_copy {
    char *path;
    enum psn_copy_fate fate;
};
/* "deleted", "under-code", "rewritten" … as above. Never NULL. */
PSN_API const char *psn_copy_fate_name(enum psn_copy_fate fate);
/* It is still there with what it held, or may be. */
PSN_API bool psn_copy_is_reserve(enum psn_copy_fate fate);

/* What the vault's own journal knows of it afterwards. */
struct psn_handover_end {
    char client[PSN_CLIENT_ID_MAX];
    char by[PSN_PERSON_ID_MAX];
    int64_t destroyed_s;
    uint64_t chain_count; /* of the client's journal, which went with it */
    uint8_t chain_head[PSN_HEAD_SIZE];
    char text[PSN_JOURNAL_TEXT_MAX]; /* "sha256 …" of the final statement */
    bool stated;                     /* the closing statement was written */
    /* What was written over, where it was noted or the caller knows. */
    struct psn_destruction destruction;
    /* For the statement; set by the caller. */
    const struct psn_end_copy *copies;
    size_t copy_count;
    size_t lost_count; /* backups of the journal that are not where they were written */
};
/* The last end of that client. E_NOT_FOUND. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_end_get(
    struct psn_vault *vault, const char *client, struct psn_handover_end *ret_end,
    struct psn_error *err);
/* Before it is stated: notes what was written over, and what became of the copies. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_end_note(
    struct psn_vault *vault, const struct psn_handover_end *end, struct psn_error *err);
/* Each copy that was noted of the last end of that client, with the last word on it;
 * borrowed for the call. */
typedef enum psn_code psn_end_copy_fn(void *arg, const struct psn_end_copy *copy,
                                      struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_end_copies(struct psn_vault *vault,
                                                             const char *client,
                                                             psn_end_copy_fn *each,
                                                             void *arg,
                                                             struct psn_error *err);
/* Each that has ended here and whose closing statement is missing, as
 * psn_handover_close() would write it; a client that is here again is another one.
 * Borrowed; ended_s in UTC. */
typedef enum psn_code psn_handover_unstated_fn(void *arg, const char *client,
                                               int64_t ended_s, struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_unstated_each(
    struct psn_vault *vault, psn_handover_unstated_fn *each, void *arg,
    struct psn_error *err);
/* The closing statement is on disk. */
PSN_API PSN_MUST_CHECK enum psn_code psn_handover_stated(struct psn_vault *vault,
                                                         const char *client,
                                                         struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif

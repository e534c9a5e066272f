#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

/*
 * What the files of the simulator share: its options, its settings, its state.
 *
 * The state is a tree of JSON values in the form that the API answers with, so that an
 * answer is a copy of what is stored. Members whose name begins with '_' are ours and
 * never leave by the API (sim_state_public). Every access holds `lock`.
 *
 *   root.nics.{nic}                      nichandle.Nichandle
 *   root.applications.{id}               auth.ApiApplication, _secret, _nic
 *   root.credentials.{id}                auth.ApiCredential, _key, _nic, _revoked
 *   root.oauth2.{clientId}, root.tokens  see oauth.h
 *   root.users, sub_accounts, policies   see identity.h
 *   root.hosting, contact_changes        see contact.h
 *   root.domains.{domain}                service, infos, registered_infos, zone_infos,
 *                                        quota, records, _nic, _expired, _suspended
 *                                        and
 *       .accounts.{name}                 email.domain.Account, a mailbox's own members
 *       .redirections.{id}, .responders.{account}, .acl [nic], .lists.{name}
 *   root.services.{family/name}          the newer families, see service.h
 *   root.mailboxes.{address}             their mailboxes once more, by address
 *
 * A mailbox of any family has _front [password, password], _history and _created; _gone
 * when it has been removed and only a task still knows it.
 */
enum {
    SIM_FRONTS = 2, /* front ends of the mail service, each with its own passwords */
};

struct sim_options {
    const char *dir;
    const char *listen;
    const char *seed_file; /* NULL: the seed that is compiled in */
    long port;
    long control_port;
    long imap_port;
    long task_delay_ms;
    bool imap;          /* a mail service is wanted at all */
    bool responder;     /* the built-in one instead of Dovecot */
    bool two_fronts;    /* a second IMAPS port, served from the second front end */
    bool auth_cache;    /* Dovecot's, off unless asked for */
    bool failure_delay; /* Dovecot's default delay after a wrong password */
    bool with_parent;   /* end when the process that started this one ends */
};

/* What POST /set changes and POST /reset restores. Adding one: also settings[] in
 * settings.c and the table in README.md. */
struct sim_settings {
    json_int_t task_delay_ms;
    json_int_t slot_delay_ms;  /* until a slot that was put shows its new address */
    json_int_t task_keep_s;    /* how long the newer families list what has ended */
    json_int_t front_delay_ms; /* by how much front end 2 is later than front end 1 */
    json_int_t skew_s;         /* the server's clock minus the real one */
    json_int_t tolerance_s;
    json_int_t contact_check_ms; /* until a change of contacts waits for people */
    json_int_t latency_ms;
    json_int_t rate_per_min; /* 0: no limit */
    json_int_t rate_burst;
    json_int_t rate_retry_after_s; /* below 0: 429 without Retry-After */
    json_int_t name_taken_status;
    json_int_t no_slot_status;
    json_int_t same_password_status; /* 0: the password in force may be set again */
    json_int_t busy_status; /* of the newer families; 0: tasks queue on a mailbox */
    json_int_t policy_status;
    json_int_t page_size;  /* of the second version, where the call names none */
    json_int_t v2_rules;   /* rules with /v2 in front: 0 either, 1 needed, 2 wrong */
    bool task_all;         /* mailbox tasks show under task/all, too */
    bool chunked;          /* answers go out in chunks */
    bool plain_not_found;  /* 404 of objects in the older form, without class */
    bool alternate_fronts; /* responder: connections take turns */
    bool policy_late;      /* a password against the policy fails in its task */
    bool idle_task_zero;   /* taskPendingId of an idle mailbox is 0, not null */
    bool v2_full_put;      /* a PUT must repeat the e-mail address */
    json_int_t token_lifetime_s; /* of an OAuth2 token */
    json_int_t pending_ttl_s;    /* a key that waits is forgotten; 0: never */
    bool pending_signature;      /* a key that waits gets INVALID_SIGNATURE */
    bool state_shown;            /* currentCredential answers keys of any state */
};

struct sim_counters {
    json_int_t requests;
    json_int_t refused_auth; /* answered 400 or 403 by the signature and key checks */
    json_int_t logins_accepted;
    json_int_t logins_refused;
    json_int_t logins_other; /* an IMAP fault answered */
};

struct sim_task;
struct sim_fault;
struct sim_dovecot;

struct sim {
    struct sim_options options;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* tasks have changed */
    SSL_CTX *tls;
    int api_fd;
    int control_fd;
    int imap_fds[SIM_FRONTS]; /* of the responder, or -1 */
    int api_port;
    int control_port_bound;
    int imap_ports[SIM_FRONTS];
    bool imap_down;
    struct sim_dovecot *dovecot; /* NULL without */

    struct sim_settings settings;
    struct sim_counters counters;
    json_t *root;
    json_t *log;
    json_t *seeded;         /* ids and keys that the latest seed made */
    struct sim_task *tasks; /* the next due first */
    struct sim_task *last_task;
    struct sim_fault *faults;
    json_int_t next_id;
    unsigned next_key;
    unsigned turn; /* of alternate_fronts */
};

#endif

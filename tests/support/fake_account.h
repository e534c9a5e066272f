#ifndef SUPPORT_FAKE_ACCOUNT_H
#define SUPPORT_FAKE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vault.h"

/*
 * An OVH account that remembers: applications, keys, a service account and policies that
 * can be removed, services whose contacts can be changed. Requests are counted (without
 * those for the time); one, or all from one on, can be lost, before or after its effect.
 * There is one of them.
 */
enum {
    FAKE_OWN_MAX = 8,
    FAKE_TASKS_MAX = 16,
    FAKE_NIC_MAX = 32,
};

enum fake_loss {
    FAKE_LOST_BEFORE,
    FAKE_LOST_AFTER,
    FAKE_DEAD, /* this one and all that follow, as if we had been killed */
};

struct fake_key {
    int id;
    int application;
    const char *consumer_key;
    const char *status;
    bool reads_only; /* its rules: GET, and no more */
    bool may_log_out;
    bool gone;
};

struct fake_service {
    const char *path; /* "/domain/acme.fr" */
    const char *name;
    char contacts[3][FAKE_NIC_MAX]; /* admin, tech, billing */
};

struct fake_task {
    int id;
    const char *service; /* its path */
    const char *name;
    unsigned roles; /* bits */
    char from[FAKE_NIC_MAX];
    char to[FAKE_NIC_MAX];
    const char *state;
    bool accepted[2]; /* by him who leaves, by him who enters */
    bool forgotten;   /* not listed any more */
};

struct fake_account {
    const char *nic;
    int64_t now_s;
    int64_t clock_ms;

    struct {
        int id;
        const char *key;
        bool elsewhere; /* lives in another account */
        bool gone;
    } applications[FAKE_OWN_MAX];
    struct fake_key keys[FAKE_OWN_MAX];
    int barred;            /* the key that is refused, though it has not ended; 0: none */
    const char *client_id; /* of the service account, or NULL */
    bool client_gone;
    struct {
        const char *id;
        const char *identities; /* JSON */
        bool gone;
    } policies[FAKE_OWN_MAX];

    struct fake_service services[FAKE_OWN_MAX];
    struct fake_task tasks[FAKE_TASKS_MAX];
    size_t task_count;
    const char *stranger; /* an account that OVH does not know here */
    const char *debtor;   /* one with an unpaid bill */
    bool is_slow;         /* checks take their time */

    size_t requests;
    size_t changes; /* that had an effect */
    size_t lost;    /* which request is lost, from 1; 0: none */
    enum fake_loss loss;
    char last_body[512];
};
extern struct fake_account account;

/* Nothing but the account "xm000000-ovh"; the time is 1700000000. */
void fake_account_reset(void);
/* The world of a vault that talks to it. */
void fake_account_join(struct psn_vault *vault);
/* One side's token, "leave-ID" or "enter-ID". */
void fake_account_token(int id, bool enters, char *out, size_t size);

#endif

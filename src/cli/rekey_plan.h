#ifndef PSN_CLI_REKEY_PLAN_H
#define PSN_CLI_REKEY_PLAN_H

#include "cli/cli.h"

/*
 * What rekey, slot rm and slot set have in common: which keys are at hand, which slots
 * they open, what becomes of the others, and the question whether that is meant.
 */
enum {
    CLI_SLOTS_MAX = 32,
    CLI_KEYS_MAX = CLI_SLOTS_MAX + 1,
};

/* Begins the options of each of these commands. */
struct cli_rekey_options {
    struct cli_texts keep_identities;
    struct cli_texts drop;
    const char *recovery_out;
    bool leaver;
};
#define CLI_REKEY_OPTIONS(at)                                                           \
    { "keep-identity-file",                                                             \
      0,                                                                                \
      CLI_TEXTS,                                                                        \
      (at) + offsetof(struct cli_rekey_options, keep_identities),                       \
      N_("FILE"),                                                                       \
      N_("keep the slot that this identity file opens, too") },                         \
        { "drop",                                                                       \
          0,                                                                            \
          CLI_TEXTS,                                                                    \
          (at) + offsetof(struct cli_rekey_options, drop),                              \
          N_("SLOT"),                                                                   \
          N_("this slot, or this person's, may go (needed where nothing may be "        \
             "asked)") },                                                               \
        { "recovery-out", 0,                                                            \
          CLI_TEXT,       (at) + offsetof(struct cli_rekey_options, recovery_out),      \
          N_("FILE"),     N_("write the new recovery code into this new file") },       \
    {                                                                                   \
        "leaver", 0, CLI_FLAG, (at) + offsetof(struct cli_rekey_options, leaver), NULL, \
            N_("somebody who knew a way in has left: also new own keys")                \
    }

enum cli_fate {
    CLI_FATE_DROPPED,  /* its key is not at hand */
    CLI_FATE_KEPT,     /* with the key of the same index */
    CLI_FATE_CHANGED,  /* likewise, but a new one */
    CLI_FATE_REPLACED, /* the recovery code, by a new one */
};

struct cli_planned_slot {
    struct psn_slot slot;
    enum cli_fate fate;
    bool named; /* its owner or id was named to be dropped */
    size_t key; /* index into keys */
};

struct cli_rekey_plan {
    struct cli *cli;
    const struct cli_rekey_options *options;
    struct cli_planned_slot slots[CLI_SLOTS_MAX];
    size_t slot_count;
    struct psn_key keys[CLI_KEYS_MAX];
    struct psn_secret *secrets[CLI_KEYS_MAX]; /* owned */
    uint8_t opens[CLI_KEYS_MAX][PSN_SLOT_ID_SIZE];
    size_t key_count;
    struct psn_secret *recovery; /* the new code, or NULL */
    size_t in_use;               /* index of the slot that unlocked the vault */
    bool replaced;               /* the new file is the vault */
};

/* Reads the keys that the options name, or asks for one; unlocks cli->vault by the first
 * and finds the slots of all. */
PSN_MUST_CHECK enum psn_code cli_rekey_open(struct cli *cli,
                                            const struct cli_rekey_options *options,
                                            struct cli_rekey_plan *plan,
                                            struct psn_error *err);
void cli_rekey_close(struct cli_rekey_plan *plan);

/* Reads the slots of the unlocked vault into the plan; cli_rekey_open() does it. */
PSN_MUST_CHECK enum psn_code cli_rekey_read_slots(struct cli_rekey_plan *plan,
                                                  struct psn_error *err);

/* The slots that a selector names: PERSON, PERSON:KIND, or the first 8 or more digits of
 * an id. Calls each with their index; E_NOT_FOUND if there is none. */
typedef void cli_slot_each_fn(struct cli_rekey_plan *plan, size_t index, void *arg);
PSN_MUST_CHECK enum psn_code cli_rekey_select(struct cli_rekey_plan *plan,
                                              const char *selector,
                                              cli_slot_each_fn *each, void *arg,
                                              struct psn_error *err);
/* They shall go. */
PSN_MUST_CHECK enum psn_code cli_rekey_drop(struct cli_rekey_plan *plan,
                                            const char *selector, struct psn_error *err);

/* Takes over a secret that a slot shall have from now on. */
PSN_MUST_CHECK enum psn_code cli_rekey_change(struct cli_rekey_plan *plan, size_t slot,
                                              enum psn_slot_kind kind,
                                              struct psn_secret **secret,
                                              struct psn_error *err);

/* Names what goes, asks, makes the recovery code, does it, and tells. `done` is a
 * sentence. E_FINDINGS with --leaver while OVH credentials are to be replaced. */
PSN_MUST_CHECK enum psn_code cli_rekey_run(struct cli_rekey_plan *plan, const char *done,
                                           struct psn_error *err);

/* Lists the OVH credentials that a leaver may know: E_FINDINGS if there are any. */
PSN_MUST_CHECK enum psn_code cli_rekey_due(struct cli *cli, struct psn_error *err);

/* "paul, passphrase, 1a2b3c4d" in out; returns it. */
const char *cli_slot_described(const struct psn_slot *slot, char *out, size_t size);
const char *cli_slot_kind_shown(enum psn_slot_kind kind);

/* cmd_init.c: writes a code as one line, which --recovery-fd takes back, durably. */
PSN_MUST_CHECK enum psn_code cli_write_recovery(const char *path,
                                                const struct psn_secret *code,
                                                struct psn_error *err);

#endif

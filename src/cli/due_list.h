#ifndef PSN_CLI_DUE_LIST_H
#define PSN_CLI_DUE_LIST_H

#include "cli/cli.h"

/* What is due, kept to be worked on after the vault was read. */
struct cli_due_list {
    struct psn_due *items;
    size_t count;
};
void cli_due_list_release(struct cli_due_list *list);
/* person NULL: everybody's. */
PSN_MUST_CHECK enum psn_code cli_due_list_read(struct cli *cli, const char *person,
                                               struct cli_due_list *ret_list,
                                               struct psn_error *err);
/* Adds handovers whose closing statement is missing: of clients that are gone. */
PSN_MUST_CHECK enum psn_code cli_due_list_add_unstated(struct cli *cli,
                                                       struct cli_due_list *list,
                                                       struct psn_error *err);
/* How many are of a kind. */
size_t cli_due_list_count(const struct cli_due_list *list, enum psn_due_kind kind);

/* Whether `due --apply` does any of it. */
bool cli_due_list_can_apply(const struct cli_due_list *list);

/* Who is the first to get an issue that needs a code, which a run from a timer cannot
 * tell; NULL: there is none. */
const char *cli_due_waits_for_code(const struct cli_due_list *list);

/* Adds what to do with the first secret that is changed by hand; there is one. Returns
 * E_FINDINGS. */
enum psn_code cli_due_hint_by_hand(const struct cli_due_list *list,
                                   struct psn_error *err);

/* Rotates every mailbox that is due for it, each once, and prints the outcomes as
 * `rotate` does. OK if there is none. */
PSN_MUST_CHECK enum psn_code cli_due_rotate(struct cli *cli,
                                            const struct cli_due_list *list,
                                            struct psn_error *err);

/* What a row says: its kind, and the secret it is about, in the user's language. */
enum {
    CLI_DUE_KIND_MAX = 96
};
const char *cli_due_kind_shown(const struct psn_due *due, char out[CLI_DUE_KIND_MAX]);
const char *cli_due_secret_shown(const struct psn_due *due);

/* The command that settles it, without "passation": words borrowed from due. */
struct cli_due_command {
    const char *words[5];
    size_t count;
    bool needs_person; /* somebody has to judge, or to know something, first */
};
void cli_due_command(const struct psn_due *due, struct cli_due_command *ret_command);

/* Leaves out all of a kind. */
void cli_due_list_drop(struct cli_due_list *list, enum psn_due_kind kind);

/* Keeps what nobody but a person can settle: departures, drift. */
void cli_due_list_keep_drift(struct cli_due_list *list);

/* What to do with somebody who has no slot any more: a line. */
void cli_due_tell_leaver(const struct cli *cli, const char *person);

/* An array of it. */
void cli_due_list_json(struct cli_json *json, const char *name,
                       const struct cli_due_list *list);

/* Prints the list, as a table or as {"due": […]}. */
PSN_MUST_CHECK enum psn_code cli_due_print(struct cli *cli,
                                           const struct cli_due_list *list,
                                           struct psn_error *err);

#endif

#ifndef PSN_CLI_CLI_H
#define PSN_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <passation/passation.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/text.h"

/*
 * The face of the command line: a table of commands, each with a table of options; usage,
 * help and dispatch read the tables. Each command parses into a struct of its own on the
 * stack, calls the library and prints.
 */
struct cli;

enum cli_option_kind {
    CLI_FLAG,   /* bool * */
    CLI_TEXT,   /* const char ** */
    CLI_TEXTS,  /* struct cli_texts *: may be repeated */
    CLI_FD,     /* int *, -1 when absent; E_INVALID if the same number is given twice */
    CLI_NUMBER, /* uint64_t * */
};

struct cli_texts {
    const char **items; /* freed by the framework at the end of the command */
    size_t count;
};

struct cli_option {
    const char *name; /* without "--" */
    char letter;      /* 0: none */
    enum cli_option_kind kind;
    size_t offset;     /* offsetof(struct cmd_x_options, member) */
    const char *value; /* N_("FILE"), "work|cut": how it is shown, and what can be
                          completed there (names.h); NULL for flags */
    const char *help;  /* N_("…"), one line */
};

enum cli_needs {
    CLI_NEEDS_NOTHING = 0,
    CLI_NEEDS_VAULT = 1u << 0,    /* opened, locked */
    CLI_NEEDS_UNLOCKED = 1u << 1, /* opened and unlocked by flag, agent or terminal */
    CLI_HIDDEN = 1u << 2,         /* not in the help */
    CLI_NEW = 1u << 3,            /* its last argument names what is not there yet */
};

struct cli_command {
    const char *name;      /* "role add": up to two words */
    const char *arguments; /* N_("ADDRESS…"), in words that names.h knows */
    const char *summary;   /* N_(…), one line, no full stop */
    const char *examples;  /* N_(…), lines "passation … \t what it does" */
    unsigned needs;
    size_t min_args;
    size_t max_args;                  /* SIZE_MAX: any number */
    const struct cli_option *options; /* ends with a row whose name is NULL; or NULL */
    size_t options_size;              /* of the command's struct, zeroed before parsing */
    enum psn_code (*run)(struct cli *cli, const void *options, struct psn_error *err);
    /* Options of CLI_FD kind that are absent hold -1. */
};
/* One per file-wide constant: cmd_role_add is "role add". Ends with NULL (commands.c). */
extern const struct cli_command *const cli_commands[];

enum {
    CLI_PATH_MAX = 4096,
};

/* What every command gets. */
struct cli {
    const struct cli_command *command;
    size_t arg_count;
    const char *const *args;

    /* global options */
    const char *vault_path;
    bool json;
    bool no_input; /* --no-input, or no controlling terminal */
    bool yes;
    bool quiet;
    struct {
        int passphrase_fd;
        int recovery_fd;
        const char *passphrase_file;
        const char *identity_file;
    } unlock;

    struct psn_vault *vault; /* as the command needs it */
    const char *ca_file;     /* PASSATION_CA_FILE */
    struct psn_vault_options vault_options;
    bool result_printed; /* stdout was written: an error object would not be alone */
    bool ca_noted;       /* cli_note_ca() spoke */

    /* global options that answer by themselves */
    bool help;
    const char *help_group; /* "role": help on the commands that begin so; or NULL */
    bool version;
    bool exit_codes;

    bool unlocked_by_agent; /* nothing was asked: the agent had the key */
    int output_errno;       /* of the first write to stdout that failed, or 0 */
    char vault_path_default[CLI_PATH_MAX];
    char state_dir[CLI_PATH_MAX];
};

/* "fr" if the user's language is French, else "en" (locale.c). */
const char *cli_language(void);

/* --- unlocking (unlock.c) --- */

/* The key given by a flag, if any: kind 0 if none. The caller frees *ret_secret. */
PSN_MUST_CHECK enum psn_code cli_unlock_flag(struct cli *cli,
                                             enum psn_slot_kind *ret_kind,
                                             struct psn_secret **ret_secret,
                                             struct psn_error *err);
/* Unlocks cli->vault by flag, else agent, else terminal. E_LOCKED under --no-input. */
PSN_MUST_CHECK enum psn_code cli_unlock(struct cli *cli, struct psn_error *err);

/* E_INVALID if path is one of the files that the vault is unlocked with: for whatever
 * replaces an older file. */
PSN_MUST_CHECK enum psn_code cli_check_no_key(const struct cli *cli, const char *path,
                                              struct psn_error *err);

/* OK, or E_NOT_FOUND when the agent is of no help, whatever the reason. */
PSN_MUST_CHECK enum psn_code cli_unlock_by_agent(struct cli *cli, struct psn_error *err);

/* Warns, once, if this machine lets no memory be locked. For what handles keys. */
void cli_warn_unlocked_memory(struct cli *cli);
/* Reads an identity file; warns if others can read it. */
PSN_MUST_CHECK enum psn_code cli_read_identity(struct cli *cli, const char *path,
                                               struct psn_secret **ret_identity,
                                               struct psn_error *err);

/* --- terminal (terminal.c): dialogue is on /dev/tty, echo restored on every signal ---
 */

bool cli_has_terminal(const struct cli *cli); /* false under --no-input */
PSN_MUST_CHECK enum psn_code cli_ask_secret(struct cli *cli, const char *prompt,
                                            size_t size_max,
                                            struct psn_secret **ret_secret,
                                            struct psn_error *err);
/* True if a person is going to type what is read there: then it is asked for, since it
 * would be shown as it is typed. */
bool cli_is_typed(const struct cli *cli, int fd);
/* All of a descriptor, or what is typed there, asked for with the prompt. */
PSN_MUST_CHECK enum psn_code cli_read_secret(struct cli *cli, int fd, const char *prompt,
                                             struct psn_secret **ret_secret,
                                             struct psn_error *err);
/* Asks twice until both agree. */
PSN_MUST_CHECK enum psn_code cli_ask_new_secret(struct cli *cli, const char *prompt,
                                                size_t size_max,
                                                struct psn_secret **ret_secret,
                                                struct psn_error *err);
/* A passphrase for a new slot: proposes a generated one on the terminal, which Enter
 * accepts, or takes a typed one that is strong enough, twice. E_INVALID under --no-input
 * (new_key.c). */
PSN_MUST_CHECK enum psn_code cli_ask_new_passphrase(struct cli *cli,
                                                    struct psn_secret **ret_passphrase,
                                                    struct psn_error *err);
/* "[o/N]" in French, "[y/N]" in English. OK if yes or -y; E_ABORTED if no; E_INVALID
 * under
 * --no-input without -y. */
PSN_MUST_CHECK enum psn_code cli_confirm(struct cli *cli, struct psn_error *err,
                                         const char *format, ...) PSN_PRINTF(3, 4);
/* A trust question that -y never answers: what is typed must equal `expected`. */
PSN_MUST_CHECK enum psn_code cli_confirm_typed(struct cli *cli, const char *expected,
                                               struct psn_error *err, const char *format,
                                               ...) PSN_PRINTF(4, 5);
/* Shows a secret on /dev/tty only (a recovery code, a generated passphrase). */
PSN_MUST_CHECK enum psn_code cli_tell_secret(struct cli *cli, const char *label,
                                             const struct psn_secret *secret,
                                             struct psn_error *err);

/* --- messages on stderr (output.c); untrusted text in arguments must be escaped --- */

void cli_note(const struct cli *cli, const char *format, ...)
    PSN_PRINTF(2, 3); /* unless --quiet */
/* What to do next, for who learns: only where a person reads stderr. */
void cli_next(const struct cli *cli, const char *format, ...) PSN_PRINTF(2, 3);
void cli_warn(const struct cli *cli, const char *format, ...)
    PSN_PRINTF(2, 3); /* "passation: warning: …" */
/* Prints the error (human: stderr with hint; JSON: the object on stdout) → exit status.
 */
int cli_report(struct cli *cli, const struct psn_error *err);

/* Says on stderr that PASSATION_CA_FILE is in use, if it is: once per run, before a host
 * given by URL is contacted. */
void cli_note_ca(struct cli *cli);

/* --- results on stdout (output.c) --- */

void cli_print(struct cli *cli, const char *format, ...) PSN_PRINTF(2, 3);
/* One of many names, as CLI_SHOWN() shows it, and a line end. */
void cli_print_name(struct cli *cli, const char *name);
/* Writes secret bytes (escaped only where JSON needs it) straight to stdout, never
 * through stdio. */
PSN_MUST_CHECK enum psn_code cli_print_secret(struct cli *cli,
                                              const struct psn_secret *secret,
                                              struct psn_error *err);
/* Untrusted text made fit for the terminal; rotates over a few static-free buffers:
 * caller's. */
#define CLI_SHOWN(text) psn_text_shown(text, (char[1024]){ 0 }, 1024)

/* Human tables: columns padded to their widest cell, by terminal columns. */
struct cli_table;
PSN_MUST_CHECK struct cli_table *cli_table_new(size_t columns);
void cli_table_cell(struct cli_table *table, const char *text); /* escapes it */
/* The first row is a header: a column with nothing below its title is left out. */
void cli_table_has_titles(struct cli_table *table);
void cli_table_print(struct cli *cli, struct cli_table *table);
void cli_table_free(struct cli_table *table);

/* JSON writer: strict RFC 8259, UTF-8, invalid bytes as U+FFFD, control characters
 * escaped. */
struct cli_json {
    struct psn_buf text; /* wiped */
    unsigned depth;
    bool comma;
};
struct cli_json cli_json_init(void);
void cli_json_release(struct cli_json *json);
void cli_json_open(struct cli_json *json, const char *name,
                   char bracket); /* '{' or '['; name NULL inside arrays */
void cli_json_close(struct cli_json *json, char bracket);
void cli_json_text(struct cli_json *json, const char *name,
                   const char *value); /* NULL value: null */
void cli_json_secret(struct cli_json *json, const char *name,
                     const struct psn_secret *value);
void cli_json_number(struct cli_json *json, const char *name, int64_t value);
void cli_json_bool(struct cli_json *json, const char *name, bool value);
void cli_json_null(struct cli_json *json, const char *name);
void cli_json_tristate(struct cli_json *json, const char *name, enum psn_tristate value);
void cli_json_time(struct cli_json *json, const char *name, int64_t time_s); /* 0: null */
/* Prints the object and a newline, and empties the writer. E_IO if stdout fails; before
 * it is printed E_NOMEM or E_LIMIT. */
PSN_MUST_CHECK enum psn_code cli_json_print(struct cli *cli, struct cli_json *json,
                                            struct psn_error *err);

/* Draws the secret as a QR code on stdout, which must be a terminal (E_POLICY);
 * E_NOT_FOUND if libqrencode is not installed (qr.c). */
PSN_MUST_CHECK enum psn_code cli_print_qr(struct cli *cli,
                                          const struct psn_secret *secret,
                                          struct psn_error *err);
/* The same as an SVG drawing for a page; out should be wiped. */
PSN_MUST_CHECK enum psn_code cli_draw_qr(const struct psn_secret *secret,
                                         struct psn_buf *out, struct psn_error *err);
/* Puts the secret on the clipboard and leaves a cleaner behind that takes it off after
 * PASSATION_CLIP_TIME seconds (45) unless something else was copied since (clipboard.c).
 * Says so on stderr. E_NOT_FOUND if no clipboard program is found. */
PSN_MUST_CHECK enum psn_code cli_copy_secret(struct cli *cli,
                                             const struct psn_secret *secret,
                                             struct psn_error *err);

/* Whether there is a clipboard to copy to, before a secret is revealed for it, since
 * what is revealed is noted. Errors as of cli_copy_secret(). */
PSN_MUST_CHECK enum psn_code cli_check_clipboard(struct psn_error *err);

/* Takes off what cli_copy_secret() put there, now, whichever session did. */
PSN_MUST_CHECK enum psn_code cli_clear_clipboard(const struct cli *cli,
                                                 struct psn_error *err);

/* --- progress (progress.c) --- */

struct cli_progress;
/* Draws on stderr if it is a terminal and the work takes over a second; else silent. */
PSN_MUST_CHECK struct cli_progress *cli_progress_new(struct cli *cli);
void cli_progress_update(struct cli_progress *progress, const struct psn_progress *state);
/* Takes the line off, so that another can be printed; the next update draws it again. */
void cli_progress_clear(struct cli_progress *progress);
void cli_progress_free(struct cli_progress *progress); /* clears the line */
/* Is stderr a terminal that can take a line back, and the user not after quiet? */
bool cli_progress_is_able(const struct cli *cli);
/* Cuts text to so many columns, at a character's edge. */
void cli_progress_cut(char *text, size_t columns);
/* Installed while a run goes on: true after Ctrl-C or SIGTERM (a second one kills). */
void cli_catch_signals(void);
/* One line for the first of these signals to say at once, since the run may have to wait
 * for an answer before it stops. NULL: none, as when the run has ended. */
void cli_stop_words(const char *sentence);
bool cli_stop_asked(void);
/* Asks as if the signal had come in a run; for handlers. */
void cli_stop_by(int number);
/* For a process that goes on to another command: whoever stopped one with Ctrl-C did not
 * mean it. Returns the signal that had asked, or 0: any other is to end the process. */
int cli_stop_forget(void);

/* --- agent (agent.c): see docs/agent.md --- */

/* The key kept for this vault. E_NOT_FOUND: no agent, or it does not hold this vault's.
 */
PSN_MUST_CHECK enum psn_code cli_agent_get(const uint8_t vault_id[PSN_VAULT_ID_SIZE],
                                           struct psn_secret **ret_key,
                                           uint8_t ret_slot[PSN_SLOT_ID_SIZE],
                                           struct psn_error *err);
/* absolute_s 0: as it was for this vault's key, which the agent must have. Starts the
 * agent if there is none. */
PSN_MUST_CHECK enum psn_code cli_agent_put(const uint8_t vault_id[PSN_VAULT_ID_SIZE],
                                           const struct psn_secret *key,
                                           const uint8_t slot[PSN_SLOT_ID_SIZE],
                                           int64_t idle_s, int64_t absolute_s,
                                           struct psn_error *err);
/* How long the agent keeps this vault's key: until it is unused for *ret_idle_s, and at
 * most *ret_absolute_s. Does not count as use. E_NOT_FOUND as above. */
PSN_MUST_CHECK enum psn_code cli_agent_state(const uint8_t vault_id[PSN_VAULT_ID_SIZE],
                                             int64_t *ret_idle_s, int64_t *ret_absolute_s,
                                             struct psn_error *err);
/* Wipes all keys and ends all agents of this user that are found, wherever they were
 * started (docs/agent.md). OK if there was none; any other code: one may go on. */
PSN_MUST_CHECK enum psn_code cli_agent_lock(const struct cli *cli, bool *ret_was_running,
                                            struct psn_error *err);

/* --- owners --- */

#include "base/auto.h"
PSN_DEFINE_AUTO(psn_overview)
PSN_DEFINE_AUTO(psn_secret)
PSN_DEFINE_AUTO(psn_vault)

#endif

#ifndef PSN_TUI_TUI_H
#define PSN_TUI_TUI_H

#include "cli/cli.h"
#include "cli/due_list.h"
#include "tui/lines.h"
#include "tui/list.h"
#include "tui/screen.h"
#include "tui/signals.h"

/*
 * The text interface: pages of lists over the vault, and the commands of the command line
 * run from them. It decides nothing: what a page shows is read through the public
 * interface, and what changes something is a command line, shown before it is run.
 */
enum tui_tab {
    TUI_TAB_CLIENTS,
    TUI_TAB_ROLES,
    TUI_TAB_ACCESS,
    TUI_TAB_DUE,
    TUI_TAB_LOG,
    TUI_TABS,
};

enum tui_page {
    TUI_CLIENTS,
    TUI_ROLES, /* of all clients, or of one */
    TUI_SECRETS,
    TUI_ACCESS,
    TUI_DUE,
    TUI_LOG,
    TUI_PAGES,
};

enum {
    TUI_COMMAND_WORDS = 16,
    TUI_COMMAND_BYTES = 16 * 1024, /* as it would be typed */
    TUI_STATUS_MAX = 512,
};

struct tui;

/* What a page is; one constant for each. */
struct tui_view {
    enum psn_code (*load)(struct tui *ui, struct psn_error *err);
    /* What is known of the chosen row. */
    enum psn_code (*describe)(struct tui *ui, size_t row, struct tui_lines *out,
                              struct psn_error *err);
    /* A key that is not for all pages; true if it was one of this page's. */
    bool (*key)(struct tui *ui, unsigned key);
    void (*draw)(struct tui *ui, struct tui_rect where); /* NULL: the list */
    const char *keys;                                    /* N_(): what can be done here */
    const char *empty;                                   /* N_() */
};
extern const struct tui_view tui_view_clients;
extern const struct tui_view tui_view_roles;
extern const struct tui_view tui_view_secrets;
extern const struct tui_view tui_view_access;
extern const struct tui_view tui_view_due;
extern const struct tui_view tui_view_log;

struct tui_access; /* access.c */

struct tui {
    struct cli *cli; /* its vault is NULL while locked */
    struct tui_screen *screen;
    enum tui_tab tab;
    enum tui_page page;
    struct tui_list lists[TUI_PAGES];
    char client[PSN_CLIENT_ID_MAX];     /* whose roles are listed; "" all */
    char address[PSN_ADDRESS_TEXT_MAX]; /* whose secrets are listed */
    char (*labels)[PSN_LABEL_TEXT_MAX]; /* of the rows of TUI_SECRETS */
    struct cli_due_list due;
    struct psn_journal_entry *entries; /* of the rows of TUI_LOG */
    size_t entry_count;
    struct tui_access *access;
    size_t due_count; /* for the head line */
    struct tui_lines detail;
    size_t detail_row; /* it is of this row; SIZE_MAX: of none */
    char status[TUI_STATUS_MAX];
    enum tui_style status_style;
    size_t page_rows; /* rows of the list, as last drawn */
    bool filtering;   /* keys go to the filter */
    bool done;
    enum psn_code failed;    /* why it is done, if that is no good reason */
    struct psn_error reason; /* of that */
    /* lock.c, by a clock that counts sleep */
    int64_t idle_ms;
    int64_t idle_end_ms;
    int64_t touched_ms;
    int64_t asked_ms;
    int64_t absolute_end_ms; /* 0: none */
    bool copied;             /* a secret may still be on the clipboard from here */
};

/* --- pages (pages.c) --- */

const struct tui_view *tui_view(const struct tui *ui);
struct tui_list *tui_list(struct tui *ui);
/* Reads the page anew, and what the head line says. Failures are told on the last line.
 */
void tui_reload(struct tui *ui);
void tui_go(struct tui *ui, enum tui_tab tab, enum tui_page page);
/* One step out; false if there is none. */
bool tui_back(struct tui *ui);
/* Forgets all that was read. */
void tui_forget(struct tui *ui);
void tui_tell(struct tui *ui, enum tui_style style, const char *format, ...)
    PSN_PRINTF(3, 4);
void tui_tell_error(struct tui *ui, const struct psn_error *err);
/* The address that the chosen row is about; NULL if it is about none. */
const char *tui_chosen_address(struct tui *ui);
/* s, c, r, v, g on a mailbox or secret (label "": the password): true if key is one. */
bool tui_key_on_role(struct tui *ui, unsigned key, const char *address,
                     const char *label);

/* Who may read it and who has seen it; person NULL: everybody (who.c). */
PSN_MUST_CHECK enum psn_code tui_describe_who(struct tui *ui, const char *person,
                                              const char *address, const char *label,
                                              struct tui_lines *out,
                                              struct psn_error *err);

void tui_access_free(struct tui_access *access);

/* --- drawing (draw.c) --- */

void tui_draw(struct tui *ui);
/* False: only that it is too small is seen. */
bool tui_is_large_enough(const struct tui *ui);
/* A text to read, over the whole screen, until a key that is for nothing in it. */
void tui_read(struct tui *ui, const char *title, const struct tui_lines *lines);
void tui_help(struct tui *ui);

/* --- questions (dialog.c) --- */

/* Waits for a key, as tui_screen_key(), and looks after the lock: TUI_KEY_QUIT also when
 * the vault was locked, so that whatever waits ends. */
unsigned tui_wait_key(struct tui *ui, int wait_ms);
/* True if yes: then the vault is open. False, and told, too, where the window does not
 * hold all of the question. */
bool tui_confirm(struct tui *ui, const char *format, ...) PSN_PRINTF(2, 3);

/* A typed character, or backspace, at the end of a text; false for any other key. */
bool tui_edit(char *text, size_t size, unsigned key);

struct tui_field {
    const char *label; /* translated */
    const char *hint;
    char *text; /* the value, changed in place */
    size_t size;
    const char *const *choices; /* NULL: free text; else one of these (ends with NULL) */
    const char *missing; /* said when it is left empty, which it may not be; or NULL */
};
/* True: it is to be done, and the vault is open. False if it was given up, or, which is
 * told, the window does not hold it. */
bool tui_form(struct tui *ui, const char *title, const struct tui_field *fields,
              size_t count);

/* --- actions (act.c, grant.c, reveal.c) --- */

/* Runs a command line of passation's after it was agreed to: on the same terminal, with
 * the vault as it is, then waits for Enter, or the lock, and reads the page anew. */
void tui_run(struct tui *ui, const char *const *words, size_t count);
/* Shows a secret for 30 s, written down before. */
void tui_reveal(struct tui *ui, const char *address, const char *label);
void tui_copy(struct tui *ui, const char *address, const char *label);
/* person NULL: he is chosen. */
void tui_grant(struct tui *ui, const char *person, const char *address,
               const char *label);

/* --- lock.c --- */

void tui_lock_begin(struct tui *ui);
/* Somebody is there: the agent's key counts as used. */
void tui_lock_touch(struct tui *ui);
/* Locks if nobody was there for long enough, or the agent has no key any more. */
void tui_lock_check(struct tui *ui);
/* Both for what tui_screen_key() gave: a key that comes too late keeps nothing open. */
void tui_lock_key(struct tui *ui, unsigned key);
/* Hides and forgets everything, and takes off the clipboard what was copied here. */
void tui_lock(struct tui *ui);
/* Unlocks as every command does: by flag, agent or terminal. */
void tui_unlock(struct tui *ui);
/* "locks in 12 min" */
void tui_lock_text(const struct tui *ui, char *out, size_t size);

#endif

#ifndef PSN_TESTS_SWEEP_H
#define PSN_TESTS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The fault sweep: real commands run in process, and of all that can fail beneath them
 * one thing fails, once or from then on. sweep.c says what is swept, and what is not.
 */

/* What a fault strikes. Each is counted apart. */
enum sweep_call {
    SWEEP_ALLOC,
    SWEEP_OPEN,
    SWEEP_CREATE, /* an open that may write */
    SWEEP_READ,
    SWEEP_WRITE,
    SWEEP_SYNC,
    SWEEP_TRUNCATE,
    SWEEP_RENAME,
    SWEEP_UNLINK,
    SWEEP_LINK,
    SWEEP_MKDIR,
    SWEEP_CLOSE,
    SWEEP_LOCK,
    SWEEP_MMAP,
    SWEEP_MLOCK,
    SWEEP_RANDOM,
    SWEEP_STAT,
    SWEEP_HTTP,
    SWEEP_IMAP,
    SWEEP_CHANGE, /* whatever changes a file: there the process dies */
    SWEEP_STORE,  /* the vault's: a row, an entry, a transaction */
    SWEEP_RECORD, /* one that is read */
    SWEEP_FIELD,  /* and a field in it */
    SWEEP_CALLS
};

/* What happens to a request, where other calls have an errno. */
enum sweep_net {
    SWEEP_NOT_SENT = 1,
    SWEEP_REQUEST_LOST,
    SWEEP_ANSWER_LOST,
    SWEEP_STATUS_500,
    SWEEP_DONE_500, /* it is done all the same */
    SWEEP_STATUS_429,
    SWEEP_STATUS_401,
    SWEEP_STATUS_403,
    SWEEP_NONSENSE, /* done, and the answer is no JSON */
    SWEEP_SHORTENED,
};

/* And to a record, or a field of it. */
enum sweep_record {
    SWEEP_CUT = 1,   /* its last byte is missing */
    SWEEP_NO_TEXT,   /* too long for any, and has a NUL */
    SWEEP_NO_NUMBER, /* greater than any */
    SWEEP_ABSENT,
};

enum {
    SWEEP_DIES = 1000,     /* as error: the process ends there */
    SWEEP_SHORT = 1001,    /* half of it is read or written */
    SWEEP_DEAD_STATUS = 97 /* and says so */
};

struct sweep_kind {
    const char *name;
    enum sweep_call call;
    int error;
    bool sticks; /* can also be swept from then on */
};
extern const struct sweep_kind sweep_kinds[];
extern const size_t sweep_kind_count;

/* --- the faults (sweep_faults.c) --- */

/* What a run counted, in memory that outlives it. */
struct sweep_counts {
    uint64_t of[SWEEP_CALLS];
    bool fired;
};

/* From now on calls are counted, and the index-th (from 1; 0: none) of the kind fails. */
void sweep_arm(const struct sweep_kind *kind, uint64_t index, bool sticky,
               struct sweep_counts *counts);
void sweep_disarm(void);
/* Between the two nothing counts: the fake world is no part of the program. */
void sweep_pause(void);
void sweep_go_on(void);
/* The error, if this call is to fail; else 0. */
int sweep_strikes(enum sweep_call call);
/* The same of a call that is told apart by this number, not by the way that led there. */
int sweep_strikes_at(enum sweep_call call, uint64_t place);

/* --- where calls come from (sweep_sites.c) --- */

enum {
    SWEEP_SITES_MAX = 8192,
};

/* The calls of a command that came from where none did before, of it or of an earlier
 * one: of each kind, in the order of a run without a fault. */
struct sweep_sites {
    size_t count[SWEEP_CALLS];
    uint32_t index[SWEEP_CALLS][SWEEP_SITES_MAX];
};

/* From now on calls that are counted are noted there; NULL: no more. False: no memory. */
bool sweep_sites_note_into(struct sweep_sites *sites);
/* place: what tells it apart; 0: the chain of its callers. */
void sweep_sites_note(enum sweep_call call, uint64_t index, uint64_t place);

/* --- OVH, mail servers and time (sweep_ovh.c, sweep_account.c) --- */

enum {
    SWEEP_BOXES_MAX = 16,
    SWEEP_PASSWORD_MAX = 128,
};

struct sweep_box {
    const char *local;
    const char *domain;
    bool exists;
    bool ours; /* its password came from passation */
    char password[SWEEP_PASSWORD_MAX];
    char next[SWEEP_PASSWORD_MAX]; /* of the task under way, or "" */
    int64_t task;
    int64_t due_ms;
};

/* All that lasts outside of the folder; shared by the processes of one worker, and plain,
 * so that it is put back by a copy. */
struct sweep_server {
    int64_t clock_ms;
    uint64_t draws; /* of random numbers */
    int64_t last_task;
    bool is_cut;   /* the key of essai's account is deleted */
    uint32_t gone; /* what was deleted in the full account: a bit each */
    struct sweep_box boxes[SWEEP_BOXES_MAX];
};
extern struct sweep_server *sweep_server;

void sweep_server_init(struct sweep_server *server);
struct sweep_box *sweep_box_of(const char *address);
/* Puts into force what is under way. */
void sweep_server_settle(void);

/* What the full account answers: the status, and the body in out; 0: as any other. */
long sweep_account_answer(const char *method, const char *path, char *out, size_t size);

/* --- the terminal of the text interface (sweep_screen.c) --- */

/* Before a command of this name. */
void sweep_screen_begin(const char *command);

/* --- the world (sweep_world.c) --- */

enum {
    SWEEP_FOLDER_MAX = 96,
    SWEEP_BELOW_MAX = 128,
    SWEEP_PATH_MAX = SWEEP_FOLDER_MAX + SWEEP_BELOW_MAX,
    SWEEP_TEXT_MAX = 64 * 1024,
    SWEEP_DIGEST_SIZE = 16,
    SWEEP_JUDGED_MAX = 4096,
};

/* A folder of its own for each worker: home (the folder as it is), master (as it was),
 * base (as it was before any command). */
struct sweep_world {
    char folder[SWEEP_FOLDER_MAX];
    struct sweep_server master;
    struct sweep_server base;
};

/* Words that begin with '@' stand for what the world has: meant() in sweep_world.c. */
struct sweep_run {
    const char *const *args; /* without the program and the options of every run; ends
                                with NULL */
    const char *input;       /* what stands on standard input, or NULL; of tui the keys */
};

/* What became of a run. */
struct sweep_end {
    int status; /* of the exit; -1: a signal */
    int signal;
    char out[SWEEP_TEXT_MAX];
    char err[SWEEP_TEXT_MAX];
};

/* Makes the folder and the base in it. False: said on stderr why not. */
bool sweep_world_init(struct sweep_world *world, const char *folder);
void sweep_world_remove(const struct sweep_world *world);
/* Puts home and server back. */
void sweep_world_reset(const struct sweep_world *world, const char *from);
/* Makes what stands in home the master. */
void sweep_world_keep(struct sweep_world *world);
/* A file in home. */
void sweep_world_put(const struct sweep_world *world, const char *name, const char *text);
/* Of all files in home and of what is in force at OVH. False: too much to read. */
bool sweep_world_digest(const struct sweep_world *world,
                        uint8_t digest[SWEEP_DIGEST_SIZE]);
/* Runs a command in a child process, under a fault if kind is given. */
void sweep_world_run(const struct sweep_world *world, const struct sweep_run *run,
                     const struct sweep_kind *kind, uint64_t index, bool sticky,
                     struct sweep_counts *counts, struct sweep_end *end);
/* Runs it in this process, without a fault. */
void sweep_world_run_here(const struct sweep_world *world, const struct sweep_run *run,
                          struct sweep_end *end);

/* --- the commands (sweep_commands.c) --- */

enum {
    SWEEP_STEPS_MAX = 16,
};

struct sweep_probe {
    const char *args[12];
    const char *input;
    const char *shows; /* it must stand in the output; NULL: nothing must */
    const char *hides; /* it must not */
    int status;        /* of the exit */
};

struct sweep_command {
    const char *name;
    const char *args[32];
    const char *input;
    /* What comes before it, and what goes on after a failure beside the same again; each
     * ends with a step without args. */
    struct sweep_step {
        const char *args[32];
        const char *input;
        int status;
        const char *kind; /* it happens under this fault, from this index on */
        uint64_t index;
        const char *outside; /* first somebody else changes this mailbox's password, … */
        const char *password; /* … to this */
        const char *keeps;    /* its output, in a file of that name */
    } before[SWEEP_STEPS_MAX], again[3];
    struct sweep_probe probes[3];
    const char *file;  /* is absent or whole: never smaller than it must be */
    int status;        /* without a fault */
    const char *says;  /* what must stand in its output or messages then, or NULL */
    bool tells_parts;  /* prints what was done, also where not all of it was */
    bool changes_both; /* the other client's too */
    bool removes;      /* roles */
    bool once;         /* the same again is another one */
    bool by_places; /* tried with --sites, or by its name: much of it is tried already */
};
extern const struct sweep_command sweep_commands[];
extern const size_t sweep_command_count;

/* --- a trial (sweep_trial.c) --- */

enum {
    SWEEP_WHY_MAX = 1024,
};

struct sweep_verdict {
    bool lost;  /* a password in force is in no vault */
    bool wrong; /* the vault takes another one for the one in force */
    char why[SWEEP_WHY_MAX];
};

struct sweep_bench {
    struct sweep_world world;
    const struct sweep_command *command; /* whose master is kept */
    uint8_t *neighbour;                  /* digest of the other client; shared */
    int64_t file_size;
    struct sweep_counts *counts;   /* shared with the children */
    struct sweep_sites *sites;     /* to be filled; as well, or NULL */
    struct sweep_verdict *verdict; /* as well */
    struct sweep_end end;
    /* What runs of the command came to and was found good. */
    uint8_t judged[SWEEP_JUDGED_MAX][SWEEP_DIGEST_SIZE];
    size_t judged_count;
};

bool sweep_bench_init(struct sweep_bench *bench, const char *folder);
/* Makes the command's master and runs it once without a fault: its counts. False: said on
 * stderr what is wrong. */
bool sweep_bench_take(struct sweep_bench *bench, const struct sweep_command *command,
                      struct sweep_counts *ret_counts);
enum sweep_outcome {
    SWEEP_UNSTRUCK, /* there was no such call */
    SWEEP_SURVIVED,
    SWEEP_FAILED, /* bench->verdict says why */
};
enum sweep_outcome sweep_try(struct sweep_bench *bench, const struct sweep_kind *kind,
                             uint64_t index, bool sticky);

#endif

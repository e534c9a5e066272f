/*
 * One trial: the world is put back, the command runs under its fault, and then, in a
 * second process without one,
 *
 *   - the vault opens and checks whole;
 *   - each password in force at OVH, or on its way there, that passation set is in it;
 *   - none that the vault says is in force is another than the one that is;
 *   - the other client's roles, versions and secrets are as they were;
 *   - the command run again (and what else goes on after a failure) does the work, and
 *     if it had said that the work is done, then it is.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "core/role.h"
#include "core/version.h"
#include "fault/sweep.h"
#include "passation/passation.h"

static void complain(struct sweep_bench *bench, const char *format, ...) PSN_PRINTF(2, 3);

/* The first complaint stays. */
static void complain(struct sweep_bench *bench, const char *format, ...)
{
    va_list args;

    if (bench->verdict->why[0])
        return;
    va_start(args, format);
    (void)vsnprintf(bench->verdict->why, sizeof bench->verdict->why, format, args);
    va_end(args);
}

/* --- what is in the vault --- */

struct look {
    struct sweep_bench *bench;
    const char *when;
    struct psn_vault *vault;
    const struct psn_role_row *row;
    struct sweep_box *box;
    bool holds;      /* what is in force */
    bool holds_next; /* what is on its way */
    bool seen[SWEEP_BOXES_MAX];
    crypto_generichash_state neighbour;
};

static bool is_value(const struct psn_secret *value, const char *text)
{
    return strlen(text) == psn_secret_size(value) &&
           memcmp(text, psn_secret_bytes(value), strlen(text)) == 0;
}

static enum psn_code look_at_version(void *arg, const struct psn_version *version,
                                     struct psn_secret *value, struct psn_error *err)
{
    struct look *look = arg;
    const struct psn_rotation_state *state = &look->row->rotation;
    const struct sweep_box *box = look->box;

    (void)err;
    look->holds = look->holds || is_value(value, box->password);
    look->holds_next = look->holds_next || is_value(value, box->next);
    if (state->phase == PSN_ROTATION_STABLE && version->number == state->cur &&
        box->exists && !look->row->outside_s && !is_value(value, box->password) &&
        !box->next[0]) {
        look->bench->verdict->wrong = true;
        complain(look->bench, "%s: the vault's password of %s is not the one in force",
                 look->when, look->row->address);
    }
    return PSN_OK;
}

static enum psn_code add_version(void *arg, const struct psn_version *version,
                                 struct psn_secret *value, struct psn_error *err)
{
    struct look *look = arg;

    (void)err;
    (void)crypto_generichash_update(&look->neighbour, (const uint8_t *)&version->number,
                                    sizeof version->number);
    (void)crypto_generichash_update(&look->neighbour, (const uint8_t *)&version->state,
                                    sizeof version->state);
    (void)crypto_generichash_update(&look->neighbour, psn_secret_bytes(value),
                                    psn_secret_size(value));
    return PSN_OK;
}

static enum psn_code add_neighbour(struct look *look, struct psn_error *err)
{
    static const char *const labels[] = { "", "ftp" };
    const struct psn_role_row *row = look->row;
    enum psn_code rc = PSN_OK;

    (void)crypto_generichash_update(&look->neighbour, (const uint8_t *)row->address,
                                    strlen(row->address));
    for (size_t i = 0; !rc && i < 2; i++)
        rc = psn_version_scan(look->vault, row->client, row->address, labels[i],
                              add_version, look, err);
    return rc;
}

static enum psn_code look_at_role(void *arg, const struct psn_role_row *row,
                                  struct psn_error *err)
{
    struct look *look = arg;
    struct sweep_bench *bench = look->bench;
    enum psn_code rc;

    look->row = row;
    look->box = sweep_box_of(row->address);
    look->holds = look->holds_next = false;
    if (!look->box)
        return PSN_OK;
    look->seen[look->box - sweep_server->boxes] = true;
    rc = psn_version_scan(look->vault, row->client, row->address, "", look_at_version,
                          look, err);
    if (!rc && ((look->box->ours && !look->holds) ||
                (look->box->next[0] && !look->holds_next))) {
        bench->verdict->lost = true;
        complain(bench, "%s: the password in force of %s is in no version", look->when,
                 row->address);
    }
    if (!rc && strcmp(row->client, "garage") == 0)
        rc = add_neighbour(look, err);
    return rc;
}

static void look_for_unknown(struct look *look)
{
    for (size_t i = 0; i < SWEEP_BOXES_MAX; i++) {
        const struct sweep_box *box = &sweep_server->boxes[i];

        if (look->seen[i] || look->bench->command->removes ||
            (!box->ours && !box->next[0]))
            continue;
        look->bench->verdict->lost = true;
        complain(look->bench, "%s: %s@%s has a password of ours, and no role", look->when,
                 box->local, box->domain);
    }
}

static enum psn_code unlock(struct psn_vault *vault, struct psn_error *err)
{
    static const char *const files[] = { "identity.txt", "new.txt" };
    enum psn_code rc = PSN_E_DENIED;

    for (size_t i = 0; rc == PSN_E_DENIED && i < 2; i++) {
        struct psn_secret *identity = NULL;

        psn_error_clear(err);
        rc = psn_secret_read_file(files[i], 4096, &identity, err);
        if (!rc)
            rc = psn_vault_unlock(vault, &(struct psn_key){ PSN_SLOT_IDENTITY, identity },
                                  err);
        psn_secret_free(identity);
    }
    return rc;
}

static enum psn_code scan(struct look *look, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(look->vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(
                    look->vault,
                    psn_role_scan(look->vault, NULL, 0, look_at_role, look, err), err);
}

/* Looks at all that must hold at any time. ret_neighbour may be NULL: then it is compared
 * with what is known. */
static void look_at_vault(struct sweep_bench *bench, const char *when,
                          uint8_t ret_neighbour[32])
{
    struct look look = { .bench = bench, .when = when };
    struct psn_vault_options options = { .path = "data/passation/vault.db",
                                         .state_dir = "state/passation" };
    struct psn_vault_check check;
    struct psn_error err = { 0 };
    uint8_t neighbour[32];
    enum psn_code rc = psn_init(&err);

    (void)crypto_generichash_init(&look.neighbour, NULL, 0, sizeof neighbour);
    sweep_server_settle();
    if (!rc)
        rc = psn_vault_open(&options, &look.vault, &err);
    if (!rc)
        rc = unlock(look.vault, &err);
    if (!rc)
        rc = psn_vault_check(look.vault, &check, &err);
    if (!rc)
        rc = scan(&look, &err);
    psn_vault_free(look.vault);
    if (rc) {
        complain(bench, "%s: the vault does not check whole: %s", when, err.message);
        return;
    }
    look_for_unknown(&look);
    (void)crypto_generichash_final(&look.neighbour, neighbour, sizeof neighbour);
    if (ret_neighbour)
        memcpy(ret_neighbour, neighbour, sizeof neighbour);
    else if (!bench->command->changes_both &&
             memcmp(neighbour, bench->neighbour, sizeof neighbour) != 0)
        complain(bench, "%s: the other client was changed", when);
}

/* --- the second process --- */

static void probe(struct sweep_bench *bench, const char *when)
{
    struct sweep_end *end = &bench->end;

    for (size_t i = 0; i < 3 && bench->command->probes[i].args[0]; i++) {
        const struct sweep_probe *one = &bench->command->probes[i];

        sweep_world_run_here(&bench->world, &(struct sweep_run){ one->args, one->input },
                             end);
        if (end->status != one->status || (one->shows && !strstr(end->out, one->shows)) ||
            (one->hides && strstr(end->out, one->hides)))
            complain(bench, "%s: '%s %s …' exits %d: %.200s%.300s", when, one->args[0],
                     one->args[1] ? one->args[1] : "", end->status, end->out, end->err);
    }
}

static void go_on(struct sweep_bench *bench)
{
    const struct sweep_command *command = bench->command;
    struct sweep_run again = { command->args, command->input };

    if (!command->once)
        sweep_world_run_here(&bench->world, &again, &bench->end);
    if (!command->once && bench->end.status == command->status)
        return;
    for (size_t i = 0; i < 3 && command->again[i].args[0]; i++) {
        again = (struct sweep_run){ command->again[i].args, command->again[i].input };
        sweep_world_run_here(&bench->world, &again, &bench->end);
    }
}

/* What is looked at in the second process. */
enum part {
    LOOK = 1 << 0,
    GO_ON = 1 << 1,
    PROBE = 1 << 2,
};

static void look(struct sweep_bench *bench, unsigned parts, const char *when)
{
    char home[2 * SWEEP_PATH_MAX];

    (void)snprintf(home, sizeof home, "%s/home", bench->world.folder);
    if (chdir(home) != 0)
        _exit(1);
    look_at_vault(bench, when, parts & (GO_ON | PROBE) ? NULL : bench->neighbour);
    if (parts & GO_ON) {
        go_on(bench);
        when = "after it went on";
        look_at_vault(bench, when, NULL);
    }
    if (parts & PROBE)
        probe(bench, when);
    _exit(0);
}

/* The looks need a process of their own: what a library keeps is no part of the next
 * trial. */
static void look_apart(struct sweep_bench *bench, unsigned parts, const char *when)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        look(bench, parts, when);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        complain(bench, "%s: the second process ends with status %x", when,
                 (unsigned)status);
}

/* --- the first one --- */

static bool is_clean_output(const struct sweep_end *end)
{
    return end->out[0] == '\0' ||
           (strncmp(end->out, "{\"error\": ", 10) == 0 &&
            strchr(end->out, '\n') == end->out + strlen(end->out) - 1);
}

static int64_t size_of_file(const struct sweep_bench *bench)
{
    char path[2 * SWEEP_PATH_MAX];
    struct stat info;

    (void)snprintf(path, sizeof path, "%s/home/%s", bench->world.folder,
                   bench->command->file);
    return stat(path, &info) == 0 ? info.st_size : -1;
}

static void judge_end(struct sweep_bench *bench, const struct sweep_kind *kind, bool died)
{
    static const char *const secrets[] = { "First-Pass", "AGE-SECRET-KEY", "Ftp-Word",
                                           "app-secret", "essai-key" };
    const struct sweep_command *command = bench->command;
    const struct sweep_end *end = &bench->end;

    if (end->signal)
        complain(bench, "it dies of signal %d: %.400s", end->signal, end->err);
    if (!end->signal && !died && end->status != command->status && end->status == 0)
        complain(bench, "it exits 0, not %d", command->status);
    /* A line for which there was no memory is missing among others; it says so. */
    if (!died && end->status != command->status && !command->tells_parts &&
        !strstr(end->err, "cannot write the result") && !is_clean_output(end))
        complain(bench, "it fails (exit %d: %.300s), and prints: %.300s", end->status,
                 end->err, end->out);
    if (!died && !end->signal && end->status != command->status &&
        kind->call != SWEEP_WRITE && !end->err[0] && !strstr(end->out, "\"error\""))
        complain(bench, "it fails (exit %d) without a word", end->status);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strstr(end->err, secrets[i]))
            complain(bench, "a secret stands in the messages: %.300s", end->err);
    if (command->file) {
        int64_t size = size_of_file(bench);

        if (size >= 0 && size < bench->file_size * 9 / 10)
            complain(bench, "'%s' has %lld bytes, not %lld", command->file,
                     (long long)size, (long long)bench->file_size);
    }
}

/* Most faults leave the world as many others do: how one goes on from there is judged
 * once. */
static void judge_world(struct sweep_bench *bench, bool done)
{
    uint8_t digest[SWEEP_DIGEST_SIZE];
    bool whole = sweep_world_digest(&bench->world, digest);

    digest[0] ^= done;
    for (size_t i = 0; whole && i < bench->judged_count; i++)
        if (memcmp(bench->judged[i], digest, sizeof digest) == 0)
            return;
    look_apart(bench, done ? LOOK | PROBE : LOOK | GO_ON | PROBE,
               done ? "it says that it is done" : "after the fault");
    if (whole && !bench->verdict->why[0] && bench->judged_count < SWEEP_JUDGED_MAX)
        memcpy(bench->judged[bench->judged_count++], digest, sizeof digest);
}

enum sweep_outcome sweep_try(struct sweep_bench *bench, const struct sweep_kind *kind,
                             uint64_t index, bool sticky)
{
    const struct sweep_command *command = bench->command;
    struct sweep_run run = { command->args, command->input };
    bool died;
    bool done;

    memset(bench->verdict, 0, sizeof *bench->verdict);
    sweep_world_reset(&bench->world, "master");
    sweep_world_run(&bench->world, &run, kind, index, sticky, bench->counts, &bench->end);
    if (!bench->counts->fired)
        return SWEEP_UNSTRUCK;
    died = kind->error == SWEEP_DIES && bench->end.status == SWEEP_DEAD_STATUS;
    done = !died && bench->end.status == command->status;
    judge_end(bench, kind, died);
    judge_world(bench, done);
    return bench->verdict->why[0] ? SWEEP_FAILED : SWEEP_SURVIVED;
}

/* --- the bench --- */

bool sweep_bench_init(struct sweep_bench *bench, const char *folder)
{
    struct {
        struct sweep_server server;
        struct sweep_counts counts;
        struct sweep_verdict verdict;
        uint8_t neighbour[32];
    } *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        return false;
    memset(bench, 0, sizeof *bench);
    sweep_server = &shared->server;
    bench->counts = &shared->counts;
    bench->verdict = &shared->verdict;
    bench->neighbour = shared->neighbour;
    return sweep_world_init(&bench->world, folder);
}

static void change_outside(const struct sweep_step *step)
{
    struct sweep_box *box = sweep_box_of(step->outside);

    (void)snprintf(box->password, sizeof box->password, "%s", step->password);
    box->ours = false;
}

static bool prepare(struct sweep_bench *bench)
{
    const struct sweep_command *command = bench->command;
    struct sweep_end *end = &bench->end;

    sweep_world_reset(&bench->world, "base");
    for (size_t i = 0; i < SWEEP_STEPS_MAX && command->before[i].args[0]; i++) {
        const struct sweep_step *step = &command->before[i];
        const struct sweep_kind *kind = NULL;

        if (step->outside)
            change_outside(step);
        for (size_t k = 0; step->kind && k < sweep_kind_count; k++)
            if (strcmp(sweep_kinds[k].name, step->kind) == 0)
                kind = &sweep_kinds[k];
        sweep_world_run(&bench->world, &(struct sweep_run){ step->args, step->input },
                        kind, step->index, true, bench->counts, end);
        if (end->status != step->status) {
            (void)fprintf(stderr, "fault_sweep: %s: before it, '%s %s' exits %d: %s%s\n",
                          command->name, step->args[0], step->args[1], end->status,
                          end->out, end->err);
            return false;
        }
        if (step->keeps)
            sweep_world_put(&bench->world, step->keeps, end->out);
    }
    sweep_world_keep(&bench->world);
    look_apart(bench, LOOK, "before");
    return true;
}

bool sweep_bench_take(struct sweep_bench *bench, const struct sweep_command *command,
                      struct sweep_counts *ret_counts)
{
    struct sweep_run run = { command->args, command->input };
    struct sweep_end *end = &bench->end;

    bench->command = command;
    bench->judged_count = 0;
    memset(bench->verdict, 0, sizeof *bench->verdict);
    if (!prepare(bench))
        return false;
    sweep_world_reset(&bench->world, "master");
    if (!sweep_sites_note_into(bench->sites))
        return false;
    sweep_world_run(&bench->world, &run, NULL, 0, false, bench->counts, end);
    (void)sweep_sites_note_into(NULL);
    if (ret_counts)
        *ret_counts = *bench->counts;
    if (end->status != command->status)
        complain(bench, "without a fault it exits %d (signal %d): %s%s", end->status,
                 end->signal, end->out, end->err);
    if (command->says && !strstr(end->out, command->says) &&
        !strstr(end->err, command->says))
        complain(bench, "it does not say '%s': %s%s", command->says, end->err, end->out);
    if (command->file)
        bench->file_size = size_of_file(bench);
    look_apart(bench, LOOK | PROBE, "without a fault");
    if (bench->verdict->why[0])
        (void)fprintf(stderr, "fault_sweep: %s: %s\n", command->name,
                      bench->verdict->why);
    return bench->verdict->why[0] == '\0';
}

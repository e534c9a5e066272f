#include "task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "state.h"
#include "text.h"

struct sim_task {
    struct sim_task *next;
    json_int_t id;
    enum sim_task_kind kind;
    enum sim_task_mode mode;
    char domain[256];
    char name[320];
    char target[64];
    char *password;
    int64_t created_s;
    int64_t due_ms;  /* monotonic; below 0: when told */
    bool front_late; /* by the fault, not by the setting */
    json_int_t front_ms;
};

static const char *const actions[] = {
    [SIM_TASK_ADD] = "addAccount",
    [SIM_TASK_DELETE] = "deleteAccount",
    [SIM_TASK_PASSWORD] = "changePassword",
    [SIM_TASK_REDIRECTION_ADD] = "add",
    [SIM_TASK_REDIRECTION_DELETE] = "delete",
    [SIM_TASK_CONVERGE] = "converge",
};

static bool is_mailbox(const struct sim_task *task)
{
    return task->kind <= SIM_TASK_PASSWORD;
}

static void free_task(struct sim_task *task)
{
    free(task->password);
    free(task);
}

static void append(struct sim *sim, struct sim_task *task)
{
    struct sim_task **last = &sim->tasks;

    while (*last)
        last = &(*last)->next;
    *last = task;
    pthread_cond_broadcast(&sim->wake);
}

json_int_t sim_task_add(struct sim *sim, const struct sim_task_order *order)
{
    struct sim_task *task = calloc(1, sizeof *task);

    if (!task)
        abort(); /* a test tool out of memory proves nothing: it had better stop */
    task->id = sim_state_id(sim);
    task->kind = order->kind;
    snprintf(task->domain, sizeof task->domain, "%s", order->domain);
    snprintf(task->name, sizeof task->name, "%s", order->name);
    if (order->target)
        snprintf(task->target, sizeof task->target, "%s", order->target);
    if (order->password)
        task->password = strdup(order->password);
    task->created_s = sim_state_now_s(sim);
    task->due_ms = sim_text_now_ms() + sim->settings.task_delay_ms;
    if (order->plan) {
        task->mode = order->plan->task_mode;
        task->due_ms += order->plan->task_ms;
        task->front_late = order->plan->front_late;
        task->front_ms = order->plan->front_ms;
    }
    append(sim, task);
    return task->id;
}

bool sim_task_busy(const struct sim *sim, const char *domain, const char *name)
{
    for (const struct sim_task *task = sim->tasks; task; task = task->next)
        if (is_mailbox(task) && strcmp(task->domain, domain) == 0 &&
            strcmp(task->name, name) == 0)
            return true;
    return false;
}

static const struct sim_task *find(const struct sim *sim, const char *domain,
                                   json_int_t id)
{
    for (const struct sim_task *task = sim->tasks; task; task = task->next)
        if (task->id == id && strcmp(task->domain, domain) == 0)
            return task;
    return NULL;
}

json_t *sim_task_pop(const struct sim *sim, const char *domain, json_int_t id)
{
    const struct sim_task *task = find(sim, domain, id);
    char date[SIM_TEXT_DATETIME_SIZE];

    if (!task || !is_mailbox(task))
        return NULL;
    sim_text_datetime(task->created_s, date);
    return json_pack("{s:I,s:s,s:s,s:s,s:s}", "id", task->id, "action",
                     actions[task->kind], "date", date, "domain", task->domain, "name",
                     task->name);
}

json_t *sim_task_special(const struct sim *sim, const char *domain, json_int_t id)
{
    const struct sim_task *task = find(sim, domain, id);
    char date[SIM_TEXT_DATETIME_SIZE];
    char text[32];

    if (!task || is_mailbox(task) || task->kind == SIM_TASK_CONVERGE)
        return NULL;
    sim_text_datetime(task->created_s, date);
    snprintf(text, sizeof text, "%lld", (long long)task->id);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "id", text, "action",
                     actions[task->kind], "date", date, "domain", task->domain, "account",
                     task->name, "type", "forward");
}

json_t *sim_task_ids(const struct sim *sim, const char *domain, const char *name,
                     bool mailboxes)
{
    json_t *ids = json_array();
    char text[32];

    for (const struct sim_task *task = sim->tasks; task; task = task->next) {
        if (task->kind == SIM_TASK_CONVERGE || is_mailbox(task) != mailboxes ||
            strcmp(task->domain, domain) != 0 ||
            (name && !sim_text_like(name, task->name)))
            continue;
        snprintf(text, sizeof text, "%lld", (long long)task->id);
        json_array_append_new(ids,
                              mailboxes ? json_integer(task->id) : json_string(text));
    }
    return ids;
}

/* A newer password overtakes those that front end 2 has not seen yet. They stay in the
 * list, void: this runs while the list is being walked. */
static void overtake(struct sim *sim, const struct sim_task *newer)
{
    for (struct sim_task *task = sim->tasks; task; task = task->next) {
        if (task->kind == SIM_TASK_CONVERGE && strcmp(task->domain, newer->domain) == 0 &&
            strcmp(task->name, newer->name) == 0) {
            free(task->password);
            task->password = NULL;
            task->due_ms = 0;
        }
    }
}

/* The second front end takes the password over, at once or by a task of its own. */
static void converge(struct sim *sim, const struct sim_task *from, json_t *account)
{
    json_int_t later = from->front_late ? from->front_ms : sim->settings.front_delay_ms;
    struct sim_task *task = NULL;

    overtake(sim, from);
    if (later == 0) {
        sim_state_put_password(sim, account, 1, from->password);
        return;
    }
    task = calloc(1, sizeof *task);
    if (!task)
        abort();
    *task = *from;
    task->next = NULL;
    task->id = sim_state_id(sim);
    task->kind = SIM_TASK_CONVERGE;
    task->mode = SIM_TASK_RUN;
    task->password = strdup(from->password);
    task->due_ms = later < 0 ? -1 : sim_text_now_ms() + later;
    append(sim, task);
}

static void apply_mailbox(struct sim *sim, const struct sim_task *task)
{
    json_t *account = sim_state_account(sim, task->domain, task->name);

    if (!account)
        return;
    if (task->kind == SIM_TASK_DELETE) {
        sim_state_remove_account(sim, task->domain, task->name);
        return;
    }
    json_object_set_new(account, "_created", json_true());
    sim_state_remember(account, task->password, "api");
    sim_state_put_password(sim, account, 0, task->password);
    converge(sim, task, account);
}

static void apply_redirection(struct sim *sim, const struct sim_task *task)
{
    json_t *all = json_object_get(sim_state_domain(sim, task->domain), "redirections");
    json_t *one = json_object_get(all, task->target);

    if (task->kind == SIM_TASK_REDIRECTION_DELETE)
        json_object_del(all, task->target);
    else if (one)
        json_object_del(one, "_pending");
}

static void apply(struct sim *sim, const struct sim_task *task)
{
    json_t *account = sim_state_account(sim, task->domain, task->name);

    switch (task->kind) {
    case SIM_TASK_ADD:
        if (task->mode == SIM_TASK_FAIL)
            sim_state_remove_account(sim, task->domain, task->name);
        else
            apply_mailbox(sim, task);
        break;
    case SIM_TASK_DELETE:
    case SIM_TASK_PASSWORD:
        if (task->mode != SIM_TASK_FAIL)
            apply_mailbox(sim, task);
        break;
    case SIM_TASK_REDIRECTION_ADD:
    case SIM_TASK_REDIRECTION_DELETE:
        if (task->mode != SIM_TASK_FAIL)
            apply_redirection(sim, task);
        break;
    case SIM_TASK_CONVERGE:
        if (account && task->password)
            sim_state_put_password(sim, account, 1, task->password);
        break;
    }
}

/* Takes the task out of the list first: applying it may queue another one. */
static void finish(struct sim *sim, struct sim_task **at)
{
    struct sim_task *task = *at;

    *at = task->next;
    apply(sim, task);
    free_task(task);
}

json_int_t sim_task_run(struct sim *sim, bool stuck, bool fail)
{
    struct sim_task **at = &sim->tasks;
    json_int_t count = 0;

    while (*at) {
        struct sim_task *task = *at;
        if (task->kind == SIM_TASK_CONVERGE || (task->mode == SIM_TASK_STUCK && !stuck)) {
            at = &task->next;
            continue;
        }
        if (task->mode == SIM_TASK_STUCK || fail)
            task->mode = fail ? SIM_TASK_FAIL : SIM_TASK_RUN;
        finish(sim, at);
        count++;
    }
    return count;
}

json_int_t sim_task_converge(struct sim *sim)
{
    struct sim_task **at = &sim->tasks;
    json_int_t count = 0;

    while (*at) {
        if ((*at)->kind == SIM_TASK_CONVERGE) {
            finish(sim, at);
            count++;
        } else {
            at = &(*at)->next;
        }
    }
    return count;
}

void sim_task_clear(struct sim *sim)
{
    while (sim->tasks) {
        struct sim_task *task = sim->tasks;
        sim->tasks = task->next;
        free_task(task);
    }
}

json_t *sim_task_dump(const struct sim *sim)
{
    static const char *const modes[] = { "run", "silent_fail", "stuck" };
    json_t *dump = json_array();

    for (const struct sim_task *task = sim->tasks; task; task = task->next)
        json_array_append_new(
            dump,
            json_pack("{s:I,s:s,s:s,s:s,s:s,s:s*,s:I}", "id", task->id, "action",
                      actions[task->kind], "domain", task->domain, "name", task->name,
                      "mode", modes[task->mode], "password", task->password, "due_in_ms",
                      task->due_ms < 0 ? (json_int_t)-1
                                       : (json_int_t)(task->due_ms - sim_text_now_ms())));
    return dump;
}

/* Ends what is due. Returns when the next one will be, in ms; -1: none waits. */
static int64_t run_due(struct sim *sim)
{
    struct sim_task **at = &sim->tasks;
    int64_t next = -1;

    while (*at) {
        const struct sim_task *task = *at;
        int64_t left = task->due_ms - sim_text_now_ms();

        if (task->mode == SIM_TASK_STUCK || task->due_ms < 0) {
            at = &(*at)->next;
        } else if (left <= 0) {
            finish(sim, at);
        } else {
            if (next < 0 || left < next)
                next = left;
            at = &(*at)->next;
        }
    }
    return next;
}

static void *task_thread(void *arg)
{
    struct sim *sim = arg;

    pthread_mutex_lock(&sim->lock);
    for (;;) {
        int64_t left = run_due(sim);

        if (left < 0) {
            pthread_cond_wait(&sim->wake, &sim->lock);
            continue;
        }
        /* The condition runs on the monotonic clock (main.c): tests turn the other one.
         */
        int64_t end = sim_text_now_ms() + left;
        struct timespec until = { .tv_sec = (time_t)(end / 1000),
                                  .tv_nsec = (long)(end % 1000) * 1000000 };
        pthread_cond_timedwait(&sim->wake, &sim->lock, &until);
    }
    return NULL;
}

bool sim_task_start(struct sim *sim)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, task_thread, sim) != 0)
        return false;
    pthread_detach(thread);
    return true;
}

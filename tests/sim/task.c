#include "task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contact.h"
#include "state.h"
#include "text.h"
#include "work.h"

struct sim_task {
    struct sim_task *next;
    struct sim_task *previous;
    json_int_t id;
    enum sim_task_kind kind;
    enum sim_task_mode mode;
    char domain[256];
    char name[320];
    char target[320];
    char *password;
    json_t *account;       /* of CONVERGE; a reference of its own */
    struct sim_work *work; /* of WORK */
    int64_t created_s;
    int64_t due_ms; /* monotonic; below 0: when told */
    struct sim_task_fronts fronts;
};

static const struct {
    const char *action;
    enum sim_task_list list;
    bool adds;          /* something around the mailboxes, not taken away */
    const char *member; /* MAILING: which of the list's addresses */
} kinds[] = {
    [SIM_TASK_ADD] = { "addAccount", SIM_LIST_ACCOUNT, true, NULL },
    [SIM_TASK_DELETE] = { "deleteAccount", SIM_LIST_ACCOUNT, false, NULL },
    [SIM_TASK_PASSWORD] = { "changePassword", SIM_LIST_ACCOUNT, false, NULL },
    [SIM_TASK_REDIRECTION_ADD] = { "add", SIM_LIST_REDIRECTION, true, NULL },
    [SIM_TASK_REDIRECTION_DELETE] = { "delete", SIM_LIST_REDIRECTION, false, NULL },
    [SIM_TASK_RESPONDER_ADD] = { "add", SIM_LIST_RESPONDER, true, NULL },
    [SIM_TASK_RESPONDER_DELETE] = { "delete", SIM_LIST_RESPONDER, false, NULL },
    [SIM_TASK_FILTER_ADD] = { "addFilter", SIM_LIST_FILTER, true, NULL },
    [SIM_TASK_FILTER_DELETE] = { "deleteFilter", SIM_LIST_FILTER, false, NULL },
    [SIM_TASK_MODERATOR_ADD] = { "addModerator", SIM_LIST_MAILING, true, "_moderators" },
    [SIM_TASK_MODERATOR_DELETE] = { "deleteModerator", SIM_LIST_MAILING, false,
                                    "_moderators" },
    [SIM_TASK_SUBSCRIBER_ADD] = { "addSubscriber", SIM_LIST_MAILING, true,
                                  "_subscribers" },
    [SIM_TASK_SUBSCRIBER_DELETE] = { "deleteSubscriber", SIM_LIST_MAILING, false,
                                     "_subscribers" },
    [SIM_TASK_CONTACT] = { "changeContact", SIM_LIST_NONE, false, NULL },
    [SIM_TASK_WORK] = { "work", SIM_LIST_NONE, false, NULL },
    [SIM_TASK_CONVERGE] = { "converge", SIM_LIST_NONE, false, NULL },
};

enum sim_task_list sim_task_list_of(enum sim_task_kind kind)
{
    return kinds[kind].list;
}

static bool is_mailbox(const struct sim_task *task)
{
    return sim_task_list_of(task->kind) == SIM_LIST_ACCOUNT;
}

static void free_task(struct sim_task *task)
{
    if (task->work)
        sim_work_free(task->work);
    json_decref(task->account);
    free(task->password);
    free(task);
}

/* When its turn comes: a stuck one, and one that waits to be told, come last. */
static int64_t turn_of(const struct sim_task *task)
{
    return task->mode == SIM_TASK_STUCK || task->due_ms < 0 ? INT64_MAX : task->due_ms;
}

/* Most tasks take equally long, so that the place is nearly always the end. */
static void insert(struct sim *sim, struct sim_task *task)
{
    struct sim_task *before = sim->last_task;

    while (before && turn_of(before) > turn_of(task))
        before = before->previous;
    task->previous = before;
    task->next = before ? before->next : sim->tasks;
    *(before ? &before->next : &sim->tasks) = task;
    *(task->next ? &task->next->previous : &sim->last_task) = task;
    pthread_cond_broadcast(&sim->wake);
}

static void take_out(struct sim *sim, struct sim_task *task)
{
    *(task->previous ? &task->previous->next : &sim->tasks) = task->next;
    *(task->next ? &task->next->previous : &sim->last_task) = task->previous;
}

static struct sim_task *new_task(struct sim *sim, enum sim_task_kind kind)
{
    struct sim_task *task = calloc(1, sizeof *task);

    if (!task)
        abort(); /* a test tool out of memory proves nothing: it had better stop */
    task->id = sim_state_id(sim);
    task->kind = kind;
    task->created_s = sim_state_now_s(sim);
    return task;
}

json_int_t sim_task_add(struct sim *sim, const struct sim_task_order *order)
{
    struct sim_task *task = new_task(sim, order->kind);
    bool work = order->kind == SIM_TASK_WORK;

    snprintf(task->domain, sizeof task->domain, "%s", order->domain);
    snprintf(task->name, sizeof task->name, "%s", order->name);
    if (order->target)
        snprintf(task->target, sizeof task->target, "%s", order->target);
    if (order->password)
        task->password = strdup(order->password);
    task->work = order->work;
    task->due_ms =
        sim_text_now_ms() + (work ? order->delay_ms : sim->settings.task_delay_ms);
    if (order->plan) {
        task->mode = order->plan->task_mode;
        task->due_ms += order->plan->task_ms;
        task->fronts.late = order->plan->front_late;
        task->fronts.ms = order->plan->front_ms;
    }
    if (work)
        order->work->fronts = task->fronts;
    insert(sim, task);
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

/* Redirections and responders are OVH's "special accounts"; their ids are texts. */
static json_t *show_special(const struct sim_task *task, const char *date)
{
    bool forward = sim_task_list_of(task->kind) == SIM_LIST_REDIRECTION;
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)task->id);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "id", text, "action",
                     kinds[task->kind].action, "date", date, "domain", task->domain,
                     "account", task->name, "type", forward ? "forward" : "responder");
}

json_t *sim_task_show(const struct sim *sim, enum sim_task_list list, const char *domain,
                      json_int_t id)
{
    const struct sim_task *task = find(sim, domain, id);
    const char *action = task ? kinds[task->kind].action : NULL;
    char date[SIM_TEXT_DATETIME_SIZE];

    if (!task || sim_task_list_of(task->kind) != list)
        return NULL;
    sim_text_datetime(task->created_s, date);
    switch (list) {
    case SIM_LIST_ACCOUNT:
        return json_pack("{s:I,s:s,s:s,s:s,s:s}", "id", id, "action", action, "date",
                         date, "domain", domain, "name", task->name);
    case SIM_LIST_REDIRECTION:
    case SIM_LIST_RESPONDER:
        return show_special(task, date);
    case SIM_LIST_FILTER:
        return json_pack("{s:I,s:s,s:s,s:s,s:s}", "id", id, "action", action, "timestamp",
                         date, "domain", domain, "account", task->name);
    case SIM_LIST_MAILING:
        return json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "id", id, "action", action, "date",
                         date, "domain", domain, "account", task->name, "language", "fr");
    case SIM_LIST_NONE:
        break;
    }
    return NULL;
}

json_t *sim_task_ids(const struct sim *sim, enum sim_task_list list, const char *domain,
                     const char *name)
{
    json_t *ids = json_array();
    char text[32];

    for (const struct sim_task *task = sim->tasks; task; task = task->next) {
        if (sim_task_list_of(task->kind) != list || strcmp(task->domain, domain) != 0 ||
            (name && !sim_text_like(name, task->name)))
            continue;
        snprintf(text, sizeof text, "%lld", (long long)task->id);
        json_array_append_new(ids, list == SIM_LIST_REDIRECTION ? json_string(text)
                                                                : json_integer(task->id));
    }
    return ids;
}

/* A newer password overtakes those that front end 2 has not seen yet. They come first
 * now, void, and stay in the list: this runs while the list is being walked. */
static void overtake(struct sim *sim, const json_t *account)
{
    struct sim_task *next = NULL;

    for (struct sim_task *task = sim->tasks; task; task = next) {
        next = task->next;
        if (task->kind != SIM_TASK_CONVERGE || task->account != account)
            continue;
        free(task->password);
        task->password = NULL;
        task->due_ms = 0;
        take_out(sim, task);
        insert(sim, task);
    }
}

void sim_task_put_password(struct sim *sim, json_t *account, const char *password,
                           const char *by, const struct sim_task_fronts *fronts)
{
    bool late = fronts && fronts->late;
    json_int_t later = late ? fronts->ms : sim->settings.front_delay_ms;
    const char *address = sim_state_address(account);
    const char *at = strrchr(address, '@');

    sim_state_remember(sim, account, password, by);
    sim_state_put_password(sim, account, 0, password);
    overtake(sim, account);
    if (later == 0) {
        sim_state_put_password(sim, account, 1, password);
        return;
    }
    struct sim_task *task = new_task(sim, SIM_TASK_CONVERGE);
    snprintf(task->domain, sizeof task->domain, "%s", at ? at + 1 : "");
    snprintf(task->name, sizeof task->name, "%.*s", at ? (int)(at - address) : 0,
             address);
    task->account = json_incref(account);
    task->password = strdup(password);
    task->due_ms = later < 0 ? -1 : sim_text_now_ms() + later;
    insert(sim, task);
}

/* The mailbox of a task of email/domain, wherever it has moved. */
static json_t *mailbox_of(const struct sim *sim, const struct sim_task *task)
{
    char address[600];

    snprintf(address, sizeof address, "%s@%s", task->name, task->domain);
    return sim_state_mailbox(sim, address);
}

static void apply_mailbox(struct sim *sim, const struct sim_task *task)
{
    json_t *account = mailbox_of(sim, task);

    if (!account)
        return;
    if (task->kind == SIM_TASK_DELETE) {
        sim_state_remove_account(sim, task->domain, task->name);
        return;
    }
    json_object_set_new(account, "_created", json_true());
    sim_task_put_password(sim, account, task->password, "api", &task->fronts);
}

/* A copy in the mailbox is a redirection of an address to itself. */
static void add_local_copy(struct sim *sim, json_t *all, const struct sim_task *task)
{
    char id[32];

    snprintf(id, sizeof id, "%lld", (long long)sim_state_id(sim));
    json_object_set_new(
        all, id,
        json_pack("{s:s,s:s,s:s}", "id", id, "from", task->name, "to", task->name));
}

/* Where the object of a task lies: what is to be added, too, hidden until then. */
static json_t *set_of(const struct sim *sim, const struct sim_task *task)
{
    json_t *domain = sim_state_domain(sim, task->domain);

    if (sim_task_list_of(task->kind) == SIM_LIST_FILTER)
        return json_object_get(mailbox_of(sim, task), "_filters");
    return json_object_get(domain, sim_task_list_of(task->kind) == SIM_LIST_REDIRECTION
                                       ? "redirections"
                                       : "responders");
}

static void apply_object(struct sim *sim, const struct sim_task *task)
{
    json_t *all = set_of(sim, task);
    json_t *one = json_object_get(all, task->target);
    bool runs = task->mode == SIM_TASK_RUN;

    if (runs && kinds[task->kind].adds) {
        json_object_del(one, "_pending");
        if (sim_state_flag(one, "_local_copy"))
            add_local_copy(sim, all, task);
    } else if (runs || kinds[task->kind].adds) {
        json_object_del(all, task->target);
    }
}

/* Moderators and subscribers are lists of addresses. */
static void apply_person(const struct sim *sim, const struct sim_task *task)
{
    json_t *list = json_object_get(
        json_object_get(sim_state_domain(sim, task->domain), "lists"), task->name);
    json_t *people = json_object_get(list, kinds[task->kind].member);

    if (task->mode != SIM_TASK_RUN)
        return;
    for (size_t i = json_array_size(people); i > 0; i--)
        if (strcmp(json_string_value(json_array_get(people, i - 1)), task->target) == 0)
            json_array_remove(people, i - 1);
    if (kinds[task->kind].adds)
        json_array_append_new(people, json_string(task->target));
    people = json_object_get(list, "_subscribers");
    json_object_set_new(list, "nbSubscribers",
                        json_integer((json_int_t)json_array_size(people)));
}

static void apply(struct sim *sim, struct sim_task *task)
{
    bool runs = task->mode == SIM_TASK_RUN;

    if (task->kind == SIM_TASK_WORK)
        sim_work_end(sim, task->work, task->mode);
    else if (task->kind == SIM_TASK_CONTACT)
        sim_contact_finish(sim, task->target, runs);
    else if (task->kind == SIM_TASK_CONVERGE) {
        if (task->password && !sim_state_flag(task->account, "_gone"))
            sim_state_put_password(sim, task->account, 1, task->password);
    } else if (kinds[task->kind].member)
        apply_person(sim, task);
    else if (!is_mailbox(task))
        apply_object(sim, task);
    else if (runs)
        apply_mailbox(sim, task);
    else if (task->kind == SIM_TASK_ADD)
        sim_state_remove_account(sim, task->domain, task->name);
}

/* Takes the task out of the list first: applying it may queue another one. */
static void finish(struct sim *sim, struct sim_task *task)
{
    take_out(sim, task);
    apply(sim, task);
    free_task(task);
}

/* One task that is to end now, or NULL. */
static struct sim_task *find_waiting(const struct sim *sim, bool stuck)
{
    for (struct sim_task *task = sim->tasks; task; task = task->next)
        if (task->kind != SIM_TASK_CONVERGE && (stuck || task->mode != SIM_TASK_STUCK))
            return task;
    return NULL;
}

json_int_t sim_task_run(struct sim *sim, bool stuck, bool fail)
{
    struct sim_task *task = NULL;
    json_int_t count = 0;

    while ((task = find_waiting(sim, stuck)) != NULL) {
        if (fail)
            task->mode = SIM_TASK_FAIL;
        else if (task->mode == SIM_TASK_STUCK)
            task->mode = SIM_TASK_RUN;
        finish(sim, task);
        count++;
    }
    return count;
}

json_int_t sim_task_converge(struct sim *sim)
{
    struct sim_task *next = NULL;
    json_int_t count = 0;

    for (struct sim_task *task = sim->tasks; task; task = next) {
        next = task->next;
        if (task->kind == SIM_TASK_CONVERGE) {
            finish(sim, task);
            count++;
        }
    }
    return count;
}

/* A password is one in every family; what else was asked for is not. */
static bool can_follow(const struct sim_work *work)
{
    const char *function = sim_state_text(work->record, "function");

    return strcmp(function, "changePassword") == 0 ||
           strcmp(function, "accountUpdate") == 0;
}

void sim_task_follow(struct sim *sim, const json_t *from, json_t *to, bool lost)
{
    for (struct sim_task *task = sim->tasks; task; task = task->next) {
        bool mine = task->work ? task->work->target == from : task->account == from;
        bool older = is_mailbox(task) && mailbox_of(sim, task) == to;

        if ((older && lost) || (mine && task->work && (lost || !can_follow(task->work))))
            task->mode = SIM_TASK_FAIL;
        if (!mine)
            continue;
        json_t **at = task->work ? &task->work->target : &task->account;
        json_decref(*at);
        *at = json_incref(to);
    }
}

void sim_task_clear(struct sim *sim)
{
    while (sim->tasks) {
        struct sim_task *task = sim->tasks;
        take_out(sim, task);
        free_task(task);
    }
}

json_t *sim_task_dump(const struct sim *sim)
{
    static const char *const modes[] = { "run", "silent_fail", "stuck", "error",
                                         "cancelled" };
    json_t *dump = json_array();

    for (const struct sim_task *task = sim->tasks; task; task = task->next) {
        const char *action = task->work ? sim_state_text(task->work->record, "function")
                                        : kinds[task->kind].action;
        const char *password =
            task->work
                ? json_string_value(json_object_get(task->work->detail, "password"))
                : task->password;
        json_array_append_new(
            dump,
            json_pack("{s:I,s:s,s:s,s:s,s:s,s:s*,s:I}", "id", task->id, "action", action,
                      "domain", task->domain, "name", task->name, "mode",
                      modes[task->mode], "password", password, "due_in_ms",
                      task->due_ms < 0 ? (json_int_t)-1
                                       : (json_int_t)(task->due_ms - sim_text_now_ms())));
    }
    return dump;
}

/* Ends what is due. Returns when the next one will be, in ms; -1: none waits. */
static int64_t run_due(struct sim *sim)
{
    while (sim->tasks && turn_of(sim->tasks) != INT64_MAX) {
        int64_t left = sim->tasks->due_ms - sim_text_now_ms();

        if (left > 0)
            return left;
        finish(sim, sim->tasks);
    }
    return -1;
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

/*
 * The notes on changes of contacts in a client's journal, and reading them back:
 *
 *     event             subject        text
 *     contact.asked     zone acme.fr   task 0, admin tech, ag1-ovh to xm2-ovh, DATE
 *     contact.task      zone acme.fr   task 4711, admin tech, ag1-ovh to xm2-ovh, DATE
 *     contact.done      zone acme.fr   task 4711, …, DATE
 *
 * "asked" is written before OVH hears it; "task" fulfils it, "dropped" takes it back. An
 * end is one of "done", "refused", "aborted", "expired", "failed". Notes that cannot be
 * read are none of these: the journal is for people first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/text.h"
#include "core/contact.h"
#include "core/journal.h"

/* --- lists --- */

void psn_contact_list_release(struct psn_contact_list *list)
{
    free(list->items);
    *list = (struct psn_contact_list){ 0 };
}

enum psn_code psn_contact_append(struct psn_contact_list *list,
                                 const struct psn_contact_change *change,
                                 struct psn_error *err)
{
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (!rc)
        list->items[list->count++] = *change;
    return rc;
}

enum psn_code psn_contact_collect(void *arg, const struct psn_contact_change *change,
                                  struct psn_error *err)
{
    return psn_contact_append(arg, change, err);
}

struct psn_contact_change *psn_contact_find(const struct psn_contact_list *list,
                                            int64_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].id == id)
            return &list->items[i];
    return NULL;
}

bool psn_contact_is_same(const struct psn_contact_change *asked,
                         const struct psn_contact_change *task)
{
    bool is_there = !task->service[0] || strcasecmp(asked->service, task->service) == 0;
    bool is_kind = task->kind == PSN_CONTACT_UNKNOWN || task->kind == asked->kind;

    return is_there && is_kind && asked->admin == task->admin &&
           asked->tech == task->tech && asked->billing == task->billing &&
           strcasecmp(asked->from, task->from) == 0 &&
           strcasecmp(asked->to, task->to) == 0;
}

/* --- words --- */

static const char *const state_names[PSN_CONTACT_STATES] = {
    [PSN_CONTACT_WAITING] = "waiting", [PSN_CONTACT_CHECKING] = "checking",
    [PSN_CONTACT_DOING] = "doing",     [PSN_CONTACT_DONE] = "done",
    [PSN_CONTACT_REFUSED] = "refused", [PSN_CONTACT_ABORTED] = "aborted",
    [PSN_CONTACT_EXPIRED] = "expired", [PSN_CONTACT_FAILED] = "failed",
};

static const struct {
    const char *event;
    enum psn_contact_state state;
} ends[] = {
    { "contact.done", PSN_CONTACT_DONE },
    { "contact.refused", PSN_CONTACT_REFUSED },
    { "contact.aborted", PSN_CONTACT_ABORTED },
    { "contact.expired", PSN_CONTACT_EXPIRED },
    { "contact.failed", PSN_CONTACT_FAILED },
};

enum {
    ENDS = sizeof ends / sizeof *ends,
};

const char *psn_contact_state_name(enum psn_contact_state state)
{
    return (unsigned)state < PSN_CONTACT_STATES ? state_names[state] : "unknown";
}

const char *psn_contact_event(enum psn_contact_state state)
{
    for (size_t i = 0; i < ENDS; i++)
        if (ends[i].state == state)
            return ends[i].event;
    return PSN_CONTACT_TASK;
}

static bool is_end(const char *event)
{
    for (size_t i = 0; i < ENDS; i++)
        if (strcmp(ends[i].event, event) == 0)
            return true;
    return false;
}

/* --- writing --- */

static void write_text(const struct psn_contact_change *change, int64_t time_s,
                       struct psn_buf *text)
{
    char time[PSN_TIME_SIZE];

    psn_buf_format(text, "task %lld,%s%s%s, %s to %s, %s", (long long)change->id,
                   change->admin ? " admin" : "", change->tech ? " tech" : "",
                   change->billing ? " billing" : "", change->from, change->to,
                   psn_clock_format(time_s, time));
}

enum psn_code psn_contact_note(struct psn_vault *vault, const char *client,
                               const char *event, const struct psn_contact_change *change,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_JOURNAL_TEXT_MAX - 1);
    char subject[PSN_CONTACT_NAME_MAX + 16];
    int64_t time_s = is_end(event) ? change->done_s : change->asked_s;
    enum psn_code rc;

    write_text(change, time_s ? time_s : vault->world.now_s(), &text);
    (void)snprintf(subject, sizeof subject, "%s %s", psn_contact_kind_name(change->kind),
                   change->service);
    rc = psn_buf_check(&text, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (rc)
        return rc;
    return psn_vault_end(
        vault,
        psn_journal_note(vault, client,
                         &(struct psn_note){ .event = event,
                                             .subject = subject,
                                             .text = psn_buf_str(&text) },
                         err),
        err);
}

/* --- reading --- */

/* Copies up to the mark and steps behind it; false if it is not there, or too long. */
static bool take_until(const char **at, const char *mark, char *out, size_t size)
{
    const char *end = strstr(*at, mark);
    size_t length = end ? (size_t)(end - *at) : 0;

    if (!end || length >= size)
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at = end + strlen(mark);
    return true;
}

/* " admin tech" */
static bool read_roles(const char *words, struct psn_contact_change *change)
{
    static const char *const names[] = { " admin", " tech", " billing" };
    bool *const flags[] = { &change->admin, &change->tech, &change->billing };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);

        *flags[i] = strncmp(words, names[i], length) == 0;
        words += *flags[i] ? length : 0;
    }
    return !*words && (change->admin || change->tech || change->billing);
}

static bool read_text(const char *text, struct psn_contact_change *change,
                      int64_t *ret_time_s)
{
    char number[24];
    char roles[32];
    uint64_t id = 0;

    if (strncmp(text, "task ", 5) != 0)
        return false;
    text += 5;
    if (!take_until(&text, ",", number, sizeof number) ||
        !psn_text_parse_u64(number, INT64_MAX, &id) ||
        !take_until(&text, ", ", roles, sizeof roles) || !read_roles(roles, change) ||
        !take_until(&text, " to ", change->from, sizeof change->from) ||
        !take_until(&text, ", ", change->to, sizeof change->to))
        return false;
    change->id = (int64_t)id;
    return psn_clock_parse(text, ret_time_s);
}

static bool read_subject(const char *subject, struct psn_contact_change *change)
{
    char word[16];

    if (!take_until(&subject, " ", word, sizeof word) ||
        strlen(subject) >= sizeof change->service)
        return false;
    for (int kind = 0; kind < PSN_CONTACT_KINDS; kind++)
        if (strcmp(word, psn_contact_kind_name((enum psn_contact_kind)kind)) == 0) {
            change->kind = (enum psn_contact_kind)kind;
            (void)snprintf(change->service, sizeof change->service, "%s", subject);
            return true;
        }
    return false;
}

/* What was asked for and has no number yet, of the same. */
static struct psn_contact_change *find_asked(const struct psn_contact_list *list,
                                             const struct psn_contact_change *change)
{
    for (size_t i = list->count; i > 0; i--)
        if (list->items[i - 1].id == 0 &&
            psn_contact_is_same(&list->items[i - 1], change))
            return &list->items[i - 1];
    return NULL;
}

static void remove_item(struct psn_contact_list *list, struct psn_contact_change *item)
{
    size_t at = (size_t)(item - list->items);

    memmove(item, item + 1, (list->count - at - 1) * sizeof *item);
    list->count--;
}

static enum psn_code take_task(struct psn_contact_list *list,
                               const struct psn_contact_change *change,
                               struct psn_error *err)
{
    struct psn_contact_change *asked = find_asked(list, change);

    if (psn_contact_find(list, change->id))
        return PSN_OK;
    if (!asked)
        return psn_contact_append(list, change, err);
    *asked = *change;
    return PSN_OK;
}

static enum psn_code take_asked(struct psn_contact_list *list, const char *event,
                                const struct psn_contact_change *change,
                                struct psn_error *err)
{
    struct psn_contact_change *asked = find_asked(list, change);

    if (asked)
        remove_item(list, asked);
    return strcmp(event, PSN_CONTACT_DROPPED) == 0
               ? PSN_OK
               : psn_contact_append(list, change, err);
}

static enum psn_code take_entry(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct psn_contact_list *list = arg;
    struct psn_contact_change change = { .state = PSN_CONTACT_WAITING };
    struct psn_contact_change *task;
    int64_t time_s = 0;

    if (strncmp(entry->event, "contact.", 8) != 0 ||
        !read_text(entry->text, &change, &time_s) ||
        !read_subject(entry->subject, &change))
        return PSN_OK;
    change.asked_s = time_s;
    change.ends_s = time_s + PSN_CONTACT_WEEK_S;
    if (change.id == 0)
        return take_asked(list, entry->event, &change, err);
    if (strcmp(entry->event, PSN_CONTACT_TASK) == 0)
        return take_task(list, &change, err);
    task = psn_contact_find(list, change.id);
    if (task && strcmp(entry->event, PSN_CONTACT_ACCEPTED) == 0)
        task->is_agreed = true;
    for (size_t i = 0; task && i < ENDS; i++)
        if (strcmp(entry->event, ends[i].event) == 0) {
            task->state = ends[i].state;
            task->done_s = time_s;
        }
    return PSN_OK;
}

enum psn_code psn_contact_known(struct psn_vault *vault, const char *client,
                                struct psn_contact_list *list, struct psn_error *err)
{
    return psn_journal_each(vault, client, 0, take_entry, list, err);
}

enum psn_code psn_contact_history(struct psn_vault *vault, const char *client,
                                  psn_contact_change_fn *each, void *arg,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_contact_list) list = { 0 };
    struct psn_contact_run run = psn_contact_run_init(vault);
    enum psn_code rc = psn_client_get(vault, client, &run.client, err);

    if (!rc)
        rc = psn_contact_known(vault, client, &list, err);
    for (size_t i = 0; !rc && i < list.count; i++) {
        psn_contact_run_mark(&run, &list.items[i]);
        rc = each(arg, &list.items[i], err);
    }
    psn_contact_run_release(&run);
    return rc;
}

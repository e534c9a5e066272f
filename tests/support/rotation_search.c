#include "support/rotation_search.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* --- a world as a key, and back --- */

static uint64_t put(uint64_t *bits, unsigned *at, uint64_t value, unsigned width)
{
    assert(value < 1ull << width);
    *bits |= value << *at;
    *at += width;
    return *bits;
}

static uint64_t get(uint64_t bits, unsigned *at, unsigned width)
{
    uint64_t value = bits >> *at & ((1ull << width) - 1);

    *at += width;
    return value;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t failed_count(const struct psn_rotation_state *s)
{
    return (s->failed_s[0] != 0) + (uint64_t)(s->failed_s[1] != 0);
}

static uint64_t pack_state(const struct psn_rotation_state *s)
{
    uint64_t bits = 0;
    unsigned at = 0;

    put(&bits, &at, s->phase, 3);
    put(&bits, &at, s->reason, 3);
    put(&bits, &at, s->said, 3);
    put(&bits, &at, s->old_dead, 2);
    put(&bits, &at, s->cur, 3);
    put(&bits, &at, s->pend, 3);
    put(&bits, &at, s->last, 3);
    put(&bits, &at, s->old, 3);
    put(&bits, &at, s->older, 3);
    put(&bits, &at, least(s->candidates, COUNT_MAX), 2);
    put(&bits, &at, least(s->sends, COUNT_MAX), 2);
    put(&bits, &at, s->unanswered, 2);
    put(&bits, &at, s->create, 1);
    put(&bits, &at, s->taken, 1);
    put(&bits, &at, s->task_id != 0, 1);
    put(&bits, &at, s->last_send_s != 0, 1);
    put(&bits, &at, s->silent_since_s != 0, 1);
    return put(&bits, &at, failed_count(s), 2);
}

static struct psn_rotation_state unpack_state(uint64_t bits)
{
    unsigned at = 0;
    struct psn_rotation_state s = { .phase = (enum psn_rotation_phase)get(bits, &at, 3) };

    s.reason = (enum psn_rotation_reason)get(bits, &at, 3);
    s.said = (enum psn_rotation_said)get(bits, &at, 3);
    s.old_dead = (enum psn_rotation_old)get(bits, &at, 2);
    s.cur = get(bits, &at, 3);
    s.pend = get(bits, &at, 3);
    s.last = get(bits, &at, 3);
    s.old = get(bits, &at, 3);
    s.older = get(bits, &at, 3);
    s.candidates = (uint32_t)get(bits, &at, 2);
    s.sends = (uint32_t)get(bits, &at, 2);
    s.unanswered = (uint32_t)get(bits, &at, 2);
    s.create = get(bits, &at, 1);
    s.taken = get(bits, &at, 1);
    s.task_id = (int64_t)get(bits, &at, 1);
    s.last_send_s = (int64_t)get(bits, &at, 1);
    s.silent_since_s = (int64_t)get(bits, &at, 1);
    for (uint64_t n = get(bits, &at, 2); n > 0; n--)
        s.failed_s[n - 1] = 1;
    return s;
}

static uint32_t pack_run(const struct process *p)
{
    const struct psn_rotation_run *r = &p->run;
    uint64_t bits = 0;
    unsigned at = 0;

    put(&bits, &at, r->at, 4);
    put(&bits, &at, r->at == PSN_ROTATION_AT_TIMER ? r->then : 0, 4);
    put(&bits, &at, r->sends, 3);
    put(&bits, &at, r->logins, 4);
    put(&bits, &at, r->tries, 2);
    put(&bits, &at, r->again, 1);
    put(&bits, &at, r->probed, 1);
    put(&bits, &at, r->looked, 1);
    put(&bits, &at, r->task_pending, 1);
    put(&bits, &at, r->after_caches, 1);
    put(&bits, &at, r->clock_set, 1);
    put(&bits, &at, r->there, 1);
    return (uint32_t)put(&bits, &at, p->sent, 1);
}

static void unpack_run(uint32_t bits, struct process *p)
{
    struct psn_rotation_run *r = &p->run;
    unsigned at = 0;

    r->at = (enum psn_rotation_at)get(bits, &at, 4);
    r->then = (enum psn_rotation_at)get(bits, &at, 4);
    r->sends = (uint32_t)get(bits, &at, 3);
    r->logins = (uint32_t)get(bits, &at, 4);
    r->tries = (uint32_t)get(bits, &at, 2);
    r->again = get(bits, &at, 1);
    r->probed = get(bits, &at, 1);
    r->looked = get(bits, &at, 1);
    r->task_pending = get(bits, &at, 1);
    r->after_caches = get(bits, &at, 1);
    r->clock_set = get(bits, &at, 1);
    r->there = get(bits, &at, 1);
    p->sent = get(bits, &at, 1);
}

static struct key pack(const struct world *w)
{
    struct key key = { .part = { pack_state(&w->disk) } };
    unsigned at = 0;

    for (size_t i = 0; i < PROCESSES; i++) {
        if (w->process[i].run.at == PSN_ROTATION_AT_NOTHING)
            continue;
        key.part[1 + i] = pack_state(&w->process[i].mem);
        key.run[i] = pack_run(&w->process[i]);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        put(&key.outside, &at, w->net[i], 4);
        put(&key.outside, &at, w->queue[i], 4);
    }
    put(&key.outside, &at, w->actual, 3);
    put(&key.outside, &at, w->kept, 8);
    return key;
}

static struct world unpack(const struct key *key)
{
    struct world w = { .disk = unpack_state(key->part[0]) };
    unsigned at = 0;

    for (size_t i = 0; i < PROCESSES; i++) {
        w.process[i].mem = unpack_state(key->part[1 + i]);
        unpack_run(key->run[i], &w.process[i]);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        w.net[i] = (uint8_t)get(key->outside, &at, 4);
        w.queue[i] = (uint8_t)get(key->outside, &at, 4);
    }
    w.actual = (uint8_t)get(key->outside, &at, 3);
    w.kept = (uint8_t)get(key->outside, &at, 8);
    return w;
}

/* --- the set of states --- */

static void *grown(void *memory, size_t count, size_t size)
{
    void *more = realloc(memory, count * size);

    assert(more);
    return more;
}

static uint64_t hash(const struct key *key)
{
    uint64_t h = key->outside ^ (uint64_t)key->run[0] << 32 ^ key->run[1];

    for (size_t i = 0; i < sizeof key->part / sizeof *key->part; i++)
        h = (h ^ key->part[i]) * 0x9e3779b97f4a7c15u ^ h >> 29;
    h ^= h >> 32;
    return h * 0xd6e8feb86659fd93u ^ h >> 31;
}

static bool same_key(const struct key *a, const struct key *b)
{
    for (size_t i = 0; i < sizeof a->part / sizeof *a->part; i++)
        if (a->part[i] != b->part[i])
            return false;
    return a->outside == b->outside && a->run[0] == b->run[0] && a->run[1] == b->run[1];
}

static size_t find_slot(const struct search *search, const struct key *key)
{
    size_t slot = hash(key) & (search->slot_count - 1);

    while (search->slots[slot] && !same_key(&search->keys[search->slots[slot] - 1], key))
        slot = (slot + 1) & (search->slot_count - 1);
    return slot;
}

static void grow(struct search *search)
{
    if (search->count == search->room) {
        search->room = search->room ? 2 * search->room : 1024;
        search->keys = grown(search->keys, search->room, sizeof *search->keys);
        search->parents = grown(search->parents, search->room, sizeof *search->parents);
        search->labels = grown(search->labels, search->room, sizeof *search->labels);
    }
    if (2 * search->count < search->slot_count)
        return;
    search->slot_count = search->slot_count ? 2 * search->slot_count : 4096;
    free(search->slots);
    search->slots = calloc(search->slot_count, sizeof *search->slots);
    assert(search->slots);
    for (size_t i = 0; i < search->count; i++)
        search->slots[find_slot(search, &search->keys[i])] = (uint32_t)i + 1;
}

void search_release(struct search *search)
{
    free(search->keys);
    free(search->parents);
    free(search->labels);
    free(search->slots);
    free(search->edges);
    *search = (struct search){ 0 };
}

struct world search_world(const struct search *search, uint32_t number)
{
    return unpack(&search->keys[number]);
}

static void add_edge(struct search *search, uint32_t from, uint32_t to)
{
    if (search->edge_count == search->edge_room) {
        search->edge_room = search->edge_room ? 2 * search->edge_room : 4096;
        search->edges = grown(search->edges, search->edge_room, 2 * sizeof(uint32_t));
    }
    search->edges[2 * search->edge_count] = from;
    search->edges[2 * search->edge_count + 1] = to;
    search->edge_count++;
}

bool search_reach(struct search *search, uint32_t from, const struct world *to,
                  uint8_t label)
{
    struct key key = pack(to);
    size_t slot = 0;
    bool is_new = false;

    grow(search);
    slot = find_slot(search, &key);
    is_new = search->slots[slot] == 0;
    if (is_new) {
        search->keys[search->count] = key;
        search->parents[search->count] = from;
        search->labels[search->count] = label;
        search->slots[slot] = (uint32_t)++search->count;
    }
    if (search->count > 1)
        add_edge(search, from, search->slots[slot] - 1);
    return is_new;
}

/* --- progress --- */

static bool is_goal(const struct key *key)
{
    return unpack_state(key->part[0]).phase == PSN_ROTATION_STABLE && key->run[0] == 0 &&
           key->run[1] == 0;
}

/* Edges sorted by where they lead, as one array with a beginning per state. */
static uint32_t *sort_edges(const struct search *search, size_t *begins)
{
    uint32_t *from = grown(NULL, search->edge_count + 1, sizeof *from);

    begins[search->count + 1] = search->edge_count;
    for (size_t i = 0; i < search->edge_count; i++)
        begins[search->edges[2 * i + 1] + 1]++;
    for (size_t i = 1; i < search->count; i++)
        begins[i + 1] += begins[i];
    for (size_t i = search->edge_count; i > 0; i--)
        from[--begins[search->edges[2 * i - 1] + 1]] = search->edges[2 * i - 2];
    return from;
}

size_t search_count_lost(const struct search *search)
{
    size_t *begins = calloc(search->count + 2, sizeof *begins);
    bool *good = calloc(search->count, sizeof *good);
    uint32_t *todo = grown(NULL, search->count, sizeof *todo);
    uint32_t *from = NULL;
    size_t found = 0;
    size_t done = 0;

    assert(begins && good);
    from = sort_edges(search, begins);
    for (uint32_t i = 0; i < search->count; i++) {
        good[i] = is_goal(&search->keys[i]);
        if (good[i])
            todo[found++] = i;
    }
    for (; done < found; done++) {
        for (size_t e = begins[todo[done] + 1]; e < begins[todo[done] + 2]; e++) {
            if (good[from[e]])
                continue;
            good[from[e]] = true;
            todo[found++] = from[e];
        }
    }
    free(begins);
    free(good);
    free(todo);
    free(from);
    return search->count - found;
}

/* --- traces --- */

static const char *const label_names[] = { "start",
                                           "resume",
                                           "abandon",
                                           "stored",
                                           "committed",
                                           "timer",
                                           "clock set",
                                           "clock failed",
                                           "not sent",
                                           "2xx",
                                           "400",
                                           "exists",
                                           "403",
                                           "460",
                                           "404",
                                           "clock refused",
                                           "409",
                                           "429",
                                           "no answer",
                                           "no tasks",
                                           "task pending",
                                           "task gone",
                                           "tasks unreadable",
                                           "login accepted",
                                           "login refused",
                                           "login impossible",
                                           "crash",
                                           "request leaves",
                                           "request lost",
                                           "request taken",
                                           "task applied",
                                           "task fails",
                                           "changed by others" };

_Static_assert(sizeof label_names / sizeof *label_names == LABELS, "a name each");

size_t search_trace(const struct search *search, uint32_t number, bool print)
{
    size_t steps = 0;

    if (number == 0)
        return 0;
    steps = search_trace(search, search->parents[number], print);
    if (print)
        (void)printf("%s%s", steps ? "; " : "    ", label_names[search->labels[number]]);
    return steps + 1;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "core/pace.h"
#include "core/queue.h"
#include "ovh/rate.h"

/* What a bulk run decides: whose turn it is, how fast a key and a mail server are used.
 */

/* --- turns --- */

static void add(struct psn_queue *queue, const char *client, int count)
{
    char address[64];

    for (int i = 0; i < count; i++) {
        (void)snprintf(address, sizeof address, "%d@%s.example", i, client);
        assert_int_equal(psn_queue_add(queue, address, client, NULL, NULL), PSN_OK);
    }
}

/* The clients whose turn it is, as letters. */
static void take(struct psn_queue *queue, size_t most, int count, char *ret_letters)
{
    size_t index;

    for (; count > 0; count--) {
        assert_true(psn_queue_take(queue, most, &index));
        *ret_letters++ = queue->clients[queue->items[index].client].id[0];
    }
    *ret_letters = '\0';
}

static void clients_take_turns(void **state)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    char letters[16];

    (void)state;
    add(&queue, "a", 5);
    add(&queue, "b", 2);
    add(&queue, "c", 3);
    take(&queue, 8, 10, letters);
    assert_string_equal(letters, "abcabcacaa");
}

static void a_slow_client_does_not_hold_up_the_others(void **state)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    char letters[16];
    size_t index;

    (void)state;
    add(&queue, "a", 9);
    add(&queue, "b", 9);
    take(&queue, 8, 4, letters); /* two of each */
    for (int i = 0; i < 5; i++) {
        psn_queue_end(&queue, 9 + (size_t)i); /* b's end, a's never do */
        assert_true(psn_queue_take(&queue, 8, &index));
        assert_string_equal(queue.clients[queue.items[index].client].id, "b");
    }
}

static void a_client_has_its_limit_and_then_nobody_is_next(void **state)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    char letters[16];
    size_t index;

    (void)state;
    add(&queue, "a", 5);
    take(&queue, 2, 2, letters);
    assert_false(psn_queue_take(&queue, 2, &index));
    assert_int_equal(queue.waiting, 3);
    psn_queue_end(&queue, 1);
    assert_true(psn_queue_take(&queue, 2, &index));
    assert_int_equal(index, 2);
}

static void an_address_is_taken_once(void **state)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    bool known = true;

    (void)state;
    assert_int_equal(psn_queue_add(&queue, "x@a.example", "a", &known, NULL), PSN_OK);
    assert_false(known);
    assert_int_equal(psn_queue_add(&queue, "x@a.example", "a", &known, NULL), PSN_OK);
    assert_true(known);
    assert_int_equal(queue.count, 1);
}

static void what_is_held_waits_once_more(void **state)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    char letters[16];
    size_t index;

    (void)state;
    add(&queue, "a", 3);
    add(&queue, "b", 1);
    take(&queue, 8, 4, letters);
    for (size_t i = 0; i < 4; i++)
        psn_queue_end(&queue, i);
    queue.items[1].held = true;
    psn_queue_again(&queue);
    assert_int_equal(queue.waiting, 1);
    assert_true(psn_queue_take(&queue, 8, &index));
    assert_int_equal(index, 1);
    assert_false(psn_queue_take(&queue, 8, &index));
}

/* --- one key --- */

static void a_burst_is_free_and_then_each_waits_for_his_own_token(void **state)
{
    struct psn_rate rate = psn_rate_init(60, 1000);

    (void)state;
    for (int i = 0; i < 28; i++)
        assert_int_equal(psn_rate_take(&rate, 1000), 0);
    assert_in_range(psn_rate_take(&rate, 1000), 1000, 1001);
    assert_in_range(psn_rate_take(&rate, 1000), 2000, 2001);
    assert_in_range(psn_rate_take(&rate, 1500), 2500, 2501);
}

/* What a server with the same bucket makes of it, when nothing reaches it before
 * first_ms, and all that is sent later does so at once. */
static void expect_no_refusal(const int64_t *sent, size_t count, int64_t first_ms)
{
    double tokens = 30;
    int64_t at_ms = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t now_ms = sent[i] < first_ms ? first_ms : sent[i];

        tokens += (double)(now_ms - at_ms) * 600 / 60000;
        tokens = (tokens > 30 ? 30 : tokens) - 1;
        at_ms = now_ms;
        assert_true(tokens >= -0.001);
    }
}

/* Whoever comes at whatever time: a server with the same bucket never has to refuse. */
static void a_server_with_the_same_bucket_refuses_nobody(void **state)
{
    struct psn_rate rate = psn_rate_init(600, 0);
    int64_t sent[400];

    (void)state;
    for (int i = 0; i < 400; i++) {
        int64_t now_ms = i / 16 * 137; /* sixteen at once */

        sent[i] = now_ms + psn_rate_take(&rate, now_ms);
        assert_true(i == 0 || sent[i] >= sent[i - 1]);
    }
    expect_no_refusal(sent, 400, 0);
    /* Nor if the burst comes late, by less than the time of the tokens that are kept. */
    expect_no_refusal(sent, 400, 190);
}

static void without_a_limit_nobody_waits(void **state)
{
    struct psn_rate rate = psn_rate_init(0, 0);

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(psn_rate_take(&rate, 0), 0);
}

static void a_refusal_makes_everybody_pause(void **state)
{
    struct psn_rate rate = psn_rate_init(0, 0);

    (void)state;
    psn_rate_note_refused(&rate, 7, 1000);
    assert_in_range(psn_rate_take(&rate, 1000), 7000, 7001);
    assert_in_range(psn_rate_take(&rate, 1000), 14000, 14001);
    /* The other requests that were under way tell nothing new. */
    psn_rate_note_refused(&rate, 7, 1100);
    assert_in_range(psn_rate_take(&rate, 1000), 21000, 21001);
}

/* Or it would come in the midst of the pause, and be refused as well. */
static void a_turn_that_was_waited_for_is_void_when_a_pause_begins(void **state)
{
    struct psn_rate rate = psn_rate_init(60, 1000);
    unsigned pauses;

    (void)state;
    for (int i = 0; i < 28; i++)
        assert_int_equal(psn_rate_take(&rate, 1000), 0);
    assert_in_range(psn_rate_take(&rate, 1000), 1000, 1001);
    assert_in_range(psn_rate_take(&rate, 1000), 2000, 2001);
    pauses = rate.pauses;
    psn_rate_note_refused(&rate, 7, 1200); /* until 8200, then one in seven seconds */
    assert_int_not_equal(rate.pauses, pauses);
    assert_in_range(psn_rate_take(&rate, 2000), 6200, 6201);
    assert_in_range(psn_rate_take(&rate, 3000), 12200, 12202);
    assert_in_range(psn_rate_take(&rate, 9000), 13200, 13202);
}

static struct {
    struct psn_rate rate;
    int64_t now_ms;
    int sleeps;
} waiting;

static int64_t its_clock(void)
{
    return waiting.now_ms;
}

/* Somebody else is refused in the midst of the first sleep. */
static void its_sleep(int64_t wait_ms)
{
    if (waiting.sleeps++ == 0)
        psn_rate_note_refused(&waiting.rate, 7, waiting.now_ms + wait_ms / 2);
    waiting.now_ms += wait_ms;
}

static void who_waits_when_a_pause_begins_waits_for_its_end(void **state)
{
    (void)state;
    waiting.rate = psn_rate_init(60, 1000);
    waiting.now_ms = 1000;
    for (int i = 0; i < 28; i++)
        psn_rate_await(&waiting.rate, its_clock, its_sleep);
    assert_int_equal(waiting.sleeps, 0);
    psn_rate_await(&waiting.rate, its_clock, its_sleep);
    assert_int_equal(waiting.sleeps, 2);
    assert_in_range(waiting.now_ms, 8500, 8502);
}

/* Two answers of one stretch, an hour at a prompt, then another: what was answered in the
 * hour says nothing about the server. */
static void time_in_which_nothing_was_sent_is_not_measured(void **state)
{
    struct psn_rate rate = psn_rate_init(0, 0);

    (void)state;
    for (int i = 0; i < 40; i++) {
        (void)psn_rate_take(&rate, 1000 + i);
        psn_rate_note_answered(&rate);
    }
    for (int i = 0; i < 40; i++) {
        (void)psn_rate_take(&rate, 3600000 + i * 100);
        psn_rate_note_answered(&rate);
    }
    psn_rate_note_refused(&rate, 60, 3604000);
    assert_true(rate.per_ms > 2.0 / 1000); /* ten in four seconds */
    assert_true(rate.per_ms < 2.5 / 1000);
}

/* A server that allows ten a second and says so to nobody. */
static void an_unknown_rate_is_learned_with_few_refusals(void **state)
{
    struct psn_rate rate = psn_rate_init(0, 0);
    double tokens = 30;
    int64_t at_ms = 0;
    int64_t now_ms = 0;
    int refused = 0;
    int answered = 0;

    (void)state;
    while (answered < 5000) {
        now_ms += psn_rate_take(&rate, now_ms);
        tokens += (double)(now_ms - at_ms) / 100;
        tokens = tokens > 30 ? 30 : tokens;
        at_ms = now_ms;
        if (tokens >= 1) {
            tokens -= 1;
            answered++;
            psn_rate_note_answered(&rate);
        } else {
            refused++;
            psn_rate_note_refused(&rate, 1, now_ms);
        }
        now_ms += 1;
    }
    assert_in_range(refused, 1, 5000 / 100);
    assert_true(now_ms < 5000 * 100 * 5 / 4); /* within a quarter of the best */
}

static void a_learned_rate_never_exceeds_what_the_user_allows(void **state)
{
    struct psn_rate rate = psn_rate_init(60, 0);

    (void)state;
    psn_rate_note_refused(&rate, 10, 0);
    assert_true(rate.per_ms < rate.most_per_ms);
    for (int i = 0; i < 1000; i++)
        psn_rate_note_answered(&rate);
    assert_true(rate.per_ms <= rate.most_per_ms);
    assert_true(rate.per_ms > rate.most_per_ms * 0.99);
}

/* --- one mail server --- */

static void a_test_server_is_paced_by_nothing(void **state)
{
    struct psn_pace pace = psn_pace_init(true);

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(psn_pace_delay_ms(&pace, true, 0), 0);
        psn_pace_begin(&pace, i % 2);
    }
    for (int i = 0; i < 20; i++)
        psn_pace_end(&pace, i % 2, PSN_PACE_REFUSED, 10);
    assert_int_equal(psn_pace_delay_ms(&pace, true, 10), 0);
}

static void log_in(struct psn_pace *pace, bool doubtful, enum psn_pace_end end,
                   int64_t now_ms)
{
    assert_int_equal(psn_pace_delay_ms(pace, doubtful, now_ms), 0);
    psn_pace_begin(pace, doubtful);
    psn_pace_end(pace, doubtful, end, now_ms);
}

static void doubtful_logins_are_two_seconds_apart_and_hold_up_no_others(void **state)
{
    struct psn_pace pace = psn_pace_init(false);

    (void)state;
    log_in(&pace, true, PSN_PACE_REFUSED, 1000);
    assert_int_equal(psn_pace_delay_ms(&pace, true, 1500), 1500);
    log_in(&pace, false, PSN_PACE_ACCEPTED, 1500);
    log_in(&pace, true, PSN_PACE_REFUSED, 3000);
    assert_int_equal(psn_pace_delay_ms(&pace, true, 3000), 2000);
    psn_pace_begin(&pace, false);
    assert_int_equal(psn_pace_delay_ms(&pace, false, 3000), 0);
}

static void likely_logins_begin_one_at_a_time_and_become_four(void **state)
{
    struct psn_pace pace = psn_pace_init(false);

    (void)state;
    psn_pace_begin(&pace, false);
    assert_true(psn_pace_delay_ms(&pace, false, 0) > 0);
    psn_pace_end(&pace, false, PSN_PACE_ACCEPTED, 0);
    for (int i = 0; i < 9; i++)
        log_in(&pace, false, PSN_PACE_ACCEPTED, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(psn_pace_delay_ms(&pace, false, 0), 0);
        psn_pace_begin(&pace, false);
    }
    assert_true(psn_pace_delay_ms(&pace, false, 0) > 0);
}

static void an_unexpected_refusal_stops_all_and_a_burst_pays_for_each(void **state)
{
    struct psn_pace pace = psn_pace_init(false);

    (void)state;
    for (int i = 0; i < 9; i++)
        log_in(&pace, false, PSN_PACE_ACCEPTED, 0);
    for (int i = 0; i < 4; i++)
        psn_pace_begin(&pace, false);
    for (int i = 0; i < 4; i++)
        psn_pace_end(&pace, false, PSN_PACE_REFUSED, 1000);
    assert_int_equal(psn_pace_delay_ms(&pace, false, 1000), 8000);
    assert_int_equal(psn_pace_delay_ms(&pace, true, 1000), 8000);
    psn_pace_begin(&pace, false); /* and then one at a time again */
    assert_true(psn_pace_delay_ms(&pace, false, 9001) > 0);
}

static void no_answer_costs_no_pause(void **state)
{
    struct psn_pace pace = psn_pace_init(false);

    (void)state;
    log_in(&pace, false, PSN_PACE_NO_ANSWER, 1000);
    log_in(&pace, true, PSN_PACE_NO_ANSWER, 1000);
    log_in(&pace, true, PSN_PACE_ACCEPTED, 1000);
    assert_int_equal(psn_pace_delay_ms(&pace, true, 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_take_turns),
        cmocka_unit_test(a_slow_client_does_not_hold_up_the_others),
        cmocka_unit_test(a_client_has_its_limit_and_then_nobody_is_next),
        cmocka_unit_test(an_address_is_taken_once),
        cmocka_unit_test(what_is_held_waits_once_more),
        cmocka_unit_test(a_burst_is_free_and_then_each_waits_for_his_own_token),
        cmocka_unit_test(a_server_with_the_same_bucket_refuses_nobody),
        cmocka_unit_test(without_a_limit_nobody_waits),
        cmocka_unit_test(a_refusal_makes_everybody_pause),
        cmocka_unit_test(a_turn_that_was_waited_for_is_void_when_a_pause_begins),
        cmocka_unit_test(who_waits_when_a_pause_begins_waits_for_its_end),
        cmocka_unit_test(time_in_which_nothing_was_sent_is_not_measured),
        cmocka_unit_test(an_unknown_rate_is_learned_with_few_refusals),
        cmocka_unit_test(a_learned_rate_never_exceeds_what_the_user_allows),
        cmocka_unit_test(a_test_server_is_paced_by_nothing),
        cmocka_unit_test(doubtful_logins_are_two_seconds_apart_and_hold_up_no_others),
        cmocka_unit_test(likely_logins_begin_one_at_a_time_and_become_four),
        cmocka_unit_test(an_unexpected_refusal_stops_all_and_a_burst_pays_for_each),
        cmocka_unit_test(no_answer_costs_no_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

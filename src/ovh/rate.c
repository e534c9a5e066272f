/*
 * Learning. What was answered between two refusals, at which the server's bucket was
 * empty, is what came into it in that time: its rate. Before the first one it was full,
 * and held what OVH's hold, as far as is known. Where too little was answered to measure
 * it, there is one request for each Retry-After, which an honest one allows, and the rate
 * grows fast. One that was measured grows slowly, as the bucket may have run over
 * meanwhile; and one that was measured after that so slowly that one request in 500 is
 * refused at most.
 */
#include "ovh/rate.h"

/*
 * Two of the server's 30 are not used. A bucket that is emptied to the last token is
 * refused as soon as one of its first requests was longer on its way than a later one:
 * the server, too, began to fill up that much later. A refusal costs a pause and the
 * rate, two tokens cost the time of two requests, once.
 */
enum {
    SERVER_BURST = 30,
    RESERVE = 2,
    BURST = SERVER_BURST - RESERVE,
    RETRY_AFTER_MAX_S = 60,
    IDLE_MS = 10000,
    MEASURED_MIN_MS = 500, /* in less, one request more or less says too much */
    MS = 1000,
};

static const double fast_growth = 1.05;
static const double slow_growth = 1.002;
static const double slowest_growth = 1.0002;
static const double caution = 0.95; /* of what was measured */

struct psn_rate psn_rate_init(double per_min, int64_t now_ms)
{
    double per_ms = per_min / (60.0 * MS);

    return (struct psn_rate){
        .per_ms = per_ms, .most_per_ms = per_ms, .tokens = BURST, .at_ms = now_ms
    };
}

static void refill(struct psn_rate *rate, int64_t now_ms)
{
    if (now_ms > rate->at_ms) {
        rate->tokens += (double)(now_ms - rate->at_ms) * rate->per_ms;
        rate->at_ms = now_ms;
    }
    if (rate->tokens > BURST)
        rate->tokens = BURST;
}

int64_t psn_rate_take(struct psn_rate *rate, int64_t now_ms)
{
    int64_t quiet_ms = rate->quiet_until_ms - now_ms;
    int64_t owed_ms = 0;

    /* While nothing is sent, the server's bucket fills, and then runs over. */
    if (rate->since_ms == 0 || now_ms - rate->taken_ms > IDLE_MS) {
        rate->since_ms = now_ms;
        rate->answered = 0;
        rate->began_full = true;
    }
    rate->taken_ms = now_ms;
    if (quiet_ms < 0)
        quiet_ms = 0;
    if (rate->per_ms <= 0)
        return quiet_ms;
    refill(rate, now_ms);
    rate->tokens -= 1;
    /* A debt is paid by waiting; what was waited is credited at the next call. */
    if (rate->tokens < 0)
        owed_ms = (int64_t)(-rate->tokens / rate->per_ms) + 1;
    return quiet_ms + owed_ms;
}

void psn_rate_await(struct psn_rate *rate, int64_t (*clock_ms)(void),
                    void (*sleep_ms)(int64_t))
{
    unsigned pauses;

    do {
        int64_t wait_ms = psn_rate_take(rate, clock_ms());

        pauses = rate->pauses;
        if (wait_ms > 0)
            sleep_ms(wait_ms);
    } while (pauses != rate->pauses);
}

/* What the server seems to allow; 0: too little is known. */
static double measured_per_ms(const struct psn_rate *rate, int64_t now_ms)
{
    double room = rate->began_full ? SERVER_BURST : 0;
    int64_t elapsed_ms = now_ms - rate->since_ms;

    if (rate->since_ms == 0 || elapsed_ms < MEASURED_MIN_MS || rate->answered <= room)
        return 0;
    return caution * (rate->answered - room) / (double)elapsed_ms;
}

void psn_rate_note_refused(struct psn_rate *rate, int64_t retry_after_s, int64_t now_ms)
{
    int64_t pause_s = retry_after_s < 1 ? 1 : retry_after_s;
    double honest_per_ms;
    double per_ms;

    if (now_ms < rate->quiet_until_ms)
        return; /* sent before the pause began */
    if (pause_s > RETRY_AFTER_MAX_S)
        pause_s = RETRY_AFTER_MAX_S;
    honest_per_ms = 1.0 / (double)(pause_s * MS);
    per_ms = measured_per_ms(rate, now_ms);
    if (per_ms <= honest_per_ms)
        rate->growth = fast_growth;
    else
        rate->growth =
            rate->growth > 0 && rate->growth < fast_growth ? slowest_growth : slow_growth;
    if (per_ms < honest_per_ms)
        per_ms = honest_per_ms;
    if (rate->per_ms <= 0 || rate->per_ms > per_ms)
        rate->per_ms = per_ms;
    rate->answered = 0;
    rate->since_ms = now_ms;
    rate->began_full = false;
    /* After the pause there is one token, and the next ones come from then on. Who waits
     * already would come in the midst of the pause, and be refused, too. */
    rate->quiet_until_ms = now_ms + pause_s * MS;
    rate->at_ms = rate->quiet_until_ms;
    rate->tokens = 1;
    rate->pauses++;
}

void psn_rate_note_answered(struct psn_rate *rate)
{
    rate->answered++;
    if (rate->growth <= 0)
        return;
    rate->per_ms *= rate->growth;
    if (rate->most_per_ms > 0 && rate->per_ms > rate->most_per_ms)
        rate->per_ms = rate->most_per_ms;
}

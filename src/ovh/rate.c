/*
 * Learning. The first refusal sets one request for each Retry-After, which is what a
 * bucket with an honest Retry-After allows; from there on the rate grows fast until it is
 * refused again, and then so slowly that one request in 500 is refused at most.
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
    MS = 1000,
};

static const double fast_growth = 1.02;
static const double slow_growth = 1.0002;
static const double setback = 0.9;

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

    if (rate->per_ms <= 0)
        return quiet_ms > 0 ? quiet_ms : 0;
    refill(rate, now_ms);
    rate->tokens -= 1;
    /* A debt is paid by waiting; what was waited is credited at the next call. */
    if (rate->tokens < 0)
        owed_ms = (int64_t)(-rate->tokens / rate->per_ms) + 1;
    return owed_ms > quiet_ms ? owed_ms : (quiet_ms > 0 ? quiet_ms : 0);
}

void psn_rate_note_refused(struct psn_rate *rate, int64_t retry_after_s, int64_t now_ms)
{
    int64_t pause_s = retry_after_s < 1 ? 1 : retry_after_s;
    double honest_per_ms;

    if (now_ms < rate->quiet_until_ms)
        return; /* sent before the pause began */
    if (pause_s > RETRY_AFTER_MAX_S)
        pause_s = RETRY_AFTER_MAX_S;
    refill(rate, now_ms);
    honest_per_ms = 1.0 / (double)(pause_s * MS);
    if (rate->growth <= 0) {
        rate->growth = fast_growth;
        if (rate->per_ms <= 0 || rate->per_ms > honest_per_ms)
            rate->per_ms = honest_per_ms;
    } else {
        rate->growth = slow_growth;
        rate->per_ms *= setback;
        if (rate->per_ms < honest_per_ms)
            rate->per_ms = honest_per_ms;
    }
    if (rate->tokens > 0)
        rate->tokens = 0;
    /* The debt of those who wait already is theirs; the others begin after the pause. */
    rate->quiet_until_ms = now_ms + pause_s * MS;
}

void psn_rate_note_answered(struct psn_rate *rate)
{
    if (rate->growth <= 0)
        return;
    rate->per_ms *= rate->growth;
    if (rate->most_per_ms > 0 && rate->per_ms > rate->most_per_ms)
        rate->per_ms = rate->most_per_ms;
}

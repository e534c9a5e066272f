#ifndef PSN_OVH_RATE_H
#define PSN_OVH_RATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How fast one consumer key may be used: a token bucket, which is a pure function of the
 * times it is told. With a limit that is known no request is refused; where OVH refuses
 * one all the same (429, 503), everybody who shares the key pauses, and the rate that
 * OVH seems to allow is learned.
 */
struct psn_rate {
    double per_ms;      /* tokens; 0: no limit */
    double most_per_ms; /* what the user allows; 0: no limit */
    double tokens;      /* below 0: they are owed, and waited for */
    int64_t at_ms;
    int64_t taken_ms;       /* the last one */
    int64_t quiet_until_ms; /* nobody sends before */
    unsigned pauses;        /* each ends every turn that was not taken yet */
    double growth;          /* of per_ms, after each answer; 0: no refusal was met */
    /* Answers since the server's bucket was full, or, at a refusal, empty. */
    double answered;
    int64_t since_ms; /* 0: nothing was sent yet */
    bool began_full;
};
struct psn_rate psn_rate_init(double per_min, int64_t now_ms);

/* Takes a token. Returns how long its taker has to wait before he may use it: each later
 * one waits longer, so they come in their order. Where a pause began while he waited, his
 * token is void: he takes another. */
int64_t psn_rate_take(struct psn_rate *rate, int64_t now_ms);

/* Takes tokens and waits, until one is good. */
void psn_rate_await(struct psn_rate *rate, int64_t (*clock_ms)(void),
                    void (*sleep_ms)(int64_t));

/* A request was refused for its number; retry_after_s as OVH said, or -1. */
void psn_rate_note_refused(struct psn_rate *rate, int64_t retry_after_s, int64_t now_ms);
/* A request was answered otherwise. */
void psn_rate_note_answered(struct psn_rate *rate);

#endif

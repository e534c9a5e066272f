#include "core/pace.h"

#include <assert.h>

enum {
    REFUSED_PAUSE_MS = 2000,
    ROOM_MAX = 4,
    ASK_AGAIN_MS = 50, /* while others are at it */
};

struct psn_pace psn_pace_init(bool is_free)
{
    return (struct psn_pace){ .is_free = is_free, .room = 1 };
}

int64_t psn_pace_delay_ms(const struct psn_pace *pace, bool doubtful, int64_t now_ms)
{
    if (pace->is_free)
        return 0;
    if (now_ms < pace->halted_until_ms)
        return pace->halted_until_ms - now_ms;
    if (doubtful && now_ms < pace->refused_until_ms)
        return pace->refused_until_ms - now_ms;
    if (doubtful ? pace->doubtful_inside > 0 : pace->inside >= pace->room)
        return ASK_AGAIN_MS;
    return 0;
}

void psn_pace_begin(struct psn_pace *pace, bool doubtful)
{
    if (doubtful)
        pace->doubtful_inside++;
    else
        pace->inside++;
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void psn_pace_end(struct psn_pace *pace, bool doubtful, enum psn_pace_end end,
                  int64_t now_ms)
{
    assert((doubtful ? pace->doubtful_inside : pace->inside) > 0);
    if (doubtful)
        pace->doubtful_inside--;
    else
        pace->inside--;
    if (end == PSN_PACE_REFUSED) {
        pace->refused_until_ms =
            later_of(pace->refused_until_ms, now_ms) + REFUSED_PAUSE_MS;
        if (doubtful)
            return;
        pace->halted_until_ms = pace->refused_until_ms;
        pace->room = 1;
    } else if (end == PSN_PACE_ACCEPTED && !doubtful && pace->room < ROOM_MAX) {
        pace->room++;
    }
}

#ifndef PSN_CLI_KEY_SHOW_H
#define PSN_CLI_KEY_SHOW_H

#include "cli/cli.h"

/* What is known of a client's API keys: `client show` and `status` show it alike. */

enum cli_key_state {
    CLI_KEY_GOOD,
    CLI_KEY_EXPIRING, /* in less than 14 days; a key for cuts always is, and is not */
    CLI_KEY_EXPIRED,
    CLI_KEY_ASKED, /* waits for the owner's approval */
};

struct cli_key {
    enum psn_key_use use;
    enum cli_key_state state;
    int64_t expires_s;  /* 0: never, or not known */
    int64_t last_use_s; /* as OVH said … */
    int64_t read_s;     /* … then */
};

enum {
    CLI_KEYS_MAX = 2 * PSN_KEY_USES,
};

/* The keys that a client has, the one for the daily work if it is linked, or waits for;
 * returns how many. */
size_t cli_keys_of(bool linked, int64_t expires_s, const struct psn_client_keys *keys,
                   struct cli_key ret_keys[CLI_KEYS_MAX]);

/* "good", "expiring", "expired", "pending", as in JSON. */
const char *cli_key_state_word(enum cli_key_state state);
/* In the user's language, with what to do; "" for a good one. */
const char *cli_key_remark(const struct cli_key *key, char *out, size_t size);

void cli_key_json(struct cli_json *json, const char *client, const struct cli_key *key);

#endif

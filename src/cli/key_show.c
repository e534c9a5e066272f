#include "cli/key_show.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/linking.h"

enum {
    DAY_S = 24 * 3600,
};

static enum cli_key_state state_of(int64_t expires_s, enum psn_key_use use)
{
    int64_t now_s = psn_clock_now_s();

    if (expires_s == 0 || expires_s - now_s >= PSN_KEY_SOON_S)
        return CLI_KEY_GOOD;
    if (expires_s <= now_s)
        return CLI_KEY_EXPIRED;
    return use == PSN_KEY_CUT ? CLI_KEY_GOOD : CLI_KEY_EXPIRING;
}

size_t cli_keys_of(bool linked, int64_t expires_s, const struct psn_client_keys *keys,
                   struct cli_key ret_keys[CLI_KEYS_MAX])
{
    size_t count = 0;

    if (linked)
        ret_keys[count++] = (struct cli_key){ .use = PSN_KEY_WORK,
                                              .state = state_of(expires_s, PSN_KEY_WORK),
                                              .expires_s = expires_s,
                                              .last_use_s = keys->last_use_s,
                                              .read_s = keys->read_s };
    if (keys->cut_expires_s)
        ret_keys[count++] =
            (struct cli_key){ .use = PSN_KEY_CUT,
                              .state = state_of(keys->cut_expires_s, PSN_KEY_CUT),
                              .expires_s = keys->cut_expires_s };
    for (int use = 0; use < PSN_KEY_USES; use++)
        if (keys->asked_s[use])
            ret_keys[count++] = (struct cli_key){ .use = (enum psn_key_use)use,
                                                  .state = CLI_KEY_ASKED,
                                                  .read_s = keys->asked_s[use] };
    return count;
}

const char *cli_key_state_word(enum cli_key_state state)
{
    switch (state) {
    case CLI_KEY_GOOD:
        break;
    case CLI_KEY_EXPIRING:
        return "expiring";
    case CLI_KEY_EXPIRED:
        return "expired";
    case CLI_KEY_ASKED:
        return "pending";
    }
    return "good";
}

const char *cli_key_remark(const struct cli_key *key, char *out, size_t size)
{
    unsigned long days = 0;

    out[0] = '\0';
    switch (key->state) {
    case CLI_KEY_GOOD:
        break;
    case CLI_KEY_EXPIRING:
        days = (unsigned long)((key->expires_s - psn_clock_now_s() + DAY_S - 1) / DAY_S);
        (void)snprintf(out, size,
                       PSN_NGETTEXT("ends within %lu day: ask for a new one",
                                    "ends within %lu days: ask for a new one", days),
                       days);
        break;
    case CLI_KEY_EXPIRED:
        (void)snprintf(out, size, "%s", _("has ended"));
        break;
    case CLI_KEY_ASKED:
        (void)snprintf(out, size, "%s", _("waits for the owner's approval"));
        break;
    }
    return out;
}

void cli_key_json(struct cli_json *json, const char *client, const struct cli_key *key)
{
    cli_json_open(json, NULL, '{');
    if (client)
        cli_json_text(json, "client", client);
    cli_json_text(json, "for", cli_key_use_word(key->use));
    cli_json_text(json, "state", cli_key_state_word(key->state));
    cli_json_time(json, "expires_at", key->expires_s);
    cli_json_time(json, "last_use_at", key->last_use_s);
    cli_json_time(json, key->state == CLI_KEY_ASKED ? "asked_at" : "read_at",
                  key->read_s);
    cli_json_close(json, '}');
}

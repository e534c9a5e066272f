#include "core/key_rate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct psn_key_rate {
    struct psn_key_rate *next;
    char client[PSN_CLIENT_ID_MAX];
    enum psn_key_use use;
    struct psn_rate rate;
};

void psn_key_rates_free(struct psn_key_rate *rates)
{
    while (rates) {
        struct psn_key_rate *next = rates->next;

        free(rates);
        rates = next;
    }
}

struct psn_rate *psn_key_rate(struct psn_vault *vault, const char *client,
                              enum psn_key_use use)
{
    struct psn_key_rate *found = vault->rates;

    while (found && (found->use != use || strcmp(found->client, client) != 0))
        found = found->next;
    if (!found) {
        found = calloc(1, sizeof *found);
        if (!found)
            return NULL;
        (void)snprintf(found->client, sizeof found->client, "%s", client);
        found->use = use;
        found->next = vault->rates;
        vault->rates = found;
    }
    return &found->rate;
}

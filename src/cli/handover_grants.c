#include "cli/handover_grants.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

static enum psn_code keep(void *arg, const struct psn_grant *grant, struct psn_error *err)
{
    struct cli_handover_grants *grants = arg;
    enum psn_code rc;

    if (grant->state != PSN_GRANT_ACTIVE || strcmp(grant->client, grants->client) != 0 ||
        strcmp(grant->person, grants->to) == 0)
        return PSN_OK;
    rc = PSN_GROW(grants->items, grants->count, err);
    if (!rc)
        grants->items[grants->count++] = *grant;
    return rc;
}

enum psn_code cli_handover_grants_read(struct cli *cli,
                                       const struct psn_handover *handover,
                                       struct cli_handover_grants *grants,
                                       struct psn_error *err)
{
    enum psn_code rc;

    *grants =
        (struct cli_handover_grants){ .client = handover->client, .to = handover->to };
    rc = psn_grant_each(cli->vault, NULL, NULL, 0, keep, grants, err);
    if (rc)
        cli_handover_grants_release(grants);
    return rc;
}

void cli_handover_grants_release(struct cli_handover_grants *grants)
{
    free(grants->items);
    *grants = (struct cli_handover_grants){ 0 };
}

size_t cli_handover_grants_text(const struct cli_handover_grants *grants, size_t from,
                                struct psn_buf *out)
{
    const char *person = grants->items[from].person;
    size_t at = from;

    psn_buf_format(out, _("%s still has a grant ("), person);
    for (; at < grants->count && strcmp(grants->items[at].person, person) == 0; at++)
        psn_buf_format(out, "%s%s", at > from ? ", " : "", grants->items[at].address);
    psn_buf_format(out, _("): passation revoke %s"), person);
    return at;
}

void cli_handover_grants_json(const struct cli_handover_grants *grants,
                              struct cli_json *json)
{
    cli_json_open(json, "grants", '[');
    for (size_t i = 0; i < grants->count; i++) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "person", grants->items[i].person);
        cli_json_text(json, "address", grants->items[i].address);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

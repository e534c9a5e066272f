#include "cli/handed.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

void cli_handed_release(struct cli_handed *handed)
{
    free(handed->items);
    *handed = (struct cli_handed){ 0 };
}

static enum psn_code collect(void *arg, const struct psn_exposure *exposure,
                             struct psn_error *err)
{
    struct cli_handed *handed = arg;
    enum psn_code rc = PSN_GROW(handed->items, handed->count, err);

    if (!rc)
        handed->items[handed->count++] = *exposure;
    return rc;
}

enum psn_code cli_handed_read(struct cli *cli, const char *person,
                              struct cli_handed *ret_handed, struct psn_error *err)
{
    struct cli_handed handed = { 0 };
    enum psn_code rc = psn_handed_each(cli->vault, person, collect, &handed, err);

    if (rc)
        cli_handed_release(&handed);
    else
        *ret_handed = handed;
    return rc;
}

void cli_handed_tell(const struct cli *cli, const struct cli_handed *handed,
                     const char *address)
{
    for (size_t i = 0; i < handed->count; i++) {
        const struct psn_exposure *at = &handed->items[i];

        if (address && strcmp(at->address, address) != 0)
            continue;
        if (at->label[0])
            cli_note(cli,
                     _("%s, %s: %s still knows it; '%s' has received it, so that it is "
                       "the client's to change"),
                     CLI_SHOWN(at->address), CLI_SHOWN(at->label), CLI_SHOWN(at->person),
                     at->client);
        else
            cli_note(cli,
                     _("%s: %s still knows the password; '%s' has received it, so that "
                       "it is the client's to change"),
                     CLI_SHOWN(at->address), CLI_SHOWN(at->person), at->client);
    }
}

void cli_handed_json(struct cli_json *json, const char *name,
                     const struct cli_handed *handed)
{
    cli_json_open(json, name, '[');
    for (size_t i = 0; i < handed->count; i++) {
        const struct psn_exposure *at = &handed->items[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "person", at->person);
        cli_json_text(json, "address", at->address);
        cli_json_text(json, "client", at->client);
        cli_json_text(json, "label", at->label[0] ? at->label : NULL);
        cli_json_number(json, "version", (int64_t)at->version);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

enum psn_code cli_handed_hint(const struct cli_handed *handed, struct psn_error *err)
{
    return psn_hint(err, PSN_E_FINDINGS,
                    _("ask the client to change it: the handover's statement names %s; "
                      "if the work goes on after all: passation handover abandon %s"),
                    CLI_SHOWN(handed->items[0].person), handed->items[0].client);
}

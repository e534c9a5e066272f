#include "cli/knowing.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    NAMES_MAX = 64 * 1024
};

struct knowing {
    struct cli *cli;
    const char *client;           /* or NULL */
    bool is_now;                  /* only what is current, not what is not proved dead */
    char self[PSN_PERSON_ID_MAX]; /* whoever asks knows that he does */
    struct psn_buf names;
    char looked_at[PSN_ADDRESS_TEXT_MAX]; /* last, and what was seen */
    bool gone;
};

static bool is_listed(const char *names, const char *id)
{
    size_t size = strlen(id);

    for (const char *at = names; (at = strstr(at, id)); at += size)
        if ((at == names || at[-1] == ' ') && (at[size] == ',' || at[size] == '\0'))
            return true;
    return false;
}

/* Nobody gets into a mailbox that OVH does not have any more. */
static bool is_gone(struct knowing *knowing, const char *address)
{
    struct psn_role role = { 0 };

    if (strcmp(knowing->looked_at, address) != 0) {
        (void)snprintf(knowing->looked_at, sizeof knowing->looked_at, "%s", address);
        knowing->gone =
            !psn_role_get(knowing->cli->vault, address, &role, NULL) && role.gone_s;
    }
    return knowing->gone;
}

static enum psn_code add_knowing(void *arg, const struct psn_exposure *exposure,
                                 struct psn_error *err)
{
    struct knowing *knowing = arg;
    struct psn_buf *names = &knowing->names;

    (void)err;
    if (!exposure->in_force || exposure->label[0] ||
        (knowing->is_now && exposure->dying) ||
        strcmp(exposure->person, knowing->self) == 0 ||
        (knowing->client && strcmp(exposure->client, knowing->client) != 0) ||
        is_gone(knowing, exposure->address))
        return PSN_OK;
    if (!names->size || !is_listed(psn_buf_str(names), exposure->person))
        psn_buf_format(names, "%s%s", names->size ? ", " : "", exposure->person);
    return PSN_OK;
}

static enum psn_code note_self(void *arg, const struct psn_slot *slot,
                               struct psn_error *err)
{
    struct knowing *knowing = arg;

    (void)err;
    if (slot->in_use)
        memcpy(knowing->self, slot->person, sizeof knowing->self);
    return PSN_OK;
}

static enum psn_code warn(struct cli *cli, const struct knowing *knowing,
                          const char *address, struct psn_error *err)
{
    enum psn_code rc = psn_buf_check(&knowing->names, err);

    if (rc || knowing->names.size == 0)
        return rc;
    if (address)
        cli_warn(cli,
                 _("%s: who has seen its password still gets in until it is changed at "
                   "OVH: %s"),
                 CLI_SHOWN(address), psn_buf_str(&knowing->names));
    else
        cli_warn(cli,
                 _("%s: who has seen a password of its mailboxes still gets in until it "
                   "is changed at OVH: %s"),
                 CLI_SHOWN(knowing->client), psn_buf_str(&knowing->names));
    return PSN_OK;
}

static enum psn_code warn_back(struct cli *cli, const struct knowing *knowing,
                               const char *address, struct psn_error *err)
{
    enum psn_code rc = psn_buf_check(&knowing->names, err);

    if (rc || knowing->names.size == 0)
        return rc;
    cli_warn(cli,
             _("%s: this password may be known from before to %s; replace it: passation "
               "rotate %s"),
             CLI_SHOWN(address), psn_buf_str(&knowing->names), CLI_SHOWN(address));
    return PSN_OK;
}

static enum psn_code find_knowing(struct cli *cli, const char *address,
                                  struct knowing *knowing, struct psn_error *err)
{
    enum psn_code rc = psn_slot_each(cli->vault, note_self, knowing, err);

    return rc ? rc
              : psn_exposure_each(cli->vault, NULL, address, add_knowing, knowing, err);
}

enum psn_code cli_knowing_warn_back(struct cli *cli, const char *address,
                                    struct psn_error *err)
{
    struct knowing knowing = { .cli = cli,
                               .is_now = true,
                               .names = psn_buf_init(NAMES_MAX) };
    enum psn_code rc = find_knowing(cli, address, &knowing, err);

    if (!rc)
        rc = warn_back(cli, &knowing, address, err);
    psn_buf_release(&knowing.names);
    return rc;
}

enum psn_code cli_knowing_warn(struct cli *cli, const char *client, const char *address,
                               struct psn_error *err)
{
    struct knowing knowing = { .cli = cli,
                               .client = address ? NULL : client,
                               .names = psn_buf_init(NAMES_MAX) };
    enum psn_code rc = find_knowing(cli, address, &knowing, err);

    if (!rc)
        rc = warn(cli, &knowing, address, err);
    psn_buf_release(&knowing.names);
    return rc;
}

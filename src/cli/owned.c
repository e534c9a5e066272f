#include "cli/owned.h"

#include <string.h>

#include "base/allow.h"

struct owned {
    struct cli *cli;
    struct cli_json *json; /* or NULL */
    const char *person;    /* NULL: whoever it is */
    char first[PSN_CLIENT_ID_MAX];
    size_t count;
};

/* Somebody who is leaving, or is not there, owns nothing. */
static bool is_owned(struct cli *cli, const struct psn_client *client)
{
    struct psn_person owner;

    return client->owner[0] && !psn_person_get(cli->vault, client->owner, &owner, NULL) &&
           !owner.departing_s;
}

void cli_owned_settle(struct cli *cli, struct psn_client *client)
{
    if (!is_owned(cli, client))
        client->owner[0] = '\0';
}

static enum psn_code tell(void *arg, const struct psn_client *client,
                          struct psn_error *err)
{
    struct owned *owned = arg;

    (void)err;
    if ((owned->person && strcmp(client->owner, owned->person) != 0) ||
        !is_owned(owned->cli, client))
        return PSN_OK;
    if (owned->count++ == 0)
        memcpy(owned->first, client->id, sizeof owned->first);
    if (owned->json)
        cli_json_text(owned->json, NULL, client->id);
    else if (owned->person)
        cli_note(owned->cli,
                 _("%s owns the accesses of %s: what they know of it is not due"),
                 CLI_SHOWN(owned->person), client->id);
    return PSN_OK;
}

enum psn_code cli_owned_tell(struct cli *cli, const char *person, struct psn_error *err)
{
    struct owned owned = { .cli = cli, .person = person };

    return psn_client_each(cli->vault, tell, &owned, err);
}

enum psn_code cli_owned_json(struct cli *cli, struct cli_json *json, const char *name,
                             const char *person, struct psn_error *err)
{
    struct owned owned = { .cli = cli, .json = json, .person = person };
    enum psn_code rc;

    cli_json_open(json, name, '[');
    rc = psn_client_each(cli->vault, tell, &owned, err);
    cli_json_close(json, ']');
    return rc;
}

static enum psn_code tell_count(struct cli *cli, struct psn_error *err)
{
    struct owned owned = { .cli = cli };
    enum psn_code rc = psn_client_each(cli->vault, tell, &owned, err);

    if (!rc && owned.count)
        cli_note(cli,
                 PSN_NGETTEXT("%zu client's accesses belong to its owner, who may know "
                              "them and is not listed here: passation client show %s",
                              "The accesses of %zu clients belong to their owners, who "
                              "may know them and are not listed here; one of them: "
                              "passation client show %s",
                              owned.count),
                 owned.count, owned.first);
    return rc;
}

enum psn_code cli_owner_of_tell(struct cli *cli, const char *client,
                                struct psn_error *err)
{
    struct psn_client facts = psn_client_init();
    enum psn_code rc = psn_client_get(cli->vault, client, &facts, err);

    if (!rc && is_owned(cli, &facts))
        cli_note(cli, _("%s owns the accesses of %s: what they know of it is not due"),
                 CLI_SHOWN(facts.owner), facts.id);
    psn_client_release(&facts);
    return rc;
}

enum psn_code cli_owner_tell(struct cli *cli, const char *address, struct psn_error *err)
{
    struct psn_role role;
    bool is_none;
    enum psn_code rc;

    if (!address)
        return tell_count(cli, err);
    rc = psn_allow(PSN_E_NOT_FOUND, psn_role_get(cli->vault, address, &role, err),
                   &is_none, err);
    return rc || is_none ? rc : cli_owner_of_tell(cli, role.client, err);
}

/* --- what a revocation leaves --- */

struct known {
    struct cli *cli;
    const char *person;
    char client[PSN_CLIENT_ID_MAX]; /* where he knows something in force */
    bool is_owned;
};

static enum psn_code look(void *arg, const struct psn_exposure *exposure,
                          struct psn_error *err)
{
    struct known *known = arg;
    struct psn_client client = psn_client_init();
    enum psn_code rc;

    if (known->is_owned || !exposure->in_force ||
        strcmp(exposure->client, known->client) == 0)
        return PSN_OK;
    memcpy(known->client, exposure->client, sizeof known->client);
    rc = psn_client_get(known->cli->vault, known->client, &client, err);
    known->is_owned =
        !rc && strcmp(client.owner, known->person) == 0 && is_owned(known->cli, &client);
    psn_client_release(&client);
    return rc;
}

static enum psn_code hint(const struct known *known, const struct psn_client *client,
                          struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_FINDINGS,
                   _("'%s' owns the accesses of '%s', so what they know of it was not "
                     "replaced"),
                   known->person, client->id);
    if (client->handover_s)
        return psn_hint(err, PSN_E_FINDINGS,
                        _("give the handover up first: passation handover abandon %s"),
                        client->id);
    if (client->envelope_s)
        return psn_hint(err, PSN_E_FINDINGS,
                        _("end the envelope first: passation envelope end %s"),
                        client->id);
    return psn_hint(err, PSN_E_FINDINGS, _("if they leave: passation depart %s"),
                    known->person);
}

enum psn_code cli_owned_fail_known(struct cli *cli, const char *person,
                                   struct psn_error *err)
{
    struct known known = { .cli = cli, .person = person };
    struct psn_client client = psn_client_init();
    enum psn_code rc = psn_exposure_each(cli->vault, person, NULL, look, &known, err);

    if (!rc && known.is_owned) {
        rc = psn_client_get(cli->vault, known.client, &client, err);
        if (!rc)
            rc = hint(&known, &client, err);
    }
    psn_client_release(&client);
    return rc;
}

/*
 * The contacts of services: who is administrator or technical contact of a domain, its
 * zone, its mail or its hosting may give himself any of its mailboxes. A contact is not
 * removed but replaced, by the account's own; both sides have to agree.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "ovh/inventory_parts.h"

static const struct {
    const char *word;
    const char *shown;
    enum psn_danger danger; /* if it is another account */
} contacts[PSN_CONTACT_ROLES] = {
    [PSN_CONTACT_ADMIN] = { "admin", N_("admin"), PSN_DANGER_DANGER },
    [PSN_CONTACT_TECH] = { "tech", N_("tech"), PSN_DANGER_DANGER },
    [PSN_CONTACT_BILLING] = { "billing", N_("billing"), PSN_DANGER_NOTICE },
};

/* The administrator replaces all three, the others only themselves. */
static enum psn_code set_change(const struct psn_walk *walk,
                                const struct psn_contact_place *place, const char *admin,
                                const char *member, struct psn_finding *finding,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) body = psn_buf_init(sizeof finding->body - 1);

    if (!place->change || !walk->nic[0] || !psn_contact_is_nic(walk->nic)) {
        psn_walk_set_obstacle(finding, N_("OVH has no call for it here; replace the "
                                          "contact in the OVH control panel"));
        return PSN_OK;
    }
    if (strcasecmp(admin, walk->nic) != 0) {
        psn_walk_set_obstacle(finding, N_("only the administrator of the service can "
                                          "replace its contacts"));
        return PSN_OK;
    }
    psn_buf_format(&body, "{\"%s\":\"%s\"}", member, walk->nic);
    if (body.failed) {
        psn_walk_set_obstacle(finding,
                              N_("its name is too long to be told to OVH; remove "
                                 "it in the OVH control panel"));
        return body.failed == PSN_E_NOMEM ? psn_buf_check(&body, err) : PSN_OK;
    }
    memcpy(finding->body, psn_buf_str(&body), body.size + 1);
    return psn_walk_set_removal(finding, "POST", place->change, place->parts, err);
}

static enum psn_code report(const struct psn_walk *walk,
                            const struct psn_contact_place *place,
                            char nics[PSN_CONTACT_ROLES][PSN_WALK_NAME_SIZE], size_t i,
                            struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_CONTACT };
    bool is_other = psn_walk_is_other_account(walk, nics[i]);
    enum psn_code rc;

    if (psn_walk_skips_account(walk, nics[i]))
        return PSN_OK;
    psn_walk_cut(finding.subject, sizeof finding.subject, place->subject);
    psn_walk_set_whose(&finding, nics[i]);
    psn_detail_say(&detail, contacts[i].shown, PSN_OVH_PARTS(NULL));
    psn_detail_add(&detail, PSN_OVH_PARTS(" ", nics[i]));
    if (place->what) {
        psn_detail_add(&detail, PSN_OVH_PARTS(", "));
        psn_detail_say(&detail, place->what, PSN_OVH_PARTS(NULL));
    }
    finding.external = is_other;
    finding.danger = is_other ? contacts[i].danger : PSN_DANGER_INFO;
    rc = set_change(walk, place, nics[PSN_CONTACT_ADMIN], psn_contact_members[i],
                    &finding, err);
    return rc ? rc
              : psn_walk_report(walk, &finding, place->id, contacts[i].word, &detail,
                                err);
}

enum psn_code psn_contact_walk_at(const struct psn_walk *walk,
                                  const struct psn_contact_place *place,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *value = NULL;
    char nics[PSN_CONTACT_ROLES][PSN_WALK_NAME_SIZE] = { "" };
    enum psn_code rc = psn_ovh_path(&path, place->infos, place->parts, err);

    /* A domain need not be registered here, nor have its zone here. */
    if (rc == PSN_OK)
        rc = place->what ? psn_walk_look_at(walk, &path, &value, err)
                         : psn_walk_look(walk, &path, &value, err);
    if (rc || !value)
        return rc;
    for (size_t i = 0; rc == PSN_OK && i < PSN_CONTACT_ROLES; i++)
        rc = psn_json_text_or_empty(value, psn_contact_members[i], nics[i],
                                    sizeof nics[i], err);
    for (size_t i = 0; rc == PSN_OK && i < PSN_CONTACT_ROLES; i++)
        if (nics[i][0])
            rc = report(walk, place, nics, i, err);
    return rc;
}

static enum psn_code walk_named(const struct psn_walk *walk, enum psn_contact_kind kind,
                                const char *name, struct psn_error *err)
{
    struct psn_contact_place place = *psn_contact_place_of(kind);
    char id[PSN_WALK_NAME_SIZE + 16];

    (void)snprintf(id, sizeof id, "%s/%s", place.id, name);
    place.id = id;
    place.subject = name;
    place.parts = PSN_OVH_PARTS(name);
    return psn_contact_walk_at(walk, &place, err);
}

enum psn_code psn_contact_walk(const struct psn_walk *walk, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) names = { NULL, 0 };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; rc == PSN_OK && i < walk->domain_count; i++) {
        rc = walk_named(walk, PSN_CONTACT_DOMAIN, walk->domains[i], err);
        if (rc == PSN_OK)
            rc = walk_named(walk, PSN_CONTACT_ZONE, walk->domains[i], err);
    }
    if (rc == PSN_OK)
        rc = psn_walk_names(walk, "/hosting/web", NULL, NULL, &names, err);
    for (size_t i = 0; rc == PSN_OK && i < names.count; i++)
        rc = walk_named(walk, PSN_CONTACT_HOSTING, names.items[i], err);
    return rc;
}

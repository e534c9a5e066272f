#include "support/handover_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Markup, an attribute's end, a style sheet's end, a colour, a C1 control, an override of
 * direction, a line's end, a shell's words, and a broken character. */
const char test_hostile_text[] =
    "<script>alert(1)</script>\" onload='x' </style>*/\x1b[31m\xc2\x9b\xe2\x80\xae\r\n"
    "$(touch /tmp/x)`id`'; %s%n &amp; \xff";

enum {
    NOW_S = 1795917420, /* 2026-11-29 01:57 UTC */
    DAY_S = 24 * 3600,
};

static void *list(size_t count, size_t size)
{
    void *items = calloc(count, size);

    if (!items)
        abort();
    return items;
}

#define SET(field, text) ((void)snprintf(field, sizeof(field), "%s", text))
#define SPOIL(field)     spoil(field, sizeof(field))

/* As much of it as there is room for, be it half a character. */
static void spoil(char *out, size_t size)
{
    size_t used = strlen(test_hostile_text);

    if (used >= size)
        used = size - 1;
    memcpy(out, test_hostile_text, used);
    out[used] = '\0';
}

static void set_hex(char out[65], unsigned seed)
{
    for (size_t i = 0; i < 64; i++)
        out[i] = "0123456789abcdef"[(seed * 7 + i * i * 5 + i * seed) % 16];
    out[64] = '\0';
}

static void set_people(struct psn_handover_facts *facts)
{
    SET(facts->client.id, "boulangerie-durand");
    SET(facts->client.name, "Boulangerie Durand SARL");
    SET(facts->client.nic, "bd482913-ovh");
    facts->client.domain_count = 2;
    facts->client.domains = list(2, sizeof *facts->client.domains);
    SET(facts->client.domains[0], "boulangerie-durand.fr");
    SET(facts->client.domains[1], "durand-pains.fr");
    SET(facts->to.id, "claire");
    SET(facts->to.name, "Claire Durand");
    SET(facts->to.email, "claire.durand@example.net");
    facts->to.kind = PSN_PERSON_CLIENT;
    SET(facts->by.id, "nadia");
    SET(facts->by.name, "Nadia Belkacem");
    SET(facts->by.email, "nadia@atelier-web.example");
}

static void set_terms(struct psn_handover *handover)
{
    SET(handover->client, "boulangerie-durand");
    SET(handover->to, "claire");
    SET(handover->by, "nadia");
    SET(handover->contract, "Maintenance du site n° 2023-014 du 3 avril 2023");
    SET(handover->giver, "Atelier Web SAS, SIREN 901 234 567, représentée par Nadia "
                         "Belkacem, gérante");
    SET(handover->receiver, "Boulangerie Durand SARL, SIREN 812 345 678, représentée par "
                            "Claire Durand, gérante");
    SET(handover->place, "Lyon, 12 rue des Fours, en main propre (clé USB)");
    SET(handover->identity, "présence physique et carte d’identité");
    handover->began_s = NOW_S - 19 * DAY_S;
    handover->looked_s = NOW_S - DAY_S;
    handover->serial = 3;
    handover->stage = PSN_HANDOVER_RECEIPT;
}

static void set_items(struct psn_handover *handover)
{
    static const struct {
        enum psn_handover_mode mode;
        const char *note;
    } items[PSN_HANDOVER_ITEMS] = {
        { PSN_HANDOVER_TRANSFERRED,
          "contact technique et facturation : voir le point 9" },
        { PSN_HANDOVER_TRANSFERRED, "appareil de la gérante enrôlé le 20/11/2026" },
        { PSN_HANDOVER_TRANSFERRED, "" },
        { PSN_HANDOVER_GIVEN, "fichiers de zone du 28/11/2026" },
        { PSN_HANDOVER_GIVEN, "" },
        { PSN_HANDOVER_GIVEN, "une base, mot de passe changé avec la configuration" },
        { PSN_HANDOVER_REMOVED, "deux comptes administrateurs retirés" },
        { PSN_HANDOVER_GIVEN, "cinq boîtes" },
        { PSN_HANDOVER_REMOVED, "" },
        { PSN_HANDOVER_RESERVE,
          "Stripe : la banque du client n’a pas encore validé le nouveau titulaire" },
        { PSN_HANDOVER_TRANSFERRED, "" },
        { PSN_HANDOVER_NONE, "" },
        { PSN_HANDOVER_GIVEN, "Elementor, jusqu’au 14/03/2027" },
        { PSN_HANDOVER_NONE, "" },
        { PSN_HANDOVER_GIVEN, "restauration essayée le 21/11/2026" },
        { PSN_HANDOVER_OPEN, "" },
        { PSN_HANDOVER_GIVEN, "" },
        { PSN_HANDOVER_GIVEN, "contrat de sous-traitance, documentation" },
        { PSN_HANDOVER_REMOVED, "" },
    };

    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        handover->items[i].mode = items[i].mode;
        handover->items[i].set_s = items[i].mode ? NOW_S - 4 * DAY_S : 0;
        SET(handover->items[i].note, items[i].note);
    }
}

/* One of each kind. */
static void set_blockers(struct psn_handover *handover)
{
    enum {
        COUNT = PSN_BLOCKER_COPIES + 1
    };

    handover->blockers = list(COUNT, sizeof *handover->blockers);
    handover->blocker_count = COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        struct psn_handover_blocker *at = &handover->blockers[i];

        at->block = (enum psn_handover_block)i;
        at->stage = PSN_HANDOVER_INVENTORY;
        at->who = i % 2 ? PSN_WHO_CLIENT : PSN_WHO_US;
        SET(at->address, "sav@durand-pains.fr");
        if (at->block == PSN_BLOCKER_KNOWN || at->block == PSN_BLOCKER_STALE)
            SET(at->label, "Zendesk d'accueil");
        if (at->block == PSN_BLOCKER_ITEM)
            SET(at->text, "services");
        if (at->block == PSN_BLOCKER_ACCESS)
            SET(at->text, "redirection:48213");
        if (at->block == PSN_BLOCKER_CONTACT) {
            SET(at->text, "domain boulangerie-durand.fr");
            SET(at->account, "bd482913-ovh");
            at->who = PSN_WHO_OTHER;
            at->id = 91840233;
        }
        if (at->block == PSN_BLOCKER_ONE_ROUND)
            at->until_s = NOW_S + 3700;
    }
}

static void set_secrets(struct psn_handover_facts *facts)
{
    static const struct {
        const char *address;
        const char *label;
        const char *url;
        const char *user;
        const char *expires;
        const char *proof;
    } rows[] = {
        { "commandes@boulangerie-durand.fr", "", "", "", "", "OVH task 812345671 done" },
        { "contact@boulangerie-durand.fr", "", "", "", "", "OVH task 812345672 done" },
        { "facturation@boulangerie-durand.fr", "", "", "", "",
          "OVH task 812345673 done" },
        { "facturation@boulangerie-durand.fr", "Stripe", "https://dashboard.stripe.com/",
          "compta@boulangerie-durand.fr", "", "" },
        { "sav@durand-pains.fr", "", "", "", "", "seen by a login, no task" },
        { "technique@boulangerie-durand.fr", "", "", "", "", "OVH task 812345674 done" },
        { "technique@boulangerie-durand.fr", "Elementor Pro", "https://my.elementor.com/",
          "atelier-web", "2027-03-14", "" },
        { "technique@boulangerie-durand.fr", "FTP de l’hébergement",
          "ftps://ftp.cluster031.hosting.example/www", "boulanrd-tech", "", "" },
    };

    facts->secret_count = sizeof rows / sizeof *rows;
    facts->secrets = list(facts->secret_count, sizeof *facts->secrets);
    for (size_t i = 0; i < facts->secret_count; i++) {
        struct psn_handover_secret *at = &facts->secrets[i];

        SET(at->address, rows[i].address);
        SET(at->label, rows[i].label);
        SET(at->type, "password");
        SET(at->url, rows[i].url);
        SET(at->user, rows[i].user);
        SET(at->expires, rows[i].expires);
        SET(at->proof, rows[i].proof);
        at->version = i + 2;
        at->changed_s = NOW_S - (int64_t)(i + 1) * 7000;
        set_hex(at->fingerprint, (unsigned)i + 11);
    }
}

static void set_accesses(struct psn_handover_facts *facts)
{
    static const struct {
        enum psn_finding_kind kind;
        const char *subject;
        const char *detail;
        const char *whose;
        enum psn_access_state state;
    } rows[] = {
        { PSN_FINDING_REDIRECTION, "contact@boulangerie-durand.fr", "ancien@example.com",
          "ancien@example.com", PSN_ACCESS_GONE },
        { PSN_FINDING_DELEGATION, "sav@durand-pains.fr", "stagiaire@durand-pains.fr",
          "stagiaire@durand-pains.fr", PSN_ACCESS_KEPT },
        { PSN_FINDING_CONTACT, "boulangerie-durand.fr", "tech ab12345-ovh", "ab12345-ovh",
          PSN_ACCESS_CUTTING },
        { PSN_FINDING_API_KEY, "480213", "passation, validated", "passation",
          PSN_ACCESS_OPEN },
        { PSN_FINDING_RESPONDER, "commandes@boulangerie-durand.fr", "",
          "copie@example.org", PSN_ACCESS_OPEN },
        { PSN_FINDING_FILTER, "facturation@boulangerie-durand.fr", "Factures, redirect",
          "compta@example.com", PSN_ACCESS_OPEN },
        { PSN_FINDING_MAILBOX, "no-access@boulangerie-durand.fr", "", "",
          PSN_ACCESS_OPEN },
    };

    facts->access_count = sizeof rows / sizeof *rows;
    facts->accesses = list(facts->access_count, sizeof *facts->accesses);
    for (size_t i = 0; i < facts->access_count; i++) {
        struct psn_access *at = &facts->accesses[i];

        at->finding.kind = rows[i].kind;
        SET(at->finding.id, "redirection:48213");
        SET(at->finding.subject, rows[i].subject);
        SET(at->finding.detail, rows[i].detail);
        SET(at->finding.whose, rows[i].whose);
        at->state = rows[i].state;
        at->finding.own = rows[i].kind == PSN_FINDING_API_KEY;
        at->finding.danger =
            rows[i].kind == PSN_FINDING_RESPONDER ? PSN_DANGER_INFO : PSN_DANGER_DANGER;
        at->first_s = NOW_S - 10 * DAY_S;
        at->decided_s = rows[i].state == PSN_ACCESS_OPEN ? 0 : NOW_S - 3 * DAY_S;
        at->gone_s = rows[i].state == PSN_ACCESS_GONE ? NOW_S - 2 * DAY_S : 0;
    }
}

static void set_stays(struct psn_handover_facts *facts)
{
    facts->stay_count = 3;
    facts->stays = list(3, sizeof *facts->stays);
    SET(facts->stays[0].person, "claire");
    SET(facts->stays[0].name, "Claire Durand");
    facts->stays[0].kind = PSN_PERSON_CLIENT;
    SET(facts->stays[0].address, "facturation@boulangerie-durand.fr");
    facts->stays[0].knows = true;
    SET(facts->stays[1].person, "karim");
    SET(facts->stays[1].name, "Karim Roux");
    facts->stays[1].kind = PSN_PERSON_PROVIDER;
    SET(facts->stays[1].address, "technique@boulangerie-durand.fr");
    SET(facts->stays[1].label, "FTP de l’hébergement");
    facts->stays[1].by_grant = true;
    facts->stays[1].until_s = NOW_S + 30 * DAY_S;
    SET(facts->stays[2].person, "nadia");
    facts->stays[2].kind = PSN_PERSON_TEAM;
    facts->stays[2].by_slot = true;
    facts->stays[2].knows = true;
}

static void set_contacts(struct psn_handover_facts *facts)
{
    static const char *const states[] = { "waiting", "done", "expired", "something new" };
    static const char *const services[] = { "domain boulangerie-durand.fr",
                                            "zone boulangerie-durand.fr",
                                            "email/domain durand-pains.fr",
                                            "hosting boulanrd.cluster031" };

    facts->contact_count = sizeof states / sizeof *states;
    facts->contacts = list(facts->contact_count, sizeof *facts->contacts);
    for (size_t i = 0; i < facts->contact_count; i++) {
        struct psn_handover_contact *at = &facts->contacts[i];

        SET(at->service, services[i]);
        SET(at->state, states[i]);
        SET(at->from, "ab12345-ovh");
        SET(at->to, "bd482913-ovh");
        at->task = 91840233 + (int64_t)i;
        at->at_s = NOW_S - (int64_t)(i + 1) * DAY_S;
    }
}

static void set_dates(struct psn_handover_facts *facts)
{
    facts->date_count = 3;
    facts->dates = list(3, sizeof *facts->dates);
    SET(facts->dates[0].what, "durand-pains.fr");
    SET(facts->dates[0].on, "2026-12-31");
    SET(facts->dates[1].what, "technique@boulangerie-durand.fr / Elementor Pro");
    SET(facts->dates[1].on, "2027-03-14");
    facts->dates[1].kind = PSN_DATE_SECRET;
    SET(facts->dates[2].what, "boulangerie-durand.fr");
    SET(facts->dates[2].on, "2027-06-02");
    facts->dates[2].is_renewed = true;
}

static void set_files(struct psn_handover_facts *facts)
{
    static const char *const names[] = { "trousseau.age", "trousseau.html",
                                         "trousseau.kdbx",
                                         "reglages/contact@boulangerie-durand.fr.html" };

    facts->file_count = sizeof names / sizeof *names;
    facts->files = list(facts->file_count, sizeof *facts->files);
    for (size_t i = 0; i < facts->file_count; i++) {
        SET(facts->files[i].name, names[i]);
        facts->files[i].size = 1 + i * i * 176303 + i * 900;
        facts->files[i].encrypted = i < 3;
        set_hex(facts->files[i].sha256, (unsigned)i + 71);
    }
}

static void set_journal(struct psn_handover_facts *facts)
{
    facts->head_count = 2;
    facts->heads = list(2, sizeof *facts->heads);
    SET(facts->heads[1].chain, "boulangerie-durand");
    for (size_t i = 0; i < 2; i++) {
        facts->heads[i].count = 1203 + i;
        for (size_t j = 0; j < PSN_HEAD_SIZE; j++)
            facts->heads[i].hash[j] = (uint8_t)(j * 37 + i);
    }
    SET(facts->keys.fingerprint, "SHA256:Q1cBf1cH0LZ3eJXlmJ3nQ4Lh0mV2yIYq9dVQp3VxkXA");
    SET(facts->keys.ssh,
        "ssh-ed25519 "
        "AAAAC3NzaC1lZDI1NTE5AAAAIJ8uG9y4Zm1wQ2Jt0m8b3Yp1c7Yk3v1sQ0r8uY2dX5"
        "aL");
    (void)snprintf(facts->keys.allowed_signers, sizeof facts->keys.allowed_signers,
                   "nadia namespaces=\"passation-issue,passation-file,"
                   "passation-statement\" %s",
                   facts->keys.ssh);
    SET(facts->keys.minisign, "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3");
}

/* --- every text spoilt --- */

static void spoil_handover(struct psn_handover *handover)
{
    SPOIL(handover->contract);
    SPOIL(handover->giver);
    SPOIL(handover->receiver);
    SPOIL(handover->place);
    SPOIL(handover->identity);
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++)
        SPOIL(handover->items[i].note);
    for (size_t i = 0; i < handover->blocker_count; i++) {
        SPOIL(handover->blockers[i].address);
        SPOIL(handover->blockers[i].label);
        SPOIL(handover->blockers[i].text);
        SPOIL(handover->blockers[i].account);
    }
}

static void spoil_secrets(struct psn_handover_facts *facts)
{
    for (size_t i = 0; i < facts->secret_count; i++) {
        SPOIL(facts->secrets[i].address);
        SPOIL(facts->secrets[i].label);
        SPOIL(facts->secrets[i].type);
        SPOIL(facts->secrets[i].user);
        SPOIL(facts->secrets[i].url);
        SPOIL(facts->secrets[i].expires);
        SPOIL(facts->secrets[i].proof);
    }
    for (size_t i = 0; i < facts->file_count; i++)
        SPOIL(facts->files[i].name);
}

static void spoil_rest(struct psn_handover_facts *facts)
{
    for (size_t i = 0; i < facts->access_count; i++) {
        SPOIL(facts->accesses[i].finding.subject);
        SPOIL(facts->accesses[i].finding.detail);
        SPOIL(facts->accesses[i].finding.whose);
    }
    for (size_t i = 0; i < facts->stay_count; i++) {
        SPOIL(facts->stays[i].name);
        SPOIL(facts->stays[i].address);
        SPOIL(facts->stays[i].label);
    }
    for (size_t i = 0; i < facts->contact_count; i++) {
        SPOIL(facts->contacts[i].service);
        SPOIL(facts->contacts[i].state);
        SPOIL(facts->contacts[i].from);
        SPOIL(facts->contacts[i].to);
    }
    for (size_t i = 0; i < facts->date_count; i++) {
        SPOIL(facts->dates[i].what);
        SPOIL(facts->dates[i].on);
    }
    SPOIL(facts->heads[1].chain);
    SPOIL(facts->client.name);
    SPOIL(facts->client.nic);
    SPOIL(facts->client.domains[0]);
    SPOIL(facts->to.name);
    SPOIL(facts->to.email);
    SPOIL(facts->by.name);
    SPOIL(facts->by.email);
}

struct psn_handover_facts *test_handover_facts(bool hostile)
{
    struct psn_handover_facts *facts = list(1, sizeof *facts);

    facts->now_s = NOW_S;
    set_people(facts);
    set_terms(&facts->handover);
    set_items(&facts->handover);
    set_blockers(&facts->handover);
    set_secrets(facts);
    set_accesses(facts);
    set_stays(facts);
    set_contacts(facts);
    set_dates(facts);
    set_files(facts);
    set_journal(facts);
    if (hostile) {
        spoil_handover(&facts->handover);
        spoil_secrets(facts);
        spoil_rest(facts);
    }
    return facts;
}

void test_handover_facts_free(struct psn_handover_facts *facts)
{
    free(facts->client.domains);
    free(facts->handover.blockers);
    free(facts->secrets);
    free(facts->accesses);
    free(facts->stays);
    free(facts->contacts);
    free(facts->dates);
    free(facts->files);
    free(facts->heads);
    free(facts);
}

struct psn_handover_end test_handover_end(bool hostile)
{
    struct psn_handover_end end = { .destroyed_s = NOW_S + DAY_S, .chain_count = 1204 };
    char digest[65];

    set_hex(digest, 5);
    SET(end.client, "boulangerie-durand");
    (void)snprintf(end.text, sizeof end.text, "statement %s", digest);
    for (size_t i = 0; i < PSN_HEAD_SIZE; i++)
        end.chain_head[i] = (uint8_t)(i * 37 + 1);
    if (hostile)
        SPOIL(end.text);
    return end;
}

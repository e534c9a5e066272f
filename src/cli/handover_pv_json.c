#include <string.h>

#include "cli/display.h"
#include "cli/handover_pv.h"
#include "cli/handover_pv_part.h"

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void put_person(struct cli_json *json, const char *name,
                       const struct psn_person *person)
{
    cli_json_open(json, name, '{');
    cli_json_text(json, "id", person->id);
    cli_json_text(json, "name", text_or_null(person->name));
    cli_json_text(json, "email", text_or_null(person->email));
    cli_json_text(json, "kind", psn_person_kind_name(person->kind));
    cli_json_close(json, '}');
}

static void put_terms(const struct psn_handover_facts *facts, struct cli_json *json)
{
    const struct psn_handover *handover = &facts->handover;

    cli_json_text(json, "contract", text_or_null(handover->contract));
    cli_json_text(json, "giver", text_or_null(handover->giver));
    cli_json_text(json, "receiver", text_or_null(handover->receiver));
    put_person(json, "by", &facts->by);
    put_person(json, "to", &facts->to);
    cli_json_text(json, "identity", text_or_null(handover->identity));
    cli_json_text(json, "place", text_or_null(handover->place));
    cli_json_open(json, "domains", '[');
    for (size_t i = 0; i < facts->client.domain_count; i++)
        cli_json_text(json, NULL, facts->client.domains[i]);
    cli_json_close(json, ']');
    cli_json_text(json, "nic", text_or_null(facts->client.nic));
    cli_json_time(json, "began_at", handover->began_s);
    cli_json_time(json, "looked_at", handover->looked_s);
    cli_display_json_count(json, "serial", handover->serial);
    cli_json_time(json, "issued_at", handover->issued_s);
    cli_json_time(json, "compared_at", handover->compared_s);
    cli_json_time(json, "confirmed_at", handover->confirmed_s);
    cli_json_time(json, "contacts_at", handover->contacts_s);
    cli_json_time(json, "keys_gone_at", handover->keys_gone_s);
    cli_json_text(json, "stage", psn_handover_stage_name(handover->stage));
}

static void put_secrets(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, "secrets", '[');
    for (size_t i = 0; i < facts->secret_count; i++) {
        const struct psn_handover_secret *at = &facts->secrets[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "address", at->address);
        cli_json_text(json, "label", text_or_null(at->label));
        cli_json_text(json, "type", text_or_null(at->type));
        cli_json_text(json, "user", text_or_null(at->user));
        cli_json_text(json, "url", text_or_null(at->url));
        cli_json_text(json, "expires", text_or_null(at->expires));
        cli_display_json_count(json, "version", at->version);
        cli_json_time(json, "changed_at", at->changed_s);
        cli_json_text(json, "proof", text_or_null(at->proof));
        cli_json_bool(json, "refused", at->is_refused);
        cli_json_text(json, "mode", psn_handover_mode_name(PSN_HANDOVER_GIVEN));
        cli_json_text(json, "fingerprint", at->fingerprint);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_items(const struct psn_handover *handover, struct cli_json *json)
{
    cli_json_open(json, "items", '[');
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        const struct psn_handover_item *at = &handover->items[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "item", psn_handover_item_info(i).word);
        cli_json_text(json, "mode", psn_handover_mode_name(at->mode));
        cli_json_text(json, "note", text_or_null(at->note));
        cli_json_time(json, "set_at", at->set_s);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_blockers(const struct psn_handover *handover, struct cli_json *json)
{
    cli_json_open(json, "blockers", '[');
    for (size_t i = 0; i < handover->blocker_count; i++) {
        const struct psn_handover_blocker *at = &handover->blockers[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "stage", psn_handover_stage_name(at->stage));
        cli_json_text(json, "block", psn_handover_block_name(at->block));
        cli_json_text(json, "who", psn_handover_who_name(at->who));
        cli_json_text(json, "account", text_or_null(at->account));
        cli_json_text(json, "address", text_or_null(at->address));
        cli_json_text(json, "label", text_or_null(at->label));
        cli_json_text(json, "about", text_or_null(at->text));
        if (at->id)
            cli_json_number(json, "task", at->id);
        else
            cli_json_null(json, "task");
        cli_json_time(json, "until", at->until_s);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_accesses(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, "accesses", '[');
    for (size_t i = 0; i < facts->access_count; i++) {
        const struct psn_access *at = &facts->accesses[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "id", at->finding.id);
        cli_json_text(json, "kind", psn_finding_kind_name(at->finding.kind));
        cli_json_text(json, "subject", at->finding.subject);
        cli_json_text(json, "detail", text_or_null(at->finding.detail));
        cli_json_text(json, "whose", text_or_null(at->finding.whose));
        cli_json_text(json, "danger", psn_danger_name(at->finding.danger));
        cli_json_bool(json, "own", at->finding.own);
        cli_json_bool(json, "elsewhere", at->finding.elsewhere);
        cli_json_text(json, "state", psn_access_state_name(at->state));
        cli_json_time(json, "first_seen_at", at->first_s);
        cli_json_time(json, "decided_at", at->decided_s);
        cli_json_time(json, "gone_at", at->gone_s);
        cli_json_time(json, "removal_ordered_at", at->ordered_s);
        if (at->task)
            cli_json_number(json, "task", at->task);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_stays(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, "stay", '[');
    for (size_t i = 0; i < facts->stay_count; i++) {
        const struct psn_handover_stay *at = &facts->stays[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "person", at->person);
        cli_json_text(json, "name", text_or_null(at->name));
        cli_json_text(json, "kind", psn_person_kind_name(at->kind));
        cli_json_text(json, "by",
                      at->by_slot    ? "slot"
                      : at->by_grant ? "grant"
                                     : "memory");
        cli_json_text(json, "address", text_or_null(at->address));
        cli_json_text(json, "label", text_or_null(at->label));
        cli_json_time(json, "until", at->until_s);
        cli_json_bool(json, "knows", at->knows);
        cli_json_bool(json, "knows_former", at->former);
        cli_json_text(json, "unchangeable", text_or_null(at->lasting));
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_contacts(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, "contacts", '[');
    for (size_t i = 0; i < facts->contact_count; i++) {
        const struct psn_handover_contact *at = &facts->contacts[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "service", at->service);
        cli_json_number(json, "task", at->task);
        cli_json_text(json, "state", at->state);
        cli_json_text(json, "from", text_or_null(at->from));
        cli_json_text(json, "to", text_or_null(at->to));
        cli_json_bool(json, "admin", at->admin);
        cli_json_bool(json, "tech", at->tech);
        cli_json_bool(json, "billing", at->billing);
        cli_json_time(json, "at", at->at_s);
        cli_json_time(json, "accept_before", cli_pv_contact_end(at));
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_dates(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, "dates", '[');
    for (size_t i = 0; i < facts->date_count; i++) {
        const struct psn_handover_date *at = &facts->dates[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "on", at->on);
        cli_json_text(json, "what", at->what);
        cli_json_text(json, "kind", at->kind == PSN_DATE_SECRET ? "secret" : "service");
        cli_json_bool(json, "renewed", at->is_renewed);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_files(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, "files", '[');
    for (size_t i = 0; i < facts->file_count; i++) {
        const struct psn_handover_file *at = &facts->files[i];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "name", at->name);
        cli_json_number(json, "size", (int64_t)at->size);
        cli_json_text(json, "sha256", at->sha256);
        cli_json_bool(json, "encrypted", at->encrypted);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_signer(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, "journal", '[');
    for (size_t i = 0; i < facts->head_count; i++) {
        const struct psn_head *at = &facts->heads[i];
        char hash[CLI_PV_HASH_MAX];

        cli_json_open(json, NULL, '{');
        cli_json_text(json, "chain", text_or_null(at->chain));
        cli_json_number(json, "count", (int64_t)at->count);
        cli_json_text(json, "hash", cli_pv_hash(at->hash, hash));
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    cli_json_open(json, "keys", '{');
    cli_json_text(json, "fingerprint", facts->keys.fingerprint);
    cli_json_text(json, "ssh", facts->keys.ssh);
    cli_json_text(json, "allowed_signers", facts->keys.allowed_signers);
    cli_json_text(json, "minisign", facts->keys.minisign);
    cli_json_close(json, '}');
    cli_json_text(json, "tool", "passation " PASSATION_VERSION);
}

void cli_handover_pv_json(const struct psn_handover_facts *facts, struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "client", facts->client.id);
    cli_json_text(json, "name", text_or_null(facts->client.name));
    cli_json_time(json, "made_at", facts->now_s);
    cli_json_bool(json, "final", facts->final);
    put_terms(facts, json);
    put_secrets(facts, json);
    put_items(&facts->handover, json);
    put_blockers(&facts->handover, json);
    put_accesses(facts, json);
    put_stays(facts, json);
    put_contacts(facts, json);
    put_dates(facts, json);
    put_files(facts, json);
    put_signer(facts, json);
    cli_json_close(json, '}');
}

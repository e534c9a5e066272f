#include "cli/handover_write.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/handover_pv.h"
#include "cli/saving.h"

enum {
    NAME_MAX_BYTES = PSN_CLIENT_ID_MAX + 32,
};

/* --- the statement --- */

enum psn_code cli_handover_statement(struct cli *cli,
                                     const struct psn_handover_facts *facts,
                                     char **ret_text, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_ISSUE_FILE_MAX);
    char fields[512];
    struct psn_statement_draft draft = { .kind = "handover",
                                         .fields = fields,
                                         .heads = facts->heads,
                                         .head_count = facts->head_count };
    enum psn_code rc = cli_handover_pv_text(facts, &text, err);

    (void)snprintf(fields, sizeof fields,
                   "Client: %s\nPerson: %s\nSerial: %llu\nFinal: %s\n", facts->client.id,
                   facts->to.id, (unsigned long long)facts->handover.serial,
                   facts->final ? "yes" : "no");
    draft.text = psn_buf_str(&text);
    return rc ? rc : psn_statement_sign(cli->vault, &draft, ret_text, err);
}

static enum psn_code save_final_page(const struct cli_saving *saving,
                                     const struct psn_handover_facts *facts,
                                     struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(PSN_ISSUE_FILE_MAX);
    enum psn_code rc = cli_handover_pv_page(facts, &page, err);

    return rc ? rc : cli_save_signed(saving, "html", &page, err);
}

enum psn_code cli_handover_write_final(struct cli *cli,
                                       const struct psn_handover_facts *facts,
                                       const char *folder, char **ret_text,
                                       struct psn_error *err)
{
    char name[NAME_MAX_BYTES];
    const struct cli_saving saving = { cli, folder, name };
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    PSN_AUTO_FREE char *statement = NULL;
    enum psn_code rc = cli_handover_statement(cli, facts, &statement, err);

    (void)snprintf(name, sizeof name, "%s-proces-verbal", facts->client.id);
    if (!rc)
        rc = cli_save(&saving, "txt", statement, strlen(statement), err);
    if (!rc) {
        cli_handover_pv_json(facts, &json);
        psn_buf_char(&json.text, '\n');
        rc = cli_save_signed(&saving, "json", &json.text, err);
    }
    if (!rc)
        rc = save_final_page(&saving, facts, err);
    if (!rc)
        *ret_text = PSN_TAKE(statement);
    return rc;
}

/* --- the end --- */

/* The vault's head, so that the closing statement is anchored, too. */
static enum psn_code vault_head(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct psn_head *head = arg;

    (void)err;
    head->count = entry->number;
    memcpy(head->hash, entry->hash, sizeof head->hash);
    return PSN_OK;
}

static enum psn_code save_end_text(const struct cli_saving *saving,
                                   const struct psn_handover_end *end,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_ISSUE_FILE_MAX);
    PSN_AUTO_FREE char *statement = NULL;
    struct psn_head head = { 0 };
    char fields[256];
    struct psn_statement_draft draft = {
        .kind = "handover-end", .fields = fields, .heads = &head, .head_count = 1
    };
    enum psn_code rc = cli_handover_end_text(end, &text, err);

    (void)snprintf(fields, sizeof fields, "Client: %s\n", end->client);
    if (!rc)
        rc = psn_journal_each(saving->cli->vault, "", 1, vault_head, &head, err);
    draft.text = psn_buf_str(&text);
    if (!rc)
        rc = psn_statement_sign(saving->cli->vault, &draft, &statement, err);
    return rc ? rc : cli_save(saving, "txt", statement, strlen(statement), err);
}

enum psn_code cli_handover_write_end(struct cli *cli, const struct psn_handover_end *end,
                                     const char *folder, struct psn_error *err)
{
    char name[NAME_MAX_BYTES];
    const struct cli_saving saving = { cli, folder, name };
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(PSN_ISSUE_FILE_MAX);
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    (void)snprintf(name, sizeof name, "%s-cloture", end->client);
    rc = save_end_text(&saving, end, err);
    if (!rc) {
        cli_handover_end_json(end, &json);
        psn_buf_char(&json.text, '\n');
        rc = cli_save_signed(&saving, "json", &json.text, err);
    }
    if (!rc)
        rc = cli_handover_end_page(end, &page, err);
    return rc ? rc : cli_save_signed(&saving, "html", &page, err);
}

#include "cli/journal_json.h"

#include <stdio.h>

void cli_journal_json(struct cli_json *json, const struct psn_journal_entry *entry)
{
    char hash[2 * PSN_HEAD_SIZE + 1];

    for (size_t i = 0; i < PSN_HEAD_SIZE; i++)
        (void)snprintf(hash + 2 * i, 3, "%02x", entry->hash[i]);
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "client", entry->chain[0] ? entry->chain : NULL);
    cli_json_number(json, "number", (int64_t)entry->number);
    cli_json_time(json, "at", entry->time_s);
    cli_json_text(json, "actor", entry->actor);
    cli_json_text(json, "event", entry->event);
    cli_json_text(json, "subject", entry->subject[0] ? entry->subject : NULL);
    cli_json_text(json, "label", entry->label[0] ? entry->label : NULL);
    if (entry->version)
        cli_json_number(json, "version", (int64_t)entry->version);
    else
        cli_json_null(json, "version");
    cli_json_text(json, "text", entry->text[0] ? entry->text : NULL);
    cli_json_bool(json, "shredded", entry->is_shredded);
    cli_json_text(json, "hash", hash);
    cli_json_close(json, '}');
}

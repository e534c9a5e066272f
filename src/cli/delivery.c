#include "cli/delivery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/grow.h"
#include "cli/busy.h"
#include "cli/output.h"
#include "cli/person_key.h"

void cli_issue_json(struct cli_json *json, const struct psn_issue *issue)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "person", issue->person);
    cli_json_text(json, "client", issue->client);
    cli_json_open(json, "addresses", '[');
    for (size_t i = 0; i < issue->address_count; i++)
        cli_json_text(json, NULL, issue->addresses[i]);
    cli_json_close(json, ']');
    cli_json_number(json, "serial", (int64_t)issue->serial);
    cli_json_text(json, "format", psn_issue_format_name(issue->format));
    cli_json_text(json, "path", issue->path);
    cli_json_text(json, "state", psn_issue_state_name(issue->state));
    cli_json_bool(json, "by_code", issue->by_code);
    cli_json_time(json, "created_at", issue->created_s);
    cli_json_time(json, "confirmed_at", issue->confirmed_s);
    cli_json_close(json, '}');
}

/* "SERIAL<TAB>CODE", straight from locked memory. */
static enum psn_code write_code(int fd, uint64_t serial, const struct psn_secret *code,
                                struct psn_error *err)
{
    PSN_AUTO(psn_secret) *line = NULL;
    char head[32];
    int size = snprintf(head, sizeof head, "%" PRIu64 "\t", serial);
    enum psn_code rc =
        psn_secret_new((size_t)size + psn_secret_size(code) + 1, &line, err);
    int errnum = 0;

    if (!rc)
        rc = psn_secret_append(line, head, (size_t)size, err);
    if (!rc)
        rc = psn_secret_append(line, psn_secret_bytes(code), psn_secret_size(code), err);
    if (!rc)
        rc = psn_secret_append(line, "\n", 1, err);
    if (!rc)
        errnum = psn_file_write_fd(fd, psn_secret_bytes(line), psn_secret_size(line));
    return errnum
               ? psn_fail(err, PSN_E_IO, _("cannot tell the code on descriptor %d: %s"),
                          fd, strerror(errnum))
               : rc;
}

static enum psn_code tell_code(void *arg, const struct psn_issue *issue,
                               const struct psn_secret *code, struct psn_error *err)
{
    struct cli_delivery *delivery = arg;
    char label[256];

    delivery->codes++;
    if (delivery->code_fd >= 0)
        return write_code(delivery->code_fd, issue->serial, code, err);
    (void)snprintf(label, sizeof label, _("The code for %s (issue %" PRIu64 ")"),
                   issue->person, issue->serial);
    return cli_tell_secret(delivery->cli, label, code, err);
}

static enum psn_code note_key(struct cli_delivery *delivery, const char *person,
                              struct psn_error *err)
{
    enum psn_code rc;

    for (size_t i = 0; i < delivery->by_key_count; i++)
        if (strcmp(delivery->by_key[i], person) == 0)
            return PSN_OK;
    rc = PSN_GROW(delivery->by_key, delivery->by_key_count, err);
    if (!rc)
        (void)snprintf(delivery->by_key[delivery->by_key_count++],
                       sizeof *delivery->by_key, "%s", person);
    return rc;
}

static enum psn_code report(void *arg, const struct psn_issue *issue,
                            struct psn_error *err)
{
    struct cli_delivery *delivery = arg;
    enum psn_code rc = PSN_OK;

    delivery->count++;
    if (delivery->cli->json)
        cli_issue_json(&delivery->json, issue);
    else
        cli_print(delivery->cli, "%s\n", CLI_SHOWN(issue->path));
    for (size_t i = 0; !rc && i < issue->address_count; i++)
        rc = cli_doubts_note(delivery->cli, &delivery->doubts, issue->addresses[i], err);
    return rc || issue->by_code ? rc : note_key(delivery, issue->person, err);
}

static bool is_stopped(void *arg)
{
    (void)arg;
    return cli_stop_asked();
}

void cli_delivery_begin(struct cli_delivery *delivery, struct cli *cli,
                        const struct cli_delivery_options *options)
{
    *delivery = (struct cli_delivery){ .cli = cli,
                                       .code_fd = options->code_fd,
                                       .json = cli_json_init() };
    delivery->to =
        (struct psn_delivery){ .directory = options->directory ? options->directory : ".",
                               .replace = options->force,
                               .language = cli_language(),
                               .done = report,
                               .stop = is_stopped,
                               .arg = delivery };
    if (options->code_fd >= 0 || cli_has_terminal(cli))
        delivery->to.tell_code = tell_code;
    cli_json_open(&delivery->json, NULL, '{');
    cli_json_open(&delivery->json, "issues", '[');
}

/* A key that came by mail is as good as the mail. */
static enum psn_code warn_of_unchecked(void *arg, const struct psn_person *person,
                                       struct psn_error *err)
{
    const struct cli_delivery *delivery = arg;
    bool is_meant = false;
    size_t told = 0;

    (void)err;
    for (size_t i = 0; i < delivery->by_key_count; i++)
        is_meant = is_meant || strcmp(delivery->by_key[i], person->id) == 0;
    for (size_t i = 0; is_meant && i < person->key_count; i++) {
        if (person->keys[i].checked_s)
            continue;
        if (told++ == 0)
            cli_warn(delivery->cli,
                     _("nobody has compared the key of %s with its owner: if it was "
                       "exchanged on its way, somebody else reads the file. Do it before "
                       "the file is sent."),
                     person->id);
        cli_tell_fingerprint(delivery->cli, person->id, person->keys[i].text);
    }
    return PSN_OK;
}

static void advise(const struct cli_delivery *delivery)
{
    if (delivery->count == 0)
        return;
    cli_note(delivery->cli,
             PSN_NGETTEXT("Send the file with its .sig.", "Send each file with its .sig.",
                          delivery->count));
    if (delivery->codes > 0)
        cli_note(delivery->cli,
                 _("Tell the code by another way (a call, a text message), with the "
                   "fingerprint of 'passation key show'. It is written down nowhere."));
}

static enum psn_code print_issues(struct cli_delivery *delivery, struct psn_error *err)
{
    cli_json_close(&delivery->json, ']');
    cli_doubts_json(&delivery->json, &delivery->doubts);
    cli_json_close(&delivery->json, '}');
    return delivery->cli->json ? cli_json_print(delivery->cli, &delivery->json, err)
                               : PSN_OK;
}

enum psn_code cli_delivery_end(struct cli_delivery *delivery, enum psn_code rc,
                               struct psn_error *err)
{
    enum psn_code printed = PSN_OK;

    /* After a failure half-way, what was written is told all the same. */
    if (!rc || delivery->count > 0)
        printed = print_issues(delivery, rc ? NULL : err);
    cli_json_release(&delivery->json);
    advise(delivery);
    cli_doubts_warn(delivery->cli, &delivery->doubts);
    cli_doubts_release(&delivery->doubts);
    if (!printed && delivery->by_key_count > 0)
        printed = psn_person_each(delivery->cli->vault, warn_of_unchecked, delivery,
                                  rc ? NULL : err);
    free(delivery->by_key);
    delivery->by_key = NULL;
    return rc ? rc : printed;
}

enum psn_code cli_deliver_due(struct cli *cli, const struct cli_delivery_options *where,
                              const char *person, enum cli_deliver how,
                              struct cli_delivered *ret_delivered, struct psn_error *err)
{
    struct cli_delivery delivery;
    enum psn_code rc;

    cli_delivery_begin(&delivery, cli, where);
    if (how == CLI_DELIVER_REST)
        delivery.to.directory = where->directory;
    cli_busy_begin(cli, _("writing the issues that are due"));
    rc = psn_outbox(cli->vault, person, &delivery.to, &ret_delivered->waiting, err);
    cli_busy_end();
    ret_delivered->written = delivery.count;
    if (how == CLI_DELIVER_REST && delivery.count == 0) {
        cli_json_release(&delivery.json);
        return rc;
    }
    return cli_delivery_end(&delivery, rc, err);
}

enum psn_code cli_fail_waiting(size_t waiting, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu issue needs a code and waits",
                                "%zu issues need a code and wait", waiting),
                   waiting);
    return psn_hint(err, PSN_E_FINDINGS,
                    _("run 'passation outbox' on a terminal, or give --code-fd N"));
}

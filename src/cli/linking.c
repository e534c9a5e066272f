#include "cli/linking.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/grow.h"
#include "cli/display.h"

struct linking {
    struct cli *cli;
    const char *id;
    enum psn_key_use use;
    int64_t wait_s;
    struct cli_progress *progress;
};

const char *cli_key_use_word(enum psn_key_use use)
{
    return use == PSN_KEY_CUT ? "cut" : "work";
}

/* --- the page for the owner --- */

static enum psn_code show_json(const struct linking *linking, const char *url,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "client", linking->id);
    cli_json_text(&json, "for", cli_key_use_word(linking->use));
    cli_json_text(&json, "state", "pending");
    cli_json_text(&json, "validation_url", url);
    cli_json_close(&json, '}');
    return cli_json_print(linking->cli, &json, err);
}

/* For the owner's telephone; without the library the address does it too. */
static void show_qr(struct cli *cli, const char *url)
{
    PSN_AUTO(psn_secret) *text = NULL;

    if (isatty(STDOUT_FILENO) &&
        psn_secret_copy(url, strlen(url), &text, NULL) == PSN_OK &&
        cli_print_qr(cli, text, NULL) != PSN_OK)
        cli_note(cli, _("(A QR code needs libqrencode: apt install libqrencode4)"));
}

static enum psn_code show(void *arg, const char *url, const char *why,
                          struct psn_error *err)
{
    struct linking *linking = arg;
    struct cli *cli = linking->cli;
    const char *id = CLI_SHOWN(linking->id);

    if (why)
        cli_warn(cli, "%s: %s", id, why);
    if (cli->json)
        return show_json(linking, url, err);
    if (linking->use == PSN_KEY_CUT)
        cli_print(cli,
                  _("%s: the owner opens this page, logs in to OVH,\nchooses a validity "
                    "of one day and agrees to a second key, for cutting "
                    "accesses:\n\n"),
                  id);
    else
        cli_print(cli,
                  _("%s: the owner opens this page, logs in to OVH,\nchooses how long "
                    "the key is valid and agrees:\n\n"),
                  id);
    cli_print(cli, "  %s\n\n", CLI_SHOWN(url));
    show_qr(cli, url);
    if (linking->wait_s > 0)
        cli_note(cli, _("Waiting for the owner. Ctrl-C stops the wait and keeps the "
                        "key."));
    return PSN_OK;
}

static void tick(void *arg, int64_t left_s)
{
    struct linking *linking = arg;
    struct psn_progress state = { .count = 1,
                                  .address = linking->id,
                                  .step = _("waiting for the owner's approval"),
                                  .wait_s = left_s };

    cli_progress_update(linking->progress, &state);
}

static bool stop_asked(void *arg)
{
    (void)arg;
    return cli_stop_asked();
}

/* --- the outcome --- */

static enum psn_code print_json(struct cli *cli, const char *id,
                                const struct psn_link *link, const char *page,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "client", id);
    cli_json_text(&json, "for", cli_key_use_word(link->use));
    cli_json_text(&json, "state", "linked");
    cli_json_text(&json, "nic", link->nic);
    cli_json_bool(&json, "service_account", link->is_account);
    cli_json_time(&json, "expires_at", link->expires_s);
    cli_json_time(&json, "last_use_at", link->last_use_s);
    cli_json_number(&json, "rules", (int64_t)link->rules);
    cli_json_bool(&json, "wide", link->wide);
    cli_json_text(&json, "wide_rule", link->wide ? link->wide_rule : NULL);
    cli_json_number(&json, "missing", (int64_t)link->missing);
    cli_json_text(&json, "missing_rule",
                  link->missing > 0 ? link->missing_rules[0] : NULL);
    cli_json_open(&json, "missing_rules", '[');
    for (size_t i = 0; i < link->missing && i < PSN_LINK_MISSING_MAX; i++)
        cli_json_text(&json, NULL, link->missing_rules[i]);
    cli_json_close(&json, ']');
    cli_json_text(&json, "create_token", page);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static void print_expiry(struct cli *cli, const struct psn_link *link)
{
    char time[PSN_TIME_SIZE];

    if (link->use == PSN_KEY_CUT)
        cli_print(cli,
                  _("It is for 'passation sweep' and 'passation depart'. Here it is over "
                    "on %s;\n"
                    "at OVH it lasts as long as the owner chose.\n"),
                  cli_display_time(link->expires_s, time));
    else if (link->expires_s)
        cli_print(cli, _("The key expires on %s; make a new one before that.\n"),
                  cli_display_time(link->expires_s, time));
    else
        cli_print(cli, _("The key does not expire.\n"));
}

static void print_link(struct cli *cli, const char *id, const struct psn_link *link)
{
    if (link->is_account) {
        cli_print(cli,
                  _("%s: linked to the OVH account %s by a service account; what it may "
                    "do is in the IAM policies of the account\n"),
                  CLI_SHOWN(id), CLI_SHOWN(link->nic));
        return;
    }
    cli_print(cli,
              PSN_NGETTEXT("%s: linked to the OVH account %s; the key has %zu rule\n",
                           "%s: linked to the OVH account %s; the key has %zu rules\n",
                           link->rules),
              CLI_SHOWN(id), CLI_SHOWN(link->nic), link->rules);
    print_expiry(cli, link);
}

static void list_missing(struct cli *cli, const struct psn_link *link, const char *page)
{
    cli_warn(cli,
             PSN_NGETTEXT("the key lacks %zu rule that passation needs:",
                          "the key lacks %zu rules that passation needs:", link->missing),
             link->missing);
    for (size_t i = 0; i < link->missing && i < PSN_LINK_MISSING_MAX; i++)
        cli_note(cli, "  %s", CLI_SHOWN(link->missing_rules[i]));
    if (link->missing > PSN_LINK_MISSING_MAX)
        cli_note(cli, "  …");
    if (link->is_account)
        cli_note(cli, _("Let an IAM policy allow it, for the domains of the client."));
    else if (page)
        cli_note(cli, _("A key with all of them is made here: %s"), page);
}

static void warn_of_rules(struct cli *cli, const struct psn_link *link, const char *page)
{
    if (link->missing > 0)
        list_missing(cli, link, page);
    if (link->wide)
        cli_warn(cli,
                 _("the key may do more than passation needs, such as %s; whoever gets "
                   "it can too; replace it by a narrower one when you can"),
                 CLI_SHOWN(link->wide_rule));
}

static enum psn_code report(struct cli *cli, const char *id, const struct psn_link *link,
                            struct psn_error *err)
{
    PSN_AUTO_FREE char *page = NULL;
    enum psn_code rc = PSN_OK;

    if (link->missing > 0 && !link->is_account)
        rc = psn_client_key_page(cli->vault, id, link->use, &page, err);
    if (!rc && cli->json)
        rc = print_json(cli, id, link, page, err);
    else if (!rc)
        print_link(cli, id, link);
    if (!rc)
        warn_of_rules(cli, link, page);
    return rc;
}

enum psn_code cli_link(struct cli *cli, const char *id, struct psn_link_options *options,
                       struct psn_error *err)
{
    struct linking linking = {
        .cli = cli, .id = id, .use = options->use, .wait_s = options->wait_s
    };
    struct psn_link link;
    enum psn_code rc = cli_display_ca(cli, err);

    if (rc)
        return rc;
    linking.progress = cli_progress_new(cli);
    options->show = show;
    options->progress = tick;
    options->stop = stop_asked;
    options->arg = &linking;
    cli_catch_signals();
    rc = psn_client_link(cli->vault, id, options, &link, err);
    options->arg = NULL;
    cli_progress_free(linking.progress);
    return rc ? rc : report(cli, id, &link, err);
}

/* --- resume --- */

struct waiting {
    struct {
        char client[PSN_CLIENT_ID_MAX];
        enum psn_key_use use;
    } * items;
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_client *client,
                             struct psn_error *err)
{
    struct waiting *waiting = arg;

    for (int use = 0; use < PSN_KEY_USES; use++) {
        enum psn_code rc;

        if (!client->keys.asked_s[use])
            continue;
        rc = PSN_GROW(waiting->items, waiting->count, err);
        if (rc)
            return rc;
        memcpy(waiting->items[waiting->count].client, client->id, sizeof client->id);
        waiting->items[waiting->count++].use = (enum psn_key_use)use;
    }
    return PSN_OK;
}

/* One error ends the command, that there is work left before all others; the rest is
 * said at once. */
static void keep_one(struct cli *cli, const struct psn_error *cause,
                     struct psn_error *kept)
{
    bool better = kept->code == PSN_OK ||
                  (cause->code == PSN_E_UNFINISHED && kept->code != PSN_E_UNFINISHED);
    const struct psn_error *told = better ? kept : cause;

    if (told->code)
        cli_warn(cli, "%s", told->message);
    if (better)
        *kept = *cause;
}

enum psn_code cli_link_resume(struct cli *cli, struct psn_error *err)
{
    struct waiting waiting = { 0 };
    struct psn_error kept = { 0 };
    enum psn_code rc = psn_client_each(cli->vault, collect, &waiting, &kept);

    for (size_t i = 0; !rc && i < waiting.count; i++) {
        struct psn_link_options options = { .use = waiting.items[i].use };
        struct psn_error cause = { 0 };

        if (cli_link(cli, waiting.items[i].client, &options, &cause))
            keep_one(cli, &cause, &kept);
    }
    free(waiting.items);
    if (kept.code && err)
        *err = kept;
    return kept.code;
}

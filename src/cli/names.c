#include "cli/names.h"

#include <stdio.h>
#include <string.h>

#include "cli/importing.h"

/* --- what words stand for --- */

struct word {
    const char *text;
    unsigned kinds;
};

/* Every word that stands in a table; a test reads the tables. */
static const struct word words[] = {
    { "ACCESS", CLI_KIND_ACCESS },
    { "ADDRESS", CLI_KIND_ADDRESS },
    { "CLIENT", CLI_KIND_CLIENT },
    { "DIR", CLI_KIND_FOLDER },
    { "FILE", CLI_KIND_FILE },
    { "FOLDER", CLI_KIND_FOLDER },
    { "GLOB", CLI_KIND_GLOB },
    { "ITEM", CLI_KIND_ITEM },
    { "LABEL", CLI_KIND_LABEL },
    { "PATH", CLI_KIND_FILE },
    { "PERSON", CLI_KIND_PERSON },
    { "RECIPIENT", CLI_KIND_PERSON },
    { "SERIAL", CLI_KIND_SERIAL },
    { "SLOT", CLI_KIND_SLOT },
    { "SOURCE", CLI_KIND_FILE },
    { "STATEMENT", CLI_KIND_FILE },
    { "TROUSSEAU", CLI_KIND_FILE },
    { "CODE", CLI_KIND_FREE },
    { "COLUMN=FIELD", CLI_KIND_FREE },
    { "COUNT", CLI_KIND_FREE },
    { "COUNT/DURATION", CLI_KIND_FREE },
    { "COUNT/min", CLI_KIND_FREE },
    { "DATE", CLI_KIND_FREE },
    { "DOMAIN", CLI_KIND_FREE },
    { "DURATION", CLI_KIND_FREE },
    { "EMAIL", CLI_KIND_FREE },
    { "FORMAT", CLI_KIND_FORMAT },
    { "ID", CLI_KIND_FREE }, /* one that is chosen, or repeated as a confirmation */
    { "KEY", CLI_KIND_FREE },
    { "N", CLI_KIND_FREE },
    { "NAME", CLI_KIND_FREE },
    { "NIC", CLI_KIND_FREE },
    { "SERVICE", CLI_KIND_SERVICE },
    { "TASK", CLI_KIND_FREE },
    { "WHY", CLI_KIND_FREE },
    { "TEXT", CLI_KIND_FREE },
    { "TIME", CLI_KIND_FREE },
    { "TYPE", CLI_KIND_TYPE },
    { "URL", CLI_KIND_FREE },
    { "USER", CLI_KIND_FREE },
    { "YYYY-MM-DD", CLI_KIND_FREE },
    { "ZONE", CLI_KIND_FREE },
};

static bool is_choice(const char *word)
{
    return psn_text_is_lower(word[0]);
}

static unsigned kind_of_one(const char *word, size_t size)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].text) == size && memcmp(words[i].text, word, size) == 0)
            return words[i].kinds;
    return size > 0 && is_choice(word) ? CLI_KIND_FREE : CLI_KIND_UNKNOWN;
}

unsigned cli_kind_of(const char *word, size_t size)
{
    unsigned kinds = CLI_KIND_FREE;

    for (size_t at = 0; at < size;) {
        size_t end = at;

        while (end < size && word[end] != '|')
            end++;
        kinds |= kind_of_one(word + at, end - at);
        at = end + 1;
    }
    return kinds;
}

unsigned cli_kind_of_argument(const struct cli_command *command, size_t number)
{
    static const char more[] = "…";
    const char *at = command->arguments;

    for (size_t i = 0; at && *at && *at != '-'; i++) {
        size_t size = strcspn(at, " ");
        const char *word = at + (*at == '[' ? 1 : 0);
        size_t length = strcspn(word, " ]");
        size_t tail = sizeof more - 1;
        bool repeats = length > tail && memcmp(word + length - tail, more, tail) == 0;

        length -= repeats ? tail : 0;
        if (i == number || repeats)
            return number < command->max_args ? cli_kind_of(word, length) : CLI_KIND_FREE;
        at += size;
        at += *at == ' ' ? 1 : 0;
    }
    return CLI_KIND_FREE;
}

const char *cli_kind_choice(const char *at, const char **ret_word, size_t *ret_size)
{
    while (at && *at) {
        size_t size = strcspn(at, "|");
        const char *word = at;

        at += size;
        at += *at == '|' ? 1 : 0;
        if (!is_choice(word))
            continue;
        *ret_word = word;
        *ret_size = size;
        return at;
    }
    return NULL;
}

/* --- what the vault knows by name --- */

static void tell(const struct cli_names *names, const char *name, const char *about)
{
    names->each(names->arg, name, about);
}

static bool begins(const struct cli_names *names, char c)
{
    return names->typed && names->typed[0] == c;
}

static enum psn_code tell_client(void *arg, const struct psn_client *client,
                                 struct psn_error *err)
{
    (void)err;
    tell(arg, client->id, client->name);
    return PSN_OK;
}

static enum psn_code tell_domains(void *arg, const struct psn_client *client,
                                  struct psn_error *err)
{
    (void)err;
    for (size_t i = 0; i < client->domain_count; i++)
        tell(arg, client->domains[i], client->id);
    return PSN_OK;
}

static enum psn_code tell_globs(void *arg, const struct psn_client *client,
                                struct psn_error *err)
{
    (void)err;
    for (size_t i = 0; i < client->domain_count; i++) {
        char glob[PSN_DOMAIN_NAME_MAX + 2];

        (void)snprintf(glob, sizeof glob, "*@%s", client->domains[i]);
        tell(arg, glob, client->id);
    }
    return PSN_OK;
}

static enum psn_code tell_person(void *arg, const struct psn_person *person,
                                 struct psn_error *err)
{
    const struct cli_names *names = arg;

    (void)err;
    tell(names, person->id, person->name);
    for (size_t i = 0; begins(names, '@') && i < person->group_count; i++) {
        char group[PSN_PERSON_WORD_MAX + 1];

        (void)snprintf(group, sizeof group, "@%s", person->groups[i]);
        tell(names, group, "");
    }
    return PSN_OK;
}

static enum psn_code tell_role(void *arg, const char *address, const char *client,
                               struct psn_error *err)
{
    (void)err;
    tell(arg, address, client);
    return PSN_OK;
}

static enum psn_code tell_received(void *arg, const struct psn_received *received,
                                   struct psn_error *err)
{
    (void)err;
    tell(arg, received->address, received->issued_by);
    return PSN_OK;
}

static enum psn_code tell_access(void *arg, const struct psn_access *access,
                                 struct psn_error *err)
{
    (void)err;
    if (access->gone_s == 0)
        tell(arg, access->finding.id, access->finding.detail);
    return PSN_OK;
}

static enum psn_code tell_issue(void *arg, const struct psn_issue *issue,
                                struct psn_error *err)
{
    char serial[24];

    (void)err;
    (void)snprintf(serial, sizeof serial, "%llu", (unsigned long long)issue->serial);
    tell(arg, serial, issue->person);
    return PSN_OK;
}

static enum psn_code tell_slot(void *arg, const struct psn_slot *slot,
                               struct psn_error *err)
{
    const char *kind = psn_slot_kind_name(slot->kind);
    char name[PSN_PERSON_ID_MAX + 32];

    (void)err;
    (void)snprintf(name, sizeof name, "%s:%s", slot->person, kind);
    tell(arg, slot->person, "");
    tell(arg, name, "");
    return PSN_OK;
}

static void tell_items(const struct cli_names *names)
{
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        struct psn_handover_item_info info = psn_handover_item_info(i);

        tell(names, info.word, info.title);
    }
}

static void tell_services(const struct cli_names *names)
{
    static const char *const services[] = { "email/domain", "email/mxplan", "email/pro",
                                            "email/exchange", "zimbra" };

    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        tell(names, services[i], "");
}

static void tell_types(const struct cli_names *names)
{
    for (const char *const *at = psn_secret_types(); *at; at++)
        tell(names, *at, "");
}

static void tell_formats(const struct cli_names *names)
{
    const char *format;

    for (size_t i = 0; (format = cli_import_format(i)) != NULL; i++)
        tell(names, format, "");
}

/* --- labels --- */

static enum psn_code tell_label(void *arg, const struct psn_secret_info *info,
                                struct psn_error *err)
{
    (void)err;
    tell(arg, info->label, info->type);
    return PSN_OK;
}

/* Addresses one after the other, each with its NUL: the secrets of a role are read once
 * the walk over the roles is done. */
static enum psn_code keep_address(void *arg, const char *address, const char *client,
                                  struct psn_error *err)
{
    (void)client;
    (void)err;
    psn_buf_bytes(arg, address, strlen(address) + 1);
    return PSN_OK;
}

enum {
    ADDRESSES_MAX = 16 * 1024 * 1024,
};

static enum psn_code tell_labels(struct cli_names *names, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) addresses = psn_buf_init(ADDRESSES_MAX);
    const char *const *globs = names->args;
    size_t count = names->arg_count;
    enum psn_code rc;

    while (count > 0 && !strchr(globs[0], '@')) {
        globs++;
        count--;
    }
    while (count > 0 && !strchr(globs[count - 1], '@'))
        count--;
    rc = psn_role_each_name(names->vault, globs, count, keep_address, &addresses, err);
    for (size_t at = 0; !rc && !addresses.failed && at < addresses.size;) {
        const char *address = (const char *)addresses.data + at;

        rc = psn_secret_each(names->vault, address, tell_label, names, err);
        at += strlen(address) + 1;
    }
    return rc;
}

/* --- all --- */

static enum psn_code each_mailbox(struct cli_names *names, unsigned kinds,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_role_each_name(names->vault, NULL, 0, tell_role, names, err);

    if (!rc && (kinds & CLI_KIND_ADDRESS))
        rc = psn_received_each(names->vault, tell_received, names, err);
    if (!rc && (kinds & CLI_KIND_GLOB) && begins(names, '*'))
        rc = psn_client_each(names->vault, tell_globs, names, err);
    return rc;
}

/* What needs no vault. */
static void tell_words(const struct cli_names *names, unsigned kinds)
{
    if (kinds & CLI_KIND_ITEM)
        tell_items(names);
    if (kinds & CLI_KIND_SERVICE)
        tell_services(names);
    if (kinds & CLI_KIND_TYPE)
        tell_types(names);
    if (kinds & CLI_KIND_FORMAT)
        tell_formats(names);
}

/* What is somebody, or somewhere. */
static enum psn_code each_place(struct cli_names *names, unsigned kinds,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (kinds & CLI_KIND_CLIENT)
        rc = psn_client_each(names->vault, tell_client, names, err);
    if (!rc && (kinds & CLI_KIND_DOMAIN))
        rc = psn_client_each(names->vault, tell_domains, names, err);
    if (!rc && (kinds & CLI_KIND_PERSON))
        rc = psn_person_each(names->vault, tell_person, names, err);
    if (!rc && (kinds & (CLI_KIND_ADDRESS | CLI_KIND_GLOB)))
        rc = each_mailbox(names, kinds, err);
    return rc;
}

/* What is of one of them. */
static enum psn_code each_thing(struct cli_names *names, unsigned kinds,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (kinds & CLI_KIND_LABEL)
        rc = tell_labels(names, err);
    if (!rc && (kinds & CLI_KIND_ACCESS))
        rc = psn_access_each(names->vault, names->arg_count ? names->args[0] : NULL,
                             tell_access, names, err);
    if (!rc && (kinds & CLI_KIND_SLOT))
        rc = psn_slot_each(names->vault, tell_slot, names, err);
    if (!rc && (kinds & CLI_KIND_SERIAL))
        rc = psn_issue_each(names->vault, NULL, tell_issue, names, err);
    return rc;
}

enum psn_code cli_names_each(const struct cli_names *names, unsigned kinds,
                             struct psn_error *err)
{
    struct cli_names here = *names; /* for the callbacks, which only read it */
    enum psn_code rc;

    tell_words(names, kinds);
    if (!names->vault)
        return PSN_OK;
    rc = each_place(&here, kinds, err);
    return rc ? rc : each_thing(&here, kinds, err);
}

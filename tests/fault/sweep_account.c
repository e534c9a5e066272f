/*
 * An account in which others have ways in: of each kind that an inventory knows one or
 * two, as lists and their items. What is deleted is gone.
 */
#include <stdio.h>
#include <string.h>

#include "fault/sweep.h"

#define DOMAIN "email/domain/plein.example/"

static const struct {
    const char *list;
    const char *id; /* a number stands without quotation marks */
    const char *item;
} rows[] = {
    { "me/api/application", "7",
      "{\"applicationId\":7,\"name\":\"ours\",\"status\":\"active\"}" },
    { "me/api/application", "8",
      "{\"applicationId\":8,\"name\":\"theirs\",\"status\":\"active\"}" },
    { "me/api/credential", "71",
      "{\"credentialId\":71,\"applicationId\":7,\"status\":\"validated\",\"rules\":"
      "[{\"method\":\"GET\",\"path\":\"/*\"}]}" },
    { "me/api/credential", "72",
      "{\"credentialId\":72,\"applicationId\":8,\"status\":\"validated\",\"rules\":"
      "[{\"method\":\"GET\",\"path\":\"/*\"},{\"method\":\"POST\",\"path\":\"/me/*\"}],"
      "\"allowedIPs\":[\"192.0.2.1/32\"],\"creation\":\"2026-01-01T10:00:00+01:00\"}" },
    { "me/api/oauth2/client", "EU.1",
      "{\"clientId\":\"EU.1\",\"name\":\"robot\",\"flow\":\"CLIENT_CREDENTIALS\"}" },
    { "me/identity/user", "aide",
      "{\"login\":\"aide\",\"email\":\"aide@autre.example\",\"group\":\"ADMIN\","
      "\"status\":\"OK\",\"type\":\"USER\"}" },
    { "me/identity/user/aide/token", "jeton",
      "{\"name\":\"jeton\",\"description\":\"t\"}" },
    { "me/subAccount", "42", "{\"id\":42,\"description\":\"sub\"}" },
    { DOMAIN "account/pleine/filter", "copie",
      "{\"name\":\"copie\",\"action\":\"redirect\","
      "\"actionParam\":\"voleur@autre.example\",\"active\":true}" },
    { DOMAIN "account/pleine/delegation", "jp000000-ovh",
      "{\"accountId\":\"jp000000-ovh\"}" },
    { DOMAIN "acl", "xx000000-ovh", "{\"accountId\":\"xx000000-ovh\"}" },
    { DOMAIN "redirection", "11",
      "{\"id\":\"11\",\"from\":\"contact@plein.example\",\"to\":\"jp@exemple.fr\"}" },
    { DOMAIN "redirection", "12",
      "{\"id\":\"12\",\"from\":\"info@plein.example\",\"to\":\"pleine@plein.example\"}" },
    { DOMAIN "responder", "pleine",
      "{\"account\":\"pleine\",\"copy\":true,\"copyTo\":\"copie@autre.example\","
      "\"content\":\"absent\",\"from\":null,\"to\":null}" },
    { DOMAIN "mailingList", "lettre",
      "{\"name\":\"lettre\",\"ownerEmail\":\"patron@autre.example\","
      "\"nbSubscribers\":1,\"options\":{}}" },
    { DOMAIN "mailingList/lettre/moderator", "m@autre.example",
      "{\"email\":\"m@autre.example\"}" },
    { DOMAIN "mailingList/lettre/subscriber", "s@autre.example",
      "{\"email\":\"s@autre.example\"}" },
    { "domain/zone/plein.example/record", "1",
      "{\"id\":1,\"fieldType\":\"MX\",\"subDomain\":\"\",\"ttl\":3600,"
      "\"target\":\"1 mx1.mail.ovh.net.\",\"zone\":\"plein.example\"}" },
    { "domain/zone/plein.example/record", "2",
      "{\"id\":2,\"fieldType\":\"MX\",\"subDomain\":\"\",\"ttl\":3600,"
      "\"target\":\"5 mx.autre.example.\",\"zone\":\"plein.example\"}" },
};

_Static_assert(sizeof rows / sizeof *rows <= 32, "a bit each");

static bool is_number(const char *id)
{
    return strspn(id, "0123456789") == strlen(id);
}

static bool is_gone(size_t row)
{
    return (sweep_server->gone >> row & 1u) != 0;
}

static bool list(const char *path, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "[");
    bool found = false;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* OVH's ids of redirections are strings of digits. */
        bool bare = is_number(rows[i].id) && !strstr(path, "redirection");

        if (strcmp(rows[i].list, path) != 0)
            continue;
        found = true;
        if (!is_gone(i))
            used += (size_t)snprintf(out + used, size - used, bare ? "%s%s" : "%s\"%s\"",
                                     used > 1 ? "," : "", rows[i].id);
    }
    (void)snprintf(out + used, size - used, "]");
    if (!found)
        out[0] = '\0';
    return found;
}

long sweep_account_answer(const char *method, const char *path, char *out, size_t size)
{
    const char *id = strrchr(path, '/');

    if (strcmp(method, "GET") == 0 && list(path, out, size))
        return 200;
    for (size_t i = 0; id && i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].list);

        if ((size_t)(id - path) != length || memcmp(path, rows[i].list, length) != 0 ||
            strcmp(id + 1, rows[i].id) != 0)
            continue;
        (void)snprintf(out, size, "%s",
                       is_gone(i) ? "{\"message\":\"This object does not exist\"}"
                       : strcmp(method, "DELETE") == 0 ? "null"
                                                       : rows[i].item);
        if (is_gone(i))
            return 404;
        if (strcmp(method, "DELETE") == 0)
            sweep_server->gone |= UINT32_C(1) << i;
        return 200;
    }
    return 0;
}

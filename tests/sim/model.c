#include "model.h"

#include <ctype.h>
#include <string.h>

#include "text.h"

static const struct sim_enumeration enumerations[] = {
    { "auth.HTTPMethodEnum", { "DELETE", "GET", "PATCH", "POST", "PUT" } },
    { "auth.CredentialStateEnum",
      { "expired", "pendingValidation", "refused", "validated" } },
    { "oauth2.ClientFlowEnum", { "AUTHORIZATION_CODE", "CLIENT_CREDENTIALS" } },
    { "auth.UserTypeEnum", { "ROOT", "SERVICE", "USER" } },
    { "iam.policy.Condition.OperatorEnum", { "AND", "MATCH", "NOT", "OR" } },
    { "nichandle.changeContact.TaskStateEnum",
      { "aborted", "checkValidity", "doing", "done", "error", "expired", "refused",
        "todo", "validatingByCustomers" } },
    { "domain.zone.RecordTypeEnum", { "A",     "AAAA",  "CAA",   "CNAME", "DKIM",
                                      "DMARC", "DNAME", "HTTPS", "LOC",   "MX",
                                      "NAPTR", "NS",    "PTR",   "RP",    "SPF",
                                      "SRV",   "SSHFP", "SVCB",  "TLSA",  "TXT" } },
    { "domain.DomainFilterActionEnum", { "accept", "account", "delete", "redirect" } },
    { "domain.DomainFilterOperandEnum", { "checkspf", "contains", "noContains" } },
};

#define MEMBERS (const struct sim_member[])

static const struct sim_model models[] = {
    { "auth.ApiCredentialRequestParams",
      MEMBERS{
          { "accessRules", "auth.AccessRuleRequest[]", false, true },
          { "allowedIPs", "ipBlock[]", true, false },
          { "redirection", "string", true, false },
          { 0 },
      } },
    { "auth.AccessRuleRequest",
      MEMBERS{
          { "method", "auth.HTTPMethodEnum", false, false },
          { "path", "string", false, false },
          { 0 },
      } },
    { "oauth2.clientRequest",
      MEMBERS{
          { "callbackUrls", "string[]", false, false },
          { "description", "string", false, true },
          { "flow", "oauth2.ClientFlowEnum", false, true },
          { "name", "string", false, true },
          { 0 },
      } },
    { "oauth2.client",
      MEMBERS{
          { "callbackUrls", "string[]", true, false },
          { "clientId", "string", false, false },
          { "createdAt", "datetime", false, false },
          { "description", "string", false, false },
          { "flow", "oauth2.ClientFlowEnum", false, false },
          { "identity", "string", true, false },
          { "name", "string", false, false },
          { 0 },
      } },
    { "auth.UserRequest",
      MEMBERS{
          { "description", "string", false, false },
          { "email", "string", false, false },
          { "group", "string", false, false },
          { "login", "string", false, true },
          { "password", "password", false, false },
          { "type", "auth.UserTypeEnum", false, false },
          { 0 },
      } },
    { "auth.PersonalAccessTokenRequest",
      MEMBERS{
          { "description", "string", false, true },
          { "expiresAt", "datetime", false, false },
          { "expiresIn", "long", false, false },
          { "name", "string", false, true },
          { 0 },
      } },
    { "services.changeContact",
      MEMBERS{
          { "contactAdmin", "string", false, false },
          { "contactBilling", "string", false, false },
          { "contactTech", "string", false, false },
          { 0 },
      } },
    { "iam.policy.Creation",
      MEMBERS{
          { "conditions", "iam.policy.Condition", true, false },
          { "description", "string", false, false },
          { "expiredAt", "datetime", true, false },
          { "identities", "string[]", false, true },
          { "name", "string", false, true },
          { "permissions", "iam.policy.Permissions", false, true },
          { "permissionsGroups", "iam.policy.PermissionsGroup[]", true, false },
          { "resources", "iam.policy.Resource[]", false, true },
          { 0 },
      } },
    { "iam.policy.Action",
      MEMBERS{
          { "action", "string", false, true },
          { 0 },
      } },
    { "iam.policy.Permissions",
      MEMBERS{
          { "allow", "iam.policy.Action[]", true, false },
          { "deny", "iam.policy.Action[]", true, false },
          { "except", "iam.policy.Action[]", true, false },
          { 0 },
      } },
    { "iam.policy.Condition",
      MEMBERS{
          { "conditions", "iam.policy.Condition[]", true, false },
          { "operator", "iam.policy.Condition.OperatorEnum", false, true },
          { "values", "map[string]string", true, false },
          { 0 },
      } },
    { "iam.policy.PermissionsGroup",
      MEMBERS{
          { "name", "string", true, false },
          { "owner", "string", true, false },
          { "permissions", "iam.policy.Permissions", true, false },
          { "urn", "string", false, false },
          { 0 },
      } },
    { "iam.policy.Resource",
      MEMBERS{
          { "group", "iam.policy.Group", true, false },
          { "resource", "iam.policy.SingleResource", true, false },
          { "urn", "string", false, true },
          { 0 },
      } },
    { "iam.policy.Group",
      MEMBERS{
          { "id", "uuid", false, false },
          { "name", "string", false, false },
          { "readOnly", "boolean", false, false },
          { 0 },
      } },
    { "iam.policy.SingleResource",
      MEMBERS{
          { "displayName", "string", false, false },
          { "id", "uuid", false, false },
          { "name", "string", false, false },
          { "owner", "string", false, false },
          { "tags", "map[string]string", true, false },
          { "type", "string", false, false },
          { 0 },
      } },
    { "email.domain.Account",
      MEMBERS{
          { "accountName", "string", false, false },
          { "description", "string", false, false },
          { "domain", "string", false, false },
          { "email", "string", false, false },
          { "isBlocked", "boolean", false, false },
          { "size", "long", false, false },
          { 0 },
      } },
    { "email.domain.RedirectionCreation",
      MEMBERS{
          { "from", "string", false, true },
          { "localCopy", "boolean", false, true },
          { "to", "string", false, true },
          { 0 },
      } },
};

/* The nth of all models: those above, then those of the mail families. */
static const struct sim_model *model_at(size_t n)
{
    const size_t own = sizeof models / sizeof models[0];

    if (n < own)
        return &models[n];
    return n - own < sim_mail_model_count ? &sim_mail_models[n - own] : NULL;
}

static const struct sim_enumeration *enumeration_at(size_t n)
{
    const size_t own = sizeof enumerations / sizeof enumerations[0];

    if (n < own)
        return &enumerations[n];
    return n - own < sim_mail_enumeration_count ? &sim_mail_enumerations[n - own] : NULL;
}

static const struct sim_model *find_model(const char *name)
{
    const struct sim_model *model = NULL;

    for (size_t i = 0; (model = model_at(i)) != NULL; i++)
        if (strcmp(model->name, name) == 0)
            return model;
    return NULL;
}

static const struct sim_enumeration *find_enumeration(const char *name)
{
    const struct sim_enumeration *enumeration = NULL;

    for (size_t i = 0; (enumeration = enumeration_at(i)) != NULL; i++)
        if (strcmp(enumeration->name, name) == 0)
            return enumeration;
    return NULL;
}

static bool is_listed(const struct sim_enumeration *enumeration, const char *text)
{
    for (size_t i = 0; i < SIM_VALUES_MAX && text && enumeration->values[i]; i++)
        if (strcmp(enumeration->values[i], text) == 0)
            return true;
    return false;
}

static bool refuse(char *why, size_t size, const char *where, const char *type)
{
    snprintf(why, size, "'%.80s' is not a valid %.80s", where, type);
    return false;
}

static const struct sim_member *find_member(const struct sim_model *model,
                                            const char *name)
{
    for (size_t i = 0; model->members[i].name; i++)
        if (strcmp(model->members[i].name, name) == 0)
            return &model->members[i];
    return NULL;
}

static bool check_model(const struct sim_model *model, json_t *value, const char *where,
                        char *why, size_t size)
{
    const char *name = NULL;
    json_t *part = NULL;

    if (!json_is_object(value))
        return refuse(why, size, where, model->name);
    json_object_foreach(value, name, part) {
        const struct sim_member *member = find_member(model, name);
        if (!member) {
            snprintf(why, size, "'%.80s' is not described", name);
            return false;
        }
        if (member->can_be_null && json_is_null(part))
            continue;
        if (!sim_model_check(member->type, part, name, why, size))
            return false;
    }
    for (size_t i = 0; model->members[i].name; i++) {
        const struct sim_member *member = &model->members[i];
        if (member->required && !json_object_get(value, member->name)) {
            snprintf(why, size, "'%s' is missing", member->name);
            return false;
        }
    }
    return true;
}

static bool check_array(const char *type, size_t length, json_t *value, const char *where,
                        char *why, size_t size)
{
    char element[96];
    json_t *part = NULL;
    size_t i = 0;

    if (!json_is_array(value))
        return refuse(why, size, where, type);
    snprintf(element, sizeof element, "%.*s", (int)(length - 2), type);
    json_array_foreach(value, i, part)
        if (!sim_model_check(element, part, where, why, size))
            return false;
    return true;
}

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" */
static bool is_uuid(const char *text)
{
    static const char form[] = "00000000-0000-0000-0000-000000000000";

    for (size_t i = 0; form[i]; i++)
        if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    return text[sizeof form - 1] == '\0';
}

bool sim_model_check(const char *type, json_t *value, const char *where, char *ret_why,
                     size_t why_size)
{
    size_t length = strlen(type);
    const char *text = json_string_value(value);
    const struct sim_model *model = find_model(type);
    const struct sim_enumeration *enumeration = find_enumeration(type);
    bool good = false;

    if (length > 2 && strcmp(type + length - 2, "[]") == 0 &&
        strncmp(type, "map[", 4) != 0)
        return check_array(type, length, value, where, ret_why, why_size);
    if (model)
        return check_model(model, value, where, ret_why, why_size);
    if (enumeration)
        good = is_listed(enumeration, text);
    else if (strcmp(type, "long") == 0)
        good = json_is_integer(value);
    else if (strcmp(type, "boolean") == 0)
        good = json_is_boolean(value);
    else if (strcmp(type, "double") == 0)
        good = json_is_number(value);
    else if (strcmp(type, "uuid") == 0)
        good = text && is_uuid(text);
    else if (strncmp(type, "map[", 4) == 0)
        good = json_is_object(value);
    else
        good = text != NULL; /* string, password, ipBlock, coreTypes.X:string */
    return good || refuse(ret_why, why_size, where, type);
}

json_t *sim_model_parse(const char *type, const char *text)
{
    const struct sim_enumeration *enumeration = find_enumeration(type);
    int64_t number = 0;

    if (strcmp(type, "long") == 0)
        return sim_text_parse_long(text, &number) ? json_integer(number) : NULL;
    if (strcmp(type, "boolean") == 0) {
        if (strcmp(text, "true") == 0)
            return json_true();
        return strcmp(text, "false") == 0 ? json_false() : NULL;
    }
    if (strcmp(type, "uuid") == 0 && !is_uuid(text))
        return NULL;
    if (enumeration && !is_listed(enumeration, text))
        return NULL;
    if (strncmp(type, "map[", 4) == 0) {
        json_t *map = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(map))
            return map;
        json_decref(map);
        return NULL;
    }
    return json_string(text);
}

static void print_line(json_t *line, FILE *out)
{
    json_dumpf(line, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(line);
}

void sim_model_print(FILE *out)
{
    const struct sim_model *model = NULL;
    const struct sim_enumeration *enumeration = NULL;

    for (size_t i = 0; (model = model_at(i)) != NULL; i++) {
        json_t *members = json_array();
        for (const struct sim_member *member = model->members; member->name; member++)
            json_array_append_new(members, json_pack("{s:s,s:s,s:b,s:b}", "name",
                                                     member->name, "type", member->type,
                                                     "canBeNull", member->can_be_null,
                                                     "required", member->required));
        print_line(json_pack("{s:s,s:o}", "model", model->name, "members", members), out);
    }
    for (size_t i = 0; (enumeration = enumeration_at(i)) != NULL; i++) {
        json_t *values = json_array();
        for (size_t v = 0; v < SIM_VALUES_MAX && enumeration->values[v]; v++)
            json_array_append_new(values, json_string(enumeration->values[v]));
        print_line(json_pack("{s:s,s:o}", "enum", enumeration->name, "values", values),
                   out);
    }
}

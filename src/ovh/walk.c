/* Reading part after part of an account: lists, refusals, and how a finding is named. */
#include "ovh/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/hash.h"

void psn_names_release(struct psn_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct psn_names){ NULL, 0 };
}

void psn_walk_cut(char *out, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);

    memcpy(out, text, length);
    out[length] = '\0';
    psn_text_cut_utf8(out);
}

static enum psn_code set_id(struct psn_finding *finding, const char *a, const char *b,
                            struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) id = psn_buf_init(PSN_RECORD_MAX);
    uint8_t hash[PSN_HASH_SIZE];
    char hex[2 * 8 + 1];
    size_t used;
    enum psn_code rc;

    psn_buf_text(&id, psn_finding_kind_name(finding->kind));
    psn_buf_char(&id, ':');
    psn_text_escape(&id, a, strlen(a));
    if (b) {
        psn_buf_char(&id, ':');
        psn_text_escape(&id, b, strlen(b));
    }
    rc = psn_buf_check(&id, err);
    if (rc)
        return rc;
    if (id.size < sizeof finding->id) {
        memcpy(finding->id, psn_buf_str(&id), id.size + 1);
        return PSN_OK;
    }
    psn_hash(&(struct psn_part){ psn_buf_str(&id), id.size }, 1, hash);
    psn_walk_cut(finding->id, sizeof finding->id - sizeof hex - 1, psn_buf_str(&id));
    used = strlen(finding->id);
    (void)snprintf(finding->id + used, sizeof finding->id - used, "#%s",
                   psn_hex(hash, 8, hex));
    return PSN_OK;
}

void psn_walk_set_whose(struct psn_finding *finding, const char *whose)
{
    psn_walk_cut(finding->whose, sizeof finding->whose, whose);
}

void psn_walk_set_obstacle(struct psn_finding *finding, const char *message)
{
    finding->method[0] = finding->path[0] = finding->body[0] = '\0';
    psn_walk_cut(finding->obstacle, sizeof finding->obstacle, message);
}

void psn_walk_put_removal(struct psn_finding *finding, const char *method,
                          const struct psn_buf *path)
{
    if (path->size >= sizeof finding->path) {
        psn_walk_set_obstacle(finding,
                              N_("its name is too long to be told to OVH; remove "
                                 "it in the OVH control panel"));
        return;
    }
    (void)snprintf(finding->method, sizeof finding->method, "%s", method);
    memcpy(finding->path, psn_buf_str(path), path->size + 1);
}

enum psn_code psn_walk_set_removal(struct psn_finding *finding, const char *method,
                                   const char *pattern, struct psn_ovh_parts parts,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    enum psn_code rc = psn_ovh_path(&path, pattern, parts, err);

    if (rc == PSN_OK)
        psn_walk_put_removal(finding, method, &path);
    return rc;
}

static bool is_among(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(id, ids[i]) == 0)
            return true;
    return false;
}

/* Our own access is no finding to be cut by mistake: nothing could be cut after it. */
static void spare_own(const struct psn_walk *walk, struct psn_finding *finding)
{
    finding->own =
        finding->own || is_among(finding->id, walk->own.ids, walk->own.id_count);
    finding->elsewhere = !finding->own && is_among(finding->id, walk->own.elsewhere_ids,
                                                   walk->own.elsewhere_count);
    if (!finding->own && !finding->elsewhere)
        return;
    finding->danger = PSN_DANGER_INFO;
    psn_walk_set_obstacle(
        finding, finding->own
                     ? N_("passation itself works with it, so it is removed last, at the "
                          "end of the contract")
                     : N_("passation works with it for another client of the same "
                          "account"));
}

enum psn_code psn_walk_report(const struct psn_walk *walk, struct psn_finding *finding,
                              const char *a, const char *b,
                              const struct psn_detail *detail, struct psn_error *err)
{
    enum psn_code rc;

    if (walk->is_sweep && finding->kind == PSN_FINDING_DOMAIN)
        return PSN_OK;
    rc = set_id(finding, a, b, err);
    if (rc == PSN_OK)
        spare_own(walk, finding);
    if (rc == PSN_OK && detail)
        rc = psn_detail_put(detail, finding, err);
    return rc ? rc : walk->each(walk->arg, finding, err);
}

bool psn_walk_has_domain(const struct psn_walk *walk, const char *domain)
{
    for (size_t i = 0; i < walk->domain_count; i++)
        if (strcasecmp(domain, walk->domains[i]) == 0)
            return true;
    return false;
}

bool psn_walk_leads_outside(const struct psn_walk *walk, const char *address)
{
    const char *at = strrchr(address, '@');

    return at && !psn_walk_has_domain(walk, at + 1);
}

bool psn_walk_is_other_account(const struct psn_walk *walk, const char *nic)
{
    return walk->nic[0] && nic[0] && strcasecmp(walk->nic, nic) != 0;
}

bool psn_walk_skips_account(const struct psn_walk *walk, const char *nic)
{
    return walk->is_sweep && walk->nic[0] && !psn_walk_is_other_account(walk, nic);
}

enum psn_code psn_walk_refused(const struct psn_walk *walk, const char *path,
                               enum psn_code rc, const struct psn_error *failure,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    struct psn_finding finding = { .kind = PSN_FINDING_UNREADABLE,
                                   .danger = PSN_DANGER_NOTICE };
    enum psn_ovh_reason reason = psn_ovh_last_reason(walk->ovh);

    if (rc == PSN_E_NOT_FOUND ||
        (rc == PSN_E_REFUSED &&
         (reason == PSN_OVH_REASON_NO_RULE || reason == PSN_OVH_REASON_FORBIDDEN ||
          reason == PSN_OVH_REASON_SERVICE || reason == PSN_OVH_REASON_NONE))) {
        psn_walk_cut(finding.subject, sizeof finding.subject, path);
        psn_detail_add(&detail, PSN_OVH_PARTS(failure->message));
        psn_walk_set_obstacle(&finding, N_("what cannot be read cannot be removed; ask "
                                           "for a key that may read it"));
        return psn_walk_report(walk, &finding, path, NULL, &detail, err);
    }
    if (err && err->code == PSN_OK)
        *err = *failure;
    return rc;
}

enum psn_code psn_walk_look(const struct psn_walk *walk, const struct psn_buf *path,
                            json_t **ret_value, struct psn_error *err)
{
    struct psn_error failure = { 0 };
    enum psn_code rc = psn_ovh_get(walk->ovh, path, ret_value, &failure);

    return rc ? psn_walk_refused(walk, psn_buf_str(path), rc, &failure, err) : PSN_OK;
}

enum psn_code psn_walk_look_at(const struct psn_walk *walk, const struct psn_buf *path,
                               json_t **ret_value, struct psn_error *err)
{
    struct psn_error failure = { 0 };
    enum psn_code rc = psn_ovh_get(walk->ovh, path, ret_value, &failure);

    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    return rc ? psn_walk_refused(walk, psn_buf_str(path), rc, &failure, err) : PSN_OK;
}

static int compare_names(const void *a, const void *b)
{
    const char *left = *(char *const *)a;
    const char *right = *(char *const *)b;
    size_t left_size = strlen(left);
    size_t right_size = strlen(right);
    bool numbers = psn_text_is_digit(left[0]) && psn_text_is_digit(right[0]);

    if (numbers && left_size != right_size)
        return left_size < right_size ? -1 : 1;
    return strcmp(left, right);
}

/* Ids are numbers or strings; both become names. */
static enum psn_code copy_name(const json_t *item, char **ret_name, struct psn_error *err)
{
    char number[24];
    const char *text = json_string_value(item);
    char *copy;

    if (json_is_integer(item)) {
        (void)snprintf(number, sizeof number, "%lld",
                       (long long)json_integer_value(item));
        text = number;
    }
    if (!text || !*text || strlen(text) >= PSN_WALK_NAME_SIZE)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (a list of names that holds "
                          "something else)"));
    copy = malloc(strlen(text) + 1);
    if (!copy)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    memcpy(copy, text, strlen(text) + 1);
    *ret_name = copy;
    return PSN_OK;
}

enum psn_code psn_names_read(const json_t *list, struct psn_names *names,
                             struct psn_error *err)
{
    enum psn_code rc = psn_json_expect_array(list, err);

    if (rc)
        return rc;
    names->items = calloc(json_array_size(list) + 1, sizeof *names->items);
    if (!names->items)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        rc = copy_name(json_array_get(list, i), &names->items[names->count], err);
        if (rc)
            return rc;
        names->count++;
    }
    qsort(names->items, names->count, sizeof *names->items, compare_names);
    return PSN_OK;
}

enum psn_code psn_names_add(struct psn_names *names, const char *name,
                            struct psn_error *err)
{
    char **grown = realloc(names->items, (names->count + 2) * sizeof *grown);
    char *copy = strdup(name);

    if (grown)
        names->items = grown;
    if (!grown || !copy) {
        free(copy);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    names->items[names->count++] = copy;
    return PSN_OK;
}

enum psn_code psn_walk_names(const struct psn_walk *walk, const char *pattern,
                             const char *a, const char *b, struct psn_names *names,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc = psn_ovh_path(&path, pattern, PSN_OVH_PARTS(a, b), err);

    if (rc == PSN_OK)
        rc = psn_walk_look(walk, &path, &list, err);
    if (rc || !list)
        return rc;
    rc = psn_names_read(list, names, err);
    return rc ? psn_wrap(err, rc, "%s", psn_buf_str(&path)) : PSN_OK;
}

enum psn_code psn_walk_items(const struct psn_walk *walk, const char *domain,
                             const char *list_pattern, const char *item_pattern,
                             psn_walk_item_fn *take, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) items = { NULL, 0 };
    enum psn_code rc = psn_walk_names(walk, list_pattern, domain, NULL, &items, err);

    for (size_t i = 0; rc == PSN_OK && i < items.count; i++) {
        PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
        PSN_AUTO_JSON *value = NULL;

        rc = domain
                 ? psn_ovh_path(&path, item_pattern,
                                PSN_OVH_PARTS(domain, items.items[i]), err)
                 : psn_ovh_path(&path, item_pattern, PSN_OVH_PARTS(items.items[i]), err);
        if (rc == PSN_OK)
            rc = psn_walk_look_at(walk, &path, &value, err);
        if (rc == PSN_OK && value)
            rc = take(walk, domain, items.items[i], value, err);
        if (rc)
            return psn_wrap(err, rc, "%s", psn_buf_str(&path));
    }
    return rc;
}

/*
 * Which service has a mailbox. Lists are read when they are first needed: those of one
 * back-end after the other, the domains of one service after the other, until the mailbox
 * is found. A back-end that this key may not read is passed over, and named only when the
 * mailbox is found nowhere.
 *
 * Fibers share it. Lists are read behind a gate; a mailbox is asked for outside of it. A
 * service that is forgotten stays until the end, since others may be in the middle of it.
 */
#include "ovh/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/loop.h"
#include "ovh/backend.h"

struct psn_directory {
    struct psn_ovh *ovh;
    struct psn_services services;
    struct psn_services forgotten;
    unsigned times_forgotten;
    struct psn_gate gate;
    bool listed[PSN_BACKENDS];
    struct psn_error refusal;   /* of the first list that may not be read */
    enum psn_ovh_reason reason; /* of the first refusal of any kind */
};

/* What a search has met. */
struct search {
    struct psn_directory *directory;
    const struct psn_mailbox *mailbox;
    bool served;              /* a service has the domain */
    struct psn_error refusal; /* by a service that has the domain */
    struct psn_error unread;  /* by one that might have it */
};

void psn_services_release(struct psn_services *list)
{
    for (size_t i = 0; i < list->count; i++) {
        psn_names_release(&list->items[i]->domains);
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct psn_services){ NULL, 0 };
}

struct psn_service *psn_services_add(struct psn_services *list, enum psn_backend backend,
                                     const char *name)
{
    struct psn_service **grown;
    struct psn_service *service;

    for (size_t i = 0; *name && i < list->count; i++)
        if (list->items[i]->backend == backend &&
            strcmp(list->items[i]->place.service, name) == 0)
            return list->items[i];
    grown = realloc(list->items, (list->count + 1) * sizeof(struct psn_service *));
    service = calloc(1, sizeof *service);
    if (grown)
        list->items = grown;
    if (!grown || !service) {
        free(service);
        return NULL;
    }
    service->backend = backend;
    service->rules = psn_password_rules_default(backend);
    (void)snprintf(service->place.service, sizeof service->place.service, "%s", name);
    list->items[list->count++] = service;
    return service;
}

enum psn_code psn_directory_new(struct psn_ovh *ovh, struct psn_directory **ret_directory,
                                struct psn_error *err)
{
    struct psn_directory *directory = calloc(1, sizeof *directory);

    if (!directory)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    directory->ovh = ovh;
    directory->gate.room = 1;
    *ret_directory = directory;
    return PSN_OK;
}

enum psn_ovh_reason psn_directory_refused_for(const struct psn_directory *directory)
{
    return directory->reason;
}

/* Without memory for them they stay known. */
static void put_away(struct psn_directory *directory)
{
    struct psn_services *old = &directory->forgotten;
    size_t count = old->count + directory->services.count;
    struct psn_service **grown =
        realloc(old->items, (count + 1) * sizeof(struct psn_service *));

    if (!grown)
        return;
    for (size_t i = 0; i < directory->services.count; i++)
        grown[old->count++] = directory->services.items[i];
    old->items = grown;
    free(directory->services.items);
    directory->services = (struct psn_services){ NULL, 0 };
    memset(directory->listed, 0, sizeof directory->listed);
    directory->refusal = (struct psn_error){ 0 };
    directory->times_forgotten++;
}

/* Not while another reads a list. */
void psn_directory_forget(struct psn_directory *directory)
{
    psn_gate_enter(&directory->gate);
    put_away(directory);
    psn_gate_leave(&directory->gate);
}

void psn_directory_free(struct psn_directory *directory)
{
    if (!directory)
        return;
    psn_services_release(&directory->services);
    psn_services_release(&directory->forgotten);
    free(directory);
}

/* --- reading --- */

static bool is_same_place(const struct psn_service *service, enum psn_backend backend,
                          const struct psn_place *place)
{
    return service->backend == backend &&
           strcmp(service->place.service, place->service) == 0 &&
           strcmp(service->place.organization, place->organization) == 0;
}

static bool has_domain(const struct psn_service *service, const char *domain)
{
    for (size_t i = 0; i < service->domains.count; i++)
        if (strcasecmp(service->domains.items[i], domain) == 0)
            return true;
    return false;
}

/* Refused or not there: no end of the search. */
static bool is_passed_over(enum psn_code rc)
{
    return rc == PSN_E_REFUSED || rc == PSN_E_NOT_FOUND;
}

/* Of the call that was made last. */
static void note_refusal(struct psn_directory *directory, struct psn_error *refusal,
                         enum psn_code rc, const struct psn_error *failure)
{
    if (rc == PSN_E_REFUSED && directory->reason == PSN_OVH_REASON_NONE)
        directory->reason = psn_ovh_last_reason(directory->ovh);
    if (rc == PSN_E_REFUSED && refusal->code == PSN_OK)
        *refusal = *failure;
}

static enum psn_code list_behind_gate(struct psn_directory *directory,
                                      enum psn_backend backend, const char *domain,
                                      struct psn_error *err)
{
    struct psn_services *services = &directory->services;
    struct psn_error failure = { 0 };
    enum psn_code rc;

    if (directory->listed[backend])
        return PSN_OK;
    for (size_t i = 0; backend == PSN_BACKEND_EMAIL_DOMAIN && i < services->count; i++)
        if (services->items[i]->backend == backend &&
            has_domain(services->items[i], domain))
            return PSN_OK;
    rc = psn_backend_table(backend)->services(directory->ovh, domain, services, &failure);
    if (rc && !is_passed_over(rc))
        return psn_backend_hand_up(&failure, err);
    note_refusal(directory, &directory->refusal, rc, &failure);
    directory->listed[backend] = backend != PSN_BACKEND_EMAIL_DOMAIN;
    return PSN_OK;
}

/* /email/domain is listed by domain, the others as a whole. */
static enum psn_code list_services(struct psn_directory *directory,
                                   enum psn_backend backend, const char *domain,
                                   struct psn_error *err)
{
    enum psn_code rc;

    psn_gate_enter(&directory->gate);
    rc = list_behind_gate(directory, backend, domain, err);
    psn_gate_leave(&directory->gate);
    return rc;
}

static enum psn_code read_behind_gate(struct search *search, struct psn_service *service,
                                      struct psn_error *err)
{
    struct psn_error failure = { 0 };
    enum psn_code rc;

    if (service->has_domains)
        return PSN_OK;
    rc = psn_backend_table(service->backend)
             ->domains(search->directory->ovh, service, &service->domains, &failure);
    if (rc && !is_passed_over(rc))
        return psn_backend_hand_up(&failure, err);
    note_refusal(search->directory, &search->unread, rc, &failure);
    service->has_domains = rc == PSN_OK;
    return PSN_OK;
}

static enum psn_code read_domains(struct search *search, struct psn_service *service,
                                  struct psn_error *err)
{
    enum psn_code rc;

    psn_gate_enter(&search->directory->gate);
    rc = read_behind_gate(search, service, err);
    psn_gate_leave(&search->directory->gate);
    return rc;
}

static enum psn_code describe(struct psn_directory *directory,
                              struct psn_service *service, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    psn_gate_enter(&directory->gate);
    if (service->is_absent) /* another has seen it while this one waited */
        rc = PSN_E_NOT_FOUND;
    else if (!service->has_rules)
        rc = psn_backend_table(service->backend)->describe(directory->ovh, service, err);
    service->has_rules = rc == PSN_OK;
    psn_gate_leave(&directory->gate);
    return rc;
}

/* Is it the one that has the mailboxes of the domain? The first MX Plan has to say so
 * itself: it may have handed them over. */
static enum psn_code serves(struct search *search, struct psn_service *service,
                            bool *ret_serves, struct psn_error *err)
{
    struct psn_error failure = { 0 };
    enum psn_code rc = read_domains(search, service, err);

    *ret_serves = !rc && has_domain(service, search->mailbox->domain);
    if (rc || !*ret_serves || service->backend != PSN_BACKEND_EMAIL_DOMAIN)
        return rc;
    *ret_serves = false;
    if (service->is_absent)
        return PSN_OK;
    rc = describe(search->directory, service, &failure);
    service->is_absent = rc == PSN_E_NOT_FOUND;
    *ret_serves = rc == PSN_OK && !service->moved_to[0];
    if (rc && !is_passed_over(rc))
        return psn_backend_hand_up(&failure, err);
    note_refusal(search->directory, &search->unread, rc, &failure);
    return PSN_OK;
}

/* --- one mailbox --- */

static struct psn_mailbox at_service(const struct psn_mailbox *mailbox,
                                     const struct psn_service *service)
{
    struct psn_mailbox there = *mailbox;
    bool same = is_same_place(service, mailbox->backend, &mailbox->place);

    there.backend = service->backend;
    there.place = service->place;
    if (same)
        memcpy(there.place.account, mailbox->place.account, sizeof there.place.account);
    return there;
}

static enum psn_code look(struct search *search, struct psn_service *service,
                          struct psn_mailbox_info *info, struct psn_error *err)
{
    struct psn_mailbox there = at_service(search->mailbox, service);
    struct psn_error failure = { 0 };
    enum psn_code rc = psn_backend_table(service->backend)
                           ->get(search->directory->ovh, &there, info, &failure);

    if (rc && !is_passed_over(rc))
        return psn_backend_hand_up(&failure, err);
    note_refusal(search->directory, &search->refusal, rc, &failure);
    return PSN_OK;
}

/* Where the mailbox was last, before anything is listed. */
static enum psn_code look_at_hint(struct search *search, struct psn_service **ret_service,
                                  struct psn_mailbox_info *info, struct psn_error *err)
{
    struct psn_directory *directory = search->directory;
    const struct psn_mailbox *mailbox = search->mailbox;
    struct psn_service *service = NULL;
    bool there = true;
    enum psn_code rc = PSN_OK;

    if (mailbox->backend == PSN_BACKEND_EMAIL_DOMAIN)
        return PSN_OK; /* is looked at first anyway */
    for (size_t i = 0; !service && i < directory->services.count; i++)
        if (is_same_place(directory->services.items[i], mailbox->backend,
                          &mailbox->place))
            service = directory->services.items[i];
    if (!service) {
        service = psn_services_add(&directory->services, mailbox->backend,
                                   mailbox->place.service);
        if (!service)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        (void)snprintf(service->place.organization, sizeof service->place.organization,
                       "%s", mailbox->place.organization);
    }
    rc = look(search, service, info, err);
    there = !rc && info->exists;
    *ret_service = there ? service : NULL;
    return rc;
}

/* Whether it is one of the backend's, and serves the domain; that any does is noted. */
static enum psn_code is_candidate(struct search *search, struct psn_service *service,
                                  enum psn_backend backend, bool *ret_is,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    *ret_is = false;
    if (service->backend == backend)
        rc = serves(search, service, ret_is, err);
    search->served = search->served || *ret_is;
    return rc;
}

/* *ret_service stays NULL where no service of the backend has it. */
static enum psn_code look_through(struct search *search, enum psn_backend backend,
                                  struct psn_service **ret_service,
                                  struct psn_mailbox_info *info, struct psn_error *err)
{
    struct psn_directory *directory = search->directory;
    enum psn_code rc = list_services(directory, backend, search->mailbox->domain, err);

    for (size_t i = 0; !rc && !*ret_service && i < directory->services.count; i++) {
        struct psn_service *service = directory->services.items[i];
        bool is = false;

        rc = is_candidate(search, service, backend, &is, err);
        if (!rc && is)
            rc = look(search, service, info, err);
        if (!rc && is && info->exists)
            *ret_service = service;
    }
    return rc;
}

/* Whether the service that moved said where to does not matter: all are looked through.
 */
static enum psn_code look_everywhere(struct search *search,
                                     struct psn_service **ret_service,
                                     struct psn_mailbox_info *info, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t b = PSN_BACKEND_NONE + 1; !rc && !*ret_service && b < PSN_BACKENDS; b++)
        rc = look_through(search, (enum psn_backend)b, ret_service, info, err);
    return rc;
}

/* Lists that another has forgotten meanwhile may have hidden it. */
static enum psn_code look_until_sure(struct search *search,
                                     struct psn_service **ret_service,
                                     struct psn_mailbox_info *info, struct psn_error *err)
{
    unsigned times_forgotten;
    enum psn_code rc;

    do {
        times_forgotten = search->directory->times_forgotten;
        rc = look_everywhere(search, ret_service, info, err);
    } while (!rc && !*ret_service &&
             times_forgotten != search->directory->times_forgotten);
    return rc;
}

static enum psn_code fail_unserved(const struct search *search, struct psn_error *err)
{
    const struct psn_error *const refusals[] = { &search->refusal, &search->unread,
                                                 &search->directory->refusal };

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (refusals[i]->code)
            return psn_backend_hand_up(refusals[i], err);
    (void)psn_fail(err, PSN_E_NOT_FOUND,
                   _("no mail service for the domain '%s' in this OVH account"),
                   search->mailbox->domain);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("check the domain and the account: passation ovh inventory "
                      "CLIENT"));
}

/* Expired and suspended services answer reads, but take no change. */
static enum psn_code check_state(const struct psn_service *service, struct psn_error *err)
{
    if (strcmp(service->state, "suspended") != 0)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_REFUSED, _("the mail service '%s' is suspended at OVH"),
                   service->place.service);
    return psn_hint(err, PSN_E_REFUSED,
                    _("its owner has to renew it in the OVH control panel"));
}

static enum psn_code settle(struct psn_directory *directory, struct psn_service *service,
                            struct psn_mailbox *mailbox,
                            const struct psn_mailbox_info *info,
                            struct psn_password_rules *rules, struct psn_error *err)
{
    enum psn_code rc = describe(directory, service, err);

    if (rc)
        return rc;
    *mailbox = at_service(mailbox, service);
    (void)snprintf(mailbox->place.account, sizeof mailbox->place.account, "%s",
                   info->account);
    *rules = service->rules;
    (void)snprintf(rules->names, sizeof rules->names, "%s", info->names);
    return check_state(service, err);
}

enum psn_code psn_directory_serves(struct psn_directory *directory, const char *domain,
                                   struct psn_error *err)
{
    struct psn_mailbox mailbox = { .local = "" };
    struct search search = { .directory = directory, .mailbox = &mailbox };
    enum psn_code rc = PSN_OK;

    (void)snprintf(mailbox.domain, sizeof mailbox.domain, "%s", domain);
    for (size_t b = PSN_BACKEND_NONE + 1; !rc && !search.served && b < PSN_BACKENDS;
         b++) {
        rc = list_services(directory, (enum psn_backend)b, domain, err);
        for (size_t i = 0; !rc && !search.served && i < directory->services.count; i++)
            if (directory->services.items[i]->backend == (enum psn_backend)b)
                rc = serves(&search, directory->services.items[i], &search.served, err);
    }
    return rc || search.served ? rc : fail_unserved(&search, err);
}

enum psn_code psn_directory_find(struct psn_directory *directory,
                                 struct psn_mailbox *mailbox,
                                 struct psn_mailbox_info *ret_info,
                                 struct psn_password_rules *ret_rules,
                                 struct psn_error *err)
{
    struct search search = { .directory = directory, .mailbox = mailbox };
    struct psn_service *service = NULL;
    enum psn_code rc = PSN_OK;

    *ret_info = (struct psn_mailbox_info){ .exists = false };
    *ret_rules = psn_password_rules_default(mailbox->backend);
    if (mailbox->backend != PSN_BACKEND_NONE)
        rc = look_at_hint(&search, &service, ret_info, err);
    if (!rc && !service)
        rc = look_until_sure(&search, &service, ret_info, err);
    if (rc)
        return rc;
    if (service)
        return settle(directory, service, mailbox, ret_info, ret_rules, err);
    if (!search.served || search.refusal.code)
        return fail_unserved(&search, err);
    return PSN_OK;
}

/* --- a new mailbox --- */

struct choice {
    struct psn_directory *directory;
    struct psn_mailbox *mailbox;
    struct psn_service *full; /* one without a free slot */
    struct psn_service *chosen;
    size_t count; /* with room */
};

/* A service that only redirects has no mailboxes. */
static bool only_redirects(const struct psn_service *service)
{
    return strcasecmp(service->offer, "redirect") == 0 ||
           strcasecmp(service->offer, "mxredirect") == 0;
}

static enum psn_code weigh(struct choice *choice, struct psn_service *service,
                           struct psn_error *err)
{
    struct psn_mailbox there = at_service(choice->mailbox, service);
    bool room = false;
    enum psn_code rc = psn_backend_table(service->backend)
                           ->has_room(choice->directory->ovh, &there, &room, err);

    if (rc)
        return rc;
    if (room) {
        choice->chosen = service;
        choice->count++;
    } else {
        choice->full = service;
    }
    return PSN_OK;
}

static enum psn_code weigh_all(struct search *search, struct choice *choice,
                               enum psn_backend wanted, struct psn_error *err)
{
    struct psn_directory *directory = search->directory;
    enum psn_code rc = PSN_OK;

    for (size_t b = PSN_BACKEND_NONE + 1; !rc && b < PSN_BACKENDS; b++) {
        if (wanted != PSN_BACKEND_NONE && wanted != (enum psn_backend)b)
            continue;
        rc = list_services(directory, (enum psn_backend)b, search->mailbox->domain, err);
        for (size_t i = 0; !rc && i < directory->services.count; i++) {
            struct psn_service *service = directory->services.items[i];
            bool is = false;

            rc = is_candidate(search, service, (enum psn_backend)b, &is, err);
            if (!rc && is && !only_redirects(service))
                rc = weigh(choice, service, err);
        }
    }
    return rc;
}

static enum psn_code fail_choice(const struct choice *choice, struct psn_error *err)
{
    const char *domain = choice->mailbox->domain;

    if (choice->count > 1) {
        (void)psn_fail(err, PSN_E_INVALID,
                       _("several services of the account may take a mailbox of '%s'"),
                       domain);
        return psn_hint(err, PSN_E_INVALID,
                        _("say which one: passation role add --on email/pro ADDRESS"));
    }
    if (choice->full) {
        (void)psn_fail(err, PSN_E_REFUSED, _("no free slot in the service '%s'"),
                       choice->full->place.service);
        return psn_hint(err, PSN_E_REFUSED,
                        _("free one in the OVH control panel, or order one more; then "
                          "run the command again"));
    }
    (void)psn_fail(err, PSN_E_REFUSED,
                   _("the service of '%s' only redirects: it has no mailboxes"), domain);
    return psn_hint(err, PSN_E_REFUSED,
                    _("order mailboxes in the OVH control panel; then run the command "
                      "again"));
}

enum psn_code psn_directory_place(struct psn_directory *directory,
                                  enum psn_backend wanted, struct psn_mailbox *mailbox,
                                  struct psn_password_rules *ret_rules,
                                  struct psn_error *err)
{
    struct search search = { .directory = directory, .mailbox = mailbox };
    struct choice choice = { .directory = directory, .mailbox = mailbox };
    struct psn_mailbox_info nothing = { .exists = false };
    enum psn_code rc = weigh_all(&search, &choice, wanted, err);

    if (rc)
        return rc;
    if (choice.count == 1)
        return settle(directory, choice.chosen, mailbox, &nothing, ret_rules, err);
    return search.served ? fail_choice(&choice, err) : fail_unserved(&search, err);
}

#ifndef PSN_CORE_REACH_H
#define PSN_CORE_REACH_H

#include "core/grant.h"

struct psn_slot_holder {
    char person[PSN_PERSON_ID_MAX];
    bool leaving;
};

/* Whose a client's accesses are. */
struct psn_owner {
    char client[PSN_CLIENT_ID_MAX];
    char person[PSN_PERSON_ID_MAX];
};

/* Who may get at what now: by a slot, by a grant that is in force, or since it is his
 * own. Inside a transaction; the picture is of the moment it was taken. */
struct psn_reach_map {
    struct psn_grant_briefs grants;
    struct psn_person *people; /* in the order of ids */
    size_t person_count;
    struct psn_owner *owners; /* of the clients that have one, in their order */
    size_t owner_count;
    struct psn_slot_holder *holders;
    size_t holder_count;
    int64_t now_s;
};
PSN_MUST_CHECK enum psn_code psn_reach_map_load(struct psn_vault *vault,
                                                struct psn_reach_map *ret_map,
                                                struct psn_error *err);
void psn_reach_map_release(struct psn_reach_map *map);
/* The same for one who reads the clients anyway: without owners; then each client, with
 * the map as arg; then the end of it. person: the map tells of him alone, and it is
 * enough to add the clients that are asked about (NULL: of everybody). */
PSN_MUST_CHECK enum psn_code psn_reach_map_begin(struct psn_vault *vault,
                                                 const char *person,
                                                 struct psn_reach_map *ret_map,
                                                 struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_reach_map_add_owner(struct psn_reach_map *map,
                                                     const struct psn_client *client,
                                                     struct psn_error *err);
void psn_reach_map_settle(struct psn_reach_map *map);

/* NULL if there is nobody of that id. */
const struct psn_person *psn_reach_person(const struct psn_reach_map *map,
                                          const char *id);
bool psn_reach_holds_slot(const struct psn_reach_map *map, const char *person);
/* Could he open the vault, and cannot any more, and nobody has begun his departure? */
bool psn_reach_has_lost_slot(const struct psn_reach_map *map,
                             const struct psn_person *person);
/* The same without a map, of one who may not be in the vault yet. Inside a transaction.
 */
PSN_MUST_CHECK enum psn_code psn_reach_lost_slot(struct psn_vault *vault,
                                                 const struct psn_person *person,
                                                 bool *ret_lost, struct psn_error *err);
/* E_POLICY if he did: nothing is granted or issued to him. Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_reach_check_slot_kept(struct psn_vault *vault,
                                                       const struct psn_person *person,
                                                       struct psn_error *err);
/* May he have this secret (label "": the password)? Who is leaving may nothing, whatever
 * he still can. */
bool psn_reach_has_right(const struct psn_reach_map *map, const char *person,
                         const char *client, const char *address, const char *label);
/* The same, but only what he gets without asking anybody: not what is his by owning it.
 */
bool psn_reach_is_granted(const struct psn_reach_map *map, const char *person,
                          const char *client, const char *address, const char *label);
/* Does a grant of his that is in force name other secrets than the password? */
bool psn_reach_has_labels(const struct psn_reach_map *map, const char *person,
                          const char *client, const char *address);

/* Does a grant's list of labels name this one? */
bool psn_grant_covers(const char *labels, const char *label);

#endif

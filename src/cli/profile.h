#ifndef PSN_CLI_PROFILE_H
#define PSN_CLI_PROFILE_H

#include "cli/cli.h"
#include "cli/writing.h"

/* profile: what sets a mailbox up in a mail program, without its password. */

struct cli_kit {
    struct psn_role role;
    struct psn_mail_settings mail;
    struct psn_client client;
};

/* Does OVH's older name, which many instructions still have, reach the same servers? */
bool cli_kit_has_older_name(const struct cli_kit *kit);

/* Is there what `passation profile ADDRESS` needs? Else there is no use in proposing it.
 */
bool cli_kit_is_there(struct cli *cli, const char *address);

/* --- who retypes a new password (profile_people.c) --- */

enum cli_kit_way {
    CLI_KIT_VAULT,     /* opens the vault */
    CLI_KIT_DUE,       /* a file of his is to be made */
    CLI_KIT_FILE,      /* a file was made; not known to be opened */
    CLI_KIT_CONFIRMED, /* he has opened it */
    CLI_KIT_OWNER,     /* it is his own mailbox */
    CLI_KIT_NONE,      /* knew it lately, and has no right any more */
};
struct cli_kit_person {
    struct psn_person person;
    enum cli_kit_way way;
    uint64_t serial; /* of the file, or 0 */
};
struct cli_kit_people {
    struct cli_kit_person *items; /* first those with a right, each by his id */
    size_t count;
};
PSN_MUST_CHECK enum psn_code cli_kit_people_load(struct cli *cli,
                                                 const struct cli_kit *kit,
                                                 struct cli_kit_people *ret_people,
                                                 struct psn_error *err);
void cli_kit_people_release(struct cli_kit_people *people);
/* "vault", "due", "file", "confirmed", "owner", "none". */
const char *cli_kit_way_name(enum cli_kit_way way);

/* --- pages (profile_sheet.c) --- */

/* Setting it up in Outlook, step by step. */
void cli_kit_outlook(const struct cli_kit *kit, struct cli_writing *writing);
/* After a change: who has to type the new password, and on what. */
void cli_kit_sheet(const struct cli_kit *kit, const struct cli_kit_people *people,
                   struct cli_writing *writing);

#endif

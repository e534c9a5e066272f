#include "cli/cli.h"

/* The order of the help: as one meets the commands. */

extern const struct cli_command cmd_init;
extern const struct cli_command cmd_unlock;
extern const struct cli_command cmd_lock;
extern const struct cli_command cmd_status;
extern const struct cli_command cmd_tui;
extern const struct cli_command cmd_client_add;
extern const struct cli_command cmd_client_ls;
extern const struct cli_command cmd_client_show;
extern const struct cli_command cmd_client_set;
extern const struct cli_command cmd_client_rm;
extern const struct cli_command cmd_client_import;
extern const struct cli_command cmd_ovh_link;
extern const struct cli_command cmd_ovh_inventory;
extern const struct cli_command cmd_sweep;
extern const struct cli_command cmd_depart;
extern const struct cli_command cmd_apply;
extern const struct cli_command cmd_role_add;
extern const struct cli_command cmd_role_adopt;
extern const struct cli_command cmd_role_ls;
extern const struct cli_command cmd_role_rm;
extern const struct cli_command cmd_show;
extern const struct cli_command cmd_secret_add;
extern const struct cli_command cmd_secret_set;
extern const struct cli_command cmd_secret_ls;
extern const struct cli_command cmd_secret_rm;
extern const struct cli_command cmd_otp;
extern const struct cli_command cmd_profile;
extern const struct cli_command cmd_import;
extern const struct cli_command cmd_export;
extern const struct cli_command cmd_verify;
extern const struct cli_command cmd_rotate;
extern const struct cli_command cmd_resume;
extern const struct cli_command cmd_person_add;
extern const struct cli_command cmd_person_ls;
extern const struct cli_command cmd_person_show;
extern const struct cli_command cmd_person_set;
extern const struct cli_command cmd_person_key;
extern const struct cli_command cmd_person_rm;
extern const struct cli_command cmd_grant;
extern const struct cli_command cmd_grant_ls;
extern const struct cli_command cmd_revoke;
extern const struct cli_command cmd_outbox;
extern const struct cli_command cmd_receipt_check;
extern const struct cli_command cmd_who;
extern const struct cli_command cmd_doctor;
extern const struct cli_command cmd_due;
extern const struct cli_command cmd_handover_start;
extern const struct cli_command cmd_handover_status;
extern const struct cli_command cmd_handover_item;
extern const struct cli_command cmd_handover_next;
extern const struct cli_command cmd_handover_issue;
extern const struct cli_command cmd_handover_compare;
extern const struct cli_command cmd_handover_confirm;
extern const struct cli_command cmd_handover_contacts;
extern const struct cli_command cmd_handover_close;
extern const struct cli_command cmd_handover_abandon;
extern const struct cli_command cmd_envelope_create;
extern const struct cli_command cmd_envelope_update;
extern const struct cli_command cmd_envelope_end;
extern const struct cli_command cmd_envelope_ls;
extern const struct cli_command cmd_open;
extern const struct cli_command cmd_log;
extern const struct cli_command cmd_slot_add;
extern const struct cli_command cmd_slot_ls;
extern const struct cli_command cmd_slot_set;
extern const struct cli_command cmd_slot_rm;
extern const struct cli_command cmd_rekey;
extern const struct cli_command cmd_key_show;
extern const struct cli_command cmd_key_rotate;
extern const struct cli_command cmd_backup;
extern const struct cli_command cmd_restore;
extern const struct cli_command cmd_agent;
extern const struct cli_command cmd_clipboard_cleaner;
extern const struct cli_command cmd_complete;

const struct cli_command *const cli_commands[] = {
    &cmd_init,
    &cmd_unlock,
    &cmd_lock,
    &cmd_status,
    &cmd_tui,
    &cmd_client_add,
    &cmd_client_ls,
    &cmd_client_show,
    &cmd_client_set,
    &cmd_client_rm,
    &cmd_client_import,
    &cmd_ovh_link,
    &cmd_ovh_inventory,
    &cmd_sweep,
    &cmd_role_add,
    &cmd_role_adopt,
    &cmd_role_ls,
    &cmd_role_rm,
    &cmd_show,
    &cmd_secret_add,
    &cmd_secret_set,
    &cmd_secret_ls,
    &cmd_secret_rm,
    &cmd_otp,
    &cmd_profile,
    &cmd_import,
    &cmd_export,
    &cmd_verify,
    &cmd_rotate,
    &cmd_resume,
    &cmd_person_add,
    &cmd_person_ls,
    &cmd_person_show,
    &cmd_person_set,
    &cmd_person_key,
    &cmd_person_rm,
    &cmd_grant,
    &cmd_grant_ls,
    &cmd_revoke,
    &cmd_depart,
    &cmd_apply,
    &cmd_outbox,
    &cmd_receipt_check,
    &cmd_who,
    &cmd_due,
    &cmd_handover_start,
    &cmd_handover_status,
    &cmd_handover_item,
    &cmd_handover_next,
    &cmd_handover_issue,
    &cmd_handover_compare,
    &cmd_handover_confirm,
    &cmd_handover_contacts,
    &cmd_handover_close,
    &cmd_handover_abandon,
    &cmd_envelope_create,
    &cmd_envelope_update,
    &cmd_envelope_end,
    &cmd_envelope_ls,
    &cmd_open,
    &cmd_log,
    &cmd_doctor,
    &cmd_slot_add,
    &cmd_slot_ls,
    &cmd_slot_set,
    &cmd_slot_rm,
    &cmd_rekey,
    &cmd_key_show,
    &cmd_key_rotate,
    &cmd_backup,
    &cmd_restore,
    &cmd_agent,
    &cmd_clipboard_cleaner,
    &cmd_complete,
    NULL,
};

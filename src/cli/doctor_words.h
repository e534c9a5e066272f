#ifndef PSN_CLI_DOCTOR_WORDS_H
#define PSN_CLI_DOCTOR_WORDS_H

#include "cli/cli.h"

/* A finding of the doctor's, kept. */
struct cli_doctor_item {
    enum psn_doctor_code code;
    char *client;
    char *subject;
    char *detail;
    char *page; /* or NULL */
    int64_t time_s;
    int64_t number;
};

/* What is wrong, in the user's language; fit for the terminal. */
void cli_doctor_text(const struct cli_doctor_item *item, struct psn_buf *out);
/* What to do: one step a line, each a command, or ends with one after a colon. */
void cli_doctor_remedy(const struct cli_doctor_item *item, struct psn_buf *out);

const char *cli_doctor_heading(enum psn_doctor_severity severity);
/* What was not looked at. */
const char *cli_doctor_part(enum psn_doctor_part part);

#endif

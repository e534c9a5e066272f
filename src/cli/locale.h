#ifndef PSN_CLI_LOCALE_H
#define PSN_CLI_LOCALE_H

/* Chooses the language of messages, and finds the catalogue. */
void cli_locale_init(void);

#endif

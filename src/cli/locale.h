#ifndef PSN_CLI_LOCALE_H
#define PSN_CLI_LOCALE_H

/* Chooses the language of messages, and finds the catalogue. */
void cli_locale_init(void);

/* From here to cli_locale_back() messages are in that language, "fr" or "en", whatever
 * the user's is. Texts that were translated before stay as they are. */
void cli_locale_use(const char *wanted);
void cli_locale_back(void);

#endif

#ifndef PASSATION_PROFILE_H
#define PASSATION_PROFILE_H

#include <stdint.h>

#include "passation/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Settings that mail programs set a mailbox up from. None of them holds a password. */

struct psn_profile_server {
    const char *host;
    uint16_t port;
    const char *security; /* "SSL/TLS" or "STARTTLS" */
};

/* All texts are borrowed, of one line, UTF-8 without control characters. */
struct psn_profile {
    const char *address;
    const char *user;         /* NULL: the address */
    const char *name;         /* whose mail it is; NULL: the address */
    const char *organization; /* who set it up */
    struct psn_profile_server imap;
    struct psn_profile_server smtp;
};

/* Apple's configuration profile (.mobileconfig) for macOS and iOS, unsigned; the device
 * asks for the password. Its identifiers depend on the address alone: a new profile takes
 * the old one's place. The text belongs to the caller. E_INVALID if a text is none. */
PSN_API PSN_MUST_CHECK enum psn_code psn_profile_apple(const struct psn_profile *profile,
                                                       char **ret_text,
                                                       struct psn_error *err);

/* Thunderbird's config-v1.1.xml for the whole domain of the address; the same. */
PSN_API PSN_MUST_CHECK enum psn_code psn_profile_autoconfig(
    const struct psn_profile *profile, char **ret_text, struct psn_error *err);

/* What Thunderbird for telephones sets a mailbox up from when it scans it as a QR code:
 * its "Export for Mobile", version 1
 * (github.com/thunderbird/thunderbird-android, feature/migration/qrcode), in ASCII. It
 * asks for the password. */
PSN_API PSN_MUST_CHECK enum psn_code psn_profile_mobile(const struct psn_profile *profile,
                                                        char **ret_text,
                                                        struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif

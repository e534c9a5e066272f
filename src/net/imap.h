#ifndef PSN_NET_IMAP_H
#define PSN_NET_IMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"

/*
 * Asks an IMAP server (RFC 9051, imaps:// only) whether a password opens a mailbox, and
 * nothing else. The answer is read from the tagged line: libcurl's own login would mix up
 * a wrong password and a server in trouble, so it only provides the TLS connection.
 */
enum psn_login {
    PSN_LOGIN_NO_ANSWER, /* nothing learned: network, TLS, BYE, [UNAVAILABLE], time-out …
                          */
    PSN_LOGIN_ACCEPTED,
    PSN_LOGIN_REFUSED, /* NO [AUTHENTICATIONFAILED], or NO without a code */
};

struct psn_imap_server {
    const char *url;     /* "imaps://host:port" */
    const char *ca_file; /* an extra trusted CA, or NULL */
    int64_t timeout_ms;  /* of the whole dialogue; 0: 30 s */
};

/* A port, as struct psn_http: always returns an outcome; for NO_ANSWER err (if given)
 * says why, with the host's name. Not one byte of the password is sent before the
 * certificate has been verified for the host. */
struct psn_imap {
    enum psn_login (*login)(void *self, const struct psn_imap_server *server,
                            const char *user, const struct psn_secret *password,
                            struct psn_error *err);
    /* Connects and reads the greeting, without a login. E_NETWORK; *ret_untrusted: since
     * the server's certificate does not verify. */
    enum psn_code (*look)(void *self, const struct psn_imap_server *server,
                          bool *ret_untrusted, struct psn_error *err);
    void *self;
};

/* The real one. It has no state: libcurl is loaded at the first login. */
struct psn_imap psn_imap_real(void);

/* Exposed for fuzzing: classifies a tagged line ("a2 NO [AUTHENTICATIONFAILED] …"). */
enum psn_login psn_imap_classify(const char *tag, const char *line);

#endif

#ifndef PSN_NET_RESUME_H
#define PSN_NET_RESUME_H

#include "net/curl.h"

/*
 * Logins of one process resume TLS sessions: the server proves that it is the one whose
 * certificate was checked, for this host and less than a minute ago, and need not show it
 * again (ADR 49). TLS 1.3 only, and only where libcurl uses OpenSSL.
 */
struct psn_resume;

/* Lets the handle, on which psn_curl_secure() has set all else, resume what earlier ones
 * have begun, and begin some for later ones. NULL where that cannot be: then its
 * handshake is a whole one. */
struct psn_resume *psn_resume_begin(const struct psn_curl *curl, CURL *handle);

/* After the handle has been cleaned up; resume may be NULL. */
void psn_resume_end(struct psn_resume *resume);

#endif

#ifndef PSN_NET_OPENSSL_H
#define PSN_NET_OPENSSL_H

#include "net/curl.h"

/*
 * The OpenSSL beneath libcurl, where that is what libcurl uses: what libcurl has no
 * option for, or does again for each connection. Only net/curl.c includes this header.
 */

/* Fills curl->openssl from library, the loaded libcurl; all NULL if it uses another TLS
 * library, or one that lacks a part. */
void psn_openssl_find(void *library, struct psn_curl *curl);

/*
 * Sets on a handle which certificates are trusted and how names are compared, before the
 * handshake. ca_file, or NULL, is trusted beside the system's folder of certificates; the
 * system's file is read once in a process. url must outlive the transfer.
 */
CURLcode psn_openssl_secure(const struct psn_curl *curl, CURL *handle, const char *url,
                            const char *ca_file);

#endif

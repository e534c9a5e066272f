#ifndef PSN_NET_CURL_H
#define PSN_NET_CURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "passation/error.h"

/* OpenSSL asks whether a new session is to be kept. */
typedef int psn_keep_session_fn(void *ssl, void *session);

/*
 * libcurl, loaded at the first use: commands that make no request start without it.
 * Only net/ includes this header.
 */
struct psn_curl {
    CURLcode (*global_init_mem)(long flags, curl_malloc_callback, curl_free_callback,
                                curl_realloc_callback, curl_strdup_callback,
                                curl_calloc_callback);
    curl_version_info_data *(*version_info)(CURLversion age);
    CURLSH *(*share_init)(void);
    CURLSHcode (*share_cleanup)(CURLSH *share);
    CURLSHcode (*share_setopt)(CURLSH *share, CURLSHoption option, ...);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *handle);
    void (*easy_reset)(CURL *handle);
    CURLcode (*setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*getinfo)(CURL *handle, CURLINFO info, ...);
    CURLcode (*perform)(CURL *handle);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *handle);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *handle);
    CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t socket, int events,
                                     int *ret_running);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *ret_left);
    CURLcode (*send)(CURL *handle, const void *bytes, size_t size, size_t *ret_sent);
    CURLcode (*recv)(CURL *handle, void *bytes, size_t size, size_t *ret_received);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
    struct psn_curl_openssl {
        void *(*ctx_param)(void *ssl_ctx);
        void (*ctx_set_store)(void *ssl_ctx, void *store); /* shares it */
        void *(*store_new)(void);
        void (*store_free)(void *store);
        int (*store_load)(void *store, const char *file, const char *folder);
        void (*set_host_flags)(void *param, unsigned flags);
        int (*set_host)(void *param, const char *name, size_t size);
        int (*set_ip)(void *param, const char *address);
        psn_keep_session_fn *(*ctx_get_keep)(void *ssl_ctx);
        void (*ctx_set_keep)(void *ssl_ctx, psn_keep_session_fn *keep);
        int (*version)(const void *ssl);
    } openssl; /* all NULL where libcurl uses another TLS library */
};

/* Loads and initializes libcurl, once. Its heap is wiped whenever memory is given back,
 * since request bodies and headers pass through it; SSLKEYLOGFILE is removed from the
 * environment, since it would write down the session keys. E_UNEXPECTED if libcurl is
 * missing, too old, or without HTTPS. */
PSN_MUST_CHECK enum psn_code psn_curl_load(const struct psn_curl **ret_curl,
                                           struct psn_error *err);

/* Sets on a fresh handle the URL, which must outlive the transfer, and everything that
 * must hold for each connection: https only, certificate and name checked, TLS 1.2 or
 * later, no redirect, proxy, cookie or .netrc, time limits. E_UNEXPECTED if libcurl does
 * not know one of the options. */
PSN_MUST_CHECK enum psn_code psn_curl_secure(const struct psn_curl *curl, CURL *handle,
                                             const char *url, const char *ca_file,
                                             int64_t timeout_ms, struct psn_error *err);

/* True if the failure lies before the end of the TLS handshake: no byte of a request can
 * have left. */
bool psn_curl_before_sending(const struct psn_curl *curl, CURL *handle, CURLcode failure);

/* True if trying again can only give the same: a certificate that does not verify, … */
bool psn_curl_is_final(CURLcode failure);

/* Records E_NETWORK (E_NOMEM) for a failed transfer, with the host's name and what to do
 * next. */
enum psn_code psn_curl_fail(const struct psn_curl *curl, CURL *handle, CURLcode failure,
                            const char *host, struct psn_error *err);

/* The host of a URL, as it stands; false if there is none, or it does not fit. */
bool psn_curl_copy_host(const char *url, char *out, size_t size);

/* The host of a URL, in a form that can be shown; "?" if there is none. */
const char *psn_curl_host(const char *url, char *out, size_t size);

#endif

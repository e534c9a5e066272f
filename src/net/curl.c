/*
 * The one place that knows how a connection has to be made.
 *
 * - Loaded instead of linked: libcurl and what it brings cost 9 ms before main, and
 *   most commands make no request.
 * - The library's memory functions are replaced by ones that wipe: consumer keys,
 *   passwords and answers pass through libcurl's heap.
 */
#include "net/curl.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/i18n.h"
#include "base/library.h"
#include "base/text.h"
#include "base/wiped.h"
#include "net/openssl.h"

enum {
    VERSION_LEAST = 0x075500, /* 7.85.0: CURLOPT_PROTOCOLS_STR */
    HOST_SIZE = 254,
    CONNECT_TIMEOUT_MS = 10 * 1000,
    AUTHORITIES_MAX = 16 * 1024 * 1024,
    LOW_SPEED_BYTES = 20, /* a second … */
    LOW_SPEED_S = 15,     /* … during this time: the other side is playing for time */
};

#ifdef __APPLE__
static const char library_name[] = "libcurl.4.dylib";
#else
static const char library_name[] = "libcurl.so.4";
#endif

static const struct psn_library_symbol symbols[] = {
    { "curl_global_init_mem", offsetof(struct psn_curl, global_init_mem) },
    { "curl_version_info", offsetof(struct psn_curl, version_info) },
    { "curl_share_init", offsetof(struct psn_curl, share_init) },
    { "curl_share_cleanup", offsetof(struct psn_curl, share_cleanup) },
    { "curl_share_setopt", offsetof(struct psn_curl, share_setopt) },
    { "curl_easy_init", offsetof(struct psn_curl, easy_init) },
    { "curl_easy_cleanup", offsetof(struct psn_curl, easy_cleanup) },
    { "curl_easy_reset", offsetof(struct psn_curl, easy_reset) },
    { "curl_easy_setopt", offsetof(struct psn_curl, setopt) },
    { "curl_easy_getinfo", offsetof(struct psn_curl, getinfo) },
    { "curl_easy_perform", offsetof(struct psn_curl, perform) },
    { "curl_multi_init", offsetof(struct psn_curl, multi_init) },
    { "curl_multi_cleanup", offsetof(struct psn_curl, multi_cleanup) },
    { "curl_multi_setopt", offsetof(struct psn_curl, multi_setopt) },
    { "curl_multi_add_handle", offsetof(struct psn_curl, multi_add_handle) },
    { "curl_multi_remove_handle", offsetof(struct psn_curl, multi_remove_handle) },
    { "curl_multi_socket_action", offsetof(struct psn_curl, multi_socket_action) },
    { "curl_multi_info_read", offsetof(struct psn_curl, multi_info_read) },
    { "curl_easy_send", offsetof(struct psn_curl, send) },
    { "curl_easy_recv", offsetof(struct psn_curl, recv) },
    { "curl_slist_append", offsetof(struct psn_curl, slist_append) },
    { "curl_slist_free_all", offsetof(struct psn_curl, slist_free_all) },
};

/* libcurl also says "out of memory" for a header that is longer than it likes. */
static _Thread_local bool has_lacked_memory;

static void *wiping_realloc(void *memory, size_t size)
{
    void *moved = psn_wiped_realloc(memory, size);

    has_lacked_memory = has_lacked_memory || !moved;
    return moved;
}

static void *wiping_malloc(size_t size)
{
    return wiping_realloc(NULL, size);
}

static char *wiping_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = wiping_malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static void *wiping_calloc(size_t count, size_t size)
{
    void *memory;

    if (size && count > SIZE_MAX / size)
        return NULL;
    memory = wiping_malloc(count * size);
    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

static bool speaks_https(const curl_version_info_data *info)
{
    if (info->version_num < VERSION_LEAST || !(info->features & CURL_VERSION_SSL))
        return false;
    for (const char *const *name = info->protocols; *name; name++)
        if (strcmp(*name, "https") == 0)
            return true;
    return false;
}

static enum psn_code load(struct psn_curl *curl, struct psn_error *err)
{
    static const char *const names[] = { library_name, NULL };
    const char *missing;
    void *library = psn_library_open(names);

    if (!library) {
        (void)psn_fail(err, PSN_E_UNEXPECTED, _("cannot load the library %s"),
                       library_name);
        return psn_hint(err, PSN_E_UNEXPECTED,
                        _("install libcurl 7.85 or later, built with TLS"));
    }
    missing = psn_library_find(library, symbols, sizeof symbols / sizeof *symbols, curl);
    if (missing)
        return psn_fail(err, PSN_E_UNEXPECTED, _("the library %s lacks %s"), library_name,
                        missing);
    (void)unsetenv("SSLKEYLOGFILE");
    if (curl->global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, psn_wiped_free,
                              wiping_realloc, wiping_strdup, wiping_calloc))
        return psn_fail(err, PSN_E_UNEXPECTED, _("the library %s does not start"),
                        library_name);
    if (!speaks_https(curl->version_info(CURLVERSION_NOW)))
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("the library %s is too old, or built without TLS"),
                        library_name);
    psn_openssl_find(library, curl);
    return PSN_OK;
}

enum psn_code psn_curl_load(const struct psn_curl **ret_curl, struct psn_error *err)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static struct psn_curl loaded;
    static bool is_loaded;
    enum psn_code rc = PSN_OK;

    (void)pthread_mutex_lock(&mutex);
    if (!is_loaded) {
        rc = load(&loaded, err);
        is_loaded = rc == PSN_OK;
    }
    (void)pthread_mutex_unlock(&mutex);
    if (rc == PSN_OK)
        *ret_curl = &loaded;
    return rc;
}

/* OpenSSL opens the file as it is, and would wait for the other end of a pipe for ever. A
 * link is followed: the system's folder names authorities by links. What cannot be opened
 * libcurl tells. */
static enum psn_code check_authorities(const char *ca_file, struct psn_error *err)
{
    struct stat info;

    if (stat(ca_file, &info) != 0 ||
        (S_ISREG(info.st_mode) && info.st_size <= AUTHORITIES_MAX))
        return PSN_OK;
    return psn_fail(err, PSN_E_NETWORK,
                    _("'%s' is no file of certificate authorities: nobody is trusted"),
                    ca_file);
}

enum psn_code psn_curl_secure(const struct psn_curl *curl, CURL *handle, const char *url,
                              const char *ca_file, int64_t timeout_ms,
                              struct psn_error *err)
{
    long connect_ms =
        (long)(timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
    enum psn_code rc = ca_file ? check_authorities(ca_file, err) : PSN_OK;
    CURLcode failed;

    if (rc)
        return rc;
    failed = psn_openssl_secure(curl, handle, url, ca_file);
    has_lacked_memory = false;
    failed |= curl->setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    failed |= curl->setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    failed |= curl->setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    failed |= curl->setopt(handle, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    failed |= curl->setopt(handle, CURLOPT_URL, url);
    failed |= curl->setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
    failed |= curl->setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    failed |= curl->setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    failed |= curl->setopt(handle, CURLOPT_MAXREDIRS, 0L);
    failed |= curl->setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    failed |= curl->setopt(handle, CURLOPT_PROXY, "");
    failed |= curl->setopt(handle, CURLOPT_NOPROXY, "*");
    failed |= curl->setopt(handle, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    failed |= curl->setopt(handle, CURLOPT_NOSIGNAL, 1L);
    failed |= curl->setopt(handle, CURLOPT_HTTP09_ALLOWED, 0L);
    failed |= curl->setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    failed |= curl->setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    failed |= curl->setopt(handle, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    failed |= curl->setopt(handle, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES);
    failed |= curl->setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_S);
    if (failed)
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("the library %s lacks an option that is needed"), library_name);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Not to wait for a name server after a time-out; absent before 7.87. */
    (void)curl->setopt(handle, CURLOPT_QUICK_EXIT, 1L);
#endif
    return PSN_OK;
}

bool psn_curl_before_sending(const struct psn_curl *curl, CURL *handle, CURLcode failure)
{
    curl_off_t handshake_us = 0;
    long sent = 0;

    if (curl->getinfo(handle, CURLINFO_REQUEST_SIZE, &sent) || sent != 0)
        return false;
    /* style: allow default because libcurl has a hundred codes */
    switch ((int)failure) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_URL_MALFORMAT:
        return true;
    case CURLE_OPERATION_TIMEDOUT:
        return curl->getinfo(handle, CURLINFO_APPCONNECT_TIME_T, &handshake_us) ==
                   CURLE_OK &&
               handshake_us == 0;
    default:
        return false;
    }
}

bool psn_curl_is_final(CURLcode failure)
{
    return failure == CURLE_PEER_FAILED_VERIFICATION ||
           failure == CURLE_SSL_CACERT_BADFILE || failure == CURLE_SSL_CIPHER ||
           failure == CURLE_SSL_ISSUER_ERROR || failure == CURLE_URL_MALFORMAT;
}

/* OpenSSL's X509_V_ERR_… numbers, of which libcurl hands on the first. */
static const char *certificate_fault(long verify_result)
{
    switch (verify_result) {
    case 0:
    case 62:
    case 64:
        return _("it was made for another name");
    case 9:
        return _("it is not valid yet");
    case 10:
        return _("it has expired");
    case 18:
        return _("it is signed by itself only");
    case 2:
    case 19:
    case 20:
    case 21:
        return _("its issuer is not known here");
    case 66:
    case 67:
        return _("its key is too weak");
    case 68:
        return _("its signature is too weak");
    default:
        return _("its chain is not sound");
    }
}

static enum psn_code fail_certificate(const struct psn_curl *curl, CURL *handle,
                                      const char *host, struct psn_error *err)
{
    long result = 0;

    (void)curl->getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &result);
    (void)psn_fail(err, PSN_E_NETWORK,
                   _("the TLS certificate of '%s' does not verify: %s"), host,
                   certificate_fault(result));
    if (result == 9 || result == 10)
        return psn_hint(err, PSN_E_NETWORK,
                        _("nothing was sent; check the clock of this computer"));
    return psn_hint(err, PSN_E_NETWORK,
                    _("nothing was sent; somebody may stand in between: try another "
                      "network, and check the name of the server"));
}

static enum psn_code fail_timeout(const struct psn_curl *curl, CURL *handle,
                                  const char *host, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NETWORK,
                   psn_curl_before_sending(curl, handle, CURLE_OPERATION_TIMEDOUT)
                       ? _("no secure connection with '%s' in the time allowed")
                       : _("'%s' did not answer in the time allowed"),
                   host);
    return psn_hint(err, PSN_E_NETWORK, _("run the command again in a few minutes"));
}

enum psn_code psn_curl_fail(const struct psn_curl *curl, CURL *handle, CURLcode failure,
                            const char *host, struct psn_error *err)
{
    /* style: allow default because libcurl has a hundred codes */
    switch ((int)failure) {
    case CURLE_OUT_OF_MEMORY:
        if (has_lacked_memory)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        return psn_fail(err, PSN_E_NETWORK, _("the answer of '%s' is too long"), host);
    case CURLE_COULDNT_RESOLVE_HOST:
        (void)psn_fail(err, PSN_E_NETWORK, _("cannot find the address of '%s'"), host);
        return psn_hint(err, PSN_E_NETWORK,
                        _("check the network connection, then run the command again"));
    case CURLE_COULDNT_CONNECT:
        (void)psn_fail(err, PSN_E_NETWORK, _("cannot connect to '%s'"), host);
        return psn_hint(err, PSN_E_NETWORK,
                        _("check the network connection, then run the command again"));
    case CURLE_OPERATION_TIMEDOUT:
        return fail_timeout(curl, handle, host, err);
    case CURLE_PEER_FAILED_VERIFICATION:
        return fail_certificate(curl, handle, host, err);
    case CURLE_SSL_CACERT_BADFILE:
        (void)psn_fail(err, PSN_E_NETWORK,
                       _("cannot read the certificates that '%s' is to be held against"),
                       host);
        return psn_hint(err, PSN_E_NETWORK,
                        _("those of the system come with the package ca-certificates; "
                          "what PASSATION_CA_FILE names must be a readable file of PEM "
                          "certificates"));
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        (void)psn_fail(err, PSN_E_NETWORK, _("no secure connection with '%s'"), host);
        return psn_hint(err, PSN_E_NETWORK,
                        _("nothing was sent; the server must speak TLS 1.2 or later on "
                          "this port"));
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        (void)psn_fail(err, PSN_E_NETWORK, _("the connection with '%s' was cut"), host);
        return psn_hint(err, PSN_E_NETWORK, _("run the command again in a few minutes"));
    default:
        (void)psn_fail(err, PSN_E_NETWORK, _("garbage from the server '%s'"), host);
        return psn_hint(err, PSN_E_NETWORK,
                        _("check the endpoint: is it the address of the API?"));
    }
}

bool psn_curl_copy_host(const char *url, char *out, size_t size)
{
    const char *at = strstr(url, "://");
    size_t length;

    at = at ? at + 3 : "";
    length = at[0] == '[' ? strcspn(at, "]/?#") + 1 : strcspn(at, ":/?#");
    if (length == 0 || length >= size || length > strlen(at))
        return false;
    memcpy(out, at, length);
    out[length] = '\0';
    return true;
}

const char *psn_curl_host(const char *url, char *out, size_t size)
{
    char host[HOST_SIZE];

    if (!psn_curl_copy_host(url, host, sizeof host))
        memcpy(host, "?", 2);
    return psn_text_shown(host, out, size);
}

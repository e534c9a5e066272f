/*
 * - The level of OpenSSL's checks is set here and not left to openssl.cnf, so that weak
 *   keys and SHA-1 certificates are refused whatever OPENSSL_CONF says.
 * - libcurl compares the certificate's name after the handshake, and takes the common
 *   name where no other is given. OpenSSL is told to compare it within the handshake, by
 *   the alternative names only, and without wildcards inside a label.
 * - libcurl reads the system's certificates for each connection; with OpenSSL 3 that
 * takes three times as long as the handshake. All connections share one store instead.
 */
#include "net/openssl.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "base/library.h"

enum {
    HOST_SIZE = 254,
    NO_PARTIAL_WILDCARDS = 0x4, /* X509_CHECK_FLAG_… of <openssl/x509v3.h> */
    NEVER_CHECK_SUBJECT = 0x20,
    TLS_1_3 = 0x0304,
};

static const struct psn_library_symbol symbols[] = {
    { "SSL_CTX_get0_param", offsetof(struct psn_curl_openssl, ctx_param) },
    { "SSL_CTX_set1_cert_store", offsetof(struct psn_curl_openssl, ctx_set_store) },
    { "X509_STORE_new", offsetof(struct psn_curl_openssl, store_new) },
    { "X509_STORE_free", offsetof(struct psn_curl_openssl, store_free) },
    { "X509_STORE_load_locations", offsetof(struct psn_curl_openssl, store_load) },
    { "X509_VERIFY_PARAM_set_hostflags",
      offsetof(struct psn_curl_openssl, set_host_flags) },
    { "X509_VERIFY_PARAM_set1_host", offsetof(struct psn_curl_openssl, set_host) },
    { "X509_VERIFY_PARAM_set1_ip_asc", offsetof(struct psn_curl_openssl, set_ip) },
    { "SSL_CTX_sess_get_new_cb", offsetof(struct psn_curl_openssl, ctx_get_keep) },
    { "SSL_CTX_sess_set_new_cb", offsetof(struct psn_curl_openssl, ctx_set_keep) },
    { "SSL_version", offsetof(struct psn_curl_openssl, version) },
};

void psn_openssl_find(void *library, struct psn_curl *curl)
{
    const char *backend = curl->version_info(CURLVERSION_NOW)->ssl_version;

    if (!backend || strncmp(backend, "OpenSSL/", 8) != 0 ||
        psn_library_find(library, symbols, sizeof symbols / sizeof *symbols,
                         &curl->openssl))
        curl->openssl = (struct psn_curl_openssl){ .ctx_param = NULL };
}

/* libcurl's own, which keeps a session if the handle may have any. */
static psn_keep_session_fn *keep_for_libcurl;

/* A session of TLS 1.2 is resumed without another key exchange. */
static int keep_session(void *ssl, void *session)
{
    const struct psn_curl *curl = NULL;

    if (psn_curl_load(&curl, NULL) || curl->openssl.version(ssl) != TLS_1_3)
        return 0;
    return keep_for_libcurl(ssl, session);
}

static void choose_sessions(const struct psn_curl *curl, void *ssl_ctx)
{
    /* cppcheck-suppress AssignmentIntegerToAddress; it is a function's address */
    psn_keep_session_fn *keep = curl->openssl.ctx_get_keep(ssl_ctx);

    if (!keep || keep == keep_session)
        return;
    keep_for_libcurl = keep;
    curl->openssl.ctx_set_keep(ssl_ctx, keep_session);
}

/* Called by libcurl with OpenSSL's context, before the handshake. */
static CURLcode check_name_strictly(CURL *handle, void *ssl_ctx, void *arg)
{
    const struct psn_curl *curl = NULL;
    char host[HOST_SIZE];
    char *name = host;
    void *param;
    bool is_set;

    (void)handle;
    if (psn_curl_load(&curl, NULL) || !curl->openssl.ctx_param ||
        !psn_curl_copy_host(arg, host, sizeof host))
        return CURLE_SSL_CERTPROBLEM;
    if (host[0] == '[') {
        name = host + 1;
        name[strcspn(name, "]")] = '\0';
    }
    choose_sessions(curl, ssl_ctx);
    param = curl->openssl.ctx_param(ssl_ctx);
    curl->openssl.set_host_flags(param, NO_PARTIAL_WILDCARDS | NEVER_CHECK_SUBJECT);
    is_set = curl->openssl.set_ip(param, name) == 1 ||
             curl->openssl.set_host(param, name, 0) == 1;
    return is_set ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

/* A new store with what libcurl would have read; NULL if that is not to be had. */
static void *read_system(const struct psn_curl *curl, CURL *handle)
{
    char *file = NULL;
    char *folder = NULL;
    void *store;

    (void)curl->getinfo(handle, CURLINFO_CAINFO, &file);
    (void)curl->getinfo(handle, CURLINFO_CAPATH, &folder);
    if (!file && !folder)
        return NULL;
    store = curl->openssl.store_new();
    if (store && curl->openssl.store_load(store, file, folder) != 1) {
        curl->openssl.store_free(store);
        return NULL;
    }
    return store;
}

/* Kept for the life of the process: OpenSSL counts who holds it, and locks it itself. */
static void *system_store(const struct psn_curl *curl, CURL *handle)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static void *kept;
    void *store;

    (void)pthread_mutex_lock(&mutex);
    if (!kept)
        kept = read_system(curl, handle);
    store = kept;
    (void)pthread_mutex_unlock(&mutex);
    return store;
}

/* Without the store nobody is trusted: the context's own is empty. */
static CURLcode trust_system(CURL *handle, void *ssl_ctx, void *arg)
{
    const struct psn_curl *curl = NULL;
    void *store = psn_curl_load(&curl, NULL) ? NULL : system_store(curl, handle);

    if (!store)
        return CURLE_SSL_CACERT_BADFILE;
    curl->openssl.ctx_set_store(ssl_ctx, store);
    return check_name_strictly(handle, ssl_ctx, arg);
}

/* The levels of OpenSSL: 2 asks for 112 bits everywhere (RSA of 2048 bits, no SHA-1). */
CURLcode psn_openssl_secure(const struct psn_curl *curl, CURL *handle, const char *url,
                            const char *ca_file)
{
    bool is_shared = curl->openssl.ctx_param && !ca_file;
    CURLcode failed = CURLE_OK;

    /* The system's folder of certificates stays, so public ones are trusted as well. */
    if (ca_file)
        failed |= curl->setopt(handle, CURLOPT_CAINFO, ca_file);
    if (!curl->openssl.ctx_param)
        return failed;
    failed |= curl->setopt(handle, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:!aNULL@SECLEVEL=2");
    failed |= curl->setopt(handle, CURLOPT_SSL_CTX_FUNCTION,
                           is_shared ? trust_system : check_name_strictly);
    failed |= curl->setopt(handle, CURLOPT_SSL_CTX_DATA, url);
    if (!is_shared)
        return failed;
    failed |= curl->setopt(handle, CURLOPT_CAINFO, NULL);
    failed |= curl->setopt(handle, CURLOPT_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* libcurl's own store is empty, and of no use later; absent before 7.87. */
    (void)curl->setopt(handle, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
    return failed;
}

#include "cert.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DAYS = 30,
};

struct extension {
    int nid;
    const char *value;
};

static bool add_extensions(X509 *cert, X509 *issuer, const struct extension *extensions)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    for (size_t i = 0; extensions[i].nid; i++) {
        X509_EXTENSION *extension =
            X509V3_EXT_conf_nid(NULL, &context, extensions[i].nid, extensions[i].value);
        bool good = extension && X509_add_ext(cert, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        if (!good)
            return false;
    }
    return true;
}

/* The clock may be moved by the tests, so the dates leave room on both sides. */
static X509 *new_cert(EVP_PKEY *key, const char *name)
{
    X509 *cert = X509_new();
    unsigned char serial[16];

    if (!cert || RAND_bytes(serial, sizeof serial) != 1)
        return cert;
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400L * DAYS);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * DAYS);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    return cert;
}

static bool make_pair(EVP_PKEY *ca_key, X509 *ca, EVP_PKEY *key, X509 *cert)
{
    static const struct extension of_ca[] = {
        { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
        { NID_key_usage, "critical,keyCertSign,cRLSign" },
        { NID_subject_key_identifier, "hash" },
        { 0, NULL },
    };
    static const struct extension of_server[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, "critical,digitalSignature" },
        { NID_ext_key_usage, "serverAuth" },
        { NID_subject_key_identifier, "hash" },
        { NID_authority_key_identifier, "keyid" },
        { NID_subject_alt_name, "IP:127.0.0.1,IP:127.0.0.2,DNS:localhost" },
        { 0, NULL },
    };

    if (!ca_key || !ca || !key || !cert)
        return false;
    return X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
           add_extensions(ca, ca, of_ca) && X509_sign(ca, ca_key, EVP_sha256()) > 0 &&
           X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
           add_extensions(cert, ca, of_server) &&
           X509_sign(cert, ca_key, EVP_sha256()) > 0;
}

static FILE *create(const char *dir, const char *name, mode_t mode)
{
    char path[600];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool write_files(const char *dir, X509 *ca, EVP_PKEY *key, X509 *cert)
{
    FILE *ca_file = create(dir, "ca.pem", 0644);
    FILE *cert_file = create(dir, "server.pem", 0644);
    FILE *key_file = create(dir, "server.key", 0600);
    bool good = ca_file && cert_file && key_file && PEM_write_X509(ca_file, ca) == 1 &&
                PEM_write_X509(cert_file, cert) == 1 &&
                PEM_write_X509(cert_file, ca) == 1 &&
                PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) == 1;

    if (ca_file)
        good = fclose(ca_file) == 0 && good;
    if (cert_file)
        good = fclose(cert_file) == 0 && good;
    if (key_file)
        good = fclose(key_file) == 0 && good;
    return good;
}

SSL_CTX *sim_cert_make(const char *dir)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = ca_key ? new_cert(ca_key, "passation-sim CA") : NULL;
    X509 *cert = key ? new_cert(key, "passation-sim") : NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool good = context && make_pair(ca_key, ca, key, cert) &&
                write_files(dir, ca, key, cert) &&
                SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                SSL_CTX_use_certificate(context, cert) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;

    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    X509_free(ca);
    X509_free(cert);
    if (good)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

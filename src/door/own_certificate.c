#include "door/own_certificate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "net/address.h"

enum { SERIAL_BITS = 127, DAY_S = 86400, HOST_BYTES = 65, NAMES_BYTES = 256 };

static bool add_extension(X509 *certificate, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool add_serial(X509 *certificate)
{
    BIGNUM *serial = BN_new();
    bool good = serial != NULL && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;
    BN_free(serial);
    return good;
}

// A name that would have to be quoted in the list of names is left out.
static const char *host_name(char into[HOST_BYTES])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    bool good = gethostname(into, HOST_BYTES - 1) == 0;
    into[HOST_BYTES - 1] = '\0';
    return good && into[0] != '\0' && strspn(into, plain) == strlen(into) ? into : "localhost";
}

static bool add_names(X509 *certificate, const char *bind)
{
    char host[HOST_BYTES], names[NAMES_BYTES];
    struct address address;
    X509_NAME *subject = X509_get_subject_name(certificate);
    const unsigned char *common = (const unsigned char *)host_name(host);
    int length =
        snprintf(names, sizeof names, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", (const char *)common);
    assert(length > 0 && length < (int)sizeof names);
    if (address_parse(bind, &address) && address.version != 0)
        snprintf(names + length, sizeof names - (size_t)length, ",IP:%s", bind);
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"NetScope", -1, -1,
                                      0) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, common, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 &&
           add_extension(certificate, NID_subject_alt_name, names);
}

// Good from an hour ago, for clocks that are late.
static bool fill(X509 *certificate, EVP_PKEY *key, const char *bind)
{
    return X509_set_version(certificate, X509_VERSION_3) == 1 && add_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), (long)OWN_CERTIFICATE_DAYS * DAY_S) != NULL &&
           X509_set_pubkey(certificate, key) == 1 && add_names(certificate, bind) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

// As openssl x509 -fingerprint -sha256 and browsers write it.
static void tell_fingerprint(const X509 *certificate, const char *listener)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char text[3 * EVP_MAX_MD_SIZE + 1] = "";
    if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
        return;
    for (unsigned i = 0; i < length; i++)
        snprintf(text + 3 * i, 4, "%02X%s", digest[i], i + 1 < length ? ":" : "");
    log_warning(
        "door",
        "%s.tls.cert_path is not set: %s made a certificate itself, which no client trusts by itself. Its "
        "SHA-256 fingerprint is %s",
        listener, listener, text);
}

bool own_certificate_make(struct ssl_ctx_st *context, const char *listener, const char *bind,
                          struct error *error)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    bool good = key != NULL && certificate != NULL && fill(certificate, key, bind) &&
                SSL_CTX_use_certificate(context, certificate) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;
    if (good)
        tell_fingerprint(certificate, listener);
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good || error_set(error, ERROR_EXHAUSTED,
                             "%s has no certificate and could not make one itself: give it one by "
                             "%s.tls.cert_path and %s.tls.key_path",
                             listener, listener, listener);
}

bool own_certificate_is_due(int64_t expiry_s, int64_t now_s)
{
    return expiry_s - now_s < (int64_t)OWN_CERTIFICATE_LEAST_DAYS * DAY_S;
}

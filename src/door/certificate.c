#include "door/certificate.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "door/own_certificate.h"

enum { FILES = 3 };

// What tells one state of a file from another; zeros: there is none.
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct certificate {
    struct certificate_setup setup;
    SSL_CTX *in_use;
    struct stamp stamps[FILES]; // when they were last read
    atomic_int_fast64_t expiry_s;
    atomic_uint_fast64_t failures;
};

static void read_stamps(const struct tls_settings *files, struct stamp stamps[FILES])
{
    const char *const paths[FILES] = {files->cert_path, files->key_path, files->client_ca_path};
    memset(stamps, 0, FILES * sizeof stamps[0]);
    for (unsigned i = 0; i < FILES; i++) {
        struct stat status;
        if (paths[i][0] == '\0' || stat(paths[i], &status) != 0)
            continue;
        stamps[i].device = status.st_dev;
        stamps[i].inode = status.st_ino;
        stamps[i].size = status.st_size;
        stamps[i].modified = status.st_mtim;
    }
}

static bool is_same(const struct stamp *one, const struct stamp *other)
{
    return one->device == other->device && one->inode == other->inode && one->size == other->size &&
           one->modified.tv_sec == other->modified.tv_sec && one->modified.tv_nsec == other->modified.tv_nsec;
}

// The setting `part` of this listener names a file that cannot be used; without a reason, for what OpenSSL says.
static bool cannot_use(const struct certificate_setup *setup, const char *part, const char *path,
                       const char *reason, struct error *error)
{
    unsigned long code = ERR_peek_error();
    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        reason = "it holds none in PEM";
    if (reason == NULL)
        reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return error_set(error, ERROR_INVALID_ARGUMENT, "%s.tls.%s (%s) cannot be used: %s", setup->name, part,
                     path, reason != NULL ? reason : "it cannot be read");
}

// Opens it first, for OpenSSL's words for a missing file are no help.
static FILE *open_file(const struct certificate_setup *setup, const char *part, const char *path,
                       struct error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        error_set(error, error_kind_of_errno(errno), "%s.tls.%s (%s) cannot be read: %s", setup->name, part,
                  path, strerror(errno));
    ERR_clear_error();
    return file;
}

static bool can_open(const struct certificate_setup *setup, const char *part, const char *path,
                     struct error *error)
{
    FILE *file = open_file(setup, part, path, error);
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

static bool use_chain(SSL_CTX *context, const struct certificate_setup *setup, struct error *error)
{
    const char *path = setup->settings->tls.cert_path;
    if (!can_open(setup, "cert_path", path, error))
        return false;
    return SSL_CTX_use_certificate_chain_file(context, path) == 1 ||
           cannot_use(setup, "cert_path", path, NULL, error);
}

// Nobody is there to be asked for the pass phrase of a key.
static int no_pass_phrase(char *into, int most, int is_writing, void *was_asked)
{
    (void)into;
    (void)most;
    (void)is_writing;
    *(bool *)was_asked = true;
    return -1;
}

static bool use_key(SSL_CTX *context, const struct certificate_setup *setup, struct error *error)
{
    const struct tls_settings *tls = &setup->settings->tls;
    bool was_asked = false;
    FILE *file = open_file(setup, "key_path", tls->key_path, error);
    if (file == NULL)
        return false;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_pass_phrase, &was_asked);
    fclose(file);
    if (key == NULL)
        return cannot_use(setup, "key_path", tls->key_path,
                          was_asked ? "it has a pass phrase; write it without one" : "it holds none in PEM",
                          error);
    bool good = X509_check_private_key(SSL_CTX_get0_certificate(context), key) == 1;
    if (!good)
        error_set(error, ERROR_INVALID_ARGUMENT,
                  "%s.tls.key_path (%s) is not the key of the certificate in %s", setup->name, tls->key_path,
                  tls->cert_path);
    else if (SSL_CTX_use_PrivateKey(context, key) != 1)
        good = cannot_use(setup, "key_path", tls->key_path, NULL, error);
    EVP_PKEY_free(key);
    return good;
}

// Any certificate in the file is trusted, an intermediate one as well. Clients may do without one where they can show
// a token instead.
static bool use_client_ca(SSL_CTX *context, const struct certificate_setup *setup, struct error *error)
{
    const char *path = setup->settings->tls.client_ca_path;
    if (path[0] == '\0')
        return true;
    if (!can_open(setup, "client_ca_path", path, error))
        return false;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (names == NULL || SSL_CTX_load_verify_file(context, path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return cannot_use(setup, "client_ca_path", path, NULL, error);
    }
    SSL_CTX_set_client_CA_list(context, names);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    bool needed = setup->settings->auth.tokens_file[0] == '\0';
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (needed ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return true;
}

static int choose_protocol(SSL *session, const unsigned char **chosen, unsigned char *chosen_length,
                           const unsigned char *offered, unsigned int offered_length, void *owner)
{
    static const unsigned char http2[] = "\x02h2", http1[] = "\x08http/1.1";
    const struct certificate_setup *setup = owner;
    const unsigned char *ours = setup->http2 ? http2 : http1;
    unsigned char *found;
    (void)session;
    if (SSL_select_next_proto(&found, chosen_length, ours, ours[0] + 1U, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

// Sessions are not resumed: what a client must show is asked for again each time.
static void set_up(SSL_CTX *context, struct certificate_setup *setup)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, setup);
}

static bool is_own(const struct certificate *certificate)
{
    return certificate->setup.settings->tls.cert_path[0] == '\0';
}

// The one in use stays until it is about to end: what reads the CA of clients again changes no fingerprint.
static bool use_own(SSL_CTX *context, const struct certificate *certificate, struct error *error)
{
    SSL_CTX *before = certificate->in_use;
    if (before == NULL || own_certificate_is_due(certificate_expiry_s(certificate), (int64_t)time(NULL)))
        return own_certificate_make(context, certificate->setup.name, certificate->setup.settings->bind,
                                    error);
    return (SSL_CTX_use_certificate(context, SSL_CTX_get0_certificate(before)) == 1 &&
            SSL_CTX_use_PrivateKey(context, SSL_CTX_get0_privatekey(before)) == 1) ||
           error_set(error, ERROR_EXHAUSTED, "no memory for TLS");
}

static SSL_CTX *load(struct certificate *certificate, struct error *error)
{
    struct certificate_setup *setup = &certificate->setup;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for TLS");
        return NULL;
    }
    set_up(context, setup);
    bool good = is_own(certificate) ? use_own(context, certificate, error)
                                    : use_chain(context, setup, error) && use_key(context, setup, error);
    if (good && use_client_ca(context, setup, error))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static int64_t read_expiry_s(const SSL_CTX *context)
{
    struct tm until;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context)), &until) != 1)
        return 0;
    return (int64_t)timegm(&until);
}

static void put_in_use(struct certificate *certificate, SSL_CTX *context)
{
    SSL_CTX_free(certificate->in_use);
    certificate->in_use = context;
    atomic_store_explicit(&certificate->expiry_s, read_expiry_s(context), memory_order_relaxed);
}

struct certificate *certificate_create(const struct certificate_setup *setup, struct error *error)
{
    struct certificate *certificate = calloc(1, sizeof *certificate);
    if (certificate == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory for TLS");
        return NULL;
    }
    certificate->setup = *setup;
    read_stamps(&setup->settings->tls, certificate->stamps);
    SSL_CTX *context = load(certificate, error);
    if (context == NULL) {
        certificate_destroy(certificate);
        return NULL;
    }
    put_in_use(certificate, context);
    return certificate;
}

void certificate_destroy(struct certificate *certificate)
{
    if (certificate == NULL)
        return;
    SSL_CTX_free(certificate->in_use);
    free(certificate);
}

// Stamps are read before the files: what changes meanwhile is seen at the next look.
void certificate_look(struct certificate *certificate)
{
    struct stamp stamps[FILES];
    bool same = !is_own(certificate) ||
                !own_certificate_is_due(certificate_expiry_s(certificate), (int64_t)time(NULL));
    read_stamps(&certificate->setup.settings->tls, stamps);
    for (unsigned i = 0; i < FILES; i++)
        same = same && is_same(&stamps[i], &certificate->stamps[i]);
    if (same)
        return;
    memcpy(certificate->stamps, stamps, sizeof stamps);
    struct error error;
    SSL_CTX *context = load(certificate, &error);
    if (context != NULL) {
        put_in_use(certificate, context);
        log_info("door", "the certificate of %s was read again", certificate->setup.name);
        return;
    }
    atomic_fetch_add_explicit(&certificate->failures, 1, memory_order_relaxed);
    log_warning("door", "the certificate before stays in use: %s", error.text);
}

struct ssl_ctx_st *certificate_in_use(const struct certificate *certificate)
{
    assert(certificate->in_use != NULL);
    return certificate->in_use;
}

int64_t certificate_expiry_s(const struct certificate *certificate)
{
    return atomic_load_explicit(&certificate->expiry_s, memory_order_relaxed);
}

uint64_t certificate_failures(const struct certificate *certificate)
{
    return atomic_load_explicit(&certificate->failures, memory_order_relaxed);
}

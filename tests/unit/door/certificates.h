// Certificates made on the spot, in a folder of the test's own, and a client that speaks TLS.
#pragma once

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static inline void make_folder(void)
{
    strcpy(folder, "/tmp/netscope-test-tls-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static inline void drop_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

static inline char *in_folder(const char *name)
{
    static char paths[64][128];
    static unsigned count;
    char *path = paths[count++];
    cr_assert(count <= 64);
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

static inline void add_extension(X509 *certificate, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    cr_assert(extension != NULL, "%s", value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

// Of an issuer, or its own; `names` as "DNS:a,URI:b", NULL for a CA.
static inline struct identity make_identity(const struct identity *issuer, const char *names, int64_t days)
{
    static long serial;
    struct identity made = {X509_new(), EVP_EC_gen("P-256")};
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), days * 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)(names == NULL ? "test CA" : "test"), -1, -1, 0);
    X509_set_pubkey(made.certificate, made.key);
    if (names == NULL)
        add_extension(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
    else
        add_extension(made.certificate, NID_subject_alt_name, names);
    X509_set_issuer_name(made.certificate,
                         X509_get_subject_name(issuer != NULL ? issuer->certificate : made.certificate));
    cr_assert(X509_sign(made.certificate, issuer != NULL ? issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

static inline void drop_identity(struct identity *identity)
{
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

// Each file takes its place in one step, as an operator's does.
static inline void write_certificate(const struct identity *identity, const char *name)
{
    FILE *file = fopen(in_folder("new"), "w");
    cr_assert(PEM_write_X509(file, identity->certificate));
    fclose(file);
    rename(in_folder("new"), in_folder(name));
}

static inline void write_key(const struct identity *identity, const char *name)
{
    FILE *file = fopen(in_folder("new"), "w");
    cr_assert(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    rename(in_folder("new"), in_folder(name));
}

static inline void write_text(const char *name, const char *text)
{
    FILE *file = fopen(in_folder("new"), "w");
    fputs(text, file);
    fclose(file);
    rename(in_folder("new"), in_folder(name));
}

// What a client brings: NULLs and zeros for nothing in particular.
struct client_options {
    const struct identity *identity;
    const char *protocol; // of ALPN, with its length: "\x02h2"
    int most_version;     // TLS1_1_VERSION
};

// A client on a connected, blocking socket, which it takes over; NULL when the handshake fails. With TLS 1.3 that is known by
// the first read only.
static inline SSL *shake_hands(int socket, const struct client_options *options)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, options->most_version);
    if (options->identity != NULL) {
        SSL_CTX_use_certificate(context, options->identity->certificate);
        SSL_CTX_use_PrivateKey(context, options->identity->key);
    }
    if (options->protocol != NULL)
        SSL_CTX_set_alpn_protos(context, (const unsigned char *)options->protocol,
                                (unsigned)strlen(options->protocol));
    SSL *client = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(client, socket);
    if (SSL_connect(client) == 1)
        return client;
    SSL_free(client);
    ERR_clear_error();
    for (char byte; recv(socket, &byte, 1, 0) > 0;)
        ; // until the door has done with it
    close(socket);
    return NULL;
}

static inline void drop_client(SSL *client)
{
    int socket = SSL_get_fd(client);
    SSL_free(client);
    close(socket);
}

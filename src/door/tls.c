#include "door/tls.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "door/certificate.h"
#include "door/door.h"
#include "door/wire.h"

// A session is OpenSSL's own structure; the name keeps it out of the header.
static SSL *ssl_of(const struct tls_session *session)
{
    return (SSL *)(uintptr_t)session;
}

struct tls_session *tls_session_create(const struct certificate *certificate, int descriptor)
{
    SSL *ssl = SSL_new(certificate_in_use(certificate));
    if (ssl == NULL || SSL_set_fd(ssl, descriptor) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return (struct tls_session *)ssl;
}

void tls_session_destroy(struct tls_session *session)
{
    SSL_free(ssl_of(session));
}

// What a call meant that returned `code`, not above 0. A connection that ends without TLS having said so is broken.
static ssize_t explain(const SSL *ssl, int code)
{
    int reason = SSL_get_error(ssl, code);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
        return WIRE_LATER;
    return reason == SSL_ERROR_ZERO_RETURN ? WIRE_ENDED : WIRE_BROKEN;
}

ssize_t tls_handshake(struct tls_session *session)
{
    ERR_clear_error();
    int code = SSL_do_handshake(ssl_of(session));
    if (code == 1)
        return WIRE_ENDED;
    return explain(ssl_of(session), code) == WIRE_LATER ? WIRE_LATER : WIRE_BROKEN;
}

ssize_t tls_read(struct tls_session *session, void *into, size_t most)
{
    size_t got;
    ERR_clear_error();
    int code = SSL_read_ex(ssl_of(session), into, most, &got);
    return code == 1 ? (ssize_t)got : explain(ssl_of(session), code);
}

ssize_t tls_write(struct tls_session *session, const void *bytes, size_t length)
{
    size_t put;
    ERR_clear_error();
    int code = SSL_write_ex(ssl_of(session), bytes, length, &put);
    if (code == 1)
        return (ssize_t)put;
    return explain(ssl_of(session), code) == WIRE_LATER ? WIRE_LATER : WIRE_BROKEN;
}

// 0: ours is sent, the client's has not come. That is all that is wanted.
ssize_t tls_end(struct tls_session *session)
{
    ERR_clear_error();
    int code = SSL_shutdown(ssl_of(session));
    if (code >= 0)
        return WIRE_ENDED;
    return explain(ssl_of(session), code) == WIRE_LATER ? WIRE_LATER : WIRE_BROKEN;
}

static bool is_printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return length > 0;
}

// A name that is cut could be another's: whole or not at all.
static void add_name(struct peer *peer, const char *kind, const char *text, size_t length)
{
    if (peer->name_count == PEER_NAMES || !is_printable(text, length) ||
        strlen(kind) + length >= PEER_NAME_BYTES)
        return;
    snprintf(peer->names[peer->name_count++], PEER_NAME_BYTES, "%s%.*s", kind, (int)length, text);
}

static void add_text_name(struct peer *peer, const char *kind, const ASN1_IA5STRING *text)
{
    add_name(peer, kind, (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
}

static void add_address(struct peer *peer, const ASN1_OCTET_STRING *bytes)
{
    char text[ADDRESS_TEXT_BYTES];
    const uint8_t *octets = ASN1_STRING_get0_data(bytes);
    int length = ASN1_STRING_length(bytes);
    if (length != 4 && length != 16)
        return;
    struct address address = length == 4 ? address_v4(octets) : address_v6(octets);
    address_format(&address, text);
    add_name(peer, "ip:", text, strlen(text));
}

static void add_general_name(struct peer *peer, const GENERAL_NAME *name)
{
    if (name->type == GEN_DNS)
        add_text_name(peer, "dns:", name->d.dNSName);
    else if (name->type == GEN_URI)
        add_text_name(peer, "uri:", name->d.uniformResourceIdentifier);
    else if (name->type == GEN_EMAIL)
        add_text_name(peer, "email:", name->d.rfc822Name);
    else if (name->type == GEN_IPADD)
        add_address(peer, name->d.iPAddress);
}

void tls_add_names(const struct tls_session *session, struct peer *peer)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl_of(session));
    if (certificate == NULL)
        return;
    assert(SSL_get_verify_result(ssl_of(session)) == X509_V_OK);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        add_general_name(peer, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

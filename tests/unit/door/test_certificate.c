#include "door/certificate.h"

#include "certificates.h"
#include "door/own_certificate.h"

static struct error error;
static struct listener_settings settings;
static struct identity first, second;
static struct certificate *certificate;

static void begin(void)
{
    make_folder();
    settings = (struct listener_settings){.tls = {.enabled = true}, .auth = {.tokens_file = ""}};
    settings.tls.cert_path = in_folder("cert.pem");
    settings.tls.key_path = in_folder("key.pem");
    settings.tls.client_ca_path = "";
    first = make_identity(NULL, "DNS:first", 10);
    second = make_identity(NULL, "DNS:second", 20);
    write_certificate(&first, "cert.pem");
    write_key(&first, "key.pem");
    certificate = NULL;
}

static void end(void)
{
    certificate_destroy(certificate);
    drop_identity(&first);
    drop_identity(&second);
    drop_folder();
}

TestSuite(certificate, .init = begin, .fini = end);

static bool load(void)
{
    struct certificate_setup setup = {"grpc", &settings, true};
    certificate_destroy(certificate);
    certificate = certificate_create(&setup, &error);
    return certificate != NULL;
}

static void expect_error(const char *file, const char *reason)
{
    cr_expect_not(load());
    cr_expect(strstr(error.text, file) != NULL, "%s", error.text);
    cr_expect(strstr(error.text, reason) != NULL, "%s", error.text);
}

static bool is_in_use(const struct identity *identity)
{
    return X509_cmp(SSL_CTX_get0_certificate(certificate_in_use(certificate)), identity->certificate) == 0;
}

Test(certificate, is_used_until_it_expires)
{
    time_t now = time(NULL);
    cr_assert(load(), "%s", error.text);
    cr_expect(is_in_use(&first));
    cr_expect(llabs(certificate_expiry_s(certificate) - (int64_t)now - 10 * 86400) < 60);
}

Test(certificate, is_missed_by_name)
{
    unlink(settings.tls.cert_path);
    expect_error("grpc.tls.cert_path (", "No such file");
    write_certificate(&first, "cert.pem");
    unlink(settings.tls.key_path);
    expect_error("grpc.tls.key_path (", "No such file");
    write_key(&first, "key.pem");
    settings.tls.client_ca_path = in_folder("none.pem");
    expect_error("none.pem", "No such file");
}

Test(certificate, must_be_pem)
{
    write_text("cert.pem", "nothing");
    expect_error("grpc.tls.cert_path (", "it holds none in PEM");
    write_certificate(&first, "cert.pem");
    write_text("key.pem", "nothing");
    expect_error("grpc.tls.key_path (", "it holds none in PEM");
    write_key(&first, "key.pem");
    write_text("ca.pem", "nothing");
    settings.tls.client_ca_path = in_folder("ca.pem");
    expect_error("grpc.tls.client_ca_path (", "it holds none in PEM");
}

Test(certificate, needs_its_own_key)
{
    write_key(&second, "key.pem");
    expect_error("grpc.tls.key_path (", "is not the key of the certificate in ");
}

Test(certificate, asks_nobody_for_a_pass_phrase)
{
    FILE *file = fopen(settings.tls.key_path, "w");
    PEM_write_PrivateKey(file, first.key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
    fclose(file);
    expect_error("grpc.tls.key_path (", "it has a pass phrase");
}

Test(certificate, cannot_be_a_folder)
{
    settings.tls.cert_path = folder;
    expect_error("grpc.tls.cert_path (", "cannot be");
}

Test(certificate, is_read_again_when_its_files_change)
{
    cr_assert(load(), "%s", error.text);
    SSL_CTX *before = certificate_in_use(certificate);
    certificate_look(certificate);
    cr_expect_eq(certificate_in_use(certificate), before, "nothing has changed");
    write_certificate(&second, "cert.pem");
    write_key(&second, "key.pem");
    certificate_look(certificate);
    cr_expect(is_in_use(&second));
    cr_expect_eq(certificate_failures(certificate), 0);
}

Test(certificate, stays_when_new_files_cannot_be_used)
{
    cr_assert(load(), "%s", error.text);
    write_text("cert.pem", "half of");
    for (int i = 0; i < 3; i++)
        certificate_look(certificate);
    cr_expect(is_in_use(&first));
    cr_expect_eq(certificate_failures(certificate), 1, "and is tried once");
    unlink(settings.tls.cert_path);
    certificate_look(certificate);
    cr_expect_eq(certificate_failures(certificate), 2);
    write_certificate(&second, "cert.pem");
    write_key(&second, "key.pem");
    certificate_look(certificate);
    cr_expect(is_in_use(&second));
}

// As the kubelet does it: the files lie in a folder behind a link, which is replaced.
Test(certificate, is_followed_behind_links)
{
    char command[512];
    snprintf(command, sizeof command,
             "cd %s && mkdir a b && mv cert.pem key.pem a && ln -s a live && ln -s live/cert.pem && ln -s "
             "live/key.pem",
             folder);
    cr_assert_eq(system(command), 0);
    write_certificate(&second, "b/cert.pem");
    write_key(&second, "b/key.pem");
    cr_assert(load(), "%s", error.text);
    snprintf(command, sizeof command, "cd %s && ln -s b next && mv -T next live", folder);
    cr_assert_eq(system(command), 0);
    certificate_look(certificate);
    cr_expect(is_in_use(&second));
}

// Made at the start, where the settings give none.

static void begin_own(void)
{
    begin();
    settings.tls.cert_path = settings.tls.key_path = "";
    settings.bind = "192.0.2.7";
}

TestSuite(own_certificate, .init = begin_own, .fini = end);

Test(own_certificate, is_for_this_host_and_the_address_listened_on)
{
    cr_assert(load(), "%s", error.text);
    X509 *own = SSL_CTX_get0_certificate(certificate_in_use(certificate));
    cr_expect_eq(X509_check_ip_asc(own, "192.0.2.7", 0), 1);
    cr_expect_eq(X509_check_ip_asc(own, "::1", 0), 1);
    cr_expect_eq(X509_check_host(own, "localhost", 0, 0, NULL), 1);
    cr_expect_eq(X509_check_host(own, "evil.example", 0, 0, NULL), 0);
    cr_expect_eq(X509_check_ca(own), 0);
    cr_expect_eq(X509_verify(own, X509_get0_pubkey(own)), 1);
    cr_expect_eq(EVP_PKEY_get_bits(X509_get0_pubkey(own)), 256);
    cr_expect(llabs(certificate_expiry_s(certificate) - (int64_t)time(NULL) - OWN_CERTIFICATE_DAYS * 86400) <
              60);
}

Test(own_certificate, is_another_at_each_start)
{
    cr_assert(load(), "%s", error.text);
    X509 *before = X509_dup(SSL_CTX_get0_certificate(certificate_in_use(certificate)));
    cr_assert(load(), "%s", error.text);
    cr_expect_neq(X509_cmp(SSL_CTX_get0_certificate(certificate_in_use(certificate)), before), 0);
    X509_free(before);
}

Test(own_certificate, stays_while_other_files_change)
{
    settings.tls.client_ca_path = in_folder("ca.pem");
    write_certificate(&first, "ca.pem");
    cr_assert(load(), "%s", error.text);
    X509 *before = X509_dup(SSL_CTX_get0_certificate(certificate_in_use(certificate)));
    SSL_CTX *context = certificate_in_use(certificate);
    write_text("ca.pem", "nothing");
    certificate_look(certificate);
    cr_expect_eq(certificate_in_use(certificate), context);
    write_certificate(&second, "ca.pem");
    certificate_look(certificate);
    cr_expect_neq(certificate_in_use(certificate), context);
    cr_expect_eq(X509_cmp(SSL_CTX_get0_certificate(certificate_in_use(certificate)), before), 0);
    X509_free(before);
}

Test(own_certificate, is_made_anew_before_it_ends)
{
    cr_expect_not(own_certificate_is_due(OWN_CERTIFICATE_DAYS * 86400L, 0));
    cr_expect(own_certificate_is_due(OWN_CERTIFICATE_DAYS * 86400L, (OWN_CERTIFICATE_DAYS - 29) * 86400L));
}

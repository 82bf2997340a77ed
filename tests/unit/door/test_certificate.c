#include "door/certificate.h"

#include "certificates.h"

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

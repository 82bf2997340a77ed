#include <criterion/criterion.h>

#include "decode/app/tls.h"

Test(tls_text, names_versions)
{
    char text[12];
    cr_expect_str_eq(tls_version_name(0x0304, text), "TLS 1.3");
    cr_expect_str_eq(tls_version_name(0x0300, text), "SSL 3.0");
    cr_expect_str_eq(tls_version_name(0xfefd, text), "DTLS 1.2");
    cr_expect_str_eq(tls_version_name(0x7f1c, text), "TLS 1.3 d28");
    cr_expect_str_eq(tls_version_name(0x1234, text), "0x1234");
    cr_expect_str_eq(tls_version_name(0x0002, text), "SSL 2.0");
}

Test(tls_text, reads_the_names_that_it_gives_and_no_other)
{
    char text[12];
    uint32_t read;
    for (uint32_t version = 0; version <= UINT16_MAX; version++) {
        bool ambiguous = version >= 0x7f00 + 100 && version <= 0x7fff; // drafts that never were
        cr_assert(tls_version_parse(tls_version_name((uint16_t)version, text), &read), "%s", text);
        cr_assert(ambiguous || read == version, "%s is %u", text, read);
    }
    static const char *const none[] = {"",          "1.3",          "tls 1.3",    "TLS 1.3 ",
                                       "TLS 1.3 d", "TLS 1.3 d028", "0x12345",    "0x304",
                                       "0x0304",    "TLS 1.3 d128", "TLS 1.3 d-1"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        cr_expect_not(tls_version_parse(none[i], &read), "%s", none[i]);
}

Test(tls_text, names_statuses)
{
    cr_expect_str_eq(sni_status_name(SNI_ABSENT), "absent");
    for (int status = SNI_UNKNOWN; status <= SNI_ABSENT + 1; status++)
        cr_expect_not_null(sni_status_name((enum sni_status)status));
    cr_expect_str_eq(sni_status_name((enum sni_status)5), "unknown"); // no status any more
}

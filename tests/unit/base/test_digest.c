#include "base/digest.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

static void expect(enum digest_algorithm algorithm, const char *text, const char *expected)
{
    uint8_t digest[DIGEST_BYTES_MAX];
    char hex[DIGEST_HEX_MAX];
    cr_assert(digest_bytes(algorithm, text, strlen(text), digest));
    cr_expect_str_eq(digest_hex(digest, digest_size(algorithm), hex), expected);
}

// RFC 1321, appendix A.5; RFC 3174, section 7.3; FIPS 180-2, appendix B.
Test(digest, gives_the_vectors_of_the_standards)
{
    expect(DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e");
    expect(DIGEST_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0");
    expect(DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void *digest_much(void *wrong)
{
    static const uint8_t expected[] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                       0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    uint8_t digest[DIGEST_BYTES_MAX];
    for (unsigned i = 0; i < 2000; i++)
        if (!digest_bytes(DIGEST_MD5, "abc", 3, digest) || memcmp(digest, expected, 16) != 0)
            ++*(unsigned *)wrong;
    return NULL;
}

Test(digest, is_for_many_threads)
{
    pthread_t threads[4];
    unsigned wrong[4] = {0};
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, digest_much, &wrong[i]), 0);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(wrong[i], 0);
    }
}

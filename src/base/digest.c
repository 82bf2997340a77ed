#include "base/digest.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

static const struct {
    const char *name;
    size_t size;
} algorithms[DIGEST_ALGORITHMS] = {
    [DIGEST_MD5] = {"MD5", 16},
    [DIGEST_SHA1] = {"SHA1", 20},
    [DIGEST_SHA256] = {"SHA256", 32},
};

static EVP_MD *fetched[DIGEST_ALGORITHMS]; // written once, under the pthread_once

static void fetch_all(void)
{
    for (size_t i = 0; i < DIGEST_ALGORITHMS; i++)
        fetched[i] = EVP_MD_fetch(NULL, algorithms[i].name, NULL);
}

static void fetch_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch_all);
}

size_t digest_size(enum digest_algorithm algorithm)
{
    assert(algorithm < DIGEST_ALGORITHMS);
    return algorithms[algorithm].size;
}

bool digest_bytes(enum digest_algorithm algorithm, const void *bytes, size_t length,
                  uint8_t into[DIGEST_BYTES_MAX])
{
    assert(algorithm < DIGEST_ALGORITHMS);
    assert(bytes != NULL || length == 0);
    fetch_once();
    if (fetched[algorithm] != NULL && EVP_Digest(bytes, length, into, NULL, fetched[algorithm], NULL) == 1)
        return true;
    memset(into, 0, digest_size(algorithm));
    return false;
}

char *digest_hex(const uint8_t *bytes, size_t length, char into[DIGEST_HEX_MAX])
{
    static const char digits[] = "0123456789abcdef";
    assert(bytes != NULL && length <= DIGEST_BYTES_MAX);
    for (size_t i = 0; i < length; i++) {
        into[2 * i] = digits[bytes[i] >> 4];
        into[2 * i + 1] = digits[bytes[i] & 15];
    }
    into[2 * length] = '\0';
    return into;
}

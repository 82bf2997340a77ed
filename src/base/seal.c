#include "base/seal.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

bool seal_key_make(struct seal_key *key)
{
    return getrandom(key->bytes, sizeof key->bytes, 0) == (ssize_t)sizeof key->bytes;
}

// One block: nothing is chained and nothing padded.
static bool run(const struct seal_key *key, uint8_t block[SEAL_BYTES], int closing)
{
    uint8_t out[2 * SEAL_BYTES];
    int length = 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool good = cipher != NULL &&
                EVP_CipherInit_ex(cipher, EVP_aes_128_ecb(), NULL, key->bytes, NULL, closing) == 1 &&
                EVP_CIPHER_CTX_set_padding(cipher, 0) == 1 &&
                EVP_CipherUpdate(cipher, out, &length, block, SEAL_BYTES) == 1 && length == SEAL_BYTES;
    EVP_CIPHER_CTX_free(cipher);
    if (good)
        memcpy(block, out, SEAL_BYTES);
    return good;
}

bool seal_close(const struct seal_key *key, uint8_t block[SEAL_BYTES])
{
    return run(key, block, 1);
}

bool seal_open(const struct seal_key *key, uint8_t block[SEAL_BYTES])
{
    return run(key, block, 0);
}

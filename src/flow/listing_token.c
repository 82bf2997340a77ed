#include "flow/listing_token.h"

#include <endian.h>
#include <string.h>

#include "base/digest.h"
#include "base/hash.h"

// As it is written: big-endian, with a check behind it, so that a token that was cut or mistyped is told from one of a
// listing that is gone.
struct wire {
    uint64_t instance, listing;
    uint32_t page, check;
};
_Static_assert(sizeof(struct wire) == FLOW_TOKEN_BYTES, "no padding");

static uint32_t check_of(const struct wire *wire)
{
    return (uint32_t)hash_bytes(wire, offsetof(struct wire, check), 0);
}

char *flow_token_format(const struct flow_token *token, char into[FLOW_TOKEN_TEXT_BYTES])
{
    struct wire wire = {htobe64(token->instance), htobe64(token->listing), htobe32(token->page), 0};
    wire.check = htobe32(check_of(&wire));
    char text[DIGEST_HEX_MAX];
    memcpy(into, digest_hex((const uint8_t *)&wire, sizeof wire, text), FLOW_TOKEN_TEXT_BYTES);
    return into;
}

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool flow_token_parse(const char *text, struct flow_token *out)
{
    uint8_t bytes[FLOW_TOKEN_BYTES];
    if (strnlen(text, FLOW_TOKEN_TEXT_BYTES) != FLOW_TOKEN_TEXT_BYTES - 1)
        return false;
    for (unsigned i = 0; i < FLOW_TOKEN_BYTES; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    struct wire wire;
    memcpy(&wire, bytes, sizeof wire);
    if (wire.check != htobe32(check_of(&wire)))
        return false;
    *out = (struct flow_token){be64toh(wire.instance), be64toh(wire.listing), be32toh(wire.page)};
    return true;
}

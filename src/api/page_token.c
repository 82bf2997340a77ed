#include "api/page_token.h"

#include <assert.h>
#include <inttypes.h>
#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/limits.h"
#include "base/hash.h"

static uint64_t hash_text(const char *text, uint64_t seed)
{
    return hash_bytes(text, strlen(text), seed);
}

// With other limits it is another list.
static uint64_t hash_caller(const struct caller *caller, uint64_t secret)
{
    uint64_t hash = hash_text(caller->identity, secret);
    for (unsigned i = 0; caller->limits != NULL && i < caller->limits->word_count; i++)
        hash = hash_text(caller->limits->words[i], hash);
    return hash;
}

struct page_owner page_owner_of(const struct call *call, const char *list, struct ProtobufCMessage *request,
                                char **token, uint32_t *size)
{
    static char empty[1];
    struct page_owner owner = {.list = list};
    char *kept_token = *token;
    uint32_t kept_size = *size;
    *token = empty;
    *size = 0;
    size_t length = protobuf_c_message_get_packed_size(request);
    uint8_t *bytes = malloc(length + 1);
    if (bytes != NULL) {
        protobuf_c_message_pack(request, bytes);
        owner.fingerprint = hash_bytes(bytes, length, hash_caller(call->caller, call->api->secret));
    }
    free(bytes);
    *token = kept_token;
    *size = kept_size;
    return owner;
}

// What only this process can make of a place.
static uint64_t check_of(const struct call *call, const struct page_owner *owner, const char *place)
{
    uint64_t parts[3] = {owner->fingerprint, hash_text(owner->list, call->api->secret),
                         hash_text(place, call->api->secret)};
    return hash_bytes(parts, sizeof parts, call->api->secret);
}

char *page_token_build(struct call *call, const struct page_owner *owner, const char *place)
{
    char token[PAGE_TOKEN_BYTES];
    assert(strlen(place) < PAGE_TOKEN_PLACE_BYTES);
    snprintf(token, sizeof token, "%s%016" PRIx64 "%s", call->api->instance, check_of(call, owner, place),
             place);
    return build_text(&call->build, token);
}

bool page_expired(struct call *call)
{
    return status_set(
        &call->status, STATUS_ABORTED, "PAGE_TOKEN_EXPIRED",
        "page_token: this list is over, by time or by a restart: begin it again without a token");
}

bool page_token_read(struct call *call, const struct page_owner *owner, const char *token,
                     char place[PAGE_TOKEN_PLACE_BYTES])
{
    enum { INSTANCE = INSTANCE_TEXT_BYTES - 1, CHECK = 16, HEAD = INSTANCE + CHECK };
    size_t length = strlen(token), digits = strspn(token, "0123456789abcdef");
    if (length <= HEAD || length - HEAD >= PAGE_TOKEN_PLACE_BYTES || digits != length)
        return status_violate(&call->status, "page_token", "it is no token of a page");
    if (memcmp(token, call->api->instance, INSTANCE) != 0)
        return page_expired(call);
    char check[CHECK + 1];
    memcpy(check, token + INSTANCE, CHECK);
    check[CHECK] = '\0';
    strcpy(place, token + HEAD);
    return strtoull(check, NULL, 16) == check_of(call, owner, place) ||
           status_violate(&call->status, "page_token",
                          "it is of another request or caller: ask as for the first page, with the token");
}

uint32_t page_rows(uint32_t page_size)
{
    if (page_size == 0)
        return PAGE_ROWS;
    return page_size < PAGE_MOST_ROWS ? page_size : PAGE_MOST_ROWS;
}

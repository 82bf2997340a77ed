// Page tokens: which page of what list a client goes on with. A token is of one request (but for its page size), one caller and
// one start of the process; it carries no authority and tells nothing. Pure but for the api's keys; any thread.
#pragma once

#include "api/call.h"

enum { PAGE_TOKEN_PLACE_BYTES = 64, PAGE_TOKEN_BYTES = 160, PAGE_ROWS = 100, PAGE_MOST_ROWS = 1000 };

// What a token is bound to: the request without token and size.
struct page_owner {
    const char *list;     // "flows": the method
    uint64_t fingerprint; // of request and caller
};

// `request` is looked at with `token` and `size`, which are its members, empty; they are as they were afterwards.
struct page_owner page_owner_of(const struct call *call, const char *list, struct ProtobufCMessage *request,
                                char **token, uint32_t *size);

// `place` is a word of at most PAGE_TOKEN_PLACE_BYTES - 1 hexadecimal digits.
char *page_token_build(struct call *call, const struct page_owner *owner, const char *place);
// False with the status: INVALID_ARGUMENT for what is no token of this request, ABORTED with PAGE_TOKEN_EXPIRED for one
// of another start.
bool page_token_read(struct call *call, const struct page_owner *owner, const char *token,
                     char place[PAGE_TOKEN_PLACE_BYTES]);
bool page_expired(struct call *call); // false always

uint32_t page_rows(uint32_t page_size);

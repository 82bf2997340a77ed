// The token of a page: what a reader hands back to read on. It names a page of a listing of a run and says nothing else:
// no authority, no filter. Text of 48 hexadecimal digits. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { FLOW_TOKEN_BYTES = 24, FLOW_TOKEN_TEXT_BYTES = 2 * FLOW_TOKEN_BYTES + 1 };

struct flow_token {
    uint64_t instance; // of the run
    uint64_t listing;
    uint32_t page; // that is asked for: the first one that has a token is 1
};

char *flow_token_format(const struct flow_token *token, char into[FLOW_TOKEN_TEXT_BYTES]);
// False when the text is none that flow_token_format() made.
bool flow_token_parse(const char *text, struct flow_token *out);

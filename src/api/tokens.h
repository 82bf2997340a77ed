// A tokens file, parsed: lines "name role sha256hex [limit...]", # comments, blank lines. Pure: bytes in, table out.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { TOKENS_MOST = 4096, TOKENS_FILE_BYTES = 1 << 20, TOKEN_DIGEST_BYTES = 32, TOKEN_NAME_BYTES = 64 };

struct grant;

struct token {
    uint8_t digest[TOKEN_DIGEST_BYTES];
    struct grant *grant;
    unsigned line;
};

struct token_table {
    struct token *tokens;
    size_t count;
};

// False with "path:line: what is wrong and what to write"; `out` is empty then. The bytes are not kept.
bool tokens_parse(const char *bytes, size_t length, const char *path, struct token_table *out,
                  struct error *error);
void tokens_done(struct token_table *table); // safe on zeros

// The token whose digest it is, NULL = none. Looks at all of them, and no byte of any decides how long that takes.
struct token *tokens_find(const struct token_table *table, const uint8_t digest[TOKEN_DIGEST_BYTES]);

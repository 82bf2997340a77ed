// The files of the page, embedded (cmake/embed_web.cmake, from web/dist). Where it was not built there are none, and a text in
// place of the page says how to build it. Names hold a hash of their content, so that browsers keep them for good; index.html is
// asked for each time, and answered by 304 while it is the same.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum asset_coding { ASSET_PLAIN, ASSET_GZIP, ASSET_BROTLI, ASSET_CODINGS };

struct asset {
    const char *path; // "/index.html"
    const char *type;
    struct {
        const unsigned char *bytes; // NULL = not in this coding
        size_t length;
        const char *tag; // of its content in this coding, in quotes
    } form[ASSET_CODINGS];
};
extern const struct asset assets[];
extern const unsigned asset_count;

struct exchange;

// Whether the path is of the page. Then there is an answer.
bool assets_answer(struct exchange *exchange);

// Compares what is generated from the settings table with the file that is checked in.
#pragma once

#include "base/strbuf.h"
#include "given.h"

static inline void expect_checked_in(const char *path, void (*generate)(struct strbuf *into))
{
    struct strbuf generated, file;
    strbuf_init(&generated, 1 << 20);
    strbuf_init(&file, 1 << 20);
    generate(&generated);
    FILE *stream = fopen(path, "r");
    cr_assert_not_null(stream, "%s is missing; run scripts/generate-docs", path);
    char block[4096];
    for (size_t length; (length = fread(block, 1, sizeof block, stream)) > 0;)
        strbuf_add_bytes(&file, block, length);
    fclose(stream);
    cr_expect(strcmp(file.text, generated.text) == 0, "%s is out of date; run scripts/generate-docs", path);
    strbuf_done(&generated);
    strbuf_done(&file);
}

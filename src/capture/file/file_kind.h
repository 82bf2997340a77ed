// What a file is, judged by its first bytes: a capture or something else that has a name. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_KIND_BYTES = 512 }; // as many first bytes as there are, up to this, make the best judgement

// The first bytes, decompressed, are those of pcap or pcapng.
bool file_kind_is_capture(const uint8_t *bytes, size_t length);

// For a sentence: "text", "a ZIP archive", "an unknown kind of file". Never NULL.
const char *file_kind_describe(const uint8_t *bytes, size_t length);

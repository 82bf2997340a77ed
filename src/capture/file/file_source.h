// The source that reads capture files: one or many, in the order of their first packets, overlapping ones
// merged by time. Lossless. A file is opened when its first packet is due; at most
// FILE_SOURCE_OPEN_MAX (or a quarter of the pool's chunks) are open at once.
// Why a reader of our own: libpcap refuses pcapng files whose interfaces differ in link type or snaplen,
// knows neither gzip nor zstd, and copies each packet.
#pragma once

#include "capture/source.h"
#include "config/settings.h"

enum { FILE_SOURCE_OPEN_MAX = 64 };

// `paths`: files, directories, "-" for stdin. `filter`: BPF, "" for none. The pool must outlive all frames.
// Fails when no input is readable (ERROR_UNAVAILABLE), when the only one is none, when the filter is bad
// (ERROR_INVALID_ARGUMENT), when more pipes than three quarters of the pool's chunks are among several inputs
// (ERROR_EXHAUSTED). Bad inputs among several are logged; the verdict at the end counts
// them and names the first.
struct source *file_source_create(const struct string_list *paths, const char *filter,
                                  struct chunk_pool *pool, struct error *error);
// Whether all was read, the poller has come back since it was told so, and the source is kept open. Any thread.
bool file_source_rests(const struct source *source);
// After its end: whether it was stopped before its inputs were read to theirs.
bool file_source_was_cut(const struct source *source);

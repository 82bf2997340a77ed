// The numbered files of a rotated output: "dir/flows.jsonl" stands for dir/flows.000001.jsonl,
// dir/flows.000002.jsonl..., each perhaps compressed to ....jsonl.gz. One owner, one thread.
//
// Of the names that lie in the directory only those are taken for its own that have six digits, or seven from 1000000
// to 1999999: flows.20261101.jsonl is somebody's day. A series that goes on beyond that begins anew at its next start.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_series {
    char *stem;      // "dir/flows"
    char *extension; // ".jsonl", or "" when the name has none
};

extern const char file_series_partial[]; // ".gz.partial": a compression that did not come to its end

// False without memory.
bool file_series_init(struct file_series *series, const char *path);
void file_series_done(struct file_series *series);

// "dir/flows.000007.jsonl" and the suffix behind it; NULL without memory. The caller frees it.
char *file_series_path(const struct file_series *series, uint64_t number, const char *suffix);

// The highest number that is there, compressed or not; 0 = none. Removes partial compressions.
uint64_t file_series_last(const struct file_series *series);

// Deletes the file of that number, plain or compressed.
void file_series_delete(const struct file_series *series, uint64_t number);
// Deletes the files with numbers up to `up_to`. Looks at names of the directory once.
void file_series_delete_up_to(const struct file_series *series, uint64_t up_to);

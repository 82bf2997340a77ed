// What input files are called as interfaces. The base name, with as much of the path before it as tells it
// from the other inputs; a file that is named again gets a number, for its packets are second sightings.
// At start; no thread.
#pragma once

#include "config/settings.h"

enum { FILE_LABEL_BYTES = 64 };

struct file_label {
    char name[FILE_LABEL_BYTES]; // "x.pcap", "b/x.pcap", "x.pcap (2)"; "stdin"
    unsigned reading;            // 1, or 2 when the same path is named for the second time...
};

// A label for each path, in their order; NULL without memory. The caller frees it.
struct file_label *file_labels_make(const struct string_list *paths);

// Puts " (2)" behind a name, which is cut when it gets too long.
void file_label_number(char name[FILE_LABEL_BYTES], unsigned number);

// What keeps an output from writing: a failure, after which it is tried again every second or not at all, or too little
// free space, which is looked at every second. Counts what is lost and the failures, remembers the first reason for the
// sentence at the end, and tells the log where that end is far away. Part of an output_file, which owns it and whose
// options and counts it borrows; one thread. Times are monotonic.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/output_file.h"

enum output_trouble_kind {
    OUTPUT_NO_TROUBLE,
    OUTPUT_SHORT_OF_SPACE, // less than min_free_bytes are free
    OUTPUT_FAILED,
};

struct output_trouble {
    const struct output_options *options;
    struct output_counts *counts;
    enum output_trouble_kind kind;
    int64_t next_check_ns, next_try_ns;
    bool reader_left;     // why it failed last
    int follow_failure;   // the errno of a new beginning at the path that is still wanted; 0 = none
    uint64_t lost_before; // counts->lost when the present trouble began
    char reason[256];     // why units were lost first; "" = none were
};

void output_trouble_init(struct output_trouble *trouble, const struct output_options *options,
                         struct output_counts *counts);

// Nothing is taken for a while, or with `over` for good. `reason` is an errno, `name` what people call the output.
void output_trouble_fail(struct output_trouble *trouble, int reason, bool over, const char *name,
                         int64_t now_ns);
// Whether to try again after a failure; then not before another second.
bool output_trouble_begin_try(struct output_trouble *trouble, int64_t now_ns);
// That went well.
void output_trouble_end(struct output_trouble *trouble, const char *path);
// Begins or ends a shortage on the disk of an open file, when it is time to look. During a failure it
// changes nothing.
void output_trouble_check_space(struct output_trouble *trouble, int fd, const char *path, int64_t now_ns);

// The path could not be opened anew; that is still wanted, and said once. The file that was moved is as good, unless it
// was removed.
void output_trouble_write_on(struct output_trouble *trouble, int reason, const char *path);
// It is not wanted any more.
void output_trouble_followed(struct output_trouble *trouble);

// Units that were lost, and why; NULL = for the reason that is known.
void output_trouble_lose(struct output_trouble *trouble, uint64_t units, const char *reason);
// False with a sentence when a unit was lost, the path was not opened anew, or the output is in a failure other than
// that its reader left.
bool output_trouble_report(const struct output_trouble *trouble, const char *name, struct error *error);

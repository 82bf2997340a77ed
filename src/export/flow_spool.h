// The lines of a run's flows until its end, when they are sorted: in an unlinked file beside the output, each behind
// its sort key, 8 bytes a flow in memory. One owner, one thread.
#pragma once

#include "base/error.h"
#include "flow/record.h"

enum { SPOOL_BUFFER_BYTES = 512 * 1024 }; // a line is never longer than half of it

struct flow_spool {
    int fd;
    uint64_t min_free_bytes;
    uint8_t *buffer; // of SPOOL_BUFFER_BYTES
    size_t used;
    uint64_t size;     // bytes in the file
    uint64_t *offsets; // of the flows
    size_t count, room;
    size_t safe;           // flows that are in the file
    uint64_t lost;         // flows that the disk did not take
    const char *reason;    // of the first loss
    const uint8_t *mapped; // by flow_spool_sort()
};

// In the directory of `output_path`, or in $TMPDIR or /tmp when that is no regular file.
bool flow_spool_init(struct flow_spool *spool, const char *output_path, uint64_t min_free_bytes,
                     struct error *error);
void flow_spool_done(struct flow_spool *spool);

void flow_spool_add(struct flow_spool *spool, const struct flow_record *record, const char *line,
                    size_t length);

// Ends the adding: maps the file and puts the lines in the order of flow_record_compare(), equal ones in
// the order of their coming. False when it cannot be mapped.
bool flow_spool_sort(struct flow_spool *spool);
const char *flow_spool_line(const struct flow_spool *spool, size_t index, size_t *length);

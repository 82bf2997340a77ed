// The lines of a run's flows until its end, when they are read in order. As many as fit lie in memory; whenever it is
// full, what is there is sorted and spilled as a run into an unlinked temporary file, and the end merges the runs.
// Memory: `run_bytes` and 4 bytes for each line in it, whatever the number of flows. One owner, one thread.
#pragma once

#include "base/error.h"
#include "export/spool_merge.h"
#include "flow/record.h"

enum { SPOOL_BUFFER_BYTES = 512 * 1024 }; // a line is never longer than half of it

struct flow_spool {
    const char *output_path;
    uint64_t min_free_bytes;
    uint8_t *lines; // of the run in memory
    size_t run_bytes, used;
    uint32_t *offsets; // of these lines
    size_t count, room;
    size_t next; // to be read, of those in memory
    int fd;      // -1 = nothing was spilled yet
    uint64_t size;
    uint8_t *buffer; // for writing
    struct spool_run *runs;
    size_t run_count, run_room;
    size_t longest; // line with its head
    struct spool_merge merge;
    uint64_t lost;    // flows that the disk did not take, or did not give back
    char reason[256]; // of the first loss
};

// The temporary file is made when it is needed: in the directory of `output_path` (borrowed) when that is a regular
// file, else, or when that takes none, in $TMPDIR or /tmp.
bool flow_spool_init(struct flow_spool *spool, const char *output_path, size_t run_bytes,
                     uint64_t min_free_bytes, struct error *error);
void flow_spool_done(struct flow_spool *spool);

void flow_spool_add(struct flow_spool *spool, const struct flow_record *record, const char *line,
                    size_t length);

// Ends the adding. The lines are then read in the order of flow_record_compare(), equal ones in the order of their
// coming; each is valid until the next is asked for. NULL at the end.
void flow_spool_sort(struct flow_spool *spool);
const char *flow_spool_next(struct flow_spool *spool, size_t *length);

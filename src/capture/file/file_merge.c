#include "capture/file/file_merge.h"

#include <assert.h>

#include "base/log.h"

void file_merge_init(struct file_merge *merge, struct file_input *inputs, unsigned count, unsigned open_max,
                     struct chunk_pool *pool, struct file_faults *faults)
{
    assert(open_max > 0 && open_max <= FILE_SOURCE_OPEN_MAX);
    *merge = (struct file_merge){
        .inputs = inputs, .count = count, .open_max = open_max, .pool = pool, .faults = faults};
}

static void stay_with(struct file_merge *merge, struct file_input *input, int64_t until_ns)
{
    merge->current = input;
    merge->current_until = until_ns;
}

// Opens the next input that is due; its head is read when it is chosen.
static void open_due(struct file_merge *merge)
{
    assert(merge->due < merge->count && merge->open_count < merge->open_max);
    struct file_input *input = &merge->inputs[merge->due++];
    struct error error;
    if (input->reader == NULL && !file_input_open(input, merge->pool, &error)) {
        file_faults_note(merge->faults, input->path, &error);
        return;
    }
    merge->open[merge->open_count++] = input;
}

static bool next_is_due(struct file_merge *merge, int64_t earliest_ns)
{
    if (merge->due == merge->count)
        return false;
    if (merge->open_count > 0 && merge->inputs[merge->due].first_ns > earliest_ns)
        return false;
    if (merge->open_count < merge->open_max)
        return true;
    if (!merge->crowded)
        log_warning("capture", "more than %u files overlap in time: the others are read after them",
                    merge->open_max);
    merge->crowded = true;
    return false;
}

static int64_t next_stamp(const struct file_merge *merge)
{
    if (merge->due == merge->count || merge->open_count == merge->open_max)
        return INT64_MAX;
    return merge->inputs[merge->due].first_ns;
}

bool file_merge_choose(struct file_merge *merge)
{
    for (;;) {
        struct file_input *earliest = NULL;
        int64_t earliest_ns = INT64_MAX;
        int64_t second_ns = INT64_MAX;
        for (unsigned i = 0; i < merge->open_count; i++) {
            struct file_input *input = merge->open[i];
            assert(input->reader != NULL);
            if (!input->has_head) {
                stay_with(merge, input, INT64_MIN);
                return true;
            }
            if (earliest == NULL || input->head.time_ns < earliest_ns) {
                second_ns = earliest_ns;
                earliest = input;
                earliest_ns = input->head.time_ns;
            } else if (input->head.time_ns < second_ns) {
                second_ns = input->head.time_ns;
            }
        }
        if (!next_is_due(merge, earliest_ns)) {
            int64_t next_ns = next_stamp(merge);
            stay_with(merge, earliest, second_ns < next_ns ? second_ns : next_ns);
            return earliest != NULL;
        }
        open_due(merge);
    }
}

void file_merge_finish(struct file_merge *merge)
{
    struct file_input *input = merge->current;
    assert(input != NULL && input->reader != NULL);
    if (input->reader->verdict != ERROR_NONE)
        file_faults_note(merge->faults, input->path, &input->reader->error);
    file_input_close(input);
    unsigned kept = 0;
    for (unsigned i = 0; i < merge->open_count; i++)
        if (merge->open[i] != input)
            merge->open[kept++] = merge->open[i];
    assert(kept + 1 == merge->open_count); // it was one of them
    merge->open_count = kept;
    merge->current = NULL;
}

bool file_merge_has_more(struct file_merge *merge)
{
    while (merge->current != NULL || file_merge_choose(merge)) {
        struct file_input *input = merge->current;
        struct frame frame;
        enum reader_result result = input->has_head ? READER_FRAME : file_reader_next(input->reader, &frame);
        if (result == READER_END)
            file_merge_finish(merge);
        else if (result == READER_FRAME || file_reader_fill(input->reader, 0) != FILL_DONE)
            return true;
    }
    return false;
}

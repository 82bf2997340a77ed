#include "capture/file/file_source.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "capture/file/file_faults.h"
#include "capture/file/file_input.h"
#include "capture/file/file_inputs.h"
#include "capture/file/file_labels.h"
#include "capture/file/file_merge.h"
#include "capture/filter.h"

struct file_source {
    struct source source;
    struct chunk_pool *pool;
    struct filter *filter; // NULL = none
    struct string_list paths;
    struct file_label *labels; // of the paths
    struct file_input *inputs; // by first stamp
    unsigned inputs_count;
    unsigned pipes, pipes_max; // inputs that stay open from the start, each with a chunk
    struct file_merge merge;
    atomic_bool stopped, kept_open;
    bool ended;        // all was handed over
    atomic_bool rests; // and whoever polls has come back since: it is done with what was
    bool cut;          // stopped before the end
    struct file_faults faults;
    struct interface_list interfaces;
    unsigned drops_at; // the row that file_drops() looks at next
};

static struct file_source *file_source_of(struct source *source)
{
    return (struct file_source *)source;
}

static const struct file_source *const_file_source_of(const struct source *source)
{
    return (const struct file_source *)source;
}

// --- Start: what each input is and when it begins ---

static bool check_filter(struct file_source *source, const char *expression, const struct file_input *input,
                         struct error *error)
{
    if (expression[0] == 0 || source->filter != NULL)
        return true;
    unsigned known = interface_list_count(&source->interfaces);
    uint16_t link_type = known > 0 ? interface_list_row(&source->interfaces, 0)->shown.link_type : 1;
    if (input->has_head)
        link_type = input->head.link_type;
    source->filter = filter_create(expression, link_type, error);
    return source->filter != NULL;
}

// One of many inputs is closed until it is due. A pipe cannot be: false when so many stay open that reading would
// wait for chunks for ever.
static bool put_aside(struct file_source *source, struct file_input *input, struct error *error)
{
    bool pipe = !stream_is_file(input->reader->stream);
    if (pipe && source->pipes < source->pipes_max) {
        source->pipes++;
        return true;
    }
    file_input_close(input);
    if (!pipe)
        return true;
    return error_set(error, ERROR_EXHAUSTED,
                     "%s is a pipe too many: of those, %u can be read in one run; write some to files first",
                     input->path, source->pipes_max);
}

enum look_result { LOOK_KEEP, LOOK_DROP, LOOK_FAIL };

// Opens an input, finds its first stamp, and closes it again when it is one of many.
static enum look_result look_at(struct file_source *source, struct file_input *input, const char *filter,
                                struct error *error)
{
    bool only = source->paths.count == 1;
    if (!file_input_open(input, source->pool, error)) {
        if (only)
            return LOOK_FAIL;
        file_faults_note(&source->faults, input->path, error);
        return LOOK_DROP;
    }
    file_input_read_head(input, only);
    *error = input->reader->error;
    bool ended = file_input_is_ended(input);
    bool bad = ended && input->reader->verdict != ERROR_NONE;
    bool readable = !bad || input->reader->verdict == ERROR_DATA_LOSS;
    if (bad && !(only && !readable))
        file_faults_note(&source->faults, input->path, error);
    bool fitting = !readable || check_filter(source, filter, input, error);
    input->first_ns = input->has_head ? input->head.time_ns : INT64_MIN;
    if (ended || !fitting)
        file_input_close(input);
    else if (!only)
        fitting = put_aside(source, input, error);
    if (!fitting || (only && !readable))
        return LOOK_FAIL;
    return ended ? LOOK_DROP : LOOK_KEEP;
}

static int by_first_stamp(const void *left, const void *right)
{
    const struct file_input *l = left;
    const struct file_input *r = right;
    if (l->first_ns != r->first_ns)
        return l->first_ns < r->first_ns ? -1 : 1;
    return l->order < r->order ? -1 : 1;
}

static unsigned open_limit(const struct chunk_pool *pool)
{
    unsigned quarter = chunk_pool_count(pool) / 4;
    if (quarter < 1)
        return 1;
    return quarter < FILE_SOURCE_OPEN_MAX ? quarter : FILE_SOURCE_OPEN_MAX;
}

static bool look_at_all(struct file_source *source, const char *filter, struct error *error)
{
    source->inputs = calloc(source->paths.count, sizeof *source->inputs);
    source->labels = file_labels_make(&source->paths);
    source->faults.inputs = source->paths.count;
    if (source->inputs == NULL || source->labels == NULL)
        return error_set(error, ERROR_EXHAUSTED, "the list of input files finds no memory");
    for (unsigned i = 0; i < source->paths.count; i++) {
        struct file_input *input = &source->inputs[source->inputs_count];
        *input = (struct file_input){
            .path = source->paths.items[i],
            .order = i,
            .identity = {.name = source->labels[i].name,
                         .reading = source->labels[i].reading,
                         .interfaces = &source->interfaces},
        };
        enum look_result result = look_at(source, input, filter, error);
        if (result == LOOK_FAIL)
            return false;
        assert(result == LOOK_KEEP || input->reader == NULL);
        source->inputs_count += result == LOOK_KEEP;
    }
    bool none_read = source->inputs_count == 0 && source->faults.count == source->paths.count;
    if (none_read && source->faults.error.kind != ERROR_DATA_LOSS)
        return file_faults_verdict(&source->faults, error) == ERROR_NONE;
    qsort(source->inputs, source->inputs_count, sizeof *source->inputs, by_first_stamp);
    file_merge_init(&source->merge, source->inputs, source->inputs_count, open_limit(source->pool),
                    source->pool, &source->faults);
    return true;
}

// --- Reading ---

static bool passes(struct file_source *source, const struct frame *frame)
{
    return source->filter == NULL || filter_accepts(source->filter, frame) > 0;
}

// Hands over the frames of the current input until it needs bytes, ends, or another one's turn comes. They are
// read into their place; a head is kept only where inputs alternate.
static enum reader_result take_frames(struct file_source *source, struct frame *frames, unsigned capacity,
                                      unsigned *count)
{
    struct file_merge *merge = &source->merge;
    struct file_input *input = merge->current;
    assert(input != NULL && input->reader != NULL);
    while (*count < capacity) {
        struct frame *frame = &frames[*count];
        enum reader_result result = READER_FRAME;
        if (input->has_head)
            *frame = input->head;
        else
            result = file_reader_next(input->reader, frame);
        if (result != READER_FRAME)
            return result;
        input->has_head = frame->time_ns > merge->current_until;
        if (input->has_head) {
            input->head = *frame;
            merge->current = NULL;
            break;
        }
        assert(frame->captured <= frame->length && frame->chunk != NULL);
        *count += passes(source, frame);
    }
    return READER_FRAME;
}

// All was read. Whoever keeps it open has things to ask.
static enum source_result after_end(struct file_source *source, int timeout_ms)
{
    if (!atomic_load(&source->kept_open))
        return SOURCE_END;
    if (!source->ended) { // the poller cuts its last tick of it before anybody is told that all was read
        source->ended = true;
        return SOURCE_RESTS;
    }
    atomic_store(&source->rests, true);
    poll(NULL, 0, timeout_ms);
    return SOURCE_RESTS;
}

static enum source_result file_poll(struct source *base, int timeout_ms, struct frame *frames,
                                    unsigned capacity, unsigned *count)
{
    struct file_source *source = file_source_of(base);
    struct file_merge *merge = &source->merge;
    *count = 0;
    while (*count < capacity) {
        if (*count == 0 && atomic_load_explicit(&source->stopped, memory_order_relaxed)) {
            source->cut = file_merge_has_more(merge);
            return SOURCE_END;
        }
        if (merge->current == NULL && !file_merge_choose(merge))
            return *count > 0 ? SOURCE_FRAMES : after_end(source, timeout_ms);
        enum reader_result result = take_frames(source, frames, capacity, count);
        if (result == READER_FRAME)
            continue;
        if (*count > 0) // their chunk may go with what comes next
            return SOURCE_FRAMES;
        if (result == READER_END)
            file_merge_finish(merge);
        else if (file_reader_fill(merge->current->reader, timeout_ms) != FILL_DONE)
            return SOURCE_IDLE;
    }
    return SOURCE_FRAMES;
}

static unsigned file_interfaces(const struct source *source)
{
    return interface_list_count(&const_file_source_of(source)->interfaces);
}

static const struct source_interface *file_interface(const struct source *source, unsigned index)
{
    assert(index < file_interfaces(source));
    return &interface_list_row(&const_file_source_of(source)->interfaces, index)->shown;
}

// What files say was lost before their packets were written.
static bool file_drops(struct source *base, bool first, struct source_drops *out)
{
    struct file_source *source = file_source_of(base);
    if (!source->interfaces.loss_recorded)
        return false;
    for (unsigned at = first ? 0 : source->drops_at; at < interface_list_count(&source->interfaces); at++) {
        struct interface_row *row = interface_list_row(&source->interfaces, at);
        assert(row->told_loss <= row->recorded_loss);
        if (row->told_loss == row->recorded_loss)
            continue;
        *out = (struct source_drops){
            .interface = (uint16_t)at,
            .interface_dropped = row->recorded_loss - row->told_loss,
        };
        row->told_loss = row->recorded_loss;
        source->drops_at = at + 1;
        return true;
    }
    source->interfaces.loss_recorded = false;
    return false;
}

static void file_stop(struct source *source, bool drain)
{
    (void)drain;
    atomic_store(&file_source_of(source)->stopped, true);
}

static void file_keep_open(struct source *source, bool on)
{
    atomic_store(&file_source_of(source)->kept_open, on);
}

static enum error_kind file_verdict(const struct source *base, struct error *error)
{
    return file_faults_verdict(&const_file_source_of(base)->faults, error);
}

static void file_destroy(struct source *base)
{
    struct file_source *source = file_source_of(base);
    for (unsigned i = 0; i < source->inputs_count; i++)
        file_input_close(&source->inputs[i]);
    free(source->inputs);
    free(source->labels);
    file_inputs_done(&source->paths);
    filter_destroy(source->filter);
    interface_list_done(&source->interfaces);
    free(source);
}

static const struct source_ops file_ops = {
    .name = "file",
    .lossless = true,
    .poll = file_poll,
    .interfaces = file_interfaces,
    .interface = file_interface,
    .drops = file_drops,
    .stop = file_stop,
    .keep_open = file_keep_open,
    .verdict = file_verdict,
    .destroy = file_destroy,
};

bool file_source_rests(const struct source *source)
{
    return atomic_load(&const_file_source_of(source)->rests);
}

bool file_source_was_cut(const struct source *source)
{
    return const_file_source_of(source)->cut;
}

struct source *file_source_create(const struct string_list *paths, const char *filter,
                                  struct chunk_pool *pool, struct error *error)
{
    struct file_source *source = calloc(1, sizeof *source);
    if (source == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the file reader finds no memory");
        return NULL;
    }
    source->source.ops = &file_ops;
    source->pool = pool;
    source->pipes_max = chunk_pool_count(pool) * 3 / 4;
    if (!file_inputs_expand(paths, &source->paths, error) || !look_at_all(source, filter, error)) {
        file_destroy(&source->source);
        return NULL;
    }
    return &source->source;
}

#include "capture/file/file_source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "capture/file/file_faults.h"
#include "capture/file/file_inputs.h"
#include "capture/file/file_labels.h"
#include "capture/file/file_reader.h"
#include "capture/filter.h"

struct file_input {
    const char *path;
    unsigned order; // as named
    int64_t first_ns;
    struct file_reader *reader; // while open
    bool has_head;
    struct frame head; // the next frame, read ahead
};

struct file_source {
    struct source source;
    struct chunk_pool *pool;
    struct filter *filter; // NULL = none
    struct string_list paths;
    struct file_label *labels; // of the paths
    struct file_input *inputs; // by first stamp
    unsigned inputs_count;
    unsigned due; // the first input not opened yet
    struct file_input *open[FILE_SOURCE_OPEN_MAX];
    unsigned open_count, open_max;
    unsigned pipes, pipes_max; // inputs that stay open from the start, each with a chunk
    bool crowded;              // more inputs overlap than may be open: said once
    struct file_input *current;
    int64_t current_until; // while the current input's stamps are not later, it stays
    atomic_bool stopped;
    bool cut; // stopped before the end
    struct file_faults faults;
    struct interface_list interfaces;
};

static struct file_source *file_source_of(struct source *source)
{
    return (struct file_source *)source;
}

static const struct file_source *const_file_source_of(const struct source *source)
{
    return (const struct file_source *)source;
}

static void close_input(struct file_input *input)
{
    if (input->reader == NULL)
        return;
    file_reader_close(input->reader);
    free(input->reader);
    input->reader = NULL;
    input->has_head = false;
}

static bool open_input(struct file_source *source, struct file_input *input, struct error *error)
{
    assert(input->reader == NULL && input->order < source->paths.count);
    input->reader = malloc(sizeof *input->reader);
    if (input->reader == NULL)
        return error_set(error, ERROR_EXHAUSTED, "%s finds no memory to be read", input->path);
    const struct file_label *label = &source->labels[input->order];
    struct file_identity identity = {
        .name = label->name, .reading = label->reading, .interfaces = &source->interfaces};
    if (file_reader_open(input->reader, input->path, &identity, source->pool, error))
        return true;
    free(input->reader);
    input->reader = NULL;
    return false;
}

// --- Start: what each input is and when it begins ---

// Reads up to the first frame, or only the header of a pipe that is the one input.
static void read_head(struct file_input *input, bool header_is_enough)
{
    struct file_reader *reader = input->reader;
    bool pipe = header_is_enough && !stream_is_file(reader->stream);
    for (;;) {
        enum reader_result result = file_reader_next(reader, &input->head);
        input->has_head = result == READER_FRAME;
        if (result != READER_NEEDS_BYTES || (pipe && reader->header_read))
            return;
        file_reader_fill(reader, -1);
    }
}

static bool is_ended(const struct file_input *input)
{
    return !input->has_head && (input->reader->verdict != ERROR_NONE || input->reader->input_ended);
}

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
    close_input(input);
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
    if (!open_input(source, input, error)) {
        if (only)
            return LOOK_FAIL;
        file_faults_note(&source->faults, input->path, error);
        return LOOK_DROP;
    }
    read_head(input, only);
    *error = input->reader->error;
    bool ended = is_ended(input);
    bool bad = ended && input->reader->verdict != ERROR_NONE;
    bool readable = !bad || input->reader->verdict == ERROR_DATA_LOSS;
    if (bad && !(only && !readable))
        file_faults_note(&source->faults, input->path, error);
    bool fitting = !readable || check_filter(source, filter, input, error);
    input->first_ns = input->has_head ? input->head.time_ns : INT64_MIN;
    if (ended || !fitting)
        close_input(input);
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

static bool look_at_all(struct file_source *source, const char *filter, struct error *error)
{
    source->inputs = calloc(source->paths.count, sizeof *source->inputs);
    source->labels = file_labels_make(&source->paths);
    source->faults.inputs = source->paths.count;
    if (source->inputs == NULL || source->labels == NULL)
        return error_set(error, ERROR_EXHAUSTED, "the list of input files finds no memory");
    for (unsigned i = 0; i < source->paths.count; i++) {
        struct file_input *input = &source->inputs[source->inputs_count];
        *input = (struct file_input){.path = source->paths.items[i], .order = i};
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
    return true;
}

// --- Merging ---

static void stay_with(struct file_source *source, struct file_input *input, int64_t until_ns)
{
    source->current = input;
    source->current_until = until_ns;
}

// Opens the next input that is due; its head is read when it is chosen.
static void open_due(struct file_source *source)
{
    assert(source->due < source->inputs_count && source->open_count < source->open_max);
    struct file_input *input = &source->inputs[source->due++];
    struct error error;
    if (input->reader == NULL && !open_input(source, input, &error)) {
        file_faults_note(&source->faults, input->path, &error);
        return;
    }
    source->open[source->open_count++] = input;
}

static bool next_is_due(struct file_source *source, int64_t earliest_ns)
{
    if (source->due == source->inputs_count)
        return false;
    if (source->open_count > 0 && source->inputs[source->due].first_ns > earliest_ns)
        return false;
    if (source->open_count < source->open_max)
        return true;
    if (!source->crowded)
        log_warning("capture", "more than %u files overlap in time: the others are read after them",
                    source->open_max);
    source->crowded = true;
    return false;
}

static int64_t next_stamp(const struct file_source *source)
{
    if (source->due == source->inputs_count || source->open_count == source->open_max)
        return INT64_MAX;
    return source->inputs[source->due].first_ns;
}

// The input whose head is the earliest becomes the current one, until another's head is earlier. An input
// without a head comes first, only to get one. False when all inputs are done.
static bool choose(struct file_source *source)
{
    for (;;) {
        struct file_input *earliest = NULL;
        int64_t earliest_ns = INT64_MAX;
        int64_t second_ns = INT64_MAX;
        for (unsigned i = 0; i < source->open_count; i++) {
            struct file_input *input = source->open[i];
            assert(input->reader != NULL);
            if (!input->has_head) {
                stay_with(source, input, INT64_MIN);
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
        if (!next_is_due(source, earliest_ns)) {
            int64_t next_ns = next_stamp(source);
            stay_with(source, earliest, second_ns < next_ns ? second_ns : next_ns);
            return earliest != NULL;
        }
        open_due(source);
    }
}

static void finish_input(struct file_source *source, struct file_input *input)
{
    if (input->reader->verdict != ERROR_NONE)
        file_faults_note(&source->faults, input->path, &input->reader->error);
    close_input(input);
    unsigned kept = 0;
    for (unsigned i = 0; i < source->open_count; i++)
        if (source->open[i] != input)
            source->open[kept++] = source->open[i];
    assert(kept + 1 == source->open_count); // it was one of them
    source->open_count = kept;
    source->current = NULL;
}

static bool passes(struct file_source *source, const struct frame *frame)
{
    return source->filter == NULL || filter_accepts(source->filter, frame) > 0;
}

// Hands over the frames of the current input until it needs bytes, ends, or another one's turn comes. They are
// read into their place; a head is kept only where inputs alternate.
static enum reader_result take_frames(struct file_source *source, struct frame *frames, unsigned capacity,
                                      unsigned *count)
{
    struct file_input *input = source->current;
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
        input->has_head = frame->time_ns > source->current_until;
        if (input->has_head) {
            input->head = *frame;
            source->current = NULL;
            break;
        }
        assert(frame->captured <= frame->length && frame->chunk != NULL);
        *count += passes(source, frame);
    }
    return READER_FRAME;
}

// Whether there is a further frame, which is read and left lying, or a pipe that may bring one.
static bool has_more(struct file_source *source)
{
    while (source->current != NULL || choose(source)) {
        struct file_input *input = source->current;
        struct frame frame;
        enum reader_result result = input->has_head ? READER_FRAME : file_reader_next(input->reader, &frame);
        if (result == READER_END)
            finish_input(source, input);
        else if (result == READER_FRAME || file_reader_fill(input->reader, 0) != FILL_DONE)
            return true;
    }
    return false;
}

static enum source_result file_poll(struct source *base, int timeout_ms, struct frame *frames,
                                    unsigned capacity, unsigned *count)
{
    struct file_source *source = file_source_of(base);
    *count = 0;
    while (*count < capacity) {
        if (*count == 0 && atomic_load_explicit(&source->stopped, memory_order_relaxed)) {
            source->cut = has_more(source);
            return SOURCE_END;
        }
        if (source->current == NULL && !choose(source))
            return *count > 0 ? SOURCE_FRAMES : SOURCE_END;
        enum reader_result result = take_frames(source, frames, capacity, count);
        if (result == READER_FRAME)
            continue;
        if (*count > 0) // their chunk may go with what comes next
            return SOURCE_FRAMES;
        if (result == READER_END)
            finish_input(source, source->current);
        else if (file_reader_fill(source->current->reader, timeout_ms) != FILL_DONE)
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

static bool file_drops(struct source *source, bool first, struct source_drops *out)
{
    (void)source;
    (void)first;
    (void)out;
    return false;
}

static void file_stop(struct source *source, bool drain)
{
    (void)drain;
    atomic_store(&file_source_of(source)->stopped, true);
}

static enum error_kind file_verdict(const struct source *base, struct error *error)
{
    return file_faults_verdict(&const_file_source_of(base)->faults, error);
}

static void file_destroy(struct source *base)
{
    struct file_source *source = file_source_of(base);
    for (unsigned i = 0; i < source->inputs_count; i++)
        close_input(&source->inputs[i]);
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
    .verdict = file_verdict,
    .destroy = file_destroy,
};

static unsigned open_limit(const struct chunk_pool *pool)
{
    unsigned quarter = chunk_pool_count(pool) / 4;
    if (quarter < 1)
        return 1;
    return quarter < FILE_SOURCE_OPEN_MAX ? quarter : FILE_SOURCE_OPEN_MAX;
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
    source->open_max = open_limit(pool);
    source->pipes_max = chunk_pool_count(pool) * 3 / 4;
    if (!file_inputs_expand(paths, &source->paths, error) || !look_at_all(source, filter, error)) {
        file_destroy(&source->source);
        return NULL;
    }
    return &source->source;
}

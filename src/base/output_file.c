#include "base/output_file.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/denial.h"
#include "base/output_target.h"
#include "base/output_trouble.h"

struct output_file {
    struct output_options options;
    struct output_counts *counts;
    struct output_target target;
    struct output_trouble trouble;
    bool head_due;      // of a pipe or a device: its reader may keep a write waiting
    bool stands_empty;  // at the path, with its tail
    bool holds_units;   // written or buffered ones
    uint32_t last_unit; // bytes of the last one written; 0 = unknown
    struct output_buffer buffer;
};

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

// Bytes and the file.

// Lines of our own, all of them or, in a regular file, none.
static bool write_text(struct output_file *file, const char *text)
{
    const struct output_descriptor *out = &file->target.out;
    size_t length = strlen(text), done = output_descriptor_write(out, text, length);
    int reason = errno;
    if (done < length && out->regular && output_descriptor_shorten(out, done))
        done = 0;
    file->target.size += done;
    count(&file->counts->bytes, done);
    errno = reason;
    return done == length;
}

static void note_opened(struct output_file *file)
{
    file->holds_units = file->target.size > 0 || file->buffer.units > 0;
    file->last_unit = 0;
}

static void tell_begun(const struct output_file *file)
{
    if (file->options.begun != NULL)
        file->options.begun(file->options.owner);
}

// An empty file gets its head. False with errno when it does not.
static bool begin_file(struct output_file *file)
{
    if (file->target.size > 0)
        return true;
    tell_begun(file);
    return write_text(file, file->options.head);
}

// What comes before the first write to a pipe or a device. Its reader is waited for: what it is to read waits in the
// queue of the output. False with errno.
static bool write_due_head(struct output_file *file)
{
    if (!output_target_await_first_reader(&file->target))
        return false;
    bool due = file->head_due;
    file->head_due = false;
    return !due || write_text(file, file->options.head);
}

// Failing and trying again.

void output_file_lose(struct output_file *file, uint64_t units, const char *reason)
{
    output_trouble_lose(&file->trouble, units, reason);
}

// The reader of a pipe never comes back.
static void fail(struct output_file *file, int reason, int64_t now_ns)
{
    const struct output_target *target = &file->target;
    bool over = (reason == EPIPE && target->to_stdout) || reason == ETIMEDOUT;
    output_trouble_fail(&file->trouble, reason, over, output_target_name(target, target->path), now_ns);
}

// Takes the first `done` bytes out of the buffer, with them `units`: they are in the file.
static void drop_written(struct output_file *file, size_t done, unsigned units)
{
    uint32_t last_unit = output_buffer_drop(&file->buffer, done, units);
    if (units > 0)
        file->last_unit = last_unit;
    count(&file->counts->records, units);
    count(&file->counts->bytes, done);
    file->target.size += done;
}

// The bytes of the first `done` that stay when a unit that was cut is taken off again.
static size_t cut_to_whole(struct output_file *file, size_t done, unsigned units)
{
    size_t whole = output_buffer_whole_bytes(&file->buffer, done, units);
    return whole == done || output_descriptor_shorten(&file->target.out, done - whole) ? whole : done;
}

static bool write_buffer(struct output_file *file, int64_t now_ns)
{
    const struct output_buffer *buffer = &file->buffer;
    if (buffer->used == 0)
        return true;
    if (!write_due_head(file)) {
        fail(file, errno, now_ns);
        return false;
    }
    size_t length = buffer->used, done = output_descriptor_write(&file->target.out, buffer->bytes, length);
    int reason = errno;
    bool whole = done == length;
    unsigned units = output_buffer_units_within(buffer, done);
    if (!whole && file->target.out.regular)
        done = cut_to_whole(file, done, units);
    drop_written(file, done, units);
    if (!whole)
        fail(file, reason, now_ns);
    return whole;
}

bool output_file_is_moved(const struct output_file *file)
{
    return output_target_is_moved(&file->target);
}

// Opens the path anew, in place of what is open; that stays when it cannot be done. What is buffered for a file that
// has begun does not fit into another one when its head is the owner's.
static bool open_again(struct output_file *file)
{
    if (!output_target_open_again(&file->target, file->options.replace))
        return false;
    note_opened(file);
    if (file->target.size == 0 && file->options.begun != NULL) {
        output_trouble_lose(&file->trouble, file->buffer.units, NULL);
        output_buffer_empty(&file->buffer);
    }
    file->head_due = false;
    return begin_file(file);
}

// A regular file in its place goes on, anything else is opened anew.
static void try_again(struct output_file *file, int64_t now_ns)
{
    struct output_target *target = &file->target;
    if (!target->out.regular)
        output_descriptor_close(&target->out); // what nobody read of a pipe goes with its last end
    bool in_place = target->out.fd >= 0 && !output_target_is_moved(target);
    bool open = in_place ? target->size > 0 || write_text(file, file->options.head) : open_again(file);
    if (open && write_buffer(file, now_ns))
        output_trouble_end(&file->trouble, target->path);
}

bool output_file_follow(struct output_file *file, int64_t now_ns)
{
    bool moved = output_file_is_moved(file);
    if (moved && (file->trouble.kind == OUTPUT_FAILED || !write_buffer(file, now_ns)))
        return false;
    if (!moved || open_again(file)) {
        output_trouble_followed(&file->trouble);
        return true;
    }
    if (file->options.replace)
        output_trouble_write_on(&file->trouble, errno, file->target.path);
    else
        fail(file, errno, now_ns);
    return false;
}

static void check_space(struct output_file *file, int64_t now_ns)
{
    const struct output_target *target = &file->target;
    if (target->out.regular)
        output_trouble_check_space(&file->trouble, target->out.fd, target->path, now_ns);
}

static bool is_writing(struct output_file *file, int64_t now_ns)
{
    if (output_trouble_begin_try(&file->trouble, now_ns))
        try_again(file, now_ns);
    if (file->trouble.kind != OUTPUT_FAILED)
        check_space(file, now_ns);
    return file->trouble.kind == OUTPUT_NO_TROUBLE;
}

// Rotation.

static bool begin_next(struct output_file *file)
{
    if (!output_target_open_next(&file->target))
        return false;
    note_opened(file);
    return begin_file(file);
}

static void rotate(struct output_file *file, int64_t now_ns)
{
    uint64_t before = file->target.number;
    if (!write_buffer(file, now_ns))
        return;
    output_descriptor_close(&file->target.out);
    if (file->options.completed != NULL)
        file->options.completed(file->options.owner, file->target.path);
    output_buffer_empty(&file->buffer);
    if (!begin_next(file))
        fail(file, errno, now_ns);
    output_target_delete_oldest(&file->target, file->options.max_files, before);
}

static bool is_rotation_due(const struct output_file *file, size_t length)
{
    return file->target.number > 0 && file->holds_units &&
           file->target.size + file->buffer.used + length > file->options.rotate_bytes;
}

// Units.

bool output_file_is_empty(const struct output_file *file)
{
    return file->target.size == 0 && file->buffer.used == 0;
}

uint8_t *output_file_reserve(struct output_file *file, size_t bytes, int64_t now_ns)
{
    struct output_buffer *buffer = &file->buffer;
    assert(bytes > 0 && bytes <= OUTPUT_BUFFER_BYTES);
    if (is_writing(file, now_ns) && is_rotation_due(file, bytes))
        rotate(file, now_ns);
    if (file->trouble.kind == OUTPUT_NO_TROUBLE && !output_buffer_has_room(buffer, bytes))
        write_buffer(file, now_ns);
    if (file->trouble.kind == OUTPUT_NO_TROUBLE)
        return buffer->bytes + buffer->used;
    output_trouble_lose(&file->trouble, 1, NULL);
    return NULL;
}

void output_file_commit(struct output_file *file, size_t bytes)
{
    output_buffer_commit(&file->buffer, bytes);
    file->holds_units = true;
}

uint8_t *output_file_place(struct output_file *file, size_t bytes)
{
    assert(output_file_is_empty(file) && bytes <= OUTPUT_BUFFER_BYTES);
    return file->trouble.kind == OUTPUT_NO_TROUBLE ? file->buffer.bytes : NULL;
}

void output_file_commit_head(struct output_file *file, size_t bytes)
{
    output_buffer_commit_head(&file->buffer, bytes);
}

void output_file_add(struct output_file *file, const char *unit, size_t length, int64_t now_ns)
{
    uint8_t *place = output_file_reserve(file, length, now_ns);
    if (place == NULL)
        return;
    memcpy(place, unit, length);
    output_file_commit(file, length);
}

void output_file_flush(struct output_file *file, int64_t now_ns)
{
    struct output_target *target = &file->target;
    if (!is_writing(file, now_ns))
        return;
    if (file->options.keep_trying && !target->awaits_first && !target->to_stdout &&
        output_descriptor_has_no_reader(&target->out))
        fail(file, EPIPE, now_ns);
    else if (target->awaits_first && !output_target_meet_first_reader(target) && errno == ENXIO)
        return;
    else if (target->awaits_first || !write_due_head(file))
        fail(file, errno, now_ns);
    else
        write_buffer(file, now_ns);
}

// Writing aside.

// What stands at the path while the file is written is whole: head and tail.
static void write_empty(struct output_file *file)
{
    if (!file->options.aside || !file->target.out.regular || file->trouble.kind == OUTPUT_FAILED)
        return;
    file->stands_empty = write_text(file, file->options.tail);
    if (!file->stands_empty)
        fail(file, errno, 0);
}

void output_file_set_aside(struct output_file *file)
{
    assert(file->options.aside && file->buffer.units == 0);
    if (!file->stands_empty)
        return;
    bool ready = output_target_set_aside(&file->target);
    file->stands_empty = false;
    atomic_store_explicit(&file->counts->bytes, 0, memory_order_relaxed);
    if (!ready || !begin_file(file))
        fail(file, errno, 0);
}

// The beginning and the end.

static void destroy(struct output_file *file)
{
    output_target_done(&file->target);
    free(file);
}

static struct output_file *create(const char *path, const struct output_options *options,
                                  struct output_counts *counts)
{
    struct output_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->options = *options;
    file->counts = counts;
    output_trouble_init(&file->trouble, &file->options, counts);
    if (output_target_init(&file->target, path, options->mode, options->gives_up))
        return file;
    destroy(file);
    return NULL;
}

static void begin_first(struct output_file *file)
{
    note_opened(file);
    file->head_due = !file->target.out.regular;
    if (file->head_due)
        tell_begun(file);
    else if (!begin_file(file))
        fail(file, errno, 0); // as any later write that fails: the other outputs are not to suffer
}

struct output_file *output_file_open(const char *path, const struct output_options *options,
                                     struct output_counts *counts, struct error *error)
{
    struct output_file *file = create(path, options, counts);
    if (file == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to write %s", path);
        return NULL;
    }
    if (!output_target_open(&file->target, options->rotate_bytes > 0, !options->append)) {
        error_set(error, error_kind_of_errno(errno), "cannot write %s: %s%s",
                  output_target_name(&file->target, file->target.path), strerror(errno),
                  denial_writing(errno));
        destroy(file);
        return NULL;
    }
    begin_first(file);
    output_target_delete_old(&file->target, options->max_files);
    check_space(file, 0);
    write_empty(file);
    return file;
}

// The tail needs room on a full disk: the last unit makes it. Without the head there is none.
static void write_tail(struct output_file *file)
{
    struct output_target *target = &file->target;
    size_t head = strlen(file->options.head), unit = file->last_unit;
    if (file->stands_empty || target->out.fd < 0 || target->size < head ||
        write_text(file, file->options.tail) || !target->out.regular)
        return;
    if (unit > 0 && target->size >= head + unit && output_descriptor_shorten(&target->out, unit)) {
        target->size -= unit;
        atomic_fetch_sub_explicit(&file->counts->records, 1, memory_order_relaxed);
        output_trouble_lose(&file->trouble, 1, NULL);
    }
    write_text(file, file->options.tail);
}

bool output_file_close(struct output_file *file, struct error *error)
{
    struct output_target *target = &file->target;
    file->options.keep_trying = false;
    if (file->trouble.kind == OUTPUT_NO_TROUBLE && !write_due_head(file))
        fail(file, errno, 0);
    else if (target->out.fd >= 0)
        write_buffer(file, 0);
    output_trouble_lose(&file->trouble, file->buffer.units, NULL);
    write_tail(file);
    if (target->out.fd >= 0 && !output_target_close(target))
        fail(file, errno, 0);
    bool complete = output_trouble_report(&file->trouble, output_target_name(target, target->given), error);
    destroy(file);
    return complete;
}

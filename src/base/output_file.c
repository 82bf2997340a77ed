#include "base/output_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/file_series.h"
#include "base/log.h"
#include "base/output_descriptor.h"
#include "base/time.h"

static const int64_t retry_after_ns = NS_PER_S;
static const int64_t check_space_every_ns = NS_PER_S;
enum { BUFFER_UNITS = 16384 };

const char output_short_of_space[] = "less free space than output.min_free_mb";

enum output_state {
    OUTPUT_WRITING,
    OUTPUT_SHORT_OF_SPACE, // less than min_free_bytes are free
    OUTPUT_FAILED,
};

struct output_file {
    char *given; // the path as it was given
    char *path;  // of the file being written
    struct output_options options;
    struct output_counts *counts;
    struct file_series series; // when rotating
    uint64_t number;           // of the file being written; 0 = not numbered
    struct output_descriptor out;
    bool to_stdout;
    bool awaits_first;  // reader, of a FIFO: nothing is open yet
    bool head_due;      // of a pipe or a device: its reader may keep a write waiting
    struct aside aside; // in place of the path
    bool stands_empty;  // at the path, with its tail
    enum output_state state;
    uint64_t size;      // bytes in the file
    bool holds_units;   // written or buffered ones
    uint32_t last_unit; // bytes of the last one written; 0 = unknown
    int64_t next_check_ns, next_try_ns;
    bool reader_left;     // why it failed last
    int follow_failure;   // the errno of a new beginning at the path that is still wanted; 0 = none
    uint64_t lost_before; // counts->lost when the present failure began
    char reason[256];     // why units were lost first; "" = none were
    size_t used;          // of `buffer`
    size_t head_bytes;    // at its front, of no unit
    unsigned units;       // in it
    uint32_t ends[BUFFER_UNITS];
    uint8_t buffer[OUTPUT_BUFFER_BYTES];
};

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static uint64_t counted(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *shown(const struct output_file *file, const char *path)
{
    return file->to_stdout ? "standard output" : path;
}

// Bytes and the file.

// Lines of our own, all of them or, in a regular file, none.
static bool write_text(struct output_file *file, const char *text)
{
    size_t length = strlen(text), done = output_descriptor_write(&file->out, text, length);
    int reason = errno;
    if (done < length && file->out.regular && output_descriptor_shorten(&file->out, done))
        done = 0;
    file->size += done;
    count(&file->counts->bytes, done);
    errno = reason;
    return done == length;
}

// Takes an open file; false with errno.
static bool take_fd(struct output_file *file, int fd)
{
    if (!output_descriptor_take(&file->out, fd, file->to_stdout, &file->size))
        return false;
    file->holds_units = file->size > 0 || file->units > 0;
    file->last_unit = 0;
    return true;
}

static int open_path(const struct output_file *file, int flags)
{
    return output_descriptor_open(file->path, flags, file->options.mode);
}

static void empty_buffer(struct output_file *file)
{
    file->used = file->head_bytes = 0;
    file->units = 0;
}

static void tell_begun(const struct output_file *file)
{
    if (file->options.begun != NULL)
        file->options.begun(file->options.owner);
}

// An empty file gets its head. False with errno when it does not.
static bool begin_file(struct output_file *file)
{
    if (file->size > 0)
        return true;
    tell_begun(file);
    return write_text(file, file->options.head);
}

// The first reader of a FIFO, if it is there. False with errno.
static bool meet_first_reader(struct output_file *file)
{
    int fd = open_path(file, 0);
    if (fd < 0)
        return false;
    file->awaits_first = false;
    return take_fd(file, fd);
}

// Waits for it: what it is to read waits in the queue of the output.
static bool await_first_reader(struct output_file *file)
{
    while (file->awaits_first && !meet_first_reader(file)) {
        if (errno != ENXIO)
            return false;
        if (output_descriptor_is_given_up(&file->out)) {
            errno = ETIMEDOUT;
            return false;
        }
        poll(NULL, 0, OUTPUT_LOOK_AGAIN_MS);
    }
    return true;
}

// What comes before the first write to a pipe or a device. False with errno.
static bool write_due_head(struct output_file *file)
{
    if (!await_first_reader(file))
        return false;
    bool due = file->head_due;
    file->head_due = false;
    return !due || write_text(file, file->options.head);
}

// Failing and trying again.

static void keep_reason(struct output_file *file, const char *reason)
{
    if (file->reason[0] == '\0')
        snprintf(file->reason, sizeof file->reason, "%s", reason);
}

void output_file_lose(struct output_file *file, uint64_t units, const char *reason)
{
    keep_reason(file, reason);
    count(&file->counts->lost, units);
}

static const char *sentence_of(int reason)
{
    return reason == ETIMEDOUT ? "nobody read it in time" : strerror(reason);
}

// The output takes nothing for a while, or for good. Of one that is given up close() tells; one that is
// tried again has its end far away, and is told of at once. The reader of a pipe never comes back.
static void fail(struct output_file *file, int reason, int64_t now_ns)
{
    bool over = (reason == EPIPE && file->to_stdout) || reason == ETIMEDOUT;
    bool again = file->options.keep_trying && !over;
    if (file->state != OUTPUT_FAILED) {
        if (file->options.keep_trying)
            log_error(file->options.component, "cannot write %s: %s%s", shown(file, file->path),
                      sentence_of(reason), again ? "; trying again every second" : "");
        file->lost_before = counted(&file->counts->lost);
        count(&file->counts->errors, 1);
    }
    keep_reason(file, sentence_of(reason));
    file->reader_left = reason == EPIPE;
    file->state = OUTPUT_FAILED;
    file->next_try_ns = again ? now_ns + retry_after_ns : INT64_MAX;
}

// Units whose last byte is among the first `done` bytes of the buffer.
static unsigned units_within(const struct output_file *file, size_t done)
{
    unsigned low = 0, high = file->units;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (file->ends[middle] <= done)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Takes the first `done` bytes out of the buffer, with them `units`: they are in the file.
static void drop_written(struct output_file *file, size_t done, unsigned units)
{
    if (units > 0)
        file->last_unit =
            file->ends[units - 1] - (units > 1 ? file->ends[units - 2] : (uint32_t)file->head_bytes);
    count(&file->counts->records, units);
    count(&file->counts->bytes, done);
    file->size += done;
    file->used -= done;
    file->head_bytes -= file->head_bytes < done ? file->head_bytes : done;
    file->units -= units;
    memmove(file->buffer, file->buffer + done, file->used);
    for (unsigned i = 0; i < file->units; i++)
        file->ends[i] = file->ends[i + units] - (uint32_t)done;
}

// The bytes of the first `done` that stay when a unit that was cut is taken off again.
static size_t cut_to_whole(struct output_file *file, size_t done, unsigned units)
{
    size_t whole = units > 0 ? file->ends[units - 1] : file->head_bytes <= done ? file->head_bytes : 0;
    return whole == done || output_descriptor_shorten(&file->out, done - whole) ? whole : done;
}

static bool write_buffer(struct output_file *file, int64_t now_ns)
{
    if (file->used == 0)
        return true;
    if (!write_due_head(file)) {
        fail(file, errno, now_ns);
        return false;
    }
    size_t length = file->used, done = output_descriptor_write(&file->out, file->buffer, length);
    int reason = errno;
    bool whole = done == length;
    unsigned units = units_within(file, done);
    if (!whole && file->out.regular)
        done = cut_to_whole(file, done, units);
    drop_written(file, done, units);
    if (!whole)
        fail(file, reason, now_ns);
    return whole;
}

bool output_file_is_moved(const struct output_file *file)
{
    struct stat own, other;
    if (file->out.fd < 0 || !file->out.regular || fstat(file->out.fd, &own) != 0)
        return false;
    return stat(file->path, &other) != 0 || own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}

// Opens the path anew, in place of what is open; that stays when it cannot be done. What is buffered for a file that has begun does not fit into another one when its head is the owner's.
static bool open_again(struct output_file *file)
{
    int fd = open_path(file, file->options.replace ? O_TRUNC : 0);
    if (fd < 0)
        return false;
    output_descriptor_close(&file->out);
    if (!take_fd(file, fd))
        return false;
    if (file->size == 0 && file->options.begun != NULL) {
        count(&file->counts->lost, file->units);
        empty_buffer(file);
    }
    file->head_due = false;
    return begin_file(file);
}

// A regular file in its place goes on, anything else is opened anew.
static void try_again(struct output_file *file, int64_t now_ns)
{
    file->next_try_ns = now_ns + retry_after_ns;
    if (!file->out.regular)
        output_descriptor_close(&file->out); // what nobody read of a pipe goes with its last end
    bool in_place = file->out.fd >= 0 && !output_file_is_moved(file);
    bool open = in_place ? file->size > 0 || write_text(file, file->options.head) : open_again(file);
    if (!open || !write_buffer(file, now_ns))
        return;
    file->state = OUTPUT_WRITING;
    log_warning(file->options.component, "%s is written again; %" PRIu64 " %s are missing in it", file->path,
                counted(&file->counts->lost) - file->lost_before, file->options.unit);
}

// The file that was moved is as good, unless it was removed.
static void write_on(struct output_file *file, int reason)
{
    if (file->follow_failure == 0)
        log_warning(
            file->options.component,
            "%s cannot be opened anew: %s; the file that was there is written on, and it is tried again",
            file->path, strerror(reason));
    file->follow_failure = reason;
}

bool output_file_follow(struct output_file *file, int64_t now_ns)
{
    bool moved = output_file_is_moved(file);
    if (moved && (file->state == OUTPUT_FAILED || !write_buffer(file, now_ns)))
        return false;
    if (!moved || open_again(file)) {
        file->follow_failure = 0;
        return true;
    }
    if (file->options.replace)
        write_on(file, errno);
    else
        fail(file, errno, now_ns);
    return false;
}

static uint64_t kept_free(const struct output_file *file)
{
    return counted(&file->counts->min_free_bytes);
}

static bool has_space(const struct output_file *file)
{
    struct statvfs disk;
    return fstatvfs(file->out.fd, &disk) != 0 || disk.f_bavail * disk.f_frsize >= kept_free(file);
}

static void stop_for_space(struct output_file *file)
{
    file->state = OUTPUT_SHORT_OF_SPACE;
    file->lost_before = counted(&file->counts->lost);
    count(&file->counts->errors, 1);
    keep_reason(file, output_short_of_space);
    log_warning(file->options.component,
                "%s: less than %" PRIu64 " MB are free (output.min_free_mb); %s are not written", file->path,
                kept_free(file) >> 20, file->options.unit);
}

static void check_space(struct output_file *file, int64_t now_ns)
{
    bool off = kept_free(file) == 0 && file->state != OUTPUT_SHORT_OF_SPACE;
    if (off || !file->out.regular || now_ns < file->next_check_ns)
        return;
    file->next_check_ns = now_ns + check_space_every_ns;
    bool space = has_space(file);
    if (space && file->state == OUTPUT_SHORT_OF_SPACE) {
        file->state = OUTPUT_WRITING;
        log_warning(file->options.component, "%s goes on; %" PRIu64 " %s are missing in it", file->path,
                    counted(&file->counts->lost) - file->lost_before, file->options.unit);
    } else if (!space && file->state == OUTPUT_WRITING) {
        stop_for_space(file);
    }
}

static bool is_writing(struct output_file *file, int64_t now_ns)
{
    if (file->state == OUTPUT_FAILED && file->options.keep_trying && now_ns >= file->next_try_ns)
        try_again(file, now_ns);
    if (file->state != OUTPUT_FAILED)
        check_space(file, now_ns);
    return file->state == OUTPUT_WRITING;
}

// Rotation.

// Names the file that follows; false without memory.
static bool next_path(struct output_file *file)
{
    char *path = file_series_path(&file->series, file->number + 1, "");
    if (path == NULL)
        return false;
    free(file->path);
    file->path = path;
    file->number++;
    return true;
}

// The next number that nobody has taken: a series may change hands while the one before writes its last units.
static bool open_next(struct output_file *file)
{
    int fd;
    do {
        if (!next_path(file))
            return false;
        fd = open_path(file, O_EXCL);
    } while (fd < 0 && errno == EEXIST);
    return take_fd(file, fd);
}

static void delete_oldest(struct output_file *file, uint64_t number_before)
{
    uint64_t most = file->options.max_files;
    for (uint64_t number = number_before + 1; most > 0 && number <= file->number; number++)
        if (number > most)
            file_series_delete(&file->series, number - most);
}

static void rotate(struct output_file *file, int64_t now_ns)
{
    uint64_t before = file->number;
    if (!write_buffer(file, now_ns))
        return;
    output_descriptor_close(&file->out);
    if (file->options.completed != NULL)
        file->options.completed(file->options.owner, file->path);
    empty_buffer(file);
    if (!open_next(file) || !begin_file(file))
        fail(file, errno, now_ns);
    delete_oldest(file, before);
}

static bool is_rotation_due(const struct output_file *file, size_t length)
{
    return file->number > 0 && file->holds_units &&
           file->size + file->used + length > file->options.rotate_bytes;
}

// Units.

bool output_file_is_empty(const struct output_file *file)
{
    return file->size == 0 && file->used == 0;
}

static bool has_room(const struct output_file *file, size_t bytes)
{
    return file->units < BUFFER_UNITS && file->used + bytes <= sizeof file->buffer;
}

uint8_t *output_file_reserve(struct output_file *file, size_t bytes, int64_t now_ns)
{
    assert(bytes > 0 && bytes <= OUTPUT_BUFFER_BYTES);
    if (is_writing(file, now_ns) && is_rotation_due(file, bytes))
        rotate(file, now_ns);
    if (file->state == OUTPUT_WRITING && !has_room(file, bytes))
        write_buffer(file, now_ns);
    if (file->state == OUTPUT_WRITING)
        return file->buffer + file->used;
    count(&file->counts->lost, 1);
    return NULL;
}

void output_file_commit(struct output_file *file, size_t bytes)
{
    file->used += bytes;
    assert(bytes > 0 && file->used <= sizeof file->buffer && file->units < BUFFER_UNITS);
    file->ends[file->units++] = (uint32_t)file->used;
    file->holds_units = true;
}

uint8_t *output_file_place(struct output_file *file, size_t bytes)
{
    assert(output_file_is_empty(file) && bytes <= OUTPUT_BUFFER_BYTES);
    return file->state == OUTPUT_WRITING ? file->buffer : NULL;
}

void output_file_commit_head(struct output_file *file, size_t bytes)
{
    assert(file->units == 0 && file->used + bytes <= sizeof file->buffer);
    file->used += bytes;
    file->head_bytes += bytes;
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
    if (!is_writing(file, now_ns))
        return;
    if (file->options.keep_trying && !file->awaits_first && !file->to_stdout &&
        output_descriptor_has_no_reader(&file->out))
        fail(file, EPIPE, now_ns);
    else if (file->awaits_first && !meet_first_reader(file) && errno == ENXIO)
        return;
    else if (file->awaits_first || !write_due_head(file))
        fail(file, errno, now_ns);
    else
        write_buffer(file, now_ns);
}

// Writing aside.

// What stands at the path while the file is written is whole: head and tail.
static void write_empty(struct output_file *file)
{
    if (!file->options.aside || !file->out.regular || file->state == OUTPUT_FAILED)
        return;
    file->stands_empty = write_text(file, file->options.tail);
    if (!file->stands_empty)
        fail(file, errno, 0);
}

void output_file_set_aside(struct output_file *file)
{
    assert(file->options.aside && file->units == 0);
    if (!file->stands_empty)
        return;
    int fd = aside_open(&file->aside, file->path, file->out.fd);
    bool ready = fd >= 0 ? take_fd(file, fd) : ftruncate(file->out.fd, 0) == 0;
    file->stands_empty = false;
    file->size = 0;
    atomic_store_explicit(&file->counts->bytes, 0, memory_order_relaxed);
    if (!ready || !begin_file(file))
        fail(file, errno, 0);
}

static bool close_whole(struct output_file *file)
{
    int fd = file->out.fd;
    file->out.fd = -1;
    return file->aside.target != NULL ? aside_place(&file->aside, fd) : close(fd) == 0;
}

// The beginning and the end.

static void destroy(struct output_file *file)
{
    if (file->aside.target != NULL)
        close_whole(file);
    output_descriptor_close(&file->out);
    file_series_done(&file->series);
    free(file->path);
    free(file->given);
    free(file);
}

static bool begin_series(struct output_file *file)
{
    if (!file_series_init(&file->series, file->path))
        return false;
    file->number = file_series_last(&file->series);
    return open_next(file);
}

// Pipes and devices (they are there already) stay one file.
static bool wants_series(const char *path, const struct output_options *options)
{
    struct stat status;
    bool special = is_stdout(path) || (stat(path, &status) == 0 && !S_ISREG(status.st_mode));
    return options->rotate_bytes > 0 && !special;
}

static struct output_file *create(const char *path, const struct output_options *options,
                                  struct output_counts *counts)
{
    struct output_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->given = strdup(path);
    file->path = strdup(path);
    file->options = *options;
    file->counts = counts;
    atomic_store_explicit(&counts->min_free_bytes, options->min_free_bytes, memory_order_relaxed);
    file->out = (struct output_descriptor){.fd = -1, .gives_up = options->gives_up};
    file->aside.target_fd = -1;
    file->to_stdout = is_stdout(path);
    file->next_check_ns = INT64_MIN;
    if (file->given != NULL && file->path != NULL)
        return file;
    destroy(file);
    return NULL;
}

// A FIFO that nobody reads yet is as good as open.
static bool open_first(struct output_file *file)
{
    struct stat status;
    if (take_fd(file, open_path(file, file->options.append ? 0 : O_TRUNC)))
        return true;
    file->awaits_first = errno == ENXIO && stat(file->path, &status) == 0 && S_ISFIFO(status.st_mode);
    return file->awaits_first;
}

static void begin_first(struct output_file *file)
{
    file->head_due = !file->out.regular;
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
    if (!(wants_series(path, options) ? begin_series(file) : open_first(file))) {
        error_set(error, error_kind_of_errno(errno), "cannot write %s: %s", shown(file, file->path),
                  strerror(errno));
        destroy(file);
        return NULL;
    }
    begin_first(file);
    if (file->options.max_files > 0 && file->number > file->options.max_files)
        file_series_delete_up_to(&file->series, file->number - file->options.max_files);
    check_space(file, 0);
    write_empty(file);
    return file;
}

// The tail needs room on a full disk: the last unit makes it. Without the head there is none.
static void write_tail(struct output_file *file)
{
    size_t head = strlen(file->options.head), unit = file->last_unit;
    if (file->stands_empty || file->out.fd < 0 || file->size < head || write_text(file, file->options.tail) ||
        !file->out.regular)
        return;
    if (unit > 0 && file->size >= head + unit && output_descriptor_shorten(&file->out, unit)) {
        file->size -= unit;
        atomic_fetch_sub_explicit(&file->counts->records, 1, memory_order_relaxed);
        count(&file->counts->lost, 1);
    }
    write_text(file, file->options.tail);
}

static bool report(const struct output_file *file, struct error *error)
{
    uint64_t lost = counted(&file->counts->lost);
    const char *name = shown(file, file->given);
    if (lost > 0)
        return error_set(error, ERROR_DATA_LOSS, "%s is incomplete: %s; %" PRIu64 " %s were not written",
                         name, file->reason, lost, file->options.unit);
    if (file->follow_failure != 0)
        return error_set(error, ERROR_DATA_LOSS,
                         "%s could not be opened anew: %s; the last %s are in the file "
                         "that was there",
                         name, strerror(file->follow_failure), file->options.unit);
    return file->state != OUTPUT_FAILED || file->reader_left ||
           error_set(error, ERROR_DATA_LOSS, "%s is incomplete: %s", name, file->reason);
}

bool output_file_close(struct output_file *file, struct error *error)
{
    file->options.keep_trying = false;
    if (file->state == OUTPUT_WRITING && !write_due_head(file))
        fail(file, errno, 0);
    else if (file->out.fd >= 0)
        write_buffer(file, 0);
    count(&file->counts->lost, file->units);
    write_tail(file);
    if (file->out.fd >= 0 && !close_whole(file))
        fail(file, errno, 0);
    bool complete = report(file, error);
    destroy(file);
    return complete;
}

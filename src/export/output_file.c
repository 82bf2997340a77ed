#include "export/output_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file_series.h"
#include "base/log.h"
#include "base/time.h"
#include "export/compressor.h"
#include "export/line_file.h"

static const int64_t retry_after_ns = 10 * NS_PER_S;
static const int64_t check_space_every_ns = NS_PER_S;

const char output_short_of_space[] = "less free space than output.min_free_mb";

enum output_state {
    OUTPUT_WRITING,
    OUTPUT_SHORT_OF_SPACE, // less than min_free_bytes are free
    OUTPUT_FAILED,
};

struct output_file {
    char *path; // of the file being written
    struct output_options options;
    struct output_counts *counts;
    struct file_series series; // when rotating
    uint64_t number;           // of the file being written; 0 = not numbered
    struct compressor compressor;
    int fd; // -1 = none
    bool regular;
    enum output_state state;
    uint64_t size; // bytes in the file
    int64_t next_check_ns, next_try_ns;
    uint64_t lost_before; // counts->lost when the present failure began
    char reason[256];     // why records were lost first; "" = none were
    size_t used;          // of `buffer`
    char buffer[OUTPUT_BUFFER_BYTES];
};

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static uint64_t counted(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t count_lines(const char *bytes, size_t length)
{
    uint64_t lines = 0;
    const char *end = bytes + length;
    while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        lines++;
        bytes++;
    }
    return lines;
}

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *shown_name(const struct output_file *file)
{
    return is_stdout(file->path) ? "standard output" : file->path;
}

// Lines of our own, the head or the tail.
static bool write_text(struct output_file *file, const char *text)
{
    size_t done;
    bool whole = line_file_write(file->fd, text, strlen(text), &done);
    if (!whole && file->regular)
        done = line_file_cut_half_line(file->fd, text, done);
    file->size += done;
    count(&file->counts->bytes, done);
    return whole;
}

// False with errno.
static bool open_fd(struct output_file *file, int flags)
{
    struct stat status;
    file->fd = is_stdout(file->path)
                   ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                   : open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC | flags, 0644);
    if (file->fd < 0 || fstat(file->fd, &status) != 0)
        return false;
    file->regular = S_ISREG(status.st_mode) && !is_stdout(file->path);
    file->size = file->regular ? (uint64_t)status.st_size : 0;
    return true;
}

// Opens file->path and writes the head into it when it is empty. False with errno.
static bool open_path(struct output_file *file, int flags)
{
    return open_fd(file, flags) && (file->size > 0 || write_text(file, file->options.head));
}

static void close_fd(struct output_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void keep_reason(struct output_file *file, const char *reason)
{
    if (file->reason[0] == '\0')
        snprintf(file->reason, sizeof file->reason, "%s", reason);
}

void output_file_lose(struct output_file *file, uint64_t records, const char *reason)
{
    keep_reason(file, reason);
    count(&file->counts->lost, records);
}

// The output takes nothing for a while, or for good. Of one that is given up close() tells; one that is
// tried again has its end far away, and is told of at once. The reader of a pipe never comes back.
static void fail(struct output_file *file, int reason, int64_t now_ns)
{
    bool again = file->options.keep_trying && !(reason == EPIPE && is_stdout(file->path));
    if (file->state != OUTPUT_FAILED) {
        if (file->options.keep_trying)
            log_error("export", "cannot write %s: %s%s", shown_name(file), strerror(reason),
                      again ? "; trying again every 10 s" : "");
        file->lost_before = counted(&file->counts->lost);
        count(&file->counts->errors, 1);
    }
    keep_reason(file, strerror(reason));
    file->state = OUTPUT_FAILED;
    file->next_try_ns = again ? now_ns + retry_after_ns : INT64_MAX;
}

// Takes the first `done` bytes out of the buffer: they are in the file.
static void drop_written(struct output_file *file, size_t done)
{
    count(&file->counts->records, count_lines(file->buffer, done));
    count(&file->counts->bytes, done);
    file->size += done;
    file->used -= done;
    memmove(file->buffer, file->buffer + done, file->used);
}

static bool write_buffer(struct output_file *file, int64_t now_ns)
{
    size_t done;
    if (file->used == 0)
        return true;
    bool whole = line_file_write(file->fd, file->buffer, file->used, &done);
    int reason = errno;
    if (!whole && file->regular)
        done = line_file_cut_half_line(file->fd, file->buffer, done);
    drop_written(file, done);
    if (!whole)
        fail(file, reason, now_ns);
    return whole;
}

static void reopen(struct output_file *file, int64_t now_ns)
{
    close_fd(file);
    if (!open_path(file, 0))
        fail(file, errno, now_ns);
}

static void try_again(struct output_file *file, int64_t now_ns)
{
    file->next_try_ns = now_ns + retry_after_ns;
    close_fd(file);
    if (!open_path(file, 0) || !write_buffer(file, now_ns))
        return;
    file->state = OUTPUT_WRITING;
    log_warning("export", "%s is written again; %" PRIu64 " records are missing in it", file->path,
                counted(&file->counts->lost) - file->lost_before);
}

static bool has_space(const struct output_file *file)
{
    struct statvfs disk;
    return fstatvfs(file->fd, &disk) != 0 || disk.f_bavail * disk.f_frsize >= file->options.min_free_bytes;
}

static void stop_for_space(struct output_file *file)
{
    uint64_t least_mb = file->options.min_free_bytes >> 20;
    file->state = OUTPUT_SHORT_OF_SPACE;
    file->lost_before = counted(&file->counts->lost);
    count(&file->counts->errors, 1);
    keep_reason(file, output_short_of_space);
    log_warning("export",
                "%s: less than %" PRIu64 " MB are free (output.min_free_mb); records are not written",
                file->path, least_mb);
}

static void check_space(struct output_file *file, int64_t now_ns)
{
    if (file->options.min_free_bytes == 0 || !file->regular || now_ns < file->next_check_ns)
        return;
    file->next_check_ns = now_ns + check_space_every_ns;
    bool space = has_space(file);
    if (space && file->state == OUTPUT_SHORT_OF_SPACE) {
        file->state = OUTPUT_WRITING;
        log_warning("export", "%s goes on; %" PRIu64 " records are missing in it", file->path,
                    counted(&file->counts->lost) - file->lost_before);
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

static void delete_oldest(struct output_file *file)
{
    if (file->options.max_files > 0 && file->number > file->options.max_files)
        file_series_delete_up_to(&file->series, file->number - file->options.max_files);
}

static void rotate(struct output_file *file, int64_t now_ns)
{
    if (!write_buffer(file, now_ns))
        return;
    close_fd(file);
    if (file->options.compress && file->options.max_files != 1)
        compressor_start(&file->compressor, file->path);
    if (!next_path(file) || !open_path(file, O_TRUNC))
        fail(file, errno, now_ns);
    delete_oldest(file);
}

static bool is_rotation_due(const struct output_file *file, size_t length)
{
    uint64_t size = file->size + file->used;
    return file->number > 0 && size > strlen(file->options.head) &&
           size + length > file->options.rotate_bytes;
}

void output_file_add(struct output_file *file, const char *line, size_t length, int64_t now_ns)
{
    assert(length > 0 && length <= OUTPUT_BUFFER_BYTES && line[length - 1] == '\n');
    if (is_writing(file, now_ns) && is_rotation_due(file, length))
        rotate(file, now_ns);
    if (file->state == OUTPUT_WRITING && file->used + length > sizeof file->buffer)
        write_buffer(file, now_ns);
    if (file->state != OUTPUT_WRITING) {
        count(&file->counts->lost, 1);
        return;
    }
    memcpy(file->buffer + file->used, line, length);
    file->used += length;
}

void output_file_flush(struct output_file *file, int64_t now_ns)
{
    if (is_writing(file, now_ns))
        write_buffer(file, now_ns);
}

void output_file_reopen(struct output_file *file, int64_t now_ns)
{
    if (is_stdout(file->path))
        return;
    output_file_flush(file, now_ns);
    if (file->state != OUTPUT_FAILED)
        reopen(file, now_ns);
}

static void destroy(struct output_file *file)
{
    close_fd(file);
    compressor_wait(&file->compressor);
    file_series_done(&file->series);
    free(file->path);
    free(file);
}

static bool begin_series(struct output_file *file)
{
    if (!file_series_init(&file->series, file->path))
        return false;
    file->number = file_series_last(&file->series);
    return next_path(file);
}

// Pipes and devices (they are there already) stay one file.
static bool wants_series(const char *path, const struct output_options *options)
{
    struct stat status;
    bool special = is_stdout(path) || (stat(path, &status) == 0 && !S_ISREG(status.st_mode));
    return options->rotate_bytes > 0 && !special;
}

struct output_file *output_file_open(const char *path, const struct output_options *options,
                                     struct output_counts *counts, struct error *error)
{
    struct output_file *file = calloc(1, sizeof *file);
    char *own_path = strdup(path);
    if (file == NULL || own_path == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory to write %s", path);
        free(file);
        free(own_path);
        return NULL;
    }
    file->path = own_path;
    file->options = *options;
    file->counts = counts;
    file->fd = -1;
    file->next_check_ns = INT64_MIN;
    if ((wants_series(path, options) && !begin_series(file)) || !open_fd(file, O_TRUNC)) {
        error_set(error, error_kind_of_errno(errno), "cannot write %s: %s", shown_name(file),
                  strerror(errno));
        destroy(file);
        return NULL;
    }
    if (!write_text(file, options->head))
        fail(file, errno, 0); // as any later write that fails: the other outputs are not to suffer
    delete_oldest(file);
    return file;
}

// The tail needs room on a full disk: the last record makes it. Without the head there is none.
static void write_tail(struct output_file *file)
{
    if (file->fd < 0 || file->size < strlen(file->options.head) || write_text(file, file->options.tail) ||
        !file->regular)
        return;
    if (line_file_cut_last_line(file->fd, file->path, strlen(file->options.head))) {
        atomic_fetch_sub_explicit(&file->counts->records, 1, memory_order_relaxed);
        count(&file->counts->lost, 1);
    }
    write_text(file, file->options.tail);
}

static bool report(const struct output_file *file, struct error *error)
{
    uint64_t lost = counted(&file->counts->lost);
    if (lost > 0)
        return error_set(error, ERROR_DATA_LOSS, "%s is incomplete: %s; %" PRIu64 " records were not written",
                         shown_name(file), file->reason, lost);
    return file->state != OUTPUT_FAILED ||
           error_set(error, ERROR_DATA_LOSS, "%s is incomplete: %s", shown_name(file), file->reason);
}

bool output_file_close(struct output_file *file, struct error *error)
{
    file->options.keep_trying = false;
    if (file->fd >= 0)
        write_buffer(file, 0);
    count(&file->counts->lost, count_lines(file->buffer, file->used));
    write_tail(file);
    if (file->fd >= 0 && close(file->fd) != 0)
        fail(file, errno, 0);
    file->fd = -1;
    bool complete = report(file, error);
    destroy(file);
    return complete;
}

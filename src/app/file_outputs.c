#include "app/file_outputs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregate/sink.h"
#include "app/output_claim.h"
#include "app/output_ending.h"
#include "app/signals.h"
#include "app/written_files.h"
#include "base/log.h"
#include "capture/record/pcap_writer.h"
#include "config/paths.h"
#include "config/table.h"
#include "config/value.h"
#include "control/shares.h"

static const uint64_t bytes_per_mb = 1024 * 1024; // of a setting in MB

struct file_row {
    const char *key;
    // NULL = packets, which the recorder writes.
    struct sink *(*create)(const char *path, const struct export_options *options, struct error *error);
    struct event_log *(*events)(struct control *control);
};

static const struct file_row rows[FILE_OUTPUTS] = {
    {"output.export_json", export_json_create, control_flow_events},
    {"output.export_csv", export_csv_create, control_flow_events},
    {"output.expired_flows_jsonl", stream_jsonl_create, control_flow_events},
    {"output.expired_flows_csv", stream_csv_create, control_flow_events},
    {"output.alerts_jsonl", stream_alerts_create, control_alert_events},
    {.key = "output.write_pcap"},
};

static const struct setting *setting_of(unsigned row)
{
    assert(row < FILE_OUTPUTS);
    int found = setting_find(rows[row].key);
    assert(found >= 0);
    return &setting_table[found];
}

const char *file_output_name(unsigned row)
{
    return setting_name(setting_of(row));
}

static bool open_recorder(struct file_output *file, const struct output_settings *output,
                          const struct control *control, struct error *error)
{
    struct pcap_writer_options options = {
        .path = file->path,
        .rotate_mb = output->write_pcap_rotate_mb,
        .max_files = output->write_pcap_max_files,
        .min_free_mb = output->min_free_mb,
        .gives_up = signals_patience_is_over,
        .source = control_source(control),
    };
    file->recorder = pcap_writer_create(&options, error);
    if (file->recorder == NULL)
        return false;
    file->tap = tap_create(file->recorder, control_shares(control)->tap_bytes, error);
    return file->tap != NULL;
}

// A file of this run is written on.
static bool open_sink(struct file_output *file, unsigned row, const struct output_settings *output,
                      struct file_outputs *files, struct error *error)
{
    struct export_options options = {
        .events = rows[row].events(files->control),
        .live = control_is_live(files->control),
        .append = written_files_have(files, file->path) != NULL,
        .gives_up = signals_patience_is_over,
        .rotate_bytes = output->rotate_mb * bytes_per_mb,
        .max_files = output->max_files,
        .compress = output->compress,
        .min_free_bytes = output->min_free_mb * bytes_per_mb,
        .sort_bytes = control_shares(files->control)->export_bytes,
    };
    file->sink = rows[row].create(file->path, &options, error);
    return file->sink != NULL;
}

static bool open_file(struct file_outputs *files, struct file_output *file, unsigned row,
                      const struct settings *settings, struct error *error)
{
    const char *path = value_text(settings, setting_of(row));
    if (path[0] == '\0')
        return true;
    assert(file->path == NULL);
    file->path = strdup(path);
    if (file->path == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for %s", rows[row].key);
    return rows[row].create != NULL ? open_sink(file, row, &settings->output, files, error)
                                    : open_recorder(file, &settings->output, files->control, error);
}

// Packets come from now on; records of flows already do.
static bool begin_file(const struct file_output *file, struct control *control, struct error *error)
{
    return file->tap == NULL || control_add_tap(control, file->tap, error);
}

bool file_output_finish(const struct file_output *file, struct error *error)
{
    if (file->sink != NULL)
        return file->sink->ops->finish(file->sink, NULL, error);
    return file->tap == NULL || tap_finish(file->tap, error);
}

void file_output_destroy(struct file_output *file)
{
    if (file->sink != NULL)
        file->sink->ops->destroy(file->sink);
    tap_destroy(file->tap);
    free(file->path);
    *file = (struct file_output){0};
}

// Waits for it; a failure is kept for the end of the run. True when there is nothing to tell.
static bool end_leaving(struct file_outputs *files, unsigned row)
{
    struct error failure;
    if (!output_ending_is_there(&files->leaving[row]) || output_ending_end(&files->leaving[row], &failure))
        return true;
    files->failure[row] = failure;
    files->failed[row] = true;
    return false;
}

static void end_and_tell(struct file_outputs *files, unsigned row)
{
    if (!end_leaving(files, row))
        log_error("output", "%s", files->failure[row].text);
}

bool file_outputs_open(struct file_outputs *files, const struct settings *settings, struct control *control,
                       struct error *error)
{
    *files = (struct file_outputs){.control = control, .lock = PTHREAD_MUTEX_INITIALIZER};
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        struct file_output *file = &files->now[row];
        if (!open_file(files, file, row, settings, error) || !begin_file(file, control, error))
            return false;
    }
    return true;
}

void file_outputs_reopen(struct file_outputs *files)
{
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        if (files->now[row].sink != NULL)
            export_reopen(files->now[row].sink);
        if (files->now[row].tap != NULL)
            pcap_writer_reopen(files->now[row].recorder);
    }
}

unsigned file_outputs_finish(struct file_outputs *files, struct error failures[FILE_OUTPUTS])
{
    unsigned count = 0;
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        struct error failure;
        end_leaving(files, row);
        bool good = file_output_finish(&files->now[row], &failure);
        if (!good && files->failed[row])
            log_error("output", "%s", failure.text);
        if (!good || files->failed[row])
            failures[count++] = files->failed[row] ? files->failure[row] : failure;
    }
    return count;
}

void file_outputs_done(struct file_outputs *files)
{
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        end_leaving(files, row);
        file_output_destroy(&files->next[row]);
        file_output_destroy(&files->now[row]);
    }
    free(files->written);
}

static void count_recording(const struct file_output *file, struct export_counts *out)
{
    struct pcap_writer_counts counts = pcap_writer_counts(file->recorder);
    *out = (struct export_counts){
        .records = counts.packets,
        .bytes = counts.bytes,
        .dropped = tap_counts(file->tap).dropped,
        .lost = counts.lost,
        .errors = counts.errors,
        .failing = counts.failing,
    };
}

bool file_output_counts(const struct file_outputs *files, unsigned row, struct export_counts *out)
{
    const struct file_output *file = &files->now[row];
    if (file->sink != NULL)
        export_counts(file->sink, out);
    else if (file->tap != NULL)
        count_recording(file, out);
    return file->sink != NULL || file->tap != NULL;
}

// Another name for the same file is no change: opening it anew would empty it.
static bool is_other_file(const char *path, const char *other)
{
    struct place place = place_of(path, STDOUT_FILENO), beside = place_of(other, STDOUT_FILENO);
    bool both = path[0] != '\0' && other[0] != '\0';
    return strcmp(path, other) != 0 && !(both && place_is_same(&place, &beside));
}

static bool is_rotating(unsigned row, const struct output_settings *output)
{
    return rows[row].create == NULL ? output->write_pcap_rotate_mb > 0 : output->rotate_mb > 0;
}

// Whether an open series, or what becomes one, has to be begun anew.
static bool has_other_rotation(unsigned row, const struct output_settings *now,
                               const struct output_settings *next)
{
    if (setting_of(row)->applies == SETTING_AT_START || (!is_rotating(row, now) && !is_rotating(row, next)))
        return false;
    if (rows[row].create == NULL)
        return now->write_pcap_rotate_mb != next->write_pcap_rotate_mb ||
               now->write_pcap_max_files != next->write_pcap_max_files;
    return now->rotate_mb != next->rotate_mb || now->max_files != next->max_files ||
           now->compress != next->compress;
}

static bool has_changed(unsigned row, const struct settings *now, const struct settings *next)
{
    const char *path = value_text(now, setting_of(row)), *other = value_text(next, setting_of(row));
    return is_other_file(path, other) || (path[0] != '\0' && other[0] != '\0' && strcmp(other, "-") != 0 &&
                                          has_other_rotation(row, &now->output, &next->output));
}

// One at a time is ended: who turns an output on and off while nobody reads must not gather threads.
static bool check_left(struct file_outputs *files, unsigned row, struct error *error)
{
    struct output_ending *leaving = &files->leaving[row];
    if (output_ending_is_there(leaving) && output_ending_await(leaving, 0))
        end_and_tell(files, row);
    return !output_ending_is_there(leaving) ||
           error_set(error, ERROR_FAILED_PRECONDITION,
                     "%s cannot change now: %s, which it wrote before, waits for its reader to read the rest",
                     rows[row].key, files->leaving[row].file.path);
}

// Whether another output writes to it until this change.
static bool is_open_elsewhere(const struct file_outputs *files, unsigned row, const char *path)
{
    for (unsigned other = 0; other < FILE_OUTPUTS; other++)
        if (other != row && files->now[other].path != NULL && !is_other_file(files->now[other].path, path))
            return true;
    return false;
}

// Records are appended to the file that this run wrote; anything else would empty it.
static bool check_written(const struct file_outputs *files, unsigned row, const struct settings *next,
                          struct error *error)
{
    const char *path = value_text(next, setting_of(row));
    const struct written_file *written = written_files_have(files, path);
    bool elsewhere = path[0] != '\0' && is_open_elsewhere(files, row, path);
    bool appends = written == NULL || (written->row == row && rows[row].create != NULL);
    if (is_rotating(row, &next->output) || (appends && !elsewhere))
        return true;
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "%s: this run has written %s already, and would empty it: move it away, or give another "
                     "path",
                     rows[row].key, path);
}

static bool check_file(struct file_outputs *files, unsigned row, const struct settings *next,
                       struct error *error)
{
    const char *path = value_text(next, setting_of(row));
    if (strcmp(path, "-") == 0)
        return error_set(error, ERROR_FAILED_PRECONDITION,
                         "%s can have standard output from a start on only, for people read it now",
                         rows[row].key);
    return check_left(files, row, error) && check_written(files, row, next, error) &&
           output_claim_check(path, error);
}

static bool claim_file(unsigned row, const struct settings *next, struct output_claim *claim,
                       struct error *error)
{
    const char *path = value_text(next, setting_of(row));
    unsigned mode = rows[row].create != NULL ? EXPORT_FILE_MODE : PCAP_FILE_MODE;
    return path[0] == '\0' || is_rotating(row, &next->output) || output_claim_take(claim, path, mode, error);
}

// A series begins another file; what is opened next is emptied, so that has to wait for all claims.
static bool open_files(struct file_outputs *files, const struct settings *next, bool series,
                       struct error *error)
{
    for (unsigned row = 0; row < FILE_OUTPUTS; row++)
        if (files->changes[row] && is_rotating(row, &next->output) == series &&
            !open_file(files, &files->next[row], row, next, error))
            return false;
    return true;
}

// All of the changed ones, or none.
static bool open_changed(struct file_outputs *files, const struct settings *next, struct error *error)
{
    struct output_claim claims[FILE_OUTPUTS] = {0};
    bool good = written_files_reserve(files, error);
    for (unsigned row = 0; row < FILE_OUTPUTS && good; row++)
        good = !files->changes[row] || claim_file(row, next, &claims[row], error);
    good = good && open_files(files, next, true, error) && open_files(files, next, false, error);
    for (unsigned row = 0; row < FILE_OUTPUTS; row++)
        output_claim_drop(&claims[row], good);
    return good;
}

static bool check_changed(struct file_outputs *files, const struct settings *next, struct error *error)
{
    for (unsigned row = 0; row < FILE_OUTPUTS; row++)
        if (files->changes[row] && !check_file(files, row, next, error))
            return false;
    return true;
}

bool file_outputs_prepare(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                          struct error *error)
{
    struct file_outputs *files = owner;
    files->min_free_mb = next->output.min_free_mb;
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        assert(files->next[row].path == NULL);
        files->changes[row] = has_changed(row, now, next);
    }
    if (dry_run ? check_changed(files, next, error) : open_changed(files, next, error))
        return true;
    file_outputs_abandon(files);
    return false;
}

// It is left to a thread of its own; who can be written to at once is whole when this returns.
static void end_file(struct file_outputs *files, unsigned row, struct file_output *file)
{
    enum { MOMENT_MS = 1000 };
    if (file->path == NULL)
        return;
    if (file->tap != NULL)
        control_remove_tap(files->control, file->tap);
    written_files_add(files, row, file->path);
    output_ending_begin(&files->leaving[row], file);
    if (output_ending_await(&files->leaving[row], MOMENT_MS))
        end_and_tell(files, row);
    else
        log_warning("output", "%s of %s is not written whole yet: its reader does not read",
                    files->leaving[row].file.path, rows[row].key);
}

// The new one begins before the old one ends: nothing falls between them.
static void replace_file(struct file_outputs *files, unsigned row)
{
    struct error failure;
    struct file_output before = files->now[row];
    pthread_mutex_lock(&files->lock);
    files->now[row] = files->next[row];
    files->next[row] = (struct file_output){0};
    pthread_mutex_unlock(&files->lock);
    if (!begin_file(&files->now[row], files->control, &failure))
        log_error("output", "%s", failure.text);
    end_file(files, row, &before);
}

static void keep_free(const struct file_output *file, uint32_t min_free_mb)
{
    if (file->sink != NULL)
        export_keep_free(file->sink, min_free_mb * bytes_per_mb);
    if (file->tap != NULL)
        pcap_writer_keep_free(file->recorder, min_free_mb);
}

void file_outputs_commit(void *owner)
{
    struct file_outputs *files = owner;
    for (unsigned row = 0; row < FILE_OUTPUTS; row++) {
        if (files->changes[row])
            replace_file(files, row);
        keep_free(&files->now[row], files->min_free_mb);
    }
}

void file_outputs_abandon(void *owner)
{
    struct file_outputs *files = owner;
    for (unsigned row = 0; row < FILE_OUTPUTS; row++)
        file_output_destroy(&files->next[row]);
}

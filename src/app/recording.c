#include "app/recording.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "capture/record/pcap_writer.h"
#include "config/paths.h"

static bool open_recorder(struct recorder *recorder, const struct settings *settings,
                          const struct source *source, struct error *error)
{
    const struct output_settings *output = &settings->output;
    if (output->write_pcap[0] == '\0')
        return true;
    recorder->path = strdup(output->write_pcap);
    if (recorder->path == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for output.write_pcap");
    struct pcap_writer_options options = {
        .path = recorder->path,
        .rotate_mb = output->write_pcap_rotate_mb,
        .max_files = output->write_pcap_max_files,
        .min_free_mb = output->min_free_mb,
        .source = source,
    };
    recorder->consumer = pcap_writer_create(&options, error);
    if (recorder->consumer == NULL)
        return false;
    recorder->tap = tap_create(recorder->consumer, TAP_RING_BYTES, error);
    return recorder->tap != NULL;
}

static void destroy_recorder(struct recorder *recorder)
{
    tap_destroy(recorder->tap);
    free(recorder->path);
    *recorder = (struct recorder){0};
}

bool recording_open(struct recording *recording, const struct settings *settings, struct control *control,
                    struct error *error)
{
    *recording = (struct recording){.control = control};
    return open_recorder(&recording->now, settings, control_source(control), error) &&
           (recording->now.tap == NULL || control_add_tap(control, recording->now.tap, error));
}

void recording_reopen(struct recording *recording)
{
    if (recording->now.tap != NULL)
        pcap_writer_reopen(recording->now.consumer);
}

bool recording_finish(struct recording *recording, struct error *error)
{
    bool good = recording->now.tap == NULL || tap_finish(recording->now.tap, error);
    if (!recording->failed)
        return good;
    if (!good)
        log_error("output", "%s", error->text);
    *error = recording->failure;
    return false;
}

void recording_done(struct recording *recording)
{
    destroy_recorder(&recording->next);
    destroy_recorder(&recording->now);
}

// Looks, and leaves the file as it is.
static bool check_path(const char *path, struct error *error)
{
    char directory[4096];
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (path[0] == '\0' || strcmp(path, "-") == 0 || access(path, W_OK) == 0)
        return true;
    bool writable = false;
    if (errno == ENOENT && length + 1 < sizeof directory) {
        memcpy(directory, path, length);
        memcpy(directory + length, ".", 2);
        writable = access(directory, W_OK | X_OK) == 0;
    }
    return writable ||
           error_set(error, error_kind_of_errno(errno), "%s cannot be written: %s", path, strerror(errno));
}

// Another name for the same file is no change: opening it anew would empty it.
static bool is_other_file(const char *path, const char *other)
{
    struct place place = place_of(path, STDOUT_FILENO), beside = place_of(other, STDOUT_FILENO);
    return strcmp(path, other) != 0 &&
           !(path[0] != '\0' && other[0] != '\0' && place_is_same(&place, &beside));
}

bool recording_prepare(void *owner, const struct settings *now, const struct settings *next, bool dry_run,
                       struct error *error)
{
    struct recording *recording = owner;
    assert(recording->next.tap == NULL);
    recording->changes = is_other_file(now->output.write_pcap, next->output.write_pcap);
    if (!recording->changes)
        return true;
    if (dry_run)
        return check_path(next->output.write_pcap, error);
    if (open_recorder(&recording->next, next, control_source(recording->control), error))
        return true;
    recording_abandon(recording);
    return false;
}

// The new one begins before the old one ends: no packet falls between them.
void recording_commit(void *owner)
{
    struct recording *recording = owner;
    struct error failure;
    if (!recording->changes)
        return;
    struct recorder before = recording->now;
    recording->now = recording->next;
    recording->next = (struct recorder){0};
    if (recording->now.tap != NULL && !control_add_tap(recording->control, recording->now.tap, &failure))
        log_error("output", "%s", failure.text);
    if (before.tap == NULL)
        return;
    control_remove_tap(recording->control, before.tap);
    if (!tap_finish(before.tap, &failure)) {
        log_error("output", "%s", failure.text);
        recording->failure = failure;
        recording->failed = true;
    }
    destroy_recorder(&before);
}

void recording_abandon(void *owner)
{
    struct recording *recording = owner;
    destroy_recorder(&recording->next);
}

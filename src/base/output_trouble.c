#include "base/output_trouble.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/time.h"

static const int64_t retry_after_ns = NS_PER_S;
static const int64_t check_space_every_ns = NS_PER_S;

const char output_short_of_space[] = "less free space than output.min_free_mb";

void output_trouble_init(struct output_trouble *trouble, const struct output_options *options,
                         struct output_counts *counts)
{
    *trouble = (struct output_trouble){.options = options, .counts = counts, .next_check_ns = INT64_MIN};
    atomic_store_explicit(&counts->min_free_bytes, options->min_free_bytes, memory_order_relaxed);
}

static uint64_t lost(const struct output_trouble *trouble)
{
    return atomic_load_explicit(&trouble->counts->lost, memory_order_relaxed);
}

static void keep_reason(struct output_trouble *trouble, const char *reason)
{
    if (trouble->reason[0] == '\0')
        snprintf(trouble->reason, sizeof trouble->reason, "%s", reason);
}

void output_trouble_lose(struct output_trouble *trouble, uint64_t units, const char *reason)
{
    if (reason != NULL)
        keep_reason(trouble, reason);
    atomic_fetch_add_explicit(&trouble->counts->lost, units, memory_order_relaxed);
}

static void begin(struct output_trouble *trouble, enum output_trouble_kind kind)
{
    if (trouble->kind != kind) {
        trouble->lost_before = lost(trouble);
        atomic_fetch_add_explicit(&trouble->counts->errors, 1, memory_order_relaxed);
        atomic_store_explicit(&trouble->counts->failing, true, memory_order_relaxed);
    }
    trouble->kind = kind;
}

static const char *sentence_of(int reason)
{
    return reason == ETIMEDOUT ? "nobody read it in time" : strerror(reason);
}

// Of an output that is given up close() tells; one that is tried again has its end far away, and is told of at once.
void output_trouble_fail(struct output_trouble *trouble, int reason, bool over, const char *name,
                         int64_t now_ns)
{
    bool again = trouble->options->keep_trying && !over;
    if (trouble->kind != OUTPUT_FAILED && trouble->options->keep_trying)
        log_error(trouble->options->component, "cannot write %s: %s%s", name, sentence_of(reason),
                  again ? "; trying again every second" : "");
    begin(trouble, OUTPUT_FAILED);
    keep_reason(trouble, sentence_of(reason));
    trouble->reader_left = reason == EPIPE;
    trouble->next_try_ns = again ? now_ns + retry_after_ns : INT64_MAX;
}

bool output_trouble_begin_try(struct output_trouble *trouble, int64_t now_ns)
{
    if (trouble->kind != OUTPUT_FAILED || !trouble->options->keep_trying || now_ns < trouble->next_try_ns)
        return false;
    trouble->next_try_ns = now_ns + retry_after_ns;
    return true;
}

static void end(struct output_trouble *trouble, const char *path, const char *how)
{
    assert(trouble->kind != OUTPUT_NO_TROUBLE);
    trouble->kind = OUTPUT_NO_TROUBLE;
    atomic_store_explicit(&trouble->counts->failing, false, memory_order_relaxed);
    log_warning(trouble->options->component, "%s %s; %" PRIu64 " %s are missing in it", path, how,
                lost(trouble) - trouble->lost_before, trouble->options->unit);
}

void output_trouble_end(struct output_trouble *trouble, const char *path)
{
    end(trouble, path, "is written again");
}

void output_trouble_write_on(struct output_trouble *trouble, int reason, const char *path)
{
    if (trouble->follow_failure == 0)
        log_warning(
            trouble->options->component,
            "%s cannot be opened anew: %s; the file that was there is written on, and it is tried again",
            path, strerror(reason));
    trouble->follow_failure = reason;
}

void output_trouble_followed(struct output_trouble *trouble)
{
    trouble->follow_failure = 0;
}

static uint64_t kept_free(const struct output_trouble *trouble)
{
    return atomic_load_explicit(&trouble->counts->min_free_bytes, memory_order_relaxed);
}

static bool has_space(const struct output_trouble *trouble, int fd)
{
    struct statvfs disk;
    return fstatvfs(fd, &disk) != 0 || disk.f_bavail * disk.f_frsize >= kept_free(trouble);
}

static void stop_for_space(struct output_trouble *trouble, const char *path)
{
    begin(trouble, OUTPUT_SHORT_OF_SPACE);
    keep_reason(trouble, output_short_of_space);
    log_warning(trouble->options->component,
                "%s: less than %" PRIu64 " MB are free (output.min_free_mb); %s are not written", path,
                kept_free(trouble) >> 20, trouble->options->unit);
}

void output_trouble_check_space(struct output_trouble *trouble, int fd, const char *path, int64_t now_ns)
{
    bool off = kept_free(trouble) == 0 && trouble->kind != OUTPUT_SHORT_OF_SPACE;
    if (off || now_ns < trouble->next_check_ns)
        return;
    trouble->next_check_ns = now_ns + check_space_every_ns;
    bool space = has_space(trouble, fd);
    if (space && trouble->kind == OUTPUT_SHORT_OF_SPACE)
        end(trouble, path, "goes on");
    else if (!space && trouble->kind == OUTPUT_NO_TROUBLE)
        stop_for_space(trouble, path);
}

bool output_trouble_report(const struct output_trouble *trouble, const char *name, struct error *error)
{
    if (lost(trouble) > 0)
        return error_set(error, ERROR_DATA_LOSS, "%s is incomplete: %s; %" PRIu64 " %s were not written",
                         name, trouble->reason, lost(trouble), trouble->options->unit);
    if (trouble->follow_failure != 0)
        return error_set(error, ERROR_DATA_LOSS,
                         "%s could not be opened anew: %s; the last %s are in the file "
                         "that was there",
                         name, strerror(trouble->follow_failure), trouble->options->unit);
    return trouble->kind != OUTPUT_FAILED || trouble->reader_left ||
           error_set(error, ERROR_DATA_LOSS, "%s is incomplete: %s", name, trouble->reason);
}

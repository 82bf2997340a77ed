#include "base/log.h"

#include "base/nowait.h"
#include "base/strbuf.h"
#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// What is escaped may double in JSON, and a line still fits into PIPE_BUF, which a pipe takes whole or not at all.
enum { SENTENCE_BYTES = 1024, SAFE_BYTES = 1900, LINE_BYTES = PIPE_BUF, PATIENCE_MS = 20 };

static atomic_int configured_level = LOG_LEVEL_WARNING; // enum log_level
static atomic_int configured_format = LOG_FORMAT_TEXT;  // enum log_format
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static unsigned lost_lines; // since the last that was written; below the lock

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_configure(enum log_level level, enum log_format format)
{
    assert(level <= LOG_LEVEL_DEBUG && format <= LOG_FORMAT_JSON);
    atomic_store_explicit(&configured_level, (int)level, memory_order_relaxed);
    atomic_store_explicit(&configured_format, (int)format, memory_order_relaxed);
}

static int64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

// Controls and broken UTF-8 are escaped; a backslash stays single, for a sentence is ours.
static void add_safe(struct strbuf *line, const char *text)
{
    while (*text != '\0') {
        size_t run = strcspn(text, "\\");
        strbuf_add_wire(line, text, run);
        text += run;
        if (*text == '\\')
            strbuf_add_char(line, *text++);
    }
}

static void add_text(struct strbuf *line, enum log_level level, const char *sentence)
{
    strbuf_addf(line, "netscope: %s: %s", level_names[level], sentence);
}

static void add_json_string(struct strbuf *line, const char *text)
{
    strbuf_add_char(line, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_add_char(line, '\\');
        strbuf_add_char(line, *text);
    }
    strbuf_add_char(line, '"');
}

static void add_json(struct strbuf *line, enum log_level level, const char *area, const char *sentence)
{
    strbuf_add(line, "{\"time\":\"");
    time_add_rfc3339(line, wall_clock_ns(), 6);
    strbuf_addf(line, "\",\"level\":\"%s\",\"area\":\"%s\",\"message\":", level_names[level], area);
    add_json_string(line, sentence);
    strbuf_add_char(line, '}');
}

// Nothing is told of a log that cannot be written; of one that nobody reads, later.
static bool write_now(int descriptor, const char *text, size_t length)
{
    ssize_t written;
    do { // a signal is no reason to lose a line
        written = nowait_write(descriptor, text, length);
    } while (written < 0 && errno == EINTR);
    return written >= 0 || errno != EAGAIN;
}

// False when the reader of stderr has stopped reading: that costs its first line some time, further ones none.
static bool write_patiently(const char *text, size_t length)
{
    struct pollfd ready = {.fd = nowait_open(STDERR_FILENO), .events = POLLOUT};
    if (ready.fd < 0)
        return true;
    bool written =
        poll(&ready, 1, lost_lines == 0 ? PATIENCE_MS : 0) != 0 && write_now(ready.fd, text, length);
    close(ready.fd);
    return written;
}

static bool write_line(enum log_level level, const char *area, const char *sentence)
{
    struct strbuf line;
    strbuf_init(&line, LINE_BYTES);
    if (atomic_load_explicit(&configured_format, memory_order_relaxed) == LOG_FORMAT_JSON)
        add_json(&line, level, area, sentence);
    else
        add_text(&line, level, sentence);
    strbuf_add_char(&line, '\n');
    bool written = write_patiently(line.text, line.length);
    strbuf_done(&line);
    return written;
}

// Whether the lines that were lost before were told of, if there are any.
static bool tell_lost(void)
{
    char sentence[SENTENCE_BYTES];
    if (lost_lines == 0)
        return true;
    snprintf(sentence, sizeof sentence, "%u lines of the log are lost: standard error was not read",
             lost_lines);
    bool told = write_line(LOG_LEVEL_WARNING, "log", sentence);
    if (told)
        lost_lines = 0;
    return told;
}

void log_line(enum log_level level, const char *area, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&configured_level, memory_order_relaxed))
        return;
    char sentence[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);

    struct strbuf safe;
    strbuf_init(&safe, SAFE_BYTES);
    add_safe(&safe, sentence);
    pthread_mutex_lock(&writing);
    if (!tell_lost() || !write_line(level, area, safe.text))
        lost_lines++;
    pthread_mutex_unlock(&writing);
    strbuf_done(&safe);
}

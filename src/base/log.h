// The log: lines on stderr, as text or JSON, one write a line so that lines never mix, those of other processes included.
// Any thread may log, and log_configure() at any time. Never called on the packet path: malformed packets are counted,
// not logged. The thread that captures says what happens to its interfaces, so a line never waits for its reader
// longer than 20 ms, and not at all while lines are lost; those are counted and told of when it reads again. Repeats
// are the caller's to limit.
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

void log_configure(enum log_level level, enum log_format format);

// One line; `area` is the folder that speaks ("capture", "export"). Control characters in the
// sentence are escaped. Text: "netscope: warning: sentence". JSON: {"time","level","area","message"}.
void log_line(enum log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(area, ...)   log_line(LOG_LEVEL_ERROR, (area), __VA_ARGS__)
#define log_warning(area, ...) log_line(LOG_LEVEL_WARNING, (area), __VA_ARGS__)
#define log_info(area, ...)    log_line(LOG_LEVEL_INFO, (area), __VA_ARGS__)
#define log_debug(area, ...)   log_line(LOG_LEVEL_DEBUG, (area), __VA_ARGS__)

// Events as lines of a format: JSON Lines, the lines of one JSON array, or CSV. What the events are tells a vocabulary:
// flows, alerts. Holds the plan and the scratch storage of one writer; one owner, one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum format_kind {
    FORMAT_JSONL,
    FORMAT_JSON_ARRAY, // "[", a line an event, "]"
    FORMAT_CSV,
};

struct event_format;

// How events of a log become messages: a row.
struct event_vocabulary {
    const struct ProtobufCMessageDescriptor *(*descriptor)(void);
    void *(*create)(void); // the scratch storage of a message; NULL without memory
    void (*destroy)(void *message);
    const void *(*fill)(void *message, const void *event); // the message, valid until the next
};
extern const struct event_vocabulary flow_vocabulary, alert_vocabulary;

// NULL without memory.
struct event_format *event_format_create(const struct event_vocabulary *vocabulary, enum format_kind kind);
void event_format_destroy(struct event_format *format);

// Whole lines at the top and at the end of a file; owned by the format.
const char *event_format_head(const struct event_format *format);
const char *event_format_tail(const struct event_format *format);

// The event's line with its newline, valid until the next call; NULL without memory. Each line of an array begins by
// its comma: the first that is written goes without event_format_separator() bytes of it.
const char *event_format_line(struct event_format *format, const void *event, size_t *length);
size_t event_format_separator(const struct event_format *format);

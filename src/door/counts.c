#include "door/counts.h"

#include "door/certificate.h"
#include "door/door_inside.h"

static const char *const reasons[REFUSALS] = {
    [REFUSED_CONNECTIONS] = "connections",
    [REFUSED_ADDRESS] = "address",
    [REFUSED_DESCRIPTORS] = "descriptors",
    [REFUSED_MEMORY] = "memory",
    [REFUSED_HANDSHAKE] = "handshake",
    [REFUSED_HANDSHAKE_TIMEOUT] = "handshake_timeout",
    [REFUSED_REQUEST_TIMEOUT] = "request_timeout",
    [REFUSED_FRAMES + FRAMES_NO_PREFACE - 1] = "no_http2",
    [REFUSED_FRAMES + FRAMES_BROKEN - 1] = "frames_broken",
    [REFUSED_FRAMES + FRAMES_TOO_LONG - 1] = "frame_length",
    [REFUSED_FRAMES + FRAMES_HEADERS_TOO_LONG - 1] = "headers_length",
    [REFUSED_FRAMES + FRAMES_TOO_MANY + FRAMES_HEADERS - 1] = "headers",
    [REFUSED_FRAMES + FRAMES_TOO_MANY + FRAMES_RST_STREAM - 1] = "resets",
    [REFUSED_FRAMES + FRAMES_TOO_MANY + FRAMES_PING - 1] = "pings",
    [REFUSED_FRAMES + FRAMES_TOO_MANY + FRAMES_SETTINGS - 1] = "settings",
    [REFUSED_FRAMES + FRAMES_TOO_MANY + FRAMES_CONTINUATION - 1] = "continuations",
    [REFUSED_FRAMES + FRAMES_TOO_MANY + FRAMES_OTHER - 1] = "frames",
};

// Listeners are there before the rows are, and all counts are atomic: nothing to hold.
static void read_open(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct door *door = held;
    for (unsigned i = 0; i < door->listener_count; i++)
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){door->listeners[i].name},
                        count_of(&door->listeners[i].counts.open));
}

static void read_total(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct door *door = held;
    for (unsigned i = 0; i < door->listener_count; i++)
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){door->listeners[i].name},
                        count_of(&door->listeners[i].counts.total));
}

static void read_refused(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct door *door = held;
    for (unsigned i = 0; i < door->listener_count; i++) {
        const struct listener *listener = &door->listeners[i];
        unsigned count = listener->protocol == DOOR_HTTP2 ? REFUSALS : REFUSED_FRAMES;
        for (unsigned reason = 0; reason < count; reason++)
            metric_labelled(metric, reader,
                            (const char *const[METRIC_LABELS]){listener->name, reasons[reason]},
                            count_of(&listener->counts.refused[reason]));
    }
}

static void read_expiry(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct door *door = held;
    for (unsigned i = 0; i < door->listener_count; i++) {
        const struct listener *listener = &door->listeners[i];
        if (listener->certificate != NULL)
            metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){listener->name},
                            (uint64_t)certificate_expiry_s(listener->certificate));
    }
}

static void read_failures(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct door *door = held;
    for (unsigned i = 0; i < door->listener_count; i++) {
        const struct listener *listener = &door->listeners[i];
        if (listener->certificate != NULL)
            metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){listener->name},
                            certificate_failures(listener->certificate));
    }
}

// clang-format off
static const struct metric rows[] = {
    {"netscope_connections", METRIC_GAUGE, NULL, "Connections to a listener now.", {"listener"}, read_open},
    {"netscope_connections_accepted_total", METRIC_COUNTER, NULL, "Connections that a listener accepted.", {"listener"}, read_total},
    {"netscope_connections_refused_total", METRIC_COUNTER, NULL, "Connections that were closed for what they are or did.",
     {"listener", "reason"}, read_refused},
    {"netscope_certificate_expiry_timestamp_seconds", METRIC_GAUGE, "seconds", "Unix time at which a certificate ends.", {"use"},
     read_expiry},
    {"netscope_certificate_reload_failures_total", METRIC_COUNTER, NULL,
     "Times that the files of a certificate changed and could not be used.", {"use"}, read_failures},
};
// clang-format on

bool door_counts_add(struct door *door, struct metric_registry *registry)
{
    struct metric_group group = {rows, sizeof rows / sizeof rows[0], door, metric_hold_owner,
                                 metric_release_owner};
    return metric_registry_add(registry, &group);
}

void door_counts_remove(struct door *door, struct metric_registry *registry)
{
    metric_registry_remove(registry, door);
}

// Counters of streams, by what they are of.
#include "api/call.h"
#include "api/stream.h"
#include "base/metric.h"

static const char *const kinds[STREAM_KINDS] = {"flows", "alerts", "packets", "pcap", "stats", "health"};
static const char *const policies[STREAM_POLICIES] = {"drop_oldest", "drop_newest", "disconnect", "conflate"};

static void read_open(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct api *api = held;
    for (unsigned kind = 0; kind < STREAM_KINDS; kind++)
        metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){kinds[kind]},
                        atomic_load(&api->stream_counts[kind].open));
}

// Those that there are: a policy that leaves nothing out has none, and what no client asked for yet is not told.
static void read_dropped(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    const struct api *api = held;
    for (unsigned kind = 0; kind < STREAM_KINDS; kind++)
        for (unsigned policy = 0; policy < STREAM_POLICIES; policy++) {
            uint64_t dropped = atomic_load(&api->stream_counts[kind].dropped[policy]);
            if (dropped > 0)
                metric_labelled(metric, reader,
                                (const char *const[METRIC_LABELS]){kinds[kind], policies[policy]}, dropped);
        }
}

// clang-format off
static const struct metric rows[] = {
    {"netscope_stream_subscribers", METRIC_GAUGE, NULL, "Streams of the API that are open.", {"stream"}, read_open},
    {"netscope_stream_messages_dropped_total", METRIC_COUNTER, NULL,
     "Events, packets and intervals that streams left out because their clients read too slowly.", {"stream", "policy"}, read_dropped},
};
// clang-format on

bool stream_metrics_add(struct api *api)
{
    struct metric_group group = {rows, sizeof rows / sizeof rows[0], api, metric_hold_owner,
                                 metric_release_owner};
    return metric_registry_add(control_metrics(api->control), &group);
}

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/memory_limit.h"
#include "base/time.h"
#include "capture/clock.h"
#include "capture/file/file_source.h"
#include "capture/live/live_source.h"
#include "control/alert_metrics.h"
#include "control/check.h"
#include "control/control_inside.h"
#include "control/cores.h"
#include "control/metrics.h"

enum {
    CLOSED_LINGER_SECS = 5,
    FIRST_GENERATION = 1,
    FILE_WORKERS = 4,
    LIVE_WORKERS = 8,
};

_Static_assert((int)SETTINGS_WORKERS == (int)PIPELINE_WORKERS &&
                   (int)SETTINGS_TOP_FLOWS == (int)TICK_TOP_FLOWS,
               "settings say what is done");

static const uint64_t file_hash_seed = 0x6e657473636f7065; // fixed, so that a file's output is reproducible
static const uint32_t max_flows_limit = FLOW_STORE_MAXIMUM - FLOW_ENDED_IN_TICK;

static void name_node(struct control *control)
{
    const char *wanted = control->settings->sensor.node_name;
    if (wanted[0] != '\0')
        strncpy(control->node, wanted, sizeof control->node - 1);
    else if (gethostname(control->node, sizeof control->node - 1) != 0)
        strcpy(control->node, "localhost");
    assert(control->node[sizeof control->node - 1] == '\0'); // neither call ends a text that it cuts
}

static bool choose_seeds(const struct control *control, struct flow_policy *policy, struct error *error)
{
    uint64_t random[2], wanted = control->settings->flow.hash_seed;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return error_set(
            error, ERROR_UNAVAILABLE,
            "the kernel gives no random numbers (getrandom: %s), which keep the flow table from being "
            "attacked: allow the call",
            strerror(errno));
    policy->index_seed = random[0];
    policy->hash_seed = wanted != 0 ? wanted : control->live ? random[1] : file_hash_seed;
    return true;
}

// Tells the tokens of this run from those of others.
static uint64_t choose_instance(void)
{
    uint64_t instance;
    bool random = getrandom(&instance, sizeof instance, GRND_NONBLOCK) == (ssize_t)sizeof instance;
    return random ? instance : (uint64_t)clock_now_ns();
}

static bool is_glob(const char *name)
{
    return strpbrk(name, "*?[") != NULL;
}

bool control_asks_first(const struct control *control, const struct settings *settings)
{
    const struct capture_settings *capture = &settings->capture;
    if (capture->observation != OBSERVATION_AUTO)
        return capture->observation == OBSERVATION_FIRST;
    if (!control->live || capture->interfaces.count == 0)
        return false;
    const char *name = capture->interfaces.items[0];
    return capture->interfaces.count > 1 || strcmp(name, "any") == 0 || is_glob(name);
}

static int64_t seconds(uint32_t secs)
{
    return (int64_t)secs * NS_PER_S;
}

struct flow_policy control_policy(const struct control *control, const struct settings *settings)
{
    const struct flow_settings *flow = &settings->flow;
    struct flow_policy policy = control->policy;
    uint64_t max_flows = flow->max_flows_given ? flow->max_flows : control->shares.flows;
    policy.timeout_ns = seconds(flow->timeout_secs);
    policy.tcp_timeout_ns = seconds(flow->tcp_timeout_secs);
    policy.udp_timeout_ns = seconds(flow->udp_timeout_secs);
    policy.icmp_timeout_ns = seconds(flow->icmp_timeout_secs);
    policy.linger_ns = seconds(CLOSED_LINGER_SECS);
    policy.active_timeout_ns = seconds(flow->active_timeout_secs);
    policy.max_flows = max_flows < max_flows_limit ? (uint32_t)max_flows : max_flows_limit;
    policy.never = flow->timeout_secs == 0;
    policy.look_ns = settings_detect(settings) ? seconds(settings->analysis.anomalies.wait_secs) : 0;
    return policy;
}

int64_t control_interval_ns(const struct settings *settings)
{
    return settings->stats.enabled ? (int64_t)settings->stats.interval_ms * NS_PER_MS : 0;
}

bool control_lists_top_flows(const struct settings *settings)
{
    return settings->stats.enabled && settings->stats.top_flows > 0;
}

// A burst of flows that end together is spread over ticks, so that the outputs keep up with it: the event log holds what
// they lag behind, several ticks; and when that is much, fewer end (tick_consumer.behind).
static uint32_t expire_at_most(const struct control *control)
{
    enum { ENDS_A_MS = 164, LONG_TICK_MS = 250, TICKS_HELD = 8 };
    uint32_t tick_ms = control->settings->pipeline.tick_ms;
    uint64_t in_tick = ENDS_A_MS * (tick_ms < LONG_TICK_MS ? tick_ms : LONG_TICK_MS);
    uint64_t most = control->shares.events / TICKS_HELD;
    return control->live ? (uint32_t)((in_tick < most ? in_tick : most) / FLOW_PARTITIONS) + 1 : 0;
}

// What only the start decides.
static bool make_policy(struct control *control, struct error *error)
{
    const struct settings *settings = control->settings;
    control->policy = (struct flow_policy){
        .expire_at_most = expire_at_most(control),
        .observe_first = control_asks_first(control, settings),
        .rtt = settings->analysis.rtt,
        .retransmissions = settings->analysis.retrans,
        .out_of_order = settings->analysis.out_of_order,
    };
    control->policy = control_policy(control, settings);
    return choose_seeds(control, &control->policy, error);
}

static bool open_source(struct control *control, struct error *error)
{
    const struct capture_settings *capture = &control->settings->capture;
    uint64_t bytes = control->shares.chunk_bytes;
    control->chunks = chunk_pool_create((unsigned)(bytes / CHUNK_BYTES), CHUNK_BYTES);
    if (control->chunks == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory for %u MB of packet buffers",
                         (unsigned)(bytes >> 20));
    control->source = control->live
                          ? live_source_create(capture, control->chunks, error)
                          : file_source_create(&capture->read_pcap, capture->filter, control->chunks, error);
    if (control->source == NULL || !control->live)
        return control->source != NULL;
    live_source_set_tick(control->source, (int64_t)control->settings->pipeline.tick_ms * NS_PER_MS);
    return true;
}

// pipeline.workers 0: a file takes the cores it may, live capture half of them.
unsigned control_workers(const struct settings *settings)
{
    bool live = settings->capture.read_pcap.count == 0;
    unsigned workers = settings->pipeline.workers;
    unsigned cores = cores_allowed(), most = PIPELINE_WORKERS;
    if (workers == 0) {
        workers = live ? cores / 2 : cores;
        most = live ? LIVE_WORKERS : FILE_WORKERS;
    }
    return workers < 1 ? 1 : workers < most ? workers : most;
}

// Fewer where the partitions are.
static unsigned worker_count(const struct control *control)
{
    unsigned workers = control_workers(control->settings);
    unsigned partitions = partition_count(control->policy.max_flows);
    assert(workers > 0 && workers <= PIPELINE_WORKERS && partitions > 0);
    return workers < partitions ? workers : partitions;
}

static bool keep_settings(struct control *control, struct error *error)
{
    struct generation *first = generation_create(control->settings, FIRST_GENERATION, error);
    if (first == NULL)
        return false;
    generation_publish(&control->generations, first);
    atomic_store(&control->reload_wall_ns, clock_wall_ns());
    struct metric_group group = {run_metrics, run_metric_count, control, run_figures_hold,
                                 run_figures_release};
    metric_registry_add(&control->metrics, &group);
    alert_metrics_add(control);
    return settings_copy(&control->file, control->settings, error);
}

static struct aggregate *create_aggregate(struct control *control, struct error *error)
{
    struct aggregate_bounds bounds = {.events = control->shares.events, .names = control->shares.names};
    return aggregate_create(control->settings, control->node, control->source, control->policy.hash_seed,
                            &bounds, error);
}

static bool build(struct control *control, struct error *error)
{
    const struct settings *settings = control->settings;
    if (!keep_settings(control, error) || !make_policy(control, error) || !open_source(control, error))
        return false;
    control->own = own_connections_create(settings->capture.exclude_self);
    if (control->own == NULL)
        return error_set(error, ERROR_EXHAUSTED, "no memory");
    control->aggregate = create_aggregate(control, error);
    if (control->aggregate == NULL)
        return false;
    struct pipeline_setup setup = {
        .policy = control->policy,
        .instance = choose_instance(),
        .decode = {.tunnels = settings->analysis.tunnels},
        .tick_ns = (int64_t)settings->pipeline.tick_ms * NS_PER_MS,
        .tick_packets = control->shares.tick_packets,
        .datagrams = control->shares.datagrams,
        .packet_limit = settings->run.count,
        .workers = worker_count(control),
        .threads = worker_count(control) > 1 ? cores_allowed() - (cores_allowed() > 1) : 0,
        .batch = settings->pipeline.batch,
        .interval_ns = control_interval_ns(settings),
        .generation = FIRST_GENERATION,
        .names = true,
        .top_flows = control_lists_top_flows(settings),
    };
    control->pipeline =
        pipeline_create(&setup, control->source, aggregate_consumer(control->aggregate), error);
    return control->pipeline != NULL;
}

struct control *control_create(const struct settings *settings, struct error *error)
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL) {
        error_set(error, ERROR_EXHAUSTED, "no memory");
        return NULL;
    }
    generation_board_init(&control->generations);
    metric_registry_init(&control->metrics);
    pthread_mutex_init(&control->changing, NULL);
    control->settings = settings;
    control->start_ns = clock_now_ns();
    control->live = settings->capture.read_pcap.count == 0;
    control->shares = memory_shares_of(memory_limit(), settings);
    name_node(control);
    if (!build(control, error)) {
        control_destroy(control);
        return NULL;
    }
    return control;
}

void control_destroy(struct control *control)
{
    if (control == NULL)
        return;
    pipeline_destroy(control->pipeline);
    aggregate_destroy(control->aggregate);
    source_destroy(control->source);
    if (control->chunks != NULL)
        chunk_pool_destroy(control->chunks);
    own_connections_destroy(control->own);
    generation_board_done(&control->generations);
    settings_done(&control->file);
    metric_registry_done(&control->metrics);
    pthread_mutex_destroy(&control->changing);
    free(control);
}

void control_add_sink(struct control *control, struct sink *sink)
{
    aggregate_add_sink(control->aggregate, sink);
}

struct event_log *control_alert_events(struct control *control)
{
    return aggregate_alert_events(control->aggregate);
}

struct event_log *control_flow_events(struct control *control)
{
    return aggregate_flow_events(control->aggregate);
}

bool control_add_tap(struct control *control, struct tap *tap, struct error *error)
{
    return pipeline_add_tap(control->pipeline, tap, error);
}

void control_remove_tap(struct control *control, struct tap *tap)
{
    pipeline_remove_tap(control->pipeline, tap);
}

struct own_connections *control_own_connections(struct control *control)
{
    return control->own;
}

bool control_run(struct control *control, struct error *error)
{
    bool good = pipeline_run(control->pipeline, error);
    atomic_store(&control->over, true);
    return good;
}

bool control_finish(struct control *control, struct error *error)
{
    return aggregate_finish(control->aggregate, pipeline_totals(control->pipeline), error);
}

void control_stop(struct control *control)
{
    atomic_store(&control->stopped, true);
    source_stop(control->source, true);
}

bool control_was_stopped(const struct control *control)
{
    return atomic_load(&control->stopped);
}

void control_keep_open(struct control *control, bool on)
{
    source_keep_open(control->source, on);
}

bool control_is_over(const struct control *control)
{
    return atomic_load(&control->over);
}

const struct source *control_source(const struct control *control)
{
    return control->source;
}

const uint8_t *control_instance_id(const struct control *control)
{
    return aggregate_instance_id(control->aggregate);
}

bool control_start_capture(struct control *control, const char *word, struct error *error)
{
    return source_start(control->source, word, error);
}

bool control_stop_capture(struct control *control, const char *word, struct error *error)
{
    struct source_drops verdict;
    return source_stop_one(control->source, word, true, &verdict, error);
}

const char *control_node(const struct control *control)
{
    return control->node;
}

const struct memory_shares *control_shares(const struct control *control)
{
    return &control->shares;
}

bool control_is_live(const struct control *control)
{
    return control->live;
}

bool control_observes_first(const struct control *control)
{
    return control->policy.observe_first;
}

const struct snapshot *control_snapshot(struct control *control)
{
    return snapshot_hold(aggregate_snapshots(control->aggregate));
}

const struct generation *control_generation(struct control *control)
{
    return generation_hold(&control->generations);
}

struct metric_registry *control_metrics(struct control *control)
{
    return &control->metrics;
}

const struct totals *control_totals(const struct control *control)
{
    return pipeline_totals(control->pipeline);
}

const struct top_flow *control_top_flows(const struct control *control, unsigned *count)
{
    return aggregate_top_flows(control->aggregate, count);
}

enum error_kind control_verdict(const struct control *control, struct error *error)
{
    return source_verdict(control->source, error);
}

bool control_rests(const struct control *control)
{
    return !control->live && file_source_rests(control->source);
}

bool control_was_cut(const struct control *control)
{
    return !control->live && file_source_was_cut(control->source);
}

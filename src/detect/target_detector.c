#include "detect/target_detector.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void destroy(struct detector *detector)
{
    struct target_detector *own = (struct target_detector *)detector;
    if (own == NULL)
        return;
    target_windows_destroy(own->windows);
    free(own);
}

static struct detector *create(const struct detector_row *row, const struct detector_setup *setup)
{
    struct target_detector *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->detector.row = row;
    made->rule = row->rule;
    made->settings = *setup->settings;
    made->places = *setup->places;
    made->windows = target_windows_create(detector_settings_of(row, setup->settings)->window_secs,
                                          made->rule->young_ns, setup->hash_seed);
    if (made->windows != NULL)
        return &made->detector;
    destroy(&made->detector);
    return NULL;
}

static void change(struct detector *detector, const struct anomaly_settings *settings)
{
    struct target_detector *own = (struct target_detector *)detector;
    own->settings = *settings;
    target_windows_change(own->windows, detector_settings_of(detector->row, settings)->window_secs);
}

static void merge(struct detector *detector, const struct tick_evidence *evidence, int64_t now_ns)
{
    struct target_detector *own = (struct target_detector *)detector;
    target_windows_merge(own->windows, evidence, own->rule->evidence, now_ns);
}

static void judge_all(struct detector *detector, struct judge *judge, int64_t now_ns)
{
    struct target_detector *own = (struct target_detector *)detector;
    const struct target_window *window;
    for (unsigned place = 0; (window = target_windows_next(own->windows, &place)) != NULL;)
        if (!own->rule->judge(own, window, judge, now_ns) || target_window_young(own->windows, window) == 0)
            target_windows_rest(own->windows, window);
}

const struct detector_ops target_detector_ops = {
    .create = create,
    .destroy = destroy,
    .change = change,
    .merge = merge,
    .judge = judge_all,
};

// Findings.

void target_finding_begin(struct target_finding *finding, const struct target_window *window,
                          uint8_t protocol)
{
    finding->window = window;
    finding->protocol = protocol;
    finding->measure_count = 0;
    target_window_visitors(window, &finding->visitors);
    finding->sources = distinct_sources_estimate(&finding->visitors.sources);
}

void target_finding_add(struct target_finding *finding, const struct alert_measure *measure)
{
    assert(finding->measure_count < ALERT_MEASURES);
    assert(measure->observed >= measure->threshold);
    finding->measures[finding->measure_count++] = *measure;
}

// Who sent a hundredth or more, the heaviest first: of a spoofed flood nobody.
static unsigned name_sources(const struct target_finding *finding, struct heavy_source out[HEAVY_SOURCES])
{
    enum { SHARE = 100 };
    unsigned count = heavy_sources_list(&finding->visitors.heaviest, out);
    uint64_t all = finding->window->sums[0] + finding->window->sums[1];
    while (count > 0 && (uint64_t)out[count - 1].packets * SHARE < all)
        count--;
    return count;
}

// The port that answers came from, as far as samples tell: all of the same one. 0 = of several, or these are no answers.
static uint16_t service_port(const struct target_visitors *visitors)
{
    uint16_t port = visitors->sample_count > 0 ? visitors->samples[0].flow.server.port : 0;
    for (unsigned i = 0; i < visitors->sample_count; i++)
        if (!visitors->samples[i].from_server || visitors->samples[i].flow.server.port != port)
            return 0;
    return port;
}

// What others do at the same time is not allowed with it: all who came must be named.
static bool is_allowed(const struct target_finding *finding, const struct detect_places *places,
                       int64_t now_ns)
{
    const struct endpoint *target = &finding->window->target;
    const struct endpoint many = {0};
    if (places->is_allowed(places->owner, &many, target, now_ns))
        return true;
    struct heavy_source sources[HEAVY_SOURCES];
    unsigned count = name_sources(finding, sources);
    uint16_t port = service_port(&finding->visitors);
    for (unsigned i = 0; i < count; i++) {
        struct endpoint source = {sources[i].address, port};
        if (!places->is_allowed(places->owner, &source, target, now_ns))
            return false;
    }
    return count != 0 && count == finding->sources;
}

// By how far above the threshold: twice, five times, twenty times.
static enum alert_severity severity_of(double times)
{
    return times >= 20 ? ALERT_CRITICAL : times >= 5 ? ALERT_HIGH : times >= 2 ? ALERT_MEDIUM : ALERT_LOW;
}

static void fill_parties(struct alert *alert, const struct target_finding *finding)
{
    struct heavy_source sources[HEAVY_SOURCES];
    _Static_assert((int)ALERT_PARTIES >= (int)HEAVY_SOURCES, "all that are named have room");
    alert->source_count = name_sources(finding, sources);
    for (unsigned i = 0; i < alert->source_count; i++)
        alert->source[i] = (struct alert_party){{sources[i].address, 0}, sources[i].packets};
    alert->sources_total = finding->sources;
    alert->target_count = 1;
    alert->target[0] = (struct alert_party){finding->window->target, finding->window->sums[0]};
    alert->targets_total = 1;
}

static void fill_samples(struct alert *alert, const struct target_visitors *visitors)
{
    _Static_assert((int)ALERT_SAMPLES >= (int)VISITOR_SAMPLES, "all samples have room");
    alert->sample_count = visitors->sample_count;
    for (unsigned i = 0; i < visitors->sample_count; i++)
        alert->sample[i] = visitors->samples[i].flow;
    if (visitors->sample_count == 0)
        return;
    const struct target_sample *first = &visitors->samples[0];
    alert->has_interface = true;
    alert->interface = first->interface;
    if (first->flow.first_seen_ns < alert->first_seen_ns)
        alert->first_seen_ns = first->flow.first_seen_ns;
}

struct alert *target_finding_alert(const struct target_finding *finding,
                                   const struct target_detector *detector, struct judge *judge,
                                   int64_t now_ns)
{
    enum alert_kind kind = detector->detector.row->kind;
    const struct detector_settings *common = target_settings(detector);
    assert(finding->measure_count > 0);
    if (is_allowed(finding, &detector->places, now_ns)) {
        judge_count_allowed(judge, kind);
        return NULL;
    }
    struct finding_key key = {
        .kind = (uint8_t)kind, .protocol = finding->protocol, .target = finding->window->target};
    if (!judge_finds(judge, &key, common->cooldown_secs))
        return NULL;
    struct alert *alert = judge_alert(judge);
    fill_parties(alert, finding);
    fill_samples(alert, &finding->visitors);
    alert->measure_count = finding->measure_count;
    for (unsigned i = 0; i < finding->measure_count; i++)
        alert->measure[i] = finding->measures[i];
    alert->observed = finding->measures[0].observed;
    alert->threshold = finding->measures[0].threshold;
    alert->severity = (uint8_t)severity_of(finding->times);
    alert->window_secs = common->window_secs;
    return alert;
}

char *sources_format(uint64_t sources, char into[SOURCES_TEXT_BYTES])
{
    snprintf(into, SOURCES_TEXT_BYTES, "%s%" PRIu64 " %s", sources > DISTINCT_SOURCES ? "about " : "",
             sources, sources == 1 ? "source" : "sources");
    return into;
}

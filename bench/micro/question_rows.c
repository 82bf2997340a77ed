// Questions: what they cost a shard a flow, one and ten at once, and how long a batch may have to wait for a slice.
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "micro/feed.h"
#include "micro/rows.h"
#include "micro/series.h"
#include "pipeline/question.h"

enum { LIMIT = 100, AT_ONCE = 10, NAME_BYTES = 80 };

static struct flow_selection *prepare(const struct flow_filter *filter)
{
    struct error error;
    struct flow_filters filters = {.allow = filter, .allow_count = 1};
    struct flow_selection *selection = flow_filter_prepare(&filters, &error);
    if (selection == NULL)
        micro_fail("%s", error.text);
    return selection;
}

// TCP from a network to a port: what most people ask.
static struct flow_selection *everyday_filter(void)
{
    static const uint32_t tcp = IP_PROTOCOL_TCP;
    static const struct filter_ports https[] = {{443, 443}, {8000, 8999}};
    struct prefix network;
    if (!prefix_parse("10.0.0.0/9", &network))
        micro_fail("no prefix");
    struct flow_filter filter = {.field[FILTER_PROTOCOL] = {&tcp, 1}};
    filter.end[FILTER_CLIENT].networks = (struct filter_prefixes){&network, 1};
    filter.end[FILTER_SERVER].ports = https;
    filter.end[FILTER_SERVER].port_count = 2;
    return prepare(&filter);
}

// Four thousand addresses, as a name that many servers have.
static struct flow_selection *long_filter(void)
{
    static struct prefix named[FILTER_NAMED_PREFIXES];
    static const struct filter_name name = {"example.com", true};
    for (unsigned i = 0; i < FILTER_NAMED_PREFIXES; i++)
        named[i] =
            (struct prefix){address_v4((const uint8_t[4]){192, (uint8_t)(i >> 6), (uint8_t)(i << 2), 1}), 32};
    return prepare(
        &(struct flow_filter){.names = &name, .name_count = 1, .named = {named, FILTER_NAMED_PREFIXES}});
}

// Needs what lies in the parts of every flow.
static struct flow_selection *rtt_filter(void)
{
    return prepare(&(struct flow_filter){.figure[FILTER_RTT_NS] = {.min = 1, .has_min = true}});
}

// Asks `count` times the same at once; returns how long it took, in ns.
static double ask(struct feed *feed, const struct flow_query *query, unsigned count, double *longest_us)
{
    struct question *questions[AT_ONCE];
    for (unsigned i = 0; i < count; i++) {
        questions[i] = question_create(query, 1, INT64_MAX);
        if (questions[i] == NULL || shard_post(feed->shard, &questions[i]->message) != MAILBOX_POSTED)
            micro_fail("the shard takes no question");
    }
    int64_t begin_ns = micro_thread_now_ns(), before_ns = begin_ns;
    for (bool more = true; more;) {
        more = shard_serve(feed->shard, 0);
        int64_t now_ns = micro_thread_now_ns();
        double slice_us = (double)(now_ns - before_ns) / 1e3;
        *longest_us = slice_us > *longest_us ? slice_us : *longest_us;
        before_ns = now_ns;
    }
    for (unsigned i = 0; i < count; i++) {
        if (questions[i]->page == NULL)
            micro_fail("%s", questions[i]->error.text);
        micro_expect("rows", questions[i]->page->count,
                     query->selection == NULL ? LIMIT : questions[i]->page->count);
        message_release(&questions[i]->message);
    }
    return (double)(before_ns - begin_ns);
}

static void measure(struct feed *feed, const struct micro_options *options, const char *what,
                    struct flow_query query, unsigned count)
{
    struct series series = {0};
    double longest_us = 0;
    char name[NAME_BYTES];
    for (unsigned i = 0; i < options->repetitions; i++)
        series_add(&series, ask(feed, &query, count, &longest_us) / 1e6);
    snprintf(name, sizeof name, "question, %s", what);
    double median_ms = series_print(&series, name, "ms");
    snprintf(name, sizeof name, "question, %s, a flow", what);
    figure_print(name, median_ms * 1e6 / (double)(options->new_flows * count), "ns");
    snprintf(name, sizeof name, "question, %s, longest slice", what);
    figure_print(name, longest_us, "us");
    flow_selection_release(query.selection);
}

void measure_question(const struct micro_options *options)
{
    struct feed *feed = malloc(sizeof *feed);
    if (feed == NULL)
        micro_fail("no memory for a batch");
    feed_init(feed, false);
    for (unsigned step = 0; step < CONVERSATION_HANDSHAKE + CONVERSATION_EXCHANGE; step++)
        feed_round(feed, options->new_flows, step);
    shard_begin_serving(feed->shard);
    struct flow_query all = {.limit = LIMIT};
    measure(feed, options, "all flows", all, 1);
    measure(feed, options, "ten at once", all, AT_ONCE);
    measure(feed, options, "latest first", (struct flow_query){.limit = LIMIT, .order.by = FLOWS_BY_RECENCY},
            1);
    measure(feed, options, "earliest first",
            (struct flow_query){.limit = LIMIT, .order = {FLOWS_BY_FIRST_SEEN, true}}, 1);
    measure(feed, options, "filter", (struct flow_query){.limit = LIMIT, .selection = everyday_filter()}, 1);
    measure(feed, options, "ten with a filter",
            (struct flow_query){.limit = LIMIT, .selection = everyday_filter()}, AT_ONCE);
    measure(feed, options, "4096 addresses", (struct flow_query){.limit = LIMIT, .selection = long_filter()},
            1);
    measure(feed, options, "RTT", (struct flow_query){.limit = LIMIT, .selection = rtt_filter()}, 1);
    measure(feed, options, "ten with RTT", (struct flow_query){.limit = LIMIT, .selection = rtt_filter()},
            AT_ONCE);
    shard_end_serving(feed->shard);
    feed_done(feed);
    free(feed);
}

// top: the flows that come first, looked at again each second. What a flow carried since the look before is its rate now.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_table.h"
#include "base/time.h"
#include "base/units.h"
#include "capture/clock.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/filters.h"
#include "ctl/flow_list.h"
#include "ctl/flow_text.h"
#include "ctl/interrupt.h"
#include "ctl/invocation.h"
#include "ctl/options.h"
#include "ctl/output.h"
#include "ctl/task.h"
#include "netscope/v1/flow_service.pb-c.h"
#include "netscope/v1/stats.pb-c.h"

typedef Netscope__V1__TopFlowsRequest Request;
typedef Netscope__V1__TopFlowsResponse Response;
typedef Netscope__V1__GetStatsResponse Stats;
typedef Netscope__V1__Flow Flow;

enum { HEAD_LINES = 4, FEWEST_ROWS = 5, MOST_ROWS = 1000, PIPED_ROWS = 20 };

// What all sensors counted together; those that may not tell this caller are left out.
struct totals {
    uint64_t lost, flows;
    double bits_per_second, packets_per_second;
    bool known, has_rates;
};

struct top {
    struct task task; // first
    Request request;
    struct fleet *fleet;
    struct output *output;
    int64_t interval_ns;
    uint64_t looks; // to take; 0 = until a signal
    uint64_t rows;  // 0 = as the terminal has
    struct flow_list now, before;
    struct totals total;
    unsigned asked, missing; // sensors
    int64_t as_of_ns;
    struct strbuf complaint; // of the last server that did not answer
};

static bool note_refusal(void *owner, struct server *server, const struct client_end *end)
{
    struct top *top = owner;
    strbuf_clear(&top->complaint);
    complaint_add(&top->complaint, top->fleet, server, end);
    return top->output->terminal; // else it is told as usual
}

// Bits a second since the look before; negative: the flow was not in it.
static double rate_now(const struct top *top, const Flow *flow)
{
    double secs = (double)top->interval_ns / (double)NS_PER_S;
    for (size_t i = 0; i < top->before.count; i++) {
        const Flow *before = top->before.flows[i];
        if (strcmp(before->id, flow->id) == 0 && strcmp(before->node, flow->node) == 0 &&
            flow->bytes_total >= before->bytes_total)
            return (double)(flow->bytes_total - before->bytes_total) * 8 / secs;
    }
    return -1;
}

// The rate over its life gives way to that of now.
static void take_row(struct top *top, Netscope__V1__TopFlow *row)
{
    Flow *flow = row->flow;
    double now = flow != NULL ? rate_now(top, flow) : -1;
    if (flow == NULL || !flow_list_take(&top->now, &row->flow, 1))
        return;
    row->flow = NULL; // it is the list's
    pods_name_flow(&top->fleet->pods, flow);
    if (now < 0 && row->bps_value_case != NETSCOPE__V1__TOP_FLOW__BPS_VALUE_BPS)
        return;
    flow->avg_bps_value_case = NETSCOPE__V1__FLOW__AVG_BPS_VALUE_AVG_BPS;
    flow->avg_bps = now >= 0 ? now : row->bps;
}

static void take_flows(struct top *top, const struct answers *answers)
{
    flow_list_clear(&top->before);
    struct flow_list emptied = top->before;
    top->before = top->now;
    top->now = emptied;
    top->asked = answers->count;
    top->missing = answers->missing;
    for (unsigned i = 0; i < answers->count; i++) {
        Response *response = (Response *)answers->list[i].message;
        if (response == NULL)
            continue;
        for (size_t row = 0; row < response->n_rows; row++)
            take_row(top, response->rows[row]);
        int64_t as_of_ns = time_of(response->as_of);
        top->as_of_ns = as_of_ns > top->as_of_ns ? as_of_ns : top->as_of_ns;
    }
}

static void take_stats(struct top *top, const struct answers *answers)
{
    for (unsigned i = 0; i < answers->count; i++) {
        const Stats *stats = (const Stats *)answers->list[i].message;
        if (stats == NULL || stats->counters == NULL)
            continue;
        top->total.known = true;
        top->total.lost += stats->counters->packets_lost;
        top->total.flows += stats->counters->flows_active;
        if (stats->rates == NULL)
            continue;
        top->total.has_rates = true;
        top->total.bits_per_second += stats->rates->bits_per_second;
        top->total.packets_per_second += stats->rates->packets_per_second;
    }
}

static enum ctl_exit look(struct top *top)
{
    Netscope__V1__GetStatsRequest stats_request;
    netscope__v1__get_stats_request__init(&stats_request);
    struct answers answers;
    struct question question = {.method = "/netscope.v1.FlowService/TopFlows",
                                .request = &top->request.base,
                                .response = &netscope__v1__top_flows_response__descriptor,
                                .refused = note_refusal,
                                .owner = top};
    top->total = (struct totals){.known = false};
    answers_get(&answers, top->fleet, &question);
    enum ctl_exit code = answers.exit_code;
    take_flows(top, &answers);
    answers_done(&answers);
    if (code == CTL_DONE || code == CTL_PARTLY) {
        question.method = "/netscope.v1.StatsService/GetStats";
        question.request = &stats_request.base;
        question.response = &netscope__v1__get_stats_response__descriptor;
        answers_get(&answers, top->fleet, &question);
        take_stats(top, &answers);
        answers_done(&answers);
    }
    return code;
}

static void add_totals(struct strbuf *text, const struct totals *total)
{
    strbuf_add(text, "  ");
    units_add_count(text, total->flows);
    strbuf_add(text, " flows");
    if (total->has_rates) {
        strbuf_add(text, ", ");
        units_add_bit_rate(text, total->bits_per_second);
        strbuf_add(text, ", ");
        units_add_count(text, (uint64_t)total->packets_per_second);
        strbuf_add(text, " packets/s");
    }
    strbuf_add(text, ", ");
    units_add_count(text, total->lost);
    strbuf_add(text, " packets lost");
}

static void add_head(struct top *top)
{
    struct strbuf *text = &top->output->text;
    time_add_rfc3339(text, top->as_of_ns, 0);
    if (top->total.known)
        add_totals(text, &top->total);
    if (fleet_is_several(top->fleet))
        strbuf_addf(text, ", %u of %u sensors", top->asked - top->missing, top->asked);
    strbuf_add_char(text, '\n');
    if (top->missing > 0 && top->output->terminal) {
        output_begin_colour(top->output, COLOUR_RED);
        strbuf_add(text, top->complaint.text);
        output_end_colour(top->output, COLOUR_RED);
    }
    strbuf_add_char(text, '\n');
}

static void add_rows(struct top *top, size_t rows)
{
    struct text_table table;
    struct flow_row how = {.with_node = fleet_is_several(top->fleet), .now_ns = top->as_of_ns};
    table_init(&table, flow_columns);
    for (size_t i = 0; i < top->now.count && i < rows; i++)
        flow_text_add_row(&table, top->now.flows[i], &how);
    output_add_table(top->output, &table);
    table_done(&table);
}

// A screen is drawn over the one before: lines end by clearing their rest, the rest of the screen is cleared.
static void draw(struct top *top, size_t rows)
{
    struct output *output = top->output;
    struct strbuf plain;
    add_head(top);
    add_rows(top, rows);
    if (!output->terminal) {
        output_flush(output);
        return;
    }
    strbuf_init(&plain, 1 << 20);
    strbuf_add_bytes(&plain, output->text.text, output->text.length);
    strbuf_clear(&output->text);
    strbuf_add(&output->text, "\033[H");
    for (const char *line = plain.text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        strbuf_add_bytes(&output->text, line, length);
        strbuf_add(&output->text, "\033[K\n");
        line += length + (line[length] == '\n');
    }
    strbuf_add(&output->text, "\033[J");
    strbuf_done(&plain);
    output_flush(output);
}

static size_t rows_to_show(struct top *top)
{
    size_t lines, columns;
    if (top->output->terminal) {
        terminal_size(&columns, &lines);
        top->output->width = columns;
        if (top->rows == 0)
            return lines > HEAD_LINES + FEWEST_ROWS ? lines - HEAD_LINES : FEWEST_ROWS;
    }
    return top->rows > 0 ? top->rows : PIPED_ROWS;
}

static void wait_until(struct top *top, int64_t due_ns)
{
    enum { MOST_MS = 100 };
    while (!interrupted() && clock_now_ns() < due_ns) {
        int64_t left_ns = due_ns - clock_now_ns();
        client_wait(top->fleet->client, left_ns < MOST_MS * NS_PER_MS ? left_ns : MOST_MS * NS_PER_MS);
    }
}

static enum ctl_exit look_again_and_again(struct top *top)
{
    enum ctl_exit code = CTL_DONE;
    int64_t due_ns = clock_now_ns();
    for (uint64_t looks = 0; !interrupted() && !top->output->failed;) {
        size_t rows = rows_to_show(top);
        fleet_refresh(top->fleet);
        top->request.limit = (uint32_t)(rows < MOST_ROWS ? rows : MOST_ROWS);
        code = look(top);
        // What never answered is an error at once.
        if (looks == 0 && code != CTL_DONE && code != CTL_PARTLY)
            return code;
        if (looks == 0 && top->output->terminal) {
            strbuf_add(&top->output->text, "\033[?1049h\033[?25l");
            output_flush(top->output);
        }
        flow_list_sort(&top->now, (int)top->request.order, false);
        draw(top, rows);
        if (++looks == top->looks)
            break;
        due_ns += top->interval_ns;
        wait_until(top, due_ns);
    }
    return interrupted() ? CTL_DONE : code;
}

static enum ctl_exit run(struct task *task, struct fleet *fleet, struct output *output)
{
    struct top *top = (struct top *)task;
    top->fleet = fleet;
    top->output = output;
    flow_list_init(&top->now);
    flow_list_init(&top->before);
    strbuf_init(&top->complaint, 4096);
    if (!top->output->terminal && top->looks == 0)
        top->looks = 1;
    struct error error;
    if (top->looks != 1 && !fleet_watch(top->fleet, &error))
        complain(error.text);
    enum ctl_exit code = look_again_and_again(top);
    bool drawn = top->output->terminal && top->as_of_ns > 0;
    if (drawn)
        strbuf_add(&top->output->text, "\033[?25h\033[?1049l");
    if (top->complaint.length > 0 && top->output->terminal && code != CTL_DONE) {
        output_flush(top->output);
        complain(top->complaint.text);
    }
    // The last screen stays.
    if (drawn && code == CTL_DONE) {
        add_head(top);
        add_rows(top, rows_to_show(top));
    }
    flow_list_done(&top->now);
    flow_list_done(&top->before);
    strbuf_done(&top->complaint);
    return code;
}

static bool prepare(struct task *task, struct build *build, const struct invocation *given,
                    struct error *error)
{
    struct top *top = (struct top *)task;
    struct flow_filters filters;
    const char *order = given_text(given, "sort");
    top->request.order =
        (Netscope__V1__FlowOrder)word_place(flow_order_words, order != NULL ? order : "rate");
    if (!given_number(given, "limit", MOST_ROWS, 0, &top->rows, error) ||
        !given_number(given, "count", UINT32_MAX, 0, &top->looks, error) ||
        !given_span(given, "interval", NS_PER_S, &top->interval_ns, error) ||
        !flow_filters_build(build, given, &filters, error))
        return false;
    if (top->interval_ns < 100 * NS_PER_MS)
        return error_set(error, ERROR_INVALID_ARGUMENT, "--interval takes 100ms or more");
    FILTERS_PUT(&top->request, &filters);
    return true;
}

enum ctl_exit run_top(const struct invocation *given)
{
    struct top top = {.task = {.prepare = prepare, .run = run}};
    netscope__v1__top_flows_request__init(&top.request);
    return task_run(&top.task, given);
}

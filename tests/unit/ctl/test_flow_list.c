#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/flow_list.h"
#include "netscope/v1/flow_service.pb-c.h"

typedef Netscope__V1__Flow Flow;

static struct flow_list list;

static void add(const char *id, uint64_t bytes, double rtt_ms)
{
    Flow *flow = malloc(sizeof *flow);
    netscope__v1__flow__init(flow);
    flow->id = strdup(id);
    flow->bytes_total = bytes;
    if (rtt_ms >= 0) {
        flow->rtt_ewma_ms_value_case = NETSCOPE__V1__FLOW__RTT_EWMA_MS_VALUE_RTT_EWMA_MS;
        flow->rtt_ewma_ms = rtt_ms;
    }
    cr_assert(flow_list_take(&list, &flow, 1));
}

static void start(void)
{
    flow_list_init(&list);
    add("d", 10, 5);
    add("b", 30, -1);
    add("c", 20, 7);
    add("a", 20, -1);
}

static void stop(void)
{
    flow_list_done(&list);
}

TestSuite(flow_list, .init = start, .fini = stop);

static void expect(const char *ids)
{
    cr_assert_eq(list.count, strlen(ids));
    for (size_t i = 0; i < list.count; i++)
        cr_expect_eq(list.flows[i]->id[0], ids[i], "place %zu is %s, not %c", i, list.flows[i]->id, ids[i]);
}

Test(flow_list, most_first_equal_ones_by_id)
{
    flow_list_sort(&list, NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_UNSPECIFIED, false);
    expect("bacd");
    flow_list_sort(&list, NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_BYTES, true);
    expect("dacb");
}

Test(flow_list, flows_without_the_value_come_last_both_ways)
{
    flow_list_sort(&list, NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_RTT, false);
    expect("cdab");
    flow_list_sort(&list, NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_RTT, true);
    expect("dcab");
}

Test(flow_list, a_limit_cuts_the_end)
{
    flow_list_sort(&list, NETSCOPE__V1__FLOW_ORDER__FLOW_ORDER_BYTES, false);
    flow_list_cut(&list, 0);
    expect("bacd");
    flow_list_cut(&list, 3);
    expect("bac");
}

#include "calling.h"

typedef Netscope__V1__ListFlowsResponse List;

enum { FLOWS_SENT = 25 };
static struct answer answer;

static void begin_with_flows(struct calling *calling)
{
    begin_calling(calling, "sensor: {node_name: here}\n");
    start_run(&calling->running);
    for (uint8_t port = 0; port < FLOWS_SENT; port++)
        for (uint8_t packets = 0; packets <= port; packets++)
            send_flow(calling, 1000, port);
    go_on_until(calling, 1001, has_flows, FLOWS_SENT);
}

static uint64_t bytes_of(const Netscope__V1__Flow *flow)
{
    return flow->bytes_a_to_b + flow->bytes_b_to_a;
}

Test(flow_service, pages_show_each_flow_once_and_in_order, .timeout = 60)
{
    struct calling calling;
    char json[512] = "{\"page_size\": 10, \"order\": \"FLOW_ORDER_BYTES\"}", ids[FLOWS_SENT][40];
    unsigned shown = 0, pages = 0;
    uint64_t last = UINT64_MAX;
    bool more = true;
    begin_with_flows(&calling);
    for (; more; pages++) {
        const List *list = CALL(&calling, List, FLOWS("ListFlows"), json, &answer);
        cr_expect_str_eq(list->node, "here");
        cr_expect_eq(list->total_value_case == NETSCOPE__V1__LIST_FLOWS_RESPONSE__TOTAL_VALUE_TOTAL,
                     pages == 0);
        cr_expect(pages > 0 || list->total == FLOWS_SENT);
        cr_expect_gt(strlen(list->cursor), 32);
        for (size_t i = 0; i < list->n_flows; i++) {
            cr_expect_leq(bytes_of(list->flows[i]), last);
            last = bytes_of(list->flows[i]);
            for (unsigned j = 0; j < shown; j++)
                cr_expect_str_neq(ids[j], list->flows[i]->id);
            strcpy(ids[shown++], list->flows[i]->id);
        }
        more = list->next_page_token[0] != '\0';
        snprintf(json, sizeof json,
                 "{\"page_size\": 9, \"order\": \"FLOW_ORDER_BYTES\", \"page_token\": \"%s\"}",
                 list->next_page_token);
        answer_done(&answer);
    }
    cr_expect_eq(shown, FLOWS_SENT);
    end_calling(&calling);
}

Test(flow_service, a_token_is_of_its_request_and_caller, .timeout = 60)
{
    struct calling calling;
    char json[512], token[200];
    begin_with_flows(&calling);
    const List *list = CALL(&calling, List, FLOWS("ListFlows"), "{\"page_size\": 5}", &answer);
    strcpy(token, list->next_page_token);
    answer_done(&answer);
    snprintf(json, sizeof json, "{\"page_token\": \"%s\", \"reverse\": true}", token);
    call_refused(&calling, FLOWS("ListFlows"), json, STATUS_INVALID_ARGUMENT, "page_token",
                 "another request");
    snprintf(json, sizeof json, "{\"page_token\": \"%s\"}", token);
    calling.caller.identity = "somebody else";
    call_refused(&calling, FLOWS("ListFlows"), json, STATUS_INVALID_ARGUMENT, "page_token",
                 "another request or caller");
    calling.caller.identity = "tester";
    call_refused(&calling, FLOWS("ListFlows"), "{\"page_token\": \"nonsense\"}", STATUS_INVALID_ARGUMENT,
                 "page_token", "no token");
    call_refused(&calling, ALERTS("ListAlerts"), json, STATUS_INVALID_ARGUMENT, "page_token",
                 "another request");
    CALL(&calling, List, FLOWS("ListFlows"), json, &answer);
    answer_done(&answer);
    char *digit = strchr(json, ':') + 3; // of the instance
    *digit = *digit == '0' ? '1' : '0';
    call_refused(&calling, FLOWS("ListFlows"), json, STATUS_ABORTED, NULL, "begin it again");
    call_json(&calling, FLOWS("ListFlows"), json, &answer);
    cr_expect_str_eq(answer.status.reason, "PAGE_TOKEN_EXPIRED");
    end_calling(&calling);
}

static void expect_total(struct calling *calling, const char *json, uint64_t total)
{
    const List *list = CALL(calling, List, FLOWS("ListFlows"), json, &answer);
    cr_expect_eq(list->total, total, "%s: %lu", json, (unsigned long)list->total);
    answer_done(&answer);
}

Test(flow_service, filters_select, .timeout = 60)
{
    struct calling calling;
    begin_with_flows(&calling);
    expect_total(&calling, "{\"allow\": [{\"client\": {\"networks\": [\"10.0.0.0/8\"]}}]}", FLOWS_SENT);
    expect_total(&calling, "{\"allow\": [{\"server\": {\"networks\": [\"10.0.0.0/8\"]}}]}", 0);
    expect_total(&calling,
                 "{\"allow\": [{\"one_end\": {\"networks\": [\"192.0.2.9\"], \"ports\": [{\"min\": 8080}]},"
                 " \"other_end\": {\"ports\": [{\"max\": 1028}]}}]}",
                 5);
    expect_total(&calling, "{\"allow\": [{\"protocols\": [\"tcp\", \"ip-proto-253\"]}]}", 0);
    expect_total(&calling,
                 "{\"allow\": [{\"protocols\": [\"udp\"], \"packets\": {\"min\": 3, \"max\": \"4\"}}]}", 2);
    expect_total(&calling, "{\"deny\": [{\"bytes\": {\"max\": 60}}]}", FLOWS_SENT - 1);
    expect_total(&calling, "{\"allow\": [{\"interfaces\": [\"none.such\"]}]}", 0);
    expect_total(&calling, "{\"allow\": [{\"duration\": {\"max\": \"1s\"}}]}", FLOWS_SENT);
    expect_total(&calling, "{\"allow\": [{\"names\": [{\"domain\": \"example.com\"}]}]}", 0);
    expect_total(
        &calling,
        "{\"allow\": [{\"apps\": [\"dns\"]}, {\"vlans\": [7]}, {\"tcp_states\": [\"TCP_STATE_RESET\"]}]}", 0);
    expect_total(&calling, "{\"allow\": [{\"conn_states\": [\"SF\", \"S0\"]}]}", FLOWS_SENT);
    expect_total(&calling, "{\"allow\": [{\"conn_states\": [\"SHR\"]}]}", 0);
    expect_total(
        &calling,
        "{\"allow\": [{\"sni_statuses\": [\"SNI_STATUS_ABSENT\"]}, {\"tls_versions\": [\"TLS 1.3\"]}]}", 0);
    expect_total(&calling, "{\"allow\": [{\"tunnel_kinds\": [\"TUNNEL_KIND_GRE\"], \"tunnel_ids\": [1]}]}",
                 0);
    end_calling(&calling);
}

Test(flow_service, what_is_wrong_in_a_filter_has_its_field, .timeout = 60)
{
    static const struct {
        const char *filter, *field, *part;
    } cases[] = {
        {"{\"client\": {\"networks\": [\"10.0.0.1\", \"10.0.0.1/8\"]}}", "allow[0].client.networks[1]",
         "no address or network"},
        {"{\"one_end\": {\"ports\": [{\"min\": 2, \"max\": 1}]}}", "allow[0].one_end.ports[0]", "above max"},
        {"{\"server\": {\"ports\": [{\"min\": 70000}]}}", "allow[0].server.ports[0]", "1 to 65535"},
        {"{\"other_end\": {\"ports\": [{\"min\": 0}]}}", "allow[0].other_end.ports[0]", "1 to 65535"},
        {"{\"other_end\": {}}", "allow[0].other_end", "it is empty"},
        {"{\"protocols\": [\"tpc\"]}", "allow[0].protocols[0]", "no protocol"},
        {"{\"apps\": [\"http\"]}", "allow[0].apps[0]", "no app"},
        {"{\"tcp_states\": [1, 0]}", "allow[0].tcp_states[1]", "0 is none"},
        {"{\"conn_states\": [\"SF\", \"sf\"]}", "allow[0].conn_states[1]", "no conn_state"},
        {"{\"sni_statuses\": [0]}", "allow[0].sni_statuses[0]", "0 is none"},
        {"{\"tls_versions\": [\"1.3\"]}", "allow[0].tls_versions[0]", "no version of TLS"},
        {"{\"vlans\": [4096]}", "allow[0].vlans[0]", "4096 is none"},
        {"{\"tunnel_kinds\": [0]}", "allow[0].tunnel_kinds[0]", "0 is none"},
        {"{\"names\": [{}]}", "allow[0].names[0]", "it is empty"},
        {"{\"names\": [{\"exact\": \"*.a.com\"}]}", "allow[0].names[0]", "stands for nothing"},
        {"{\"community_ids\": [\"2:x\"]}", "allow[0].community_id[0]", "no Community ID"},
        {"{\"ids\": [\"x\"]}", "allow[0].ids[0]", "32 digits"},
        {"{\"bytes\": {}}", "allow[0].bytes", "it is empty"},
        {"{\"bytes\": {\"min\": 2, \"max\": 1}}", "allow[0].bytes", "above the largest"},
        {"{\"rtt\": {}}", "allow[0].rtt", "it is empty"},
        {"{\"rtt\": {\"min\": \"-1s\"}}", "allow[0].rtt.min", "a span of 0"},
        {"{\"duration\": {\"max\": \"300000000000s\"}}", "allow[0].duration.max", "a span of 0"},
    };
    struct calling calling;
    begin_with_flows(&calling);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"allow\": [%s]}", cases[i].filter);
        call_refused(&calling, FLOWS("ListFlows"), json, STATUS_INVALID_ARGUMENT, cases[i].field,
                     cases[i].part);
    }
    call_refused(&calling, FLOWS("ListFlows"), "{\"deny\": [{}]}", STATUS_INVALID_ARGUMENT, "deny[0]",
                 "denies every flow");
    call_refused(&calling, FLOWS("TopFlows"),
                 "{\"allow\": [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}", STATUS_INVALID_ARGUMENT,
                 "allow", "17 values are too many");
    call_refused(&calling, FLOWS("TopFlows"), "{\"limit\": 1001}", STATUS_INVALID_ARGUMENT, "limit",
                 "at most 1000");
    end_calling(&calling);
}

Test(flow_service, one_flow_by_its_id, .timeout = 60)
{
    struct calling calling;
    char json[128], id[40];
    begin_with_flows(&calling);
    const List *list = CALL(&calling, List, FLOWS("ListFlows"), "{\"page_size\": 1}", &answer);
    strcpy(id, list->flows[0]->id);
    answer_done(&answer);
    snprintf(json, sizeof json, "{\"id\": \"%s\"}", id);
    typedef Netscope__V1__GetFlowResponse Found;
    const Found *found = CALL(&calling, Found, FLOWS("GetFlow"), json, &answer);
    cr_expect_str_eq(found->flow->id, id);
    cr_expect(found->live);
    cr_expect_eq(found->flow->direction, NETSCOPE__V1__DIRECTION__DIRECTION_OUTBOUND);
    answer_done(&answer);
    snprintf(json, sizeof json, "{\"id\": \"%s\", \"view\": \"FLOW_VIEW_BASIC\"}", id);
    found = CALL(&calling, Found, FLOWS("GetFlow"), json, &answer);
    cr_expect_str_eq(found->flow->id, id);
    cr_expect_str_eq(found->flow->protocol, "udp");
    cr_expect_gt(bytes_of(found->flow), 0);
    cr_expect_eq(found->flow->direction, NETSCOPE__V1__DIRECTION__DIRECTION_UNSPECIFIED, "basic tells less");
    answer_done(&answer);
    call_refused(&calling, FLOWS("GetFlow"), "{\"id\": \"x\"}", STATUS_INVALID_ARGUMENT, "id", "32 digits");
    call_refused(&calling, FLOWS("GetFlow"), "{\"id\": \"00112233445566778899aabbccddeeff\"}",
                 STATUS_NOT_FOUND, NULL, "no flow that is alive");
    end_calling(&calling);
}

Test(flow_service, the_first_of_an_order, .timeout = 60)
{
    struct calling calling;
    begin_with_flows(&calling);
    typedef Netscope__V1__TopFlowsResponse Top;
    const Top *top = CALL(&calling, Top, FLOWS("TopFlows"), "{\"order\": \"FLOW_ORDER_PACKETS\"}", &answer);
    cr_expect_eq(top->n_rows, 10);
    cr_expect_eq(top->matched, FLOWS_SENT);
    cr_expect_eq(top->rows[0]->flow->packets_total, FLOWS_SENT);
    cr_expect_eq(top->rows[0]->bps_value_case, NETSCOPE__V1__TOP_FLOW__BPS_VALUE__NOT_SET, "it took no time");
    answer_done(&answer);
    end_calling(&calling);
}

Test(flow_service, before_and_behind_the_run, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, NULL);
    call_refused(&calling, FLOWS("ListFlows"), "{}", STATUS_FAILED_PRECONDITION, NULL, "");
    call_refused(&calling, FLOWS("TopFlows"), "{}", STATUS_FAILED_PRECONDITION, NULL, "");
    start_run(&calling.running);
    end_input(&calling.running);
    call_refused(&calling, FLOWS("ListFlows"), "{}", STATUS_FAILED_PRECONDITION, NULL, "");
    api_destroy(calling.api);
    done_run(&calling.running);
}

#include "api/flow_message.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "netscope/v1/flow.pb-c.h"
#include "sample_flow.h"

static const Netscope__V1__Flow *fill(struct flow_message *message, const struct flow_event *sample)
{
    return flow_message_fill(message, sample);
}

Test(flow_message, survives_the_wire)
{
    struct flow_message *message = flow_message_create();
    struct flow_event sample;
    sample_flow_full(&sample);
    sample.record.observed = 0;
    const Netscope__V1__Flow *flow = fill(message, &sample);
    uint8_t packed[4096];
    size_t length = netscope__v1__flow__pack(flow, packed);
    Netscope__V1__Flow *again = netscope__v1__flow__unpack(NULL, length, packed);
    cr_assert(again != NULL);
    cr_expect(eq(str, again->endpoint_b->namespace_, "shop"));
    cr_expect(eq(u64, again->bytes_total, 18014398509482985));
    cr_expect(again->tcp_state == NETSCOPE__V1__TCP_STATE__TCP_STATE_FIN_WAIT);
    netscope__v1__flow__free_unpacked(again, NULL);
    flow_message_destroy(message);
}

Test(flow_message, times_before_1970_and_backwards)
{
    struct flow_message *message = flow_message_create();
    struct flow_event sample;
    sample_flow_empty(&sample);
    sample.record.first_seen_ns = -1;
    sample.record.last_seen_ns = -500000001;
    const Netscope__V1__Flow *flow = fill(message, &sample);
    cr_expect(eq(i64, flow->first_seen->seconds, -1));
    cr_expect(eq(i32, flow->first_seen->nanos, 999999999));
    cr_expect(eq(i64, flow->last_seen->seconds, -1));
    cr_expect(eq(i32, flow->last_seen->nanos, 499999999));
    cr_expect(eq(dbl, flow->duration_secs, 0));
    cr_expect(flow->avg_bps_value_case == NETSCOPE__V1__FLOW__AVG_BPS_VALUE__NOT_SET);

    sample.record.first_seen_ns = INT64_MIN;
    sample.record.last_seen_ns = INT64_MAX;
    flow = fill(message, &sample);
    cr_expect(flow->duration_secs > 1.8e10);
    flow_message_destroy(message);
}

Test(flow_message, enums_of_every_value)
{
    struct flow_message *message = flow_message_create();
    struct flow_event sample;
    sample_flow_empty(&sample);
    for (unsigned reason = 0; reason < END_REASONS; reason++) {
        sample.record.reason = (uint8_t)reason;
        cr_expect(eq(uint, fill(message, &sample)->reason, reason + 1));
    }
    for (int client = -1; client <= 1; client++) {
        sample.record.client = (int8_t)client;
        cr_expect(eq(int, (int)fill(message, &sample)->client, client + 1));
    }
    flow_message_destroy(message);
}

Test(flow_message, hostile_names_are_escaped)
{
    struct flow_message *message = flow_message_create();
    struct flow_event sample;
    sample_flow_full(&sample);
    sample.record.observed = 0;
    char name[256] = {0};
    memset(name, 0xff, sizeof name - 1);
    sample.text[FLOW_TEXT_SNI] = name;
    const Netscope__V1__Flow *flow = fill(message, &sample);
    cr_expect(eq(sz, strlen(flow->sni), 4 * 255));
    cr_expect(strncmp(flow->sni, "\\xff\\xff", 8) == 0);
    flow_message_destroy(message);
}

Test(flow_message, what_was_not_counted_is_unknown)
{
    struct flow_message *message = flow_message_create();
    struct flow_event sample;
    sample_flow_full(&sample);
    const Netscope__V1__Flow *flow = fill(message, &sample);
    cr_expect(flow->retransmissions_value_case != 0 && flow->out_of_order_value_case != 0);
    sample.record.no_retransmissions = true;
    flow = fill(message, &sample);
    cr_expect(flow->retransmissions_value_case == 0 && flow->out_of_order_value_case != 0);
    sample.record.no_retransmissions = false;
    sample.record.no_out_of_order = true;
    flow = fill(message, &sample);
    cr_expect(flow->retransmissions_value_case != 0 && flow->out_of_order_value_case == 0);
    flow_message_destroy(message);
}

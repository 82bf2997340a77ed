#include "api/json.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/flow_message.h"
#include "base/strbuf.h"
#include "netscope/v1/flow.pb-c.h"
#include "sample_flow.h"

static struct message_plan *plan;
static struct flow_message *message;
static struct strbuf text;

static void setup(void)
{
    plan = message_plan_create(flow_message_descriptor());
    message = flow_message_create();
    strbuf_init(&text, 1 << 20);
}

static void teardown(void)
{
    message_plan_destroy(plan);
    flow_message_destroy(message);
    strbuf_done(&text);
}

TestSuite(json, .init = setup, .fini = teardown);

static void render(const struct flow_event *flow)
{
    json_add(&text, plan, flow_message_fill(message, flow));
}

static const char full[] =
    "{\"protocol\":\"tcp\","
    "\"endpoint_a\":{\"ip\":\"10.0.0.1\",\"port\":40000,\"name\":\"client\",\"namespace\":\"default\","
    "\"name_source\":\"file\"},"
    "\"endpoint_b\":{\"ip\":\"2001:db8::1\",\"port\":443,\"name\":\"server\",\"namespace\":\"shop\","
    "\"name_source\":\"dns\"},"
    "\"first_seen\":1714564800.123456789,\"first_seen_time\":\"2024-05-01T12:00:00.123456789Z\","
    "\"last_seen\":1714564802.623456789,\"last_seen_time\":\"2024-05-01T12:00:02.623456789Z\","
    "\"duration_secs\":2.5,\"packets_a_to_b\":10,\"packets_b_to_a\":20,\"bytes_a_to_b\":1000,"
    "\"bytes_b_to_a\":18014398509481985,\"packets_total\":30,\"bytes_total\":18014398509482985,"
    "\"avg_bps\":5.764607523034555e+16,\"tcp_state\":\"fin_wait\",\"client\":\"a_to_b\",\"client_from\":"
    "\"syn_ack\","
    "\"direction\":\"outbound\",\"retransmissions\":3,\"out_of_order\":7,\"rtt_last_ms\":1.234567,"
    "\"rtt_min_ms\":1,\"rtt_ewma_ms\":1.100001,\"rtt_samples\":5,\"handshake_rtt_ms\":2.5,\"reason\":\"end\","
    "\"record_seq\":2,\"final\":true,\"node\":\"node-1\",\"interface\":\"eth0\",\"observed_at\":[\"veth1\","
    "\"cni0\"],"
    "\"community_id\":\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\",\"conn_state\":\"S2\",\"history\":\"^hADFa\","
    "\"vlan\":42,"
    "\"tunnel\":{\"kind\":\"vxlan\",\"id\":77,\"source_ip\":\"192.0.2.1\",\"target_ip\":\"192.0.2.2\",\"peer_"
    "id\":null},"
    "\"app\":\"dns\",\"sni\":\"example.com\",\"sni_status\":\"complete\",\"alpn\":\"h2,http/1.1\","
    "\"ja3\":\"4505c7da2406849a847f2066c46b58e5\",\"ja4\":\"t10d0203h2_f54dd463d39b_33a13ba74d1c\","
    "\"dns_query\":\"www.example.com\",\"dns_rcode\":\"NXDOMAIN\",\"tcp_flags_a\":27,\"tcp_flags_b\":18,"
    "\"zero_windows\":11,\"duplicate_acks\":15,\"bytes_missed\":19,\"id\":"
    "\"2fd1db959a14e2191503b5d293f5bf9f\","
    "\"payload_bytes_a_to_b\":500,\"payload_bytes_b_to_a\":600,\"duplicate_frames\":23,"
    "\"retransmissions_a_to_b\":1,\"retransmissions_b_to_a\":2,\"out_of_order_a_to_b\":3,"
    "\"out_of_order_b_to_a\":4,\"zero_windows_a_to_b\":5,\"zero_windows_b_to_a\":6,"
    "\"duplicate_acks_a_to_b\":7,\"duplicate_acks_b_to_a\":8,\"bytes_missed_a_to_b\":9,"
    "\"bytes_missed_b_to_a\":10,\"duplicate_frames_a_to_b\":11,\"duplicate_frames_b_to_a\":12,"
    "\"rtt_client_last_ms\":0.2,\"rtt_client_min_ms\":0.1,\"rtt_client_ewma_ms\":0.15,"
    "\"rtt_client_samples\":3,\"rtt_server_last_ms\":1.234567,\"rtt_server_min_ms\":1,"
    "\"rtt_server_ewma_ms\":1.100001,\"rtt_server_samples\":5,\"ech_offered\":true,"
    "\"tls_version\":\"TLS 1.3\"}";

static const char empty[] =
    "{\"protocol\":\"ip-proto-253\","
    "\"endpoint_a\":{\"ip\":\"10.0.0.1\",\"port\":0,\"name\":null,\"namespace\":null,\"name_source\":null},"
    "\"endpoint_b\":{\"ip\":\"10.0.0.2\",\"port\":0,\"name\":null,\"namespace\":null,\"name_source\":null},"
    "\"first_seen\":1714564800.000000000,\"first_seen_time\":\"2024-05-01T12:00:00.000000000Z\","
    "\"last_seen\":1714564800.000000000,\"last_seen_time\":\"2024-05-01T12:00:00.000000000Z\","
    "\"duration_secs\":0,\"packets_a_to_b\":1,\"packets_b_to_a\":0,\"bytes_a_to_b\":60,\"bytes_b_to_a\":0,"
    "\"packets_total\":1,\"bytes_total\":60,\"avg_bps\":null,\"tcp_state\":null,\"client\":null,"
    "\"client_from\":null,\"direction\":null,\"retransmissions\":0,\"out_of_order\":0,\"rtt_last_ms\":null,"
    "\"rtt_min_ms\":null,\"rtt_ewma_ms\":null,\"rtt_samples\":0,\"handshake_rtt_ms\":null,\"reason\":"
    "\"timeout\","
    "\"record_seq\":0,\"final\":true,\"node\":\"node-1\",\"interface\":\"eth0\",\"observed_at\":[],"
    "\"community_id\":null,\"conn_state\":null,\"history\":null,\"vlan\":null,\"tunnel\":null,\"app\":null,"
    "\"sni\":null,\"sni_status\":null,"
    "\"alpn\":null,\"ja3\":null,\"ja4\":null,\"dns_query\":null,\"dns_rcode\":null,\"tcp_flags_a\":0,"
    "\"tcp_flags_b\":0,\"zero_windows\":0,\"duplicate_acks\":0,\"bytes_missed\":0,"
    "\"id\":\"2e989afa11a38908a135c993b4323d8f\","
    "\"payload_bytes_a_to_b\":null,\"payload_bytes_b_to_a\":null,\"duplicate_frames\":0,"
    "\"retransmissions_a_to_b\":0,\"retransmissions_b_to_a\":0,\"out_of_order_a_to_b\":0,"
    "\"out_of_order_b_to_a\":0,\"zero_windows_a_to_b\":0,\"zero_windows_b_to_a\":0,"
    "\"duplicate_acks_a_to_b\":0,\"duplicate_acks_b_to_a\":0,\"bytes_missed_a_to_b\":0,"
    "\"bytes_missed_b_to_a\":0,\"duplicate_frames_a_to_b\":0,\"duplicate_frames_b_to_a\":0,"
    "\"rtt_client_last_ms\":null,\"rtt_client_min_ms\":null,\"rtt_client_ewma_ms\":null,"
    "\"rtt_client_samples\":0,\"rtt_server_last_ms\":null,\"rtt_server_min_ms\":null,"
    "\"rtt_server_ewma_ms\":null,\"rtt_server_samples\":0,\"ech_offered\":false,"
    "\"tls_version\":null}";

Test(json, full_flow)
{
    struct flow_event sample;
    sample_flow_full(&sample);
    render(&sample);
    cr_assert(eq(str, text.text, (char *)full));
}

Test(json, empty_flow)
{
    struct flow_event sample;
    sample_flow_empty(&sample);
    render(&sample);
    cr_assert(eq(str, text.text, (char *)empty));
}

Test(json, scratch_is_forgotten_between_flows)
{
    struct flow_event sample;
    sample_flow_full(&sample);
    render(&sample);
    strbuf_clear(&text);
    sample_flow_empty(&sample);
    render(&sample);
    cr_assert(eq(str, text.text, (char *)empty));
}

Test(json, invalid_utf8_is_escaped)
{
    struct flow_event sample;
    sample_flow_full(&sample);
    sample.text[FLOW_TEXT_SNI] = "evil\xff\"\n\\.com";
    render(&sample);
    cr_assert(strstr(text.text, "\"sni\":\"evil\\\\xff\\\"\\\\x0a\\\\.com\"") != NULL, "%s", text.text);
}

Test(json, strings_are_safe_whatever_the_bytes)
{
    json_add_string(&text, "a\"\\\x01\x7f\xc3\xbc\xff\0z", 10);
    cr_assert(eq(str, text.text, "\"a\\\"\\\\\\u0001\\u007f\xc3\xbc\\ufffd\\u0000z\""));
}

Test(json, indented)
{
    Netscope__V1__Tunnel tunnel = NETSCOPE__V1__TUNNEL__INIT;
    struct message_plan *tunnel_plan = message_plan_create(&netscope__v1__tunnel__descriptor);
    tunnel.kind = NETSCOPE__V1__TUNNEL_KIND__TUNNEL_KIND_GTP_U;
    json_add_indented(&text, tunnel_plan, &tunnel);
    cr_assert(eq(str, text.text,
                 "{\n  \"kind\": \"gtp_u\",\n  \"id\": 0,\n  \"source_ip\": \"\",\n  \"target_ip\": \"\",\n  "
                 "\"peer_id\": "
                 "null\n}"));
    message_plan_destroy(tunnel_plan);
}

Test(json, no_number_is_null_and_unknown_enum_is_its_number)
{
    Netscope__V1__Flow flow = NETSCOPE__V1__FLOW__INIT;
    flow.duration_secs = NAN;
    flow.avg_bps_value_case = NETSCOPE__V1__FLOW__AVG_BPS_VALUE_AVG_BPS;
    flow.avg_bps = INFINITY;
    flow.reason = (Netscope__V1__EndReason)99;
    json_add(&text, plan, &flow);
    cr_assert(strstr(text.text, "\"duration_secs\":null") != NULL);
    cr_assert(strstr(text.text, "\"avg_bps\":null") != NULL);
    cr_assert(strstr(text.text, "\"reason\":\"99\"") != NULL);
    cr_assert(strstr(text.text, "\"first_seen\":null,\"first_seen_time\":null") != NULL);
}

Test(json, as_protojson_leaves_out_what_is_absent_and_spells_out_enums)
{
    struct flow_event flow;
    sample_flow_full(&flow);
    json_add_proto(&text, plan, flow_message_fill(message, &flow));
    static const char *const has[] = {
        "\"name_source\":\"NAME_SOURCE_FILE\"",
        "\"first_seen\":\"2024-05-01T12:00:00.123456789Z\"",
        "\"bytes_b_to_a\":\"18014398509481985\"", // 64 bit past 2^53 - 1
        "\"bytes_a_to_b\":1000,",
        "\"tcp_state\":\"TCP_STATE_FIN_WAIT\"",
    };
    static const char *const has_not[] = {"null", "first_seen_time", "[]", ":\"fin_wait\"", ",,", "{,"};
    for (size_t i = 0; i < sizeof has / sizeof has[0]; i++)
        cr_expect(strstr(text.text, has[i]) != NULL, "%s: %s", has[i], text.text);
    for (size_t i = 0; i < sizeof has_not / sizeof has_not[0]; i++)
        cr_expect(strstr(text.text, has_not[i]) == NULL, "%s: %s", has_not[i], text.text);
}

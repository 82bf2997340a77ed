#include "api/alert_message.h"

#include <criterion/criterion.h>

#include "api/json.h"
#include "base/strbuf.h"
#include "netscope/v1/alert.pb-c.h"
#include "sample_alert.h"

static struct message_plan *plan;
static struct alert_message *message;
static struct strbuf text;

static void setup(void)
{
    plan = message_plan_create(alert_message_descriptor());
    message = alert_message_create();
    strbuf_init(&text, 1 << 20);
}

static void teardown(void)
{
    message_plan_destroy(plan);
    alert_message_destroy(message);
    strbuf_done(&text);
}

TestSuite(alert_message, .init = setup, .fini = teardown);

static void expect_json(const struct alert_event *event, const char *expected)
{
    strbuf_clear(&text);
    json_add(&text, plan, alert_message_fill(message, event));
    cr_expect_str_eq(text.text, expected);
}

static const char full[] =
    "{\"id\":\"0123456789abcdef0123456789abcdef\",\"kind\":\"host_sweep\",\"severity\":\"high\","
    "\"technique\":\"T1018\",\"ts\":1714564805.000000000,\"ts_time\":\"2024-05-01T12:00:05.000000000Z\","
    "\"first_seen\":1714564800.123456789,\"first_seen_time\":\"2024-05-01T12:00:00.123456789Z\","
    "\"last_seen\":1714564804.999999999,\"last_seen_time\":\"2024-05-01T12:00:04.999999999Z\","
    "\"node\":\"node-1\",\"interface\":\"eth0\",\"protocol\":\"tcp\","
    "\"sources\":[{\"ip\":\"10.0.0.9\",\"port\":null,\"name\":\"worker\\\\x1b\",\"namespace\":\"jobs\","
    "\"name_source\":\"file\",\"packets\":31}],"
    "\"targets\":[{\"ip\":\"192.0.2.1\",\"port\":22,\"name\":\"ssh.example\",\"namespace\":null,"
    "\"name_source\":\"dns\",\"packets\":null},"
    "{\"ip\":\"192.0.2.2\",\"port\":22,\"name\":null,\"namespace\":null,\"name_source\":null,"
    "\"packets\":null}],"
    "\"sources_total\":1,\"targets_total\":30,\"observed\":30,\"threshold\":25,\"window_secs\":60,"
    "\"sample_flows\":[{\"protocol\":\"tcp\","
    "\"client\":{\"ip\":\"10.0.0.9\",\"port\":40000,\"name\":null,\"namespace\":null,\"name_source\":null},"
    "\"server\":{\"ip\":\"192.0.2.1\",\"port\":22,\"name\":null,\"namespace\":null,\"name_source\":null},"
    "\"first_seen\":1714564800.123456789,\"first_seen_time\":\"2024-05-01T12:00:00.123456789Z\","
    "\"community_id\":\"1:jfTXwbdMPLIc3y4cmgSaFF7XE2E=\",\"tunnel_kind\":\"vxlan\",\"tunnel_id\":7}],"
    "\"fingerprint\":\"fedcba9876543210fedcba9876543210\",\"suppressed_count\":59,"
    "\"lifecycle\":\"updated\",\"loss_ratio\":0.125,\"confidence\":0.875,"
    "\"description\":\"10.0.0.9 swept 30 hosts on tcp port 22\",\"revision\":2,"
    "\"measures\":[{\"what\":\"hosts whose first contacts failed\",\"observed\":30,\"threshold\":25,"
    "\"setting\":\"analysis.anomalies.host_sweep.unique_hosts_threshold\",\"group\":0},"
    "{\"what\":\"of its first contacts "
    "failed\",\"observed\":0.75,\"threshold\":0.5,\"setting\":null,\"group\":1}],"
    "\"silenced_by\":\"10.0.0.9 port=22\"}";

static const char empty[] =
    "{\"id\":\"0\",\"kind\":\"overflow\",\"severity\":\"low\",\"technique\":null,"
    "\"ts\":0.000000000,\"ts_time\":\"1970-01-01T00:00:00.000000000Z\","
    "\"first_seen\":0.000000000,\"first_seen_time\":\"1970-01-01T00:00:00.000000000Z\","
    "\"last_seen\":0.000000000,\"last_seen_time\":\"1970-01-01T00:00:00.000000000Z\","
    "\"node\":\"\",\"interface\":null,\"protocol\":null,\"sources\":[],\"targets\":[],\"sources_total\":0,"
    "\"targets_total\":0,\"observed\":0,\"threshold\":0,\"window_secs\":null,\"sample_flows\":[],"
    "\"fingerprint\":\"0\",\"suppressed_count\":0,\"lifecycle\":\"started\",\"loss_ratio\":0,"
    "\"confidence\":0,\"description\":\"\",\"revision\":1,\"measures\":[],\"silenced_by\":null}";

Test(alert_message, an_alert_with_every_field)
{
    struct alert_event event;
    sample_alert_full(&event);
    expect_json(&event, full);
}

Test(alert_message, an_alert_with_nothing_known_even_after_a_full_one)
{
    struct alert_event event;
    sample_alert_full(&event);
    alert_message_fill(message, &event);
    sample_alert_empty(&event);
    expect_json(&event, empty);
}

Test(alert_message, survives_the_wire)
{
    struct alert_event event;
    sample_alert_full(&event);
    uint8_t packed[4096];
    size_t length = netscope__v1__alert__pack(alert_message_fill(message, &event), packed);
    Netscope__V1__Alert *again = netscope__v1__alert__unpack(NULL, length, packed);
    cr_assert_not_null(again);
    cr_expect_str_eq(again->targets[1]->ip, "192.0.2.2");
    cr_expect_eq(again->severity, NETSCOPE__V1__SEVERITY__SEVERITY_HIGH);
    cr_expect_eq(again->targets_total, 30);
    netscope__v1__alert__free_unpacked(again, NULL);
}

// The text of the table and not what the code makes of it.
Test(alert_message, every_kind_has_its_name_and_technique)
{
    static const char *const expected[ALERT_KINDS][2] = {{"syn_flood", "T1498.001"},
                                                         {"port_scan", "T1046"},
                                                         {"host_sweep", "T1018"},
                                                         {"reflection", "T1498.002"},
                                                         {"udp_flood", "T1498.001"},
                                                         {"icmp_flood", "T1498.001"},
                                                         {"overflow", ""}};
    struct alert_event event;
    sample_alert_empty(&event);
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++) {
        event.alert.kind = (uint8_t)kind;
        const Netscope__V1__Alert *alert = alert_message_fill(message, &event);
        cr_expect_str_eq(alert->kind, expected[kind][0]);
        bool known = alert->technique_value_case == NETSCOPE__V1__ALERT__TECHNIQUE_VALUE_TECHNIQUE;
        cr_expect_str_eq(known ? alert->technique : "", expected[kind][1]);
    }
}

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "app/report_text.h"
#include "base/strbuf.h"
#include "base/text_table.h"
#include "base/time.h"
#include "net/protocol.h"
#include "report/report.h"

static struct report *report;
static struct totals totals;
static struct strbuf text;

static void start(void)
{
    report = report_create(10);
    memset(&totals, 0, sizeof totals);
    strbuf_init(&text, 1 << 20);
}

static void stop(void)
{
    report_destroy(report);
    strbuf_done(&text);
}

TestSuite(report_text, .init = start, .fini = stop);

// A TCP flow of a browser: 10.0.0.1:<port> -> 93.184.216.34:443. The smaller endpoint is A.
static void give_flow(uint16_t port, uint64_t bytes, uint64_t retransmissions, const char *server_name)
{
    struct flow_record record = {
        .endpoint = {{address_v4((const uint8_t[]){10, 0, 0, 1}), port},
                     {address_v4((const uint8_t[]){93, 184, 216, 34}), 443}},
        .first_seen_ns = 1714564800 * NS_PER_S,
        .last_seen_ns = 1714564812 * NS_PER_S,
        .end_ns = 1714564812 * NS_PER_S + port,
        .packets = {40, 60},
        .bytes = {bytes / 10, bytes - bytes / 10},
        .retransmissions = {0, retransmissions},
        .rtt_far.ewma_ns = 23 * NS_PER_MS,
        .rtt_far.samples = 5,
        .handshake_rtt_ns = 25 * NS_PER_MS,
        .has_quality = true,
        .final = true,
        .protocol = IP_PROTOCOL_TCP,
        .tcp_state = TCP_STATE_CLOSED,
        .client_from = CLIENT_SYN,
        .tcp_flags = {TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK},
        .facts = {.app = FLOW_APP_TLS, .tls_version = 0x0304, .dns_rcode = -1},
    };
    struct flow_event event = {
        .record = record,
        .text = {[EVENT_TEXT_NODE] = "node",
                 [EVENT_TEXT_INTERFACE] = "eth0",
                 [EVENT_TEXT_NAME + 1] = server_name,
                 [FLOW_TEXT_SNI] = server_name},
        .community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
    };
    report_sink(report)->ops->run(report_sink(report), &event, 1);
}

static void give_answer(const char *name, int16_t rcode, int64_t latency_ns)
{
    struct dns_transaction transaction = {
        .time_ns = 1714564801 * NS_PER_S,
        .latency_ns = latency_ns,
        .client = address_v4((const uint8_t[]){10, 0, 0, 1}),
        .server = address_v4((const uint8_t[]){8, 8, 8, 8}),
        .type = 1,
        .rcode = rcode,
    };
    snprintf(transaction.name.text, sizeof transaction.name.text, "%s", name);
    report_sink(report)->ops->dns(report_sink(report), &transaction);
}

static void give_totals(void)
{
    totals.received = totals.analysed = 12345;
    totals.received_bytes = totals.analysed_bytes = 8100000;
    totals.protocol_packets[IP_PROTOCOL_TCP] = 12345;
    totals.protocol_bytes[IP_PROTOCOL_TCP] = 8100000;
    totals.first_packet_ns = 1714564800 * NS_PER_S + 123 * NS_PER_MS;
    totals.last_packet_ns = 1714564992 * NS_PER_S;
    totals.link_type_packets[1] = 12345;
    totals.dns_messages = 8;
}

static const char *print_with(const struct report_context *context)
{
    struct error error;
    cr_assert(report_sink(report)->ops->finish(report_sink(report), &totals, &error));
    const struct report_summary *summary = report_finish_summary(report, context);
    cr_assert_not_null(summary);
    report_text_add(&text, summary);
    cr_assert(!text.failed);
    return text.text;
}

static const char *print(void)
{
    static const char *const inputs[] = {"browsing.pcap"};
    return print_with(&(struct report_context){.inputs = inputs, .input_count = 1, .version = "0.1.0"});
}

static void expect(const char *printed, const char *part)
{
    cr_expect(strstr(printed, part) != NULL, "\"%s\" is not in\n%s", part, printed);
}

static void expect_not(const char *printed, const char *part)
{
    cr_expect(strstr(printed, part) == NULL, "\"%s\" is in\n%s", part, printed);
}

Test(report_text, begins_with_what_was_read)
{
    give_totals();
    const char *printed = print();
    expect(printed, "NetScope 0.1.0 report of browsing.pcap\n");
    expect(printed, "12,345 packets, 8.10 MB in 3 min 12 s: 338 kbit/s, 64 packets/s; link type EN10MB\n");
    expect(printed, "2024-05-01 12:00:00.123 to 12:03:12.000 UTC\n");
    expect(printed, "12,345 received = 12,345 analysed + 0 duplicate + 0 lost\n");
    expect(printed, "Nothing stands out");
}

Test(report_text, an_empty_capture_has_no_sections)
{
    const char *printed = print();
    expect(printed, "0 packets, 0 B\n");
    expect_not(printed, "Protocol");
    expect_not(printed, "TCP");
    expect_not(printed, "DNS");
    expect_not(printed, "Nothing stands out");
}

Test(report_text, a_lossy_flow_comes_with_its_filter_and_community_id)
{
    give_totals();
    give_flow(50000, 100000, 12, "www.example.com");
    give_flow(50001, 900000, 0, "cdn.example.net");
    const char *printed = print();
    expect(printed, "* 1 of 2 TCP flows retransmitted more than 1 % of their packets (worst 12.0 %).");
    expect(printed, "10.0.0.1:50000 -> www.example.com:443");
    expect(printed, "12/100 12.0 %");
    expect(printed, "25.0 ms");
    expect(printed, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    expect(printed,
           "\n    ip.addr==10.0.0.1 && tcp.port==50000 && ip.addr==93.184.216.34 && tcp.port==443\n");
    expect(printed, "cdn.example.net, www.example.com\n"); // TLS names
}

Test(report_text, worst_flows_say_how_many_of_the_lossy_they_are)
{
    give_totals();
    for (uint16_t i = 0; i < 4; i++)
        give_flow((uint16_t)(50000 + i), 1000, 10u + i, "www.example.com");
    const char *printed = print();
    expect(printed, "\nWorst TCP flow (3 of 4 lossy)"); // the worst two and the slowest
    const char *worst = strstr(printed, "13/100 13.0 %"), *second = strstr(printed, "12/100 12.0 %");
    cr_expect(worst != NULL && second != NULL && worst < second, "%s", printed);
    expect_not(printed, "11/100");
}

Test(report_text, dns_tells_failures_and_slow_answers)
{
    give_totals();
    give_answer("nowhere.example", 3, 12 * NS_PER_MS);
    give_answer("nowhere.example", 3, 12 * NS_PER_MS);
    give_answer("slow.example", 0, 1500 * NS_PER_MS);
    const char *printed = print();
    expect(printed, "* 2 of 3 DNS answers are failures: 2 NXDOMAIN.");
    expect(printed, "  failed      NXDOMAIN A nowhere.example x2\n");
    expect(printed, "  slowest     1.50 s A slow.example, 12.0 ms A nowhere.example");
}

Test(report_text, names_of_the_wire_cannot_steer_the_terminal)
{
    give_totals();
    give_flow(50000, 1000, 0, "evil\x1b[2J\xff.example");
    give_answer("bad\x07\r\nname", 3, -1);
    const char *printed = print();
    for (const char *at = printed; *at != '\0'; at++)
        cr_assert(*at == '\n' || (unsigned char)*at >= 0x20, "control character %d", *at);
    cr_expect_null(strchr(printed, '\xff'));
    expect(printed, "evil\\x1b[2J\\xff.example");
}

Test(report_text, lines_stay_within_the_width_whatever_the_names)
{
    char name[200];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    give_totals();
    for (uint16_t i = 0; i < 20; i++) {
        name[0] = (char)('a' + i);
        give_flow((uint16_t)(50000 + i), 1000u * i, i, name);
        give_answer(name, 3, i * NS_PER_MS);
    }
    const char *printed = print_with(&(struct report_context){
        .truncated =
            "browsing.pcap ends in the middle of packet 12346; the report covers what is before, and this "
            "sentence is long enough to need a second line"});
    unsigned lines = 0;
    for (const char *line = printed; *line != '\0'; lines++) {
        size_t length = strcspn(line, "\n");
        bool filter = strncmp(line, "    ip", 6) == 0;
        cr_expect(filter || text_width(line, length) <= TEXT_WIDTH, "too wide: %.*s", (int)length, line);
        line += length + 1;
    }
    cr_expect_lt(lines, 60);
    expect(printed, "! browsing.pcap ends in the middle");
    expect(printed, "…");
}

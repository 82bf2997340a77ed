#include <fcntl.h>

#include "api/limits.h"
#include "base/log.h"
#include "capture/file/file_source.h"
#include "capture/own_connections.h"
#include "capturing.h"

enum { FLOWS_SENT = 30 };

static uint32_t begin_quietly(struct calling *calling)
{
    begin_calling(calling, "sensor: {node_name: here}\n");
    start_run(&calling->running);
    return 1000;
}

// Flows of UDP and a scan of TCP.
static uint32_t send_traffic(struct calling *calling, uint32_t second)
{
    uint64_t before = received_so_far(calling);
    for (uint8_t port = 0; port < FLOWS_SENT; port++)
        send_flow(calling, second, port);
    send_scan(calling, second, 9);
    return let_pass(calling, second + 1, before, FLOWS_SENT + SCANNED_PORTS);
}

// The log from here on.
static int catch_log(void)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    dup2(fileno(file), STDERR_FILENO);
    return fileno(file);
}

static void expect_logged(int log, const char *part)
{
    char text[4096];
    ssize_t length = pread(log, text, sizeof text - 1, 0);
    cr_assert(length >= 0);
    text[length] = '\0';
    cr_expect_not_null(strstr(text, part), "no \"%s\" in: %s", part, text);
}

// Our own reader finds the packets in the file that was sent.
static void expect_read(const struct capturing *capturing, unsigned packets)
{
    char path[] = "/tmp/netscope-pcap-stream-XXXXXX", *paths[] = {path};
    struct string_list list = {.items = paths, .count = 1};
    struct frame frames[16];
    struct error error;
    unsigned count, frames_read = 0;
    int file = mkstemp(path);
    cr_assert_eq(write(file, capturing->file, capturing->length), (ssize_t)capturing->length);
    close(file);
    struct chunk_pool *pool = chunk_pool_create(16, CHUNK_BYTES);
    struct source *source = file_source_create(&list, "", pool, &error);
    cr_assert_not_null(source, "%s", error.text);
    for (enum source_result result; (result = source_poll(source, 1000, frames, 16, &count)) != SOURCE_END;)
        for (unsigned i = 0; result == SOURCE_FRAMES && i < count; i++, frames_read++)
            cr_expect(frames[i].captured == 60 && frames[i].time_ns >= 1000 * NS_PER_S);
    cr_expect_eq(source_verdict(source, &error), ERROR_NONE, "%s", error.text);
    cr_expect_eq(frames_read, packets);
    source_destroy(source);
    chunk_pool_destroy(pool);
    unlink(path);
}

Test(pcap_stream, every_prefix_is_a_file, .timeout = 60)
{
    struct calling calling;
    struct capturing capturing;
    uint32_t second = begin_quietly(&calling);
    int log = catch_log();
    begin_capture(&capturing, &calling, "{\"filter\": \"udp\"}");
    cr_expect_eq(capturing.start.snaplen, 262144);
    cr_expect_eq(capturing.start.max_packets, 10000000);
    cr_expect_eq(capturing.start.max_bytes, 1 << 30);
    cr_expect_eq(capturing.max_seconds, 3600);
    second = send_traffic(&calling, second);
    cr_expect_eq(step_capture(&capturing, true), STREAM_WAITS);
    cr_expect_eq(capturing.packets, FLOWS_SENT, "UDP alone");
    cr_expect_eq(capturing.last_ns, 1000 * NS_PER_S);
    cr_expect_not_null(strstr(calling.running.fifo, capturing.interface));
    cr_expect_leq(stream_due_ns(capturing.stream), capturing.now_ns + 10 * NS_PER_MS);
    send_traffic(&calling, second);
    end_input(&calling.running);
    cr_expect_eq(step_capture(&capturing, true), STREAM_OVER);
    cr_expect_eq(capturing.status.code, STATUS_OK);
    cr_expect_eq(capturing.end.reason, NETSCOPE__V1__PCAP_END_REASON__PCAP_END_REASON_RUN_OVER);
    cr_expect_eq(capturing.end.packets, 2 * FLOWS_SENT);
    cr_expect_eq(capturing.end.bytes, capturing.length);
    cr_expect_eq(capturing.end.dropped, 0);
    cr_expect_eq(capturing.packets, 2 * FLOWS_SENT);
    cr_expect_eq(capturing.interfaces, 1);
    expect_read(&capturing, 2 * FLOWS_SENT);
    close_capture(&capturing);
    expect_logged(log, "StreamPcap of tester is over (the run is over): 60 packets, ");
    expect_logged(log, "0 dropped; filter \"udp\"");
    api_destroy(calling.api);
    done_run(&calling.running);
}

Test(pcap_stream, ends_where_it_was_bounded, .timeout = 60)
{
    static const struct {
        const char *json;
        Netscope__V1__PcapEndReason reason;
        unsigned packets;
        uint32_t captured;
    } cases[] = {
        {"{\"max_packets\": 7, \"snaplen\": 20}", NETSCOPE__V1__PCAP_END_REASON__PCAP_END_REASON_MAX_PACKETS,
         7, 20},
        {"{\"filter\": \"tcp\", \"max_bytes\": 1000}",
         NETSCOPE__V1__PCAP_END_REASON__PCAP_END_REASON_MAX_BYTES, 9, 60},
        {"{\"filter\": \"udp\", \"max_duration\": \"2s\", \"max_packets\": 20000000}",
         NETSCOPE__V1__PCAP_END_REASON__PCAP_END_REASON_MAX_DURATION, FLOWS_SENT, 60},
        {"{\"filter\": \"port 5353\", \"max_duration\": \"2s\"}",
         NETSCOPE__V1__PCAP_END_REASON__PCAP_END_REASON_MAX_DURATION, 0, 0},
        {"{\"interfaces\": [\"eth99\", \"none\"], \"max_duration\": \"2s\"}",
         NETSCOPE__V1__PCAP_END_REASON__PCAP_END_REASON_MAX_DURATION, 0, 0},
    };
    struct calling calling;
    struct capturing capturing;
    uint32_t second = begin_quietly(&calling);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_capture(&capturing, &calling, cases[i].json);
        second = send_traffic(&calling, second);
        capturing.now_ns += 3 * NS_PER_S;
        cr_expect_eq(step_capture(&capturing, true), STREAM_OVER, "%s", cases[i].json);
        cr_expect_eq(capturing.end.reason, cases[i].reason, "%s: %d", cases[i].json, capturing.end.reason);
        cr_expect_eq(capturing.packets, cases[i].packets, "%s: %u", cases[i].json, capturing.packets);
        cr_expect_eq(capturing.end.packets, capturing.packets);
        cr_expect_eq(capturing.most_captured, cases[i].captured);
        cr_expect_eq(capturing.end.bytes, capturing.length);
        cr_expect_leq(capturing.length, capturing.start.max_bytes);
        cr_expect_leq(capturing.start.max_packets, 10000000);
        close_capture(&capturing);
    }
    end_calling(&calling);
}

Test(pcap_stream, who_reads_nothing_holds_it_no_longer_than_its_bound, .timeout = 60)
{
    struct calling calling;
    struct capturing capturing;
    uint32_t second = begin_quietly(&calling);
    begin_capture(&capturing, &calling, "{\"max_duration\": \"2s\"}");
    send_traffic(&calling, second);
    capturing.now_ns += 11 * NS_PER_S;
    cr_expect_eq(step_capture(&capturing, false), STREAM_WAITS, "time to read is left");
    capturing.now_ns += NS_PER_S;
    cr_expect_eq(step_capture(&capturing, false), STREAM_OVER);
    cr_expect_eq(capturing.ended, 1);
    cr_expect_eq(capturing.status.code, STATUS_RESOURCE_EXHAUSTED, "%s", capturing.status.message);
    cr_expect_not(capturing.has_end);
    close_capture(&capturing);
    end_calling(&calling);
}

Test(pcap_stream, interfaces_by_their_names, .timeout = 60)
{
    struct calling calling;
    struct capturing capturing;
    struct answer answer;
    char json[256];
    uint32_t second = begin_quietly(&calling);
    typedef Netscope__V1__ListInterfacesResponse List;
    const List *list = CALL(&calling, List, SENSOR("ListInterfaces"), "{}", &answer);
    snprintf(json, sizeof json, "{\"interfaces\": [\"eth99\", \"%s\"], \"filter\": \"ip\"}",
             list->interfaces[0]->name);
    answer_done(&answer);
    begin_capture(&capturing, &calling, json);
    send_traffic(&calling, second);
    step_capture(&capturing, true);
    cr_expect_eq(capturing.packets, FLOWS_SENT + SCANNED_PORTS);
    close_capture(&capturing);
    end_calling(&calling);
}

static void capture_refused(struct calling *calling, const char *json, enum status_code code,
                            const char *field, const char *part)
{
    struct capturing capturing;
    open_capture(&capturing, calling, json);
    cr_expect_null(capturing.stream, "%s", json);
    cr_expect_eq(capturing.ended, 1);
    cr_expect_eq(capturing.status.code, code, "%s: %s", json, capturing.status.message);
    if (field != NULL)
        cr_expect_str_eq(capturing.status.violation[0].field, field);
    cr_expect_not_null(strstr(capturing.status.message, part), "%s: %s", json, capturing.status.message);
    close_capture(&capturing);
}

Test(pcap_stream, what_is_wrong_has_its_field, .timeout = 60)
{
    enum { MOST = 8 };
    struct calling calling;
    struct capturing open[MOST];
    struct error error;
    begin_quietly(&calling);
    capture_refused(&calling, "{\"filter\": \"prot 53\"}", STATUS_INVALID_ARGUMENT, "filter", "syntax error");
    capture_refused(&calling, "{\"filter\": \"inbound and port 53\"}", STATUS_INVALID_ARGUMENT, "filter", "");
    capture_refused(&calling, "{\"max_duration\": \"-1s\"}", STATUS_INVALID_ARGUMENT, "max_duration",
                    "a span");
    capture_refused(&calling, "{\"interfaces\": [\"\"]}", STATUS_INVALID_ARGUMENT, "interfaces",
                    "1 to 63 bytes");
    calling.caller.role = ROLE_VIEWER;
    capture_refused(&calling, "{}", STATUS_PERMISSION_DENIED, NULL, "takes the role packets");
    calling.caller.role = ROLE_PACKETS;
    struct limits *limits;
    cr_assert(limits_parse((char *[]){(char[]){"namespace=shop"}}, 1, &limits, &error));
    calling.caller.limits = limits;
    capture_refused(&calling, "{}", STATUS_PERMISSION_DENIED, NULL, "tester has limits");
    calling.caller.limits = NULL;
    limits_release(limits);
    for (unsigned i = 0; i < MOST; i++)
        begin_capture(&open[i], &calling, "{}");
    capture_refused(&calling, "{}", STATUS_RESOURCE_EXHAUSTED, NULL, "8 captures are open");
    for (unsigned i = 0; i < MOST; i++)
        close_capture(&open[i]);
    begin_capture(&open[0], &calling, "{}");
    close_capture(&open[0]);
    end_calling(&calling);
}

static unsigned packets_of_a_scan(struct calling *calling, struct capturing *capturing, uint32_t *second)
{
    unsigned packets = capturing->packets;
    *second = send_traffic(calling, *second);
    step_capture(capturing, true);
    return capturing->packets - packets;
}

Test(pcap_stream, own_connections_are_left_out, .timeout = 60)
{
    struct calling calling;
    struct capturing capturing;
    struct endpoint scanner = {.port = 1024}, here = {.port = 7};
    uint32_t second = begin_quietly(&calling);
    struct own_connections *own = control_own_connections(calling.running.control);
    address_parse("10.0.0.9", &scanner.address);
    address_parse("::ffff:192.0.2.7", &here.address);
    begin_capture(&capturing, &calling, "{\"filter\": \"tcp\"}");
    cr_expect_eq(packets_of_a_scan(&calling, &capturing, &second), SCANNED_PORTS);
    cr_assert(own_connections_add(own, &here, &scanner));
    cr_expect_eq(packets_of_a_scan(&calling, &capturing, &second), SCANNED_PORTS - 1);
    own_connections_remove(own, &here, &scanner);
    cr_expect_eq(packets_of_a_scan(&calling, &capturing, &second), SCANNED_PORTS);
    close_capture(&capturing);
    end_calling(&calling);
}

Test(pcap_stream, who_does_not_read_stalls_nothing, .timeout = 60)
{
    enum { LARGE = 200000, SENT = 100 };
    struct calling calling;
    struct capturing capturing;
    static uint8_t record[16 + LARGE];
    uint32_t head[4] = {1000, 0, LARGE, LARGE};
    begin_quietly(&calling);
    begin_capture(&capturing, &calling, "{\"filter\": \"ip\"}");
    memcpy(record, head, sizeof head);
    memcpy(record + sizeof head, udp_frame, sizeof udp_frame);
    uint64_t before = received_so_far(&calling);
    for (unsigned i = 0; i < SENT; i++)
        for (size_t done = 0; done < sizeof record;) {
            ssize_t written = write(calling.running.pipe, record + done, sizeof record - done);
            cr_assert(written > 0);
            done += (size_t)written;
        }
    cr_expect_eq(step_capture(&capturing, false), STREAM_WAITS);
    let_pass(&calling, 1001, before, SENT);
    capturing.now_ns += 3601 * NS_PER_S;
    cr_expect_eq(step_capture(&capturing, true), STREAM_OVER);
    cr_expect_eq(capturing.most_captured, LARGE);
    cr_expect_gt(capturing.end.packets, 20);
    cr_expect_gt(capturing.end.dropped, 0);
    cr_expect_eq(capturing.end.packets + capturing.end.dropped, SENT);
    cr_expect_eq(capturing.packets, capturing.end.packets);
    char line[128];
    snprintf(line, sizeof line,
             "netscope_stream_messages_dropped_total{stream=\"pcap\",policy=\"drop_newest\"} %lu\n",
             (unsigned long)capturing.end.dropped);
    expect_metric(&calling, line);
    expect_metric(&calling, "netscope_stream_subscribers{stream=\"pcap\"} 1\n");
    close_capture(&capturing);
    expect_metric(&calling, "netscope_stream_subscribers{stream=\"pcap\"} 0\n");
    end_calling(&calling);
}

#include "api/limits.h"
#include "capture/own_connections.h"
#include "netscope/v1/packet.pb-c.h"
#include "watching.h"

typedef Netscope__V1__GetPacketResponse Detail;

static struct answer answer;

// What the events of WatchPackets said: watching.h counts them, this keeps them.
struct seen {
    struct watching watching; // first
    unsigned count;
    uint64_t id[MOST];
    char summary[MOST][160];
    uint64_t sampled_out;
    size_t data_bytes;
};
static struct seen seen;

static void keep_packets(struct reply *reply, const uint8_t *bytes, size_t length)
{
    typedef Netscope__V1__WatchPacketsResponse Packets;
    Packets *packets = netscope__v1__watch_packets_response__unpack(NULL, length, bytes);
    cr_assert_not_null(packets);
    for (size_t i = 0; i < packets->n_events; i++) {
        const Netscope__V1__Packet *packet = packets->events[i]->packet;
        cr_assert_lt(seen.count, MOST);
        snprintf(seen.summary[seen.count], sizeof seen.summary[0], "%s", packet->summary);
        seen.id[seen.count++] = packet->id;
        seen.data_bytes += packets->events[i]->data.len;
        cr_expect_eq(packet->length, 60);
        cr_expect_not_null(packet->time);
        cr_expect_gt(strlen(packet->interface), 0);
    }
    seen.sampled_out = packets->sampled_out;
    netscope__v1__watch_packets_response__free_unpacked(packets, NULL);
    take_watched(reply, bytes, length);
}

static void watch_packets(struct calling *calling, const char *json)
{
    static const struct reply_ops ops = {keep_packets, take_over};
    memset(&seen, 0, sizeof seen);
    open_watch(&seen.watching, calling, PACKETS("WatchPackets"), json);
    cr_assert_not_null(seen.watching.stream, "%s: %s", json, seen.watching.status.message);
    seen.watching.reply.ops = &ops;
    step(&seen.watching, true);
}

// Steps until so many events came.
static void await_packets(unsigned count)
{
    for (unsigned i = 0; i < 2000 && seen.count < count; i++) {
        usleep(2000);
        seen.watching.now_ns += 2 * NS_PER_MS;
        step(&seen.watching, true);
    }
    cr_assert_eq(seen.count, count, "%u", seen.count);
}

enum { FLOWS_SENT = 20 };

static void send_traffic(struct calling *calling)
{
    for (uint8_t port = 0; port < FLOWS_SENT; port++)
        send_flow(calling, 1000, port);
    send_scan(calling, 1000, 9);
}

static void begin_watched(struct calling *calling, const char *yaml, const char *json)
{
    begin_calling(calling, yaml);
    start_run(&calling->running);
    watch_packets(calling, json);
}

#define FOLLOW "\"options\": {\"follow\": true}"

Test(packet_service, packets_as_lines_and_in_detail, .timeout = 60)
{
    struct calling calling;
    char json[64];
    begin_watched(&calling, "sensor: {node_name: here}\n",
                  "{\"allow\": [{\"protocols\": [\"udp\"]}], " FOLLOW "}");
    send_traffic(&calling);
    await_packets(FLOWS_SENT);
    for (unsigned i = 0; i < FLOWS_SENT; i++) {
        char ends[64];
        snprintf(ends, sizeof ends, "10.0.0.1:%u > 192.0.2.9:8080", 1024 + i);
        cr_expect_not_null(strstr(seen.summary[i], ends), "%s", seen.summary[i]);
        cr_expect(i == 0 || seen.id[i] == seen.id[i - 1] + 1);
    }
    snprintf(json, sizeof json, "{\"id\": %lu}", (unsigned long)seen.id[3]);
    const Detail *detail = CALL(&calling, Detail, PACKETS("GetPacket"), json, &answer);
    cr_expect_str_eq(detail->node, "here");
    cr_expect_eq(detail->packet->id, seen.id[3]);
    cr_expect_str_eq(detail->packet->summary, seen.summary[3]);
    cr_assert_eq(detail->data.len, 60);
    uint8_t frame[60];
    memcpy(frame, udp_frame, sizeof frame);
    frame[FRAME_SOURCE_PORT] = 3;
    cr_expect_eq(memcmp(detail->data.data, frame, sizeof frame), 0);
    cr_assert_geq(detail->n_layers, 3);
    bool found = false;
    for (size_t i = 0; i < detail->n_layers; i++) {
        const Netscope__V1__PacketLayer *layer = detail->layers[i];
        cr_expect_eq(layer->depth, i);
        cr_expect_gt(strlen(layer->name), 0);
        for (size_t j = 0; j < layer->n_fields; j++) {
            const Netscope__V1__PacketField *field = layer->fields[j];
            cr_expect_leq(field->offset + field->length, 60);
            found |= field->offset == 34 && field->length == 2 && strstr(field->value, "1027") != NULL;
        }
    }
    cr_expect(found, "the source port, and where it stands");
    answer_done(&answer);
    call_refused(&calling, PACKETS("GetPacket"), "{\"id\": 999999}", STATUS_NOT_FOUND, NULL,
                 "no packet that is kept");
    call_refused(&calling, PACKETS("GetPacket"), "{}", STATUS_INVALID_ARGUMENT, "id", "1 or more");
    end_watch(&seen.watching);
    CALL(&calling, Detail, PACKETS("GetPacket"), json, &answer); // it stays
    answer_done(&answer);
    end_calling(&calling);
}

static bool has_received(const struct snapshot *snapshot, uint64_t want)
{
    return snapshot->totals.received >= want;
}

Test(packet_service, grows_only_while_somebody_watches, .timeout = 60)
{
    struct calling calling;
    begin_watched(&calling, NULL, "{" FOLLOW "}");
    send_traffic(&calling);
    await_packets(FLOWS_SENT + SCANNED_PORTS);
    cr_expect_eq(seen.data_bytes, 0);
    end_watch(&seen.watching);
    send_traffic(&calling);
    go_on_until(&calling, 1001, has_received, 2 * (FLOWS_SENT + SCANNED_PORTS) + 3);
    watch_packets(&calling, "{\"with_data\": true}");
    cr_expect_eq(seen.count, FLOWS_SENT + SCANNED_PORTS);
    cr_expect_eq(seen.data_bytes, 60 * seen.count);
    cr_expect_eq(seen.watching.end, NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_BACKLOG);
    end_watch(&seen.watching);
    watch_packets(&calling, "{\"options\": {\"follow\": true, \"start\": {\"last\": 5}}}");
    await_packets(5);
    end_input(&calling.running);
    for (unsigned i = 0; i < 1000 && seen.watching.state != STREAM_OVER; i++) {
        usleep(10000);
        step(&seen.watching, true);
    }
    cr_expect_eq(seen.watching.end, NETSCOPE__V1__STREAM_END_REASON__STREAM_END_REASON_RUN_OVER);
    end_watch(&seen.watching);
    api_destroy(calling.api);
    done_run(&calling.running);
}

Test(packet_service, samples_and_bounds, .timeout = 60)
{
    struct calling calling;
    begin_watched(&calling, "web: {packet_buffer: 100, sample_rate: 2, payload_bytes: 4}\n",
                  "{\"sample_every\": 4, " FOLLOW "}");
    send_traffic(&calling);
    await_packets((FLOWS_SENT + SCANNED_PORTS) / 2 / 4);
    cr_expect_geq(seen.sampled_out, 29);
    for (unsigned i = 0; i < seen.count; i++)
        cr_expect_eq(seen.id[i] % 2, 0);
    uint64_t id = seen.id[seen.count - 1];
    char json[64];
    snprintf(json, sizeof json, "{\"id\": %lu}", (unsigned long)id);
    const Detail *detail = CALL(&calling, Detail, PACKETS("GetPacket"), json, &answer);
    cr_expect_eq(detail->packet->captured, 60);
    cr_expect_eq(detail->data.len, 14 + 20 + 20 + 4, "%zu", detail->data.len);
    answer_done(&answer);
    for (unsigned i = 0; i < 10; i++)
        send_traffic(&calling);
    go_on_until(&calling, 1001, has_received, 11 * (FLOWS_SENT + SCANNED_PORTS) + 3);
    end_watch(&seen.watching);
    watch_packets(&calling, "{}");
    cr_expect(seen.count >= 90 && seen.count <= 100 + 64, "%u: as many as are wanted, and a block",
              seen.count);
    end_watch(&seen.watching);
    call_refused(&calling, PACKETS("GetPacket"), json, STATUS_NOT_FOUND, NULL, "no packet that is kept");
    end_calling(&calling);
}

Test(packet_service, filters_of_what_a_packet_has, .timeout = 60)
{
    static const struct {
        const char *json;
        unsigned packets;
    } cases[] = {
        {"{\"allow\": [{\"one_end\": {\"networks\": [\"10.0.0.9\"]}, \"other_end\": {\"ports\": [{\"max\": "
         "5}]}}]}",
         5},
        {"{\"deny\": [{\"protocols\": [\"tcp\"]}], \"allow\": [{\"bytes\": {\"min\": 60}}]}", FLOWS_SENT},
        {"{\"allow\": [{\"bytes\": {\"min\": 61}}]}", 0},
        {"{\"allow\": [{\"interfaces\": [\"none\"]}, {\"vlans\": [7]}, {\"tunnel_kinds\": [1]}]}", 0},
        {"{\"allow\": [{\"community_ids\": [\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\"]}]}", 0},
    };
    struct calling calling;
    begin_watched(&calling, NULL, "{" FOLLOW "}");
    send_traffic(&calling);
    await_packets(FLOWS_SENT + SCANNED_PORTS);
    end_watch(&seen.watching);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        watch_packets(&calling, cases[i].json);
        cr_expect_eq(seen.count, cases[i].packets, "%s: %u", cases[i].json, seen.count);
        end_watch(&seen.watching);
    }
    static const char *const fields[] = {"client",      "server",       "tcp_states",      "apps",
                                         "conn_states", "sni_statuses", "tls_versions",    "ids",
                                         "packets",     "duration",     "retransmissions", "rtt"};
    static const char *const values[] = {"{\"ports\": [{\"min\": 1}]}",
                                         "{\"ports\": [{\"min\": 1}]}",
                                         "[1]",
                                         "[\"dns\"]",
                                         "[\"SF\"]",
                                         "[1]",
                                         "[\"TLS 1.3\"]",
                                         "[\"00112233445566778899aabbccddeeff\"]",
                                         "{\"min\": 1}",
                                         "{\"min\": \"1s\"}",
                                         "{\"min\": 1}",
                                         "{\"min\": \"1s\"}"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char json[128], field[64];
        snprintf(json, sizeof json, "{\"deny\": [{\"%s\": %s}]}", fields[i], values[i]);
        snprintf(field, sizeof field, "deny[0].%s", fields[i]);
        watch_refused(&calling, PACKETS("WatchPackets"), json, field, "a packet has none");
    }
    end_calling(&calling);
}

Test(packet_service, who_may_see_packets, .timeout = 60)
{
    struct calling calling;
    struct error error;
    struct limits *limits;
    struct endpoint scanner = {.port = 1024}, here = {.port = 7};
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    calling.caller.role = ROLE_VIEWER;
    call_refused(&calling, PACKETS("GetPacket"), "{\"id\": 1}", STATUS_PERMISSION_DENIED, NULL,
                 "takes the role packets");
    calling.caller.role = ROLE_PACKETS;
    call_refused(&calling, PACKETS("GetPacket"), "{\"id\": 1}", STATUS_NOT_FOUND, NULL, "");
    cr_assert(limits_parse((char *[]){(char[]){"network=10.0.0.0/8"}}, 1, &limits, &error));
    calling.caller.limits = limits;
    call_refused(&calling, PACKETS("GetPacket"), "{\"id\": 1}", STATUS_PERMISSION_DENIED, NULL, "has limits");
    open_watch(&seen.watching, &calling, PACKETS("WatchPackets"), "{}");
    cr_expect_null(seen.watching.stream);
    cr_expect_str_eq(seen.watching.status.reason, "PACKETS_NEED_NO_LIMITS");
    calling.caller.limits = NULL;
    limits_release(limits);
    address_parse("10.0.0.9", &scanner.address);
    address_parse("192.0.2.7", &here.address);
    struct own_connections *own = control_own_connections(calling.running.control);
    cr_assert(own_connections_add(own, &here, &scanner));
    watch_packets(&calling, "{" FOLLOW "}");
    send_traffic(&calling);
    await_packets(FLOWS_SENT + SCANNED_PORTS - 1); // but for the sensor's own
    end_watch(&seen.watching);
    end_calling(&calling);
}

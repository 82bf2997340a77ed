// A run to be asked through the API, over a capture that goes on: flows, scans that raise alerts, and calls of methods as
// a transport makes them.
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "api/method.h"
#include "netscope/v1/alert_service.pb-c.h"
#include "netscope/v1/flow_service.pb-c.h"
#include "netscope/v1/sensor.pb-c.h"
#include "netscope/v1/stats.pb-c.h"
#include "running.h"

struct calling {
    struct running running;
    struct api *api;
    struct caller caller;
};

static const uint8_t udp_frame[60] = {
    2,    0, 0,    0,    0, 2,  2, 0, 0,  0,  0, 1, 8,  0,                     // Ethernet
    0x45, 0, 0,    46,   0, 0,  0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 9, // 10.0.0.1 to 192.0.2.9
    4,    0, 0x1f, 0x90, 0, 26, 0, 0,                                          // port 1024 to 8080
};
static const uint8_t syn_frame[60] = {
    2,    0, 0, 0,  0, 2, 2, 0, 0,  0, 0, 1, 8,    0,                     // Ethernet
    0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10,   0, 0, 9, 192, 0, 2, 7, // 10.0.0.9 to 192.0.2.7
    4,    0, 0, 0,  0, 0, 0, 1, 0,  0, 0, 0, 0x50, 2, 4, 0,               // port 1024 to one of a scan, SYN
};
enum { FRAME_SOURCE = 29, FRAME_SOURCE_PORT = 35, FRAME_TARGET_PORT = 37 }; // last bytes of

static inline void send_frame(struct calling *calling, uint32_t second, const uint8_t frame[60])
{
    uint8_t record[16 + 60];
    uint32_t head[4] = {second, 0, 60, 60};
    memcpy(record, head, sizeof head);
    memcpy(record + sizeof head, frame, 60);
    cr_assert_eq(write(calling->running.pipe, record, sizeof record), (ssize_t)sizeof record);
}

static inline void send_flow(struct calling *calling, uint32_t second, uint8_t port)
{
    uint8_t frame[60];
    memcpy(frame, udp_frame, sizeof frame);
    frame[FRAME_SOURCE_PORT] = port;
    send_frame(calling, second, frame);
}

enum { SCANNED_PORTS = 60 };

// What nobody answers, from 10.0.0.`source`.
static inline void send_scan(struct calling *calling, uint32_t second, uint8_t source)
{
    uint8_t frame[60];
    memcpy(frame, syn_frame, sizeof frame);
    frame[FRAME_SOURCE] = source;
    for (uint8_t port = 1; port <= SCANNED_PORTS; port++) {
        frame[FRAME_TARGET_PORT] = port;
        send_frame(calling, second, frame);
    }
}

static inline void begin_calling(struct calling *calling, const char *yaml)
{
    struct error error;
    begin_run(&calling->running, yaml);
    calling->api =
        api_create(&(struct api_setup){.control = calling->running.control, .version = "1.2.3"}, &error);
    cr_assert_not_null(calling->api, "%s", error.text);
    calling->caller = (struct caller){.identity = "tester", .role = ROLE_OPERATOR};
}

// Sends a packet a second from `second` on until the snapshot has what is waited for.
static inline uint32_t go_on_until(struct calling *calling, uint32_t second,
                                   bool (*reached)(const struct snapshot *snapshot, uint64_t want),
                                   uint64_t want)
{
    bool good = false;
    for (unsigned i = 0; i < 1000 && !good; i++) {
        send_packet(&calling->running, second++);
        usleep(5000);
        const struct snapshot *snapshot = control_snapshot(calling->running.control);
        good = reached(snapshot, want);
        snapshot_release(snapshot);
    }
    cr_assert(good, "it never came");
    return second;
}

static inline bool has_flows(const struct snapshot *snapshot, uint64_t want)
{
    return snapshot->totals.flows_active >= want;
}

static inline bool has_alerts(const struct snapshot *snapshot, uint64_t want)
{
    uint64_t told = 0;
    for (unsigned severity = 0; severity < ALERT_SEVERITIES; severity++)
        told += snapshot->detect.counts.told[ALERT_PORT_SCAN][severity];
    return told >= want;
}

static inline void end_calling(struct calling *calling)
{
    api_destroy(calling->api);
    end_run(&calling->running);
}

// What a call was answered.
struct answer {
    struct reply reply;
    const struct method *method;
    ProtobufCMessage *message; // NULL = none
    struct status status;
    unsigned sent, ended;
};

static inline void take_message(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct answer *answer = (struct answer *)reply;
    answer->sent++;
    answer->message = protobuf_c_message_unpack(answer->method->response, NULL, length, bytes);
    cr_assert_not_null(answer->message);
}

static inline void take_end(struct reply *reply, const struct status *status)
{
    struct answer *answer = (struct answer *)reply;
    answer->ended++;
    answer->status = *status;
}

static inline void call_bytes(struct calling *calling, const char *path, const struct request *request,
                              struct answer *answer)
{
    static const struct reply_ops ops = {take_message, take_end};
    *answer = (struct answer){.reply = {&ops}};
    answer->method = method_find(path, &answer->status);
    cr_assert_not_null(answer->method, "%s", answer->status.message);
    method_call(answer->method, calling->api, &calling->caller, request, &answer->reply);
    cr_expect_eq(answer->ended, 1);
    cr_expect_eq(answer->sent, answer->status.code == STATUS_OK ? 1 : 0);
}

static inline void call_message(struct calling *calling, const char *path, const ProtobufCMessage *message,
                                struct answer *answer)
{
    static uint8_t bytes[65536];
    size_t length = protobuf_c_message_get_packed_size(message);
    cr_assert_leq(length, sizeof bytes);
    protobuf_c_message_pack(message, bytes);
    call_bytes(calling, path, &(struct request){REQUEST_PROTO, bytes, length}, answer);
}

static inline void call_json(struct calling *calling, const char *path, const char *json,
                             struct answer *answer)
{
    call_bytes(calling, path, &(struct request){REQUEST_JSON, (const uint8_t *)json, strlen(json)}, answer);
}

static inline void answer_done(struct answer *answer)
{
    if (answer->message != NULL)
        protobuf_c_message_free_unpacked(answer->message, NULL);
    answer->message = NULL;
}

static inline const ProtobufCMessage *call_well(struct calling *calling, const char *path, const char *json,
                                                struct answer *answer)
{
    call_json(calling, path, json, answer);
    cr_assert_eq(answer->status.code, STATUS_OK, "%s: %s", json, answer->status.message);
    return answer->message;
}

// A call that has to go well: its response, the answer's to free.
#define CALL(calling, Type, path, json, answer) ((const Type *)call_well(calling, path, json, answer))

// A call that has to be refused, with a violation of `field` unless that is NULL.
static inline void call_refused(struct calling *calling, const char *path, const char *json,
                                enum status_code code, const char *field, const char *part)
{
    struct answer answer;
    bool found = false;
    call_json(calling, path, json, &answer);
    cr_expect_eq(answer.status.code, code, "%s: %s", json, answer.status.message);
    if (field == NULL)
        found = strstr(answer.status.message, part) != NULL;
    for (unsigned i = 0; field != NULL && i < answer.status.violation_count; i++)
        found |= strcmp(answer.status.violation[i].field, field) == 0 &&
                 strstr(answer.status.violation[i].sentence, part) != NULL;
    cr_expect(found, "%s: no \"%s\" of %s in: %s", json, part, field != NULL ? field : "the sentence",
              answer.status.message);
    answer_done(&answer);
}

#define SENSOR(name)  "/netscope.v1.SensorService/" name
#define FLOWS(name)   "/netscope.v1.FlowService/" name
#define ALERTS(name)  "/netscope.v1.AlertService/" name
#define STATS(name)   "/netscope.v1.StatsService/" name
#define PACKETS(name) "/netscope.v1.PacketService/" name

// Two sensors whose worlds differ only in what a caller with limits may not see answer him alike, in every method, to the
// byte; and one without limits is answered differently, or this test could not fail.
#include "api/limits.h"
#include "watching.h"

enum { STREAMS = 4, ALIVE = 10 };

// Those that follow are opened before there is anything. The last one ends by what was told before a moment: 1031 s.
static const struct {
    const char *path, *json;
    bool late;
} streams[STREAMS] = {
    {FLOWS("WatchFlows"), "{\"options\": {\"follow\": true}}", false},
    {ALERTS("WatchAlerts"), "{\"options\": {\"follow\": true}}", false},
    {STATS("WatchStats"), "{}", false},
    {ALERTS("WatchAlerts"), "{\"options\": {\"until\": \"1970-01-01T00:17:11Z\"}}", true},
};

// What a stream sent, without what is each sensor's own.
struct telling {
    struct reply reply;
    const struct method *method;
    struct stream *stream;
    struct strbuf bytes;
    bool kept;
};

struct world {
    struct calling calling;
    char names[64];
    struct telling telling[STREAMS];
    int64_t now_ns;
};

// Of the sensor and its start, or of the clock on the wall.
static void blank(ProtobufCMessage *message)
{
    static const char *const own[] = {"instance_id", "cursor", "next_page_token", "start_time", "as_of"};
    for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor, own[i]);
        void *member = field != NULL ? *(void **)((char *)message + field->offset) : NULL;
        if (member != NULL && field->type == PROTOBUF_C_TYPE_STRING && ((char *)member)[0] != '\0')
            ((char *)member)[0] = '\0';
        if (member != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            ((Google__Protobuf__Timestamp *)member)->seconds = 0;
            ((Google__Protobuf__Timestamp *)member)->nanos = 0;
        }
    }
}

static void add_packed(struct strbuf *into, const ProtobufCMessage *message)
{
    uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);
    strbuf_add_bytes(into, bytes, protobuf_c_message_pack(message, bytes));
    free(bytes);
}

static void take_told(struct reply *reply, const uint8_t *bytes, size_t length)
{
    struct telling *telling = (struct telling *)reply;
    ProtobufCMessage *message = protobuf_c_message_unpack(telling->method->response, NULL, length, bytes);
    blank(message);
    if (telling->kept)
        add_packed(&telling->bytes, message);
    protobuf_c_message_free_unpacked(message, NULL);
}

static void take_its_end(struct reply *reply, const struct status *status)
{
    strbuf_addf(&((struct telling *)reply)->bytes, "%s", status->message);
}

static void begin_telling(struct world *world, unsigned number)
{
    static const struct reply_ops ops = {take_told, take_its_end};
    struct status status;
    const char *json = streams[number].json;
    struct telling *telling = &world->telling[number];
    struct request request = {REQUEST_JSON, (const uint8_t *)json, strlen(json)};
    *telling = (struct telling){.reply = {&ops}, .method = method_find(streams[number].path, &status)};
    strbuf_init(&telling->bytes, 1 << 20);
    telling->stream =
        method_open(telling->method, world->calling.api, &world->calling.caller, &request, &telling->reply);
    cr_assert_not_null(telling->stream);
}

static void tell(struct telling *telling, int64_t now_ns)
{
    while (stream_step(telling->stream, now_ns, true, &telling->reply) == STREAM_GOES_ON)
        continue;
}

// A packet of 10.0.0.1's or of somebody else's, UDP or a SYN.
static void send_from(struct world *world, uint32_t second, const uint8_t frame[60], const uint8_t source[4],
                      const uint8_t target[4], uint16_t client_port, uint8_t server_port)
{
    uint8_t made[60];
    memcpy(made, frame, sizeof made);
    memcpy(made + 26, source, 4);
    memcpy(made + 30, target, 4);
    made[34] = (uint8_t)(client_port >> 8);
    made[35] = (uint8_t)client_port;
    made[36] = 0;
    made[37] = server_port;
    send_frame(&world->calling, second, made);
}

static const uint8_t front[4] = {10, 0, 0, 1}, database[4] = {192, 0, 2, 9};

static void send_inside(struct world *world, uint32_t second, uint8_t flows)
{
    for (uint8_t i = 0; i < flows; i++)
        send_from(world, second, udp_frame, front, database, (uint16_t)(2000 + second + i), 53);
}

static void send_outside(struct world *world, uint32_t second, uint8_t flows)
{
    for (uint8_t i = 0; i < flows; i++)
        send_from(world, second, udp_frame, (uint8_t[]){10, 9, 0, i}, database, 3000, 53);
}

// Of a stranger's over hosts inside. (Over some outside as well it would name others of those inside: an alert lists eight of
// its parties, of all of them. test_visibility.c has alerts that differ outside.)
static void send_sweep(struct world *world, uint32_t second)
{
    static const uint8_t stranger[4] = {172, 16, 0, 9};
    for (uint8_t i = 1; i <= 40; i++)
        send_from(world, second, syn_frame, stranger, (uint8_t[]){10, 0, 0, i}, 4000, 22);
}

static void send_scan_outside(struct world *world, uint32_t second, uint8_t source)
{
    for (uint8_t port = 1; port <= SCANNED_PORTS; port++)
        send_from(world, second, syn_frame, (uint8_t[]){10, 9, 0, source}, (uint8_t[]){192, 0, 2, 7}, 4000,
                  port);
}

static void write_names(struct world *world, bool other)
{
    static const char common[] = "10.0.0.0/24,front,shop,\n";
    const char *rows = other ? "192.0.2.9,vault,mint,\n10.0.0.0/8,all,mint,\n"
                             : "192.0.2.9,database,bank,\n172.16.0.0/12,crowd,bank,\n10.9.0.0/16,y,,\n";
    strcpy(world->names, "/tmp/netscope-worlds-XXXXXX");
    int file = mkstemp(world->names);
    cr_assert_eq(write(file, common, sizeof common - 1), (ssize_t)sizeof common - 1);
    cr_assert_eq(write(file, rows, strlen(rows)), (ssize_t)strlen(rows));
    close(file);
}

static int64_t snapshot_time(struct world *world)
{
    const struct snapshot *snapshot = control_snapshot(world->calling.running.control);
    int64_t now_ns = snapshot->now_ns;
    snapshot_release(snapshot);
    return now_ns;
}

static void begin_world(struct world *world, const struct caller *caller, bool other)
{
    char yaml[512];
    *world = (struct world){0};
    write_names(world, other);
    snprintf(yaml, sizeof yaml,
             "sensor: {node_name: here}\nnames: {file: %s}\nanalysis: {anomalies: {enabled: true}}\n"
             "flow: {timeout_secs: 5, udp_timeout_secs: 5}\n",
             world->names);
    begin_calling(&world->calling, yaml);
    world->calling.caller = *caller;
    start_run(&world->calling.running);
    for (unsigned i = 0; i < STREAMS && !streams[i].late; i++) {
        begin_telling(world, i);
        tell(&world->telling[i], NS_PER_S);
    }
}

// The same seconds in both, and the same packets of the caller's.
static void live(struct world *world, bool other)
{
    if (other)
        send_scan_outside(world, 1000, 77);
    send_inside(world, 1000, 5);
    send_outside(world, 1000, other ? 40 : 3);
    send_sweep(world, 1001);
    for (uint32_t second = 1002; second < 1040; second++) {
        send_outside(world, second, other ? 2 : 0);
        if (other && second == 1033)
            send_scan_outside(world, second, 78);
        send_inside(world, second, 1);
    }
    send_outside(world, 1040, other ? 7 : 20);
    send_inside(world, 1040, ALIVE);
    send_packet(&world->calling.running, 1041);
    for (unsigned i = 0; i < 1000 && snapshot_time(world) < 1041 * NS_PER_S; i++)
        usleep(5000);
    world->now_ns = snapshot_time(world);
    for (unsigned i = 0; i < STREAMS; i++) {
        if (streams[i].late)
            begin_telling(world, i);
        world->telling[i].kept = true; // what came before may have any time
        tell(&world->telling[i], 5 * NS_PER_S);
        if (!streams[i].late)
            tell(&world->telling[i], 20 * NS_PER_S);
    }
}

static void end_world(struct world *world)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        stream_destroy(world->telling[i].stream);
        strbuf_done(&world->telling[i].bytes);
    }
    end_calling(&world->calling);
    unlink(world->names);
}

// What each method is asked; every one for viewers has a row.
static const struct {
    const char *path, *json;
    bool differs; // for a caller without limits
} asked[] = {
    {SENSOR("GetStatus"), "{}", true},
    {SENSOR("ListInterfaces"), "{}", true},
    {SENSOR("GetConfig"), "{\"prefix\": \"names.file\"}", true},
    {FLOWS("ListFlows"), "{}", true},
    {FLOWS("ListFlows"), "{\"order\": \"FLOW_ORDER_LAST_SEEN\", \"pageSize\": 2}", true},
    {FLOWS("ListFlows"), "{\"allow\": [{\"names\": [{\"exact\": \"database\"}]}]}", true},
    {FLOWS("ListFlows"), "{\"allow\": [{\"otherEnd\": {\"namespaces\": [\"bank\"]}}]}", true},
    {FLOWS("ListFlows"), "{\"deny\": [{\"oneEnd\": {\"namespaces\": [\"mint\"]}}]}", true},
    {FLOWS("ListFlows"), "{\"allow\": [{\"client\": {\"networks\": [\"10.9.0.0/16\"]}}]}", true},
    {FLOWS("ListFlows"),
     "{\"allow\": [{\"client\": {\"networks\": [\"10.0.0.1\"]}, \"server\": {\"networks\": "
     "[\"192.0.2.9\"]}}]}",
     true},
    {FLOWS("GetFlow"), "{\"id\": \"00000000000000000000000000000000\"}", false},
    {FLOWS("TopFlows"), "{\"limit\": 1000}", true},
    {FLOWS("FilterHints"), "{\"field\": \"HINT_FIELD_NAME\"}", true},
    {FLOWS("FilterHints"), "{\"field\": \"HINT_FIELD_NAMESPACE\"}", true},
    {FLOWS("FilterHints"), "{\"field\": \"HINT_FIELD_ADDRESS\"}", true},
    {ALERTS("ListAlerts"), "{}", true},
    {ALERTS("ListAlerts"), "{\"allow\": [{\"parties\": [\"10.9.0.77\"]}]}", true},
    {ALERTS("GetAlert"), "{\"id\": \"00000000000000000000000000000000\"}", false},
    {STATS("GetStats"), "{}", true},
};
enum { ASKED = sizeof asked / sizeof asked[0] };

Test(worlds, every_method_is_asked)
{
    for (unsigned i = 0; i < method_count; i++) {
        const struct method *method = &method_table[i];
        bool found = method->for_anybody || method->role != ROLE_VIEWER;
        for (unsigned j = 0; j < ASKED; j++)
            found |= strstr(asked[j].path, method->name) != NULL;
        for (unsigned j = 0; j < STREAMS; j++)
            found |= strstr(streams[j].path, method->name) != NULL;
        cr_expect(found, "%s", method->name);
    }
}

// The message, or the sentence.
static void ask(struct world *world, const char *path, const char *json, struct strbuf *into)
{
    struct answer answer;
    call_json(&world->calling, path, json, &answer);
    strbuf_addf(into, "%s: ", answer.status.message);
    if (answer.message != NULL) {
        blank(answer.message);
        add_packed(into, answer.message);
    }
    answer_done(&answer);
}

// The interface is the capture's pipe, whose name ends in letters of its own.
static void blank_pipe(struct strbuf *bytes)
{
    static const char pipe[] = "netscope-fifo-";
    for (char *at = bytes->text;
         (at = memmem(at, bytes->length - (size_t)(at - bytes->text), pipe, 14)) != NULL;)
        memcpy(at, "netscope.fifo-......", 20);
}

static bool are_alike(struct strbuf *one, struct strbuf *other)
{
    blank_pipe(one);
    blank_pipe(other);
    return one->length == other->length && memcmp(one->text, other->text, one->length) == 0;
}

static void compare(struct world worlds[2], const char *path, const char *json, bool alike)
{
    struct strbuf told[2];
    for (unsigned i = 0; i < 2; i++) {
        strbuf_init(&told[i], 1 << 20);
        ask(&worlds[i], path, json, &told[i]);
    }
    bool are = are_alike(&told[0], &told[1]);
    cr_expect_eq(are, alike, "%s %s: %zu and %zu bytes", path, json, told[0].length, told[1].length);
    for (unsigned i = 0; i < 2; i++)
        strbuf_done(&told[i]);
}

// Ids that the sensor of the second world tells somebody without limits.
static void compare_ids(struct world worlds[2])
{
    const struct caller limited = worlds[1].calling.caller;
    struct answer flows, alerts;
    char json[128];
    worlds[1].calling.caller.limits = NULL;
    const Netscope__V1__ListFlowsResponse *flow_list =
        CALL(&worlds[1].calling, Netscope__V1__ListFlowsResponse, FLOWS("ListFlows"), "{}", &flows);
    const Netscope__V1__ListAlertsResponse *alert_list =
        CALL(&worlds[1].calling, Netscope__V1__ListAlertsResponse, ALERTS("ListAlerts"), "{}", &alerts);
    worlds[1].calling.caller = limited;
    cr_expect_gt(flow_list->n_flows, ALIVE);
    cr_expect_geq(alert_list->n_alerts, 2);
    for (size_t i = 0; i < flow_list->n_flows; i++) {
        snprintf(json, sizeof json, "{\"id\": \"%s\"}", flow_list->flows[i]->id);
        compare(worlds, FLOWS("GetFlow"), json, true);
    }
    for (size_t i = 0; i < alert_list->n_alerts; i++) {
        snprintf(json, sizeof json, "{\"id\": \"%s\"}", alert_list->alerts[i]->id);
        compare(worlds, ALERTS("GetAlert"), json, true);
    }
    answer_done(&flows);
    answer_done(&alerts);
}

// What is there is seen.
static void expect_inside(struct world *world)
{
    struct answer answer;
    const Netscope__V1__ListFlowsResponse *flows =
        CALL(&world->calling, Netscope__V1__ListFlowsResponse, FLOWS("ListFlows"), "{}", &answer);
    cr_expect_geq(flows->n_flows, ALIVE);
    cr_expect_eq(flows->n_limits, world->calling.caller.limits->word_count);
    for (size_t i = 0; i < flows->n_flows; i++) {
        const Netscope__V1__Flow *flow = flows->flows[i];
        cr_expect_str_eq(flow->endpoint_a->namespace_, "shop");
        cr_expect_eq(flow->endpoint_b->name_value_case, 0);
        cr_expect_eq(flow->endpoint_b->name_source, 0);
        cr_assert_eq(flow->n_withheld, 2);
        cr_expect_str_eq(flow->withheld[1], "endpoint_b.namespace");
    }
    answer_done(&answer);
    const Netscope__V1__ListAlertsResponse *alerts =
        CALL(&world->calling, Netscope__V1__ListAlertsResponse, ALERTS("ListAlerts"), "{}", &answer);
    cr_assert_eq(alerts->n_alerts, 1);
    cr_expect_str_eq(alerts->alerts[0]->kind, "host_sweep");
    cr_expect_eq(alerts->alerts[0]->n_sources, 0);
    cr_expect_gt(alerts->alerts[0]->n_targets, 0);
    cr_expect_gt(alerts->alerts[0]->n_withheld, 0);
    answer_done(&answer);
}

static void compare_worlds(char *const *words, unsigned count)
{
    static struct world worlds[2];
    struct error error;
    struct limits *limits;
    cr_assert(limits_parse(words, count, &limits, &error));
    const struct caller caller = {.identity = "shop", .role = ROLE_VIEWER, .limits = limits};
    for (unsigned i = 0; i < 2; i++) {
        begin_world(&worlds[i], &caller, i == 1);
        live(&worlds[i], i == 1);
    }
    cr_assert_eq(worlds[0].now_ns, worlds[1].now_ns, "the worlds differ in time");
    for (unsigned i = 0; i < STREAMS; i++) {
        cr_expect(are_alike(&worlds[0].telling[i].bytes, &worlds[1].telling[i].bytes) == (limits != NULL),
                  "%s", streams[i].path);
        cr_expect_gt(worlds[0].telling[i].bytes.length, 0);
    }
    for (unsigned i = 0; i < ASKED; i++)
        compare(worlds, asked[i].path, asked[i].json, limits != NULL || !asked[i].differs);
    if (limits != NULL) {
        compare_ids(worlds);
        expect_inside(&worlds[0]);
    }
    for (unsigned i = 0; i < 2; i++)
        end_world(&worlds[i]);
    limits_release(limits);
}

Test(worlds, differ_for_who_sees_everything, .timeout = 120)
{
    compare_worlds(NULL, 0);
}

Test(worlds, are_alike_for_networks, .timeout = 120)
{
    compare_worlds((char *[]){"network=10.0.0.0/24", "network=2001:db8::/32"}, 2);
}

Test(worlds, are_alike_for_namespaces, .timeout = 120)
{
    compare_worlds((char *[]){"namespace=shop", "namespace=other", "node=here"}, 3);
}

Test(worlds, are_alike_for_both, .timeout = 120)
{
    compare_worlds((char *[]){"namespace=shop", "network=10.0.0.0/25"}, 2);
}

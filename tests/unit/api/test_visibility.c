#include "api/visibility.h"

#include "api/build.h"
#include "api/grant.h"
#include "sample_alert.h"
#include "sample_flow.h"
#include "watching.h"

static struct limits *limits_of(char *const *words, unsigned count)
{
    struct error error;
    struct limits *limits;
    cr_assert(limits_parse(words, count, &limits, &error), "%s", error.text);
    return limits;
}

static struct address address_of(const char *text)
{
    struct address address;
    cr_assert(address_parse(text, &address));
    return address;
}

static bool holds(const struct limits *limits, const char *address, const char *name_space)
{
    struct address parsed = address_of(address);
    return limits_hold_end(limits, &parsed, name_space);
}

Test(visibility, values_of_a_key_are_alternatives_and_keys_all_have_to_fit)
{
    struct limits *limits = limits_of((char *[]){"network=10.0.0.0/8", "network=2001:db8::/32",
                                                 "namespace=shop", "namespace=bank", "node=here"},
                                      5);
    cr_expect(holds(limits, "10.1.2.3", "shop"));
    cr_expect(holds(limits, "2001:db8::1", "bank"));
    cr_expect_not(holds(limits, "10.1.2.3", ""));
    cr_expect_not(holds(limits, "10.1.2.3", "shops"));
    cr_expect_not(holds(limits, "11.1.2.3", "shop"));
    cr_expect(holds(NULL, "11.1.2.3", ""));
    struct prefix inner, outer;
    cr_assert(prefix_parse("10.1.0.0/16", &inner) && prefix_parse("8.0.0.0/5", &outer));
    cr_expect(limits_hold_network(limits, &inner));
    cr_expect_not(limits_hold_network(limits, &outer));
    cr_expect_eq(limits_narrowing(limits), limits);
    limits_release(limits);
    limits = limits_of((char *[]){"node=here"}, 1);
    cr_expect_null(limits_narrowing(limits), "whoever may ask this sensor sees all of it");
    limits_release(limits);
}

Test(visibility, one_end_inside_shows_a_flow_without_the_peers_name)
{
    struct flow_event event, scratch;
    sample_flow_full(&event);
    char ip[ADDRESS_TEXT_BYTES], word[80];
    for (int side = 0; side < 2; side++) {
        snprintf(word, sizeof word, "network=%s", address_format(&event.record.endpoint[side].address, ip));
        struct limits *limits = limits_of((char *[]){word}, 1);
        const struct flow_event *seen = flow_as_seen(limits, &event, &scratch);
        cr_assert_eq(seen, &scratch);
        cr_expect_eq(seen->name_source[!side], NAME_WITHHELD);
        cr_expect_str_eq(flow_event_text(seen, EVENT_TEXT_NAME + !side), "");
        cr_expect_str_eq(flow_event_text(seen, EVENT_TEXT_NAMESPACE + !side), "");
        cr_expect_str_eq(flow_event_text(seen, EVENT_TEXT_NAME + side),
                         flow_event_text(&event, EVENT_TEXT_NAME + side));
        limits_release(limits);
    }
    struct limits *limits = limits_of((char *[]){"network=203.0.113.255"}, 1);
    cr_expect_null(flow_as_seen(limits, &event, &scratch));
    limits_release(limits);
    limits = limits_of((char *[]){"network=0.0.0.0/0", "network=::/0"}, 2);
    cr_expect_eq(flow_as_seen(limits, &event, &scratch), &event);
    cr_expect_eq(flow_as_seen(NULL, &event, &scratch), &event);
    limits_release(limits);
}

static void pack_seen(const struct limits *limits, const struct alert_event *event, struct strbuf *into)
{
    struct build build;
    struct alert_event scratch;
    const struct alert_event *seen = alert_as_seen(limits, event, &scratch);
    cr_assert_not_null(seen);
    build_init(&build);
    Netscope__V1__Alert *alert = build_alert(&build, seen);
    uint8_t *bytes = malloc(netscope__v1__alert__get_packed_size(alert));
    strbuf_init(into, 1 << 16);
    strbuf_add_bytes(into, bytes, netscope__v1__alert__pack(alert, bytes));
    free(bytes);
    build_done(&build);
}

// Of a sweep over 192.0.2.1 (inside) and 192.0.2.2 by 10.0.0.9: everything about others is another.
Test(visibility, alerts_that_differ_outside_look_alike)
{
    struct alert_event one, other;
    struct strbuf told[2];
    sample_alert_full(&one);
    sample_alert_full(&other);
    other.alert.source[0].packets = 99;
    other.alert.target[1] = (struct alert_party){.endpoint = alert_endpoint("192.0.2.77", 22)};
    strcpy(other.target_name[1].name_space, "mint");
    strcpy(other.source_name[0].name, "crowd");
    other.alert.target_count = 2;
    other.alert.targets_total = 31;
    other.alert.sources_total = 7;
    other.alert.observed = other.alert.measure[0].observed = 31;
    other.alert.measure_count = 1;
    other.alert.suppressed_count += 5;
    other.alert.loss_ratio = 0.5;
    other.alert.confidence = 0.25;
    strcpy(other.alert.description, "10.0.0.9 swept 31 hosts");
    other.alert.sample[1] = other.alert.sample[0];
    other.alert.sample[1].server = alert_endpoint("192.0.2.77", 22);
    other.alert.sample_count = one.alert.sample_count + 1;
    struct limits *limits = limits_of((char *[]){"network=192.0.2.1"}, 1);
    pack_seen(limits, &one, &told[0]);
    pack_seen(limits, &other, &told[1]);
    cr_expect_eq(told[0].length, told[1].length);
    cr_expect_eq(memcmp(told[0].text, told[1].text, told[0].length), 0);
    cr_expect_not_null(memmem(told[0].text, told[0].length, "192.0.2.1", 9));
    cr_expect_null(memmem(told[1].text, told[1].length, "192.0.2.77", 10));
    limits_release(limits);
    limits = limits_of((char *[]){"network=203.0.113.0/24"}, 1);
    struct alert_event scratch;
    cr_expect_null(alert_as_seen(limits, &one, &scratch));
    cr_expect_eq(alert_as_seen(NULL, &one, &scratch), &one);
    limits_release(limits);
    strbuf_done(&told[0]);
    strbuf_done(&told[1]);
}

static void begin_limited(struct calling *calling, char *const *words, unsigned count)
{
    begin_calling(calling, "sensor: {node_name: here}\n");
    start_run(&calling->running);
    calling->caller =
        (struct caller){.identity = "shop", .role = ROLE_VIEWER, .limits = limits_of(words, count)};
}

static void end_limited(struct calling *calling)
{
    limits_release(calling->caller.limits);
    end_calling(calling);
}

static void denied(struct calling *calling, const char *path, const char *json, const char *field)
{
    call_refused(calling, path, json, STATUS_PERMISSION_DENIED, field, "that you may see");
}

static void allowed(struct calling *calling, const char *path, const char *json)
{
    struct answer answer;
    call_well(calling, path, json, &answer);
    answer_done(&answer);
}

Test(visibility, what_is_named_outside_is_refused_by_its_path, .timeout = 60)
{
    struct calling calling;
    begin_limited(&calling, (char *[]){"network=10.0.0.0/24", "namespace=shop"}, 2);
    denied(&calling, FLOWS("ListFlows"), "{\"allow\": [{}, {\"server\": {\"networks\": [\"10.0.1.0/24\"]}}]}",
           "allow[1].server.networks[0]");
    denied(&calling, FLOWS("TopFlows"),
           "{\"allow\": [{\"oneEnd\": {\"networks\": [\"10.0.0.1\", \"10.0.0.0/8\"]}}]}",
           "allow[0].one_end.networks[1]");
    denied(&calling, FLOWS("FilterHints"),
           "{\"field\": 1, \"allow\": [{\"otherEnd\": {\"namespaces\": [\"shop\", \"bank\"]}}]}",
           "allow[0].other_end.namespaces[1]");
    denied(&calling, FLOWS("ListFlows"), "{\"deny\": [{\"client\": {\"namespaces\": [\"bank\"]}}]}",
           "deny[0].client.namespaces[0]");
    denied(&calling, ALERTS("ListAlerts"), "{\"allow\": [{\"parties\": [\"10.0.0.1\", \"10.1.0.0/16\"]}]}",
           "allow[0].parties[1]");
    denied(&calling, ALERTS("ListAlerts"), "{\"deny\": [{\"sources\": [\"192.0.2.1\"]}]}",
           "deny[0].sources[0]");
    call_refused(&calling, SENSOR("GetConfig"), "{}", STATUS_PERMISSION_DENIED, NULL, "may not see");
    // One end is his, the other one whoever he talks to; what is denied only narrows.
    allowed(&calling, FLOWS("ListFlows"),
            "{\"allow\": [{\"client\": {\"networks\": [\"10.0.0.1\"]}, \"server\": {\"networks\": "
            "[\"192.0.2.1\"]}}],"
            " \"deny\": [{\"oneEnd\": {\"networks\": [\"192.0.2.2\"]}}]}");
    allowed(&calling, FLOWS("ListFlows"), "{\"allow\": [{\"oneEnd\": {\"namespaces\": [\"shop\"]}}]}");
    allowed(&calling, FLOWS("ListFlows"), "{\"allow\": [{\"protocols\": [\"udp\"]}]}");
    // What is wrong is told first.
    call_refused(&calling, FLOWS("ListFlows"),
                 "{\"allow\": [{\"protocols\": [\"x\"], \"oneEnd\": {\"networks\": [\"192.0.2.1\"]}}]}",
                 STATUS_INVALID_ARGUMENT, "allow[0].protocols[0]", "no protocol");
    end_limited(&calling);
}

Test(visibility, limits_are_told, .timeout = 60)
{
    struct calling calling;
    struct answer answer;
    begin_limited(&calling, (char *[]){"network=10.0.0.0/24", "node=here"}, 2);
    const Netscope__V1__GetStatusResponse *status =
        CALL(&calling, Netscope__V1__GetStatusResponse, SENSOR("GetStatus"), "{}", &answer);
    cr_assert_eq(status->caller->n_limits, 2);
    cr_expect_str_eq(status->caller->limits[1], "node=here");
    cr_expect_null(status->ledger);
    cr_expect_eq(status->state, NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_RUNNING);
    answer_done(&answer);
    end_limited(&calling);
}

Test(visibility, a_stream_ends_when_its_caller_may_not_what_he_might, .timeout = 60)
{
    struct calling calling;
    struct watching kept, gone, changed;
    struct grant *grants[2] = {grant_create("gone", ROLE_VIEWER, NULL),
                               grant_create("changed", ROLE_VIEWER, NULL)};
    begin_limited(&calling, (char *[]){"network=10.0.0.0/24"}, 1);
    const struct caller limited = calling.caller;
    watch(&kept, &calling, FLOWS("WatchFlows"), "{\"options\": {\"follow\": true}}");
    calling.caller = caller_of(grants[0]);
    watch(&gone, &calling, FLOWS("WatchFlows"), "{\"options\": {\"follow\": true}}");
    calling.caller = caller_of(grants[1]);
    watch(&changed, &calling, ALERTS("WatchAlerts"), "{\"options\": {\"follow\": true}}");
    atomic_store(&grants[0]->standing, GRANT_GONE);
    atomic_store(&grants[1]->standing, GRANT_CHANGED);
    for (unsigned i = 0; i < 2; i++)
        grant_release(grants[i]); // the streams have theirs
    step(&kept, true);
    step(&gone, false);
    step(&changed, false);
    cr_expect_eq(kept.ended, 0);
    cr_expect_eq(gone.status.code, STATUS_UNAUTHENTICATED);
    cr_expect_eq(changed.status.code, STATUS_PERMISSION_DENIED);
    end_watch(&kept);
    end_watch(&gone);
    end_watch(&changed);
    calling.caller = limited;
    end_limited(&calling);
}

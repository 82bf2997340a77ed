// SensorService but for its settings: how the sensor is, what it captures on.
#include <string.h>

#include "aggregate/snapshot.h"
#include "api/call.h"
#include "api/visibility.h"
#include "capture/source.h"
#include "detect/alert.h"
#include "netscope/v1/sensor.pb-c.h"
#include "report/summary.h"

typedef Netscope__V1__GetStatusResponse Status;

static void build_detectors(struct call *call, Status *status, const struct detect_status *detect)
{
    status->n_detectors =
        build_rows(&call->build, &status->detectors, ALERT_OVERFLOW, sizeof **status->detectors);
    for (unsigned kind = 0; kind < status->n_detectors; kind++) {
        Netscope__V1__DetectorStatus *row = status->detectors[kind];
        netscope__v1__detector_status__init(row);
        row->kind = build_borrowed(alert_kind_name((enum alert_kind)kind));
        row->enabled = detect->enabled[kind];
        row->degraded = detect->degraded[kind];
    }
}

static void build_caller(struct call *call, Status *status)
{
    Netscope__V1__Caller *caller = build_part(&call->build, sizeof *caller);
    if (caller == NULL)
        return;
    netscope__v1__caller__init(caller);
    caller->identity = build_text(&call->build, call->caller->identity);
    caller->role = (Netscope__V1__Role)(call->caller->role + 1);
    caller->n_limits = build_limits(&call->build, call->caller->limits, &caller->limits);
    status->caller = caller;
}

// The sensor's figures, whoever's packets they are.
static void build_figures(struct call *call, Status *status, const struct snapshot *snapshot)
{
    struct report_ledger ledger = {0};
    const struct totals *totals = &snapshot->totals;
    report_ledger_fill(&ledger, control_source(call->api->control), totals);
    status->ledger = build_ledger(&call->build, &ledger);
    build_detectors(call, status, &snapshot->detect);
    if (totals->received > 0) {
        status->loss_ratio_value_case = NETSCOPE__V1__GET_STATUS_RESPONSE__LOSS_RATIO_VALUE_LOSS_RATIO;
        status->loss_ratio = (double)totals_lost(totals) / (double)totals->received;
    }
}

bool sensor_get_status(struct call *call, struct ProtobufCMessage *request)
{
    Status *status = CALL_RESPONSE(call, Status, netscope__v1__get_status_response__init);
    bool rests = control_rests(call->api->control); // asked before the figures: they are no older than that
    const struct snapshot *snapshot = control_snapshot(call->api->control);
    (void)request;
    if (status != NULL) {
        CALL_IDENTIFY(call, status);
        status->version = build_text(&call->build, call->api->version);
        status->api_revision = API_REVISION;
        status->live = control_is_live(call->api->control);
        status->start_time = build_time(&call->build, call->api->start_ns);
        status->state = NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_STARTING;
        if (snapshot != NULL) {
            status->state = rests ? NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_READ
                                  : NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_RUNNING;
            status->as_of = build_time(&call->build, snapshot->now_ns);
        }
        if (snapshot != NULL && call->limits == NULL)
            build_figures(call, status, snapshot);
        build_caller(call, status);
    }
    snapshot_release(snapshot);
    return true;
}

static uint64_t lost_on(const struct interface_totals *totals)
{
    uint64_t lost = 0;
    for (unsigned cause = 0; cause < LOST_CAUSES; cause++)
        lost += totals->lost[cause];
    return lost;
}

static void build_interface(struct call *call, Netscope__V1__Interface *into,
                            const struct interface_totals *totals)
{
    const struct source *source = control_source(call->api->control);
    netscope__v1__interface__init(into);
    if (call->limits == NULL) {
        into->packets = totals->received;
        into->bytes = totals->received_bytes;
        into->lost = lost_on(totals);
        into->nic_dropped = totals->interface_dropped;
    }
    if (totals->number >= source_interfaces(source))
        return;
    const struct source_interface *interface = source_interface(source, totals->number);
    into->name = build_text(&call->build, interface->name);
    into->configured = build_text(&call->build, interface->configured);
    into->up = atomic_load(&interface->up);
    into->link_type = interface->link_type;
}

bool sensor_list_interfaces(struct call *call, struct ProtobufCMessage *request)
{
    typedef Netscope__V1__ListInterfacesResponse List;
    List *list = CALL_RESPONSE(call, List, netscope__v1__list_interfaces_response__init);
    const struct snapshot *snapshot = control_snapshot(call->api->control);
    (void)request;
    if (list != NULL)
        CALL_IDENTIFY(call, list);
    if (list != NULL && snapshot != NULL) {
        const struct totals *totals = &snapshot->totals;
        list->as_of = build_time(&call->build, snapshot->now_ns);
        list->n_interfaces =
            build_rows(&call->build, &list->interfaces, totals->interfaces, sizeof **list->interfaces);
        for (size_t i = 0; i < list->n_interfaces; i++)
            build_interface(call, list->interfaces[i], &totals->interface[i]);
    }
    snapshot_release(snapshot);
    return true;
}

// What start and stop are told by: a word of some bytes.
static bool check_word(struct call *call, const char *word)
{
    enum { WORD_BYTES = sizeof((struct source_interface *)NULL)->configured };
    if (word[0] == '\0')
        return status_violate(&call->status, "interface",
                              "give a name, a glob (\"cali*\"), \"any\" or \"auto\"");
    return strlen(word) < WORD_BYTES ||
           status_violate(&call->status, "interface", "a name has at most %d bytes", WORD_BYTES - 1);
}

bool sensor_start_capture(struct call *call, struct ProtobufCMessage *request)
{
    typedef Netscope__V1__StartCaptureResponse Started;
    const char *word = ((Netscope__V1__StartCaptureRequest *)request)->interface;
    struct error error;
    if (!check_word(call, word))
        return false;
    if (!control_start_capture(call->api->control, word, &error))
        return status_from_error(&call->status, &error);
    Started *started = CALL_RESPONSE(call, Started, netscope__v1__start_capture_response__init);
    if (started != NULL) {
        CALL_IDENTIFY(call, started);
        started->interface = build_text(&call->build, word);
    }
    return true;
}

bool sensor_stop_capture(struct call *call, struct ProtobufCMessage *request)
{
    typedef Netscope__V1__StopCaptureResponse Stopped;
    const char *word = ((Netscope__V1__StopCaptureRequest *)request)->interface;
    struct error error;
    if (!check_word(call, word))
        return false;
    if (!control_stop_capture(call->api->control, word, &error))
        return status_from_error(&call->status, &error);
    Stopped *stopped = CALL_RESPONSE(call, Stopped, netscope__v1__stop_capture_response__init);
    if (stopped != NULL) {
        CALL_IDENTIFY(call, stopped);
        stopped->interface = build_text(&call->build, word);
    }
    return true;
}

// Commands that ask the sensor about itself: status, interfaces, start, stop.
#include <stddef.h>
#include <string.h>

#include "api/build.h"
#include "base/text_table.h"
#include "base/units.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/invocation.h"
#include "ctl/output.h"
#include "ctl/show.h"
#include "netscope/v1/sensor.pb-c.h"

typedef Netscope__V1__GetStatusResponse Status;
typedef Netscope__V1__Interface Interface;

// status

static uint64_t lost_packets(const Status *status)
{
    uint64_t lost = 0;
    for (size_t i = 0; status->ledger != NULL && i < status->ledger->n_lost; i++)
        lost += status->ledger->lost[i]->packets;
    return lost;
}

static const char *state_name(const Status *status)
{
    if (status->state == NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_STARTING)
        return "starting";
    if (status->state == NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_READ)
        return "read";
    return status->state == NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_RUNNING ? "running" : "unknown";
}

static void add_up_time(struct strbuf *into, const Status *status)
{
    if (status->start_time == NULL || status->as_of == NULL)
        return;
    int64_t secs = status->as_of->seconds - status->start_time->seconds;
    if (secs > 0)
        units_add_span(into, (double)secs);
}

static void add_loss(struct strbuf *into, const Status *status)
{
    units_add_count(into, lost_packets(status));
    if (status->loss_ratio_value_case != NETSCOPE__V1__GET_STATUS_RESPONSE__LOSS_RATIO_VALUE_LOSS_RATIO ||
        status->loss_ratio == 0)
        return;
    strbuf_add(into, " (");
    units_add_percent(into, status->loss_ratio);
    strbuf_add_char(into, ')');
}

static void show_lost(struct output *output, const Status *status)
{
    const Netscope__V1__Report__Ledger *ledger = status->ledger;
    bool some = lost_packets(status) > 0;
    struct strbuf *line = output_label(output, "lost");
    output_begin_colour(output, some ? COLOUR_RED : COLOUR_NONE);
    add_loss(line, status);
    output_end_colour(output, some ? COLOUR_RED : COLOUR_NONE);
    for (size_t i = 0; ledger != NULL && i < ledger->n_lost; i++) {
        if (ledger->lost[i]->packets == 0)
            continue;
        strbuf_add(line, ", ");
        add_shown(line, ledger->lost[i]->reason);
        strbuf_add_char(line, ' ');
        units_add_count(line, ledger->lost[i]->packets);
    }
    strbuf_add_char(line, '\n');
}

static void show_detectors(struct output *output, const Status *status)
{
    const char *separator = "";
    struct strbuf *line = output_label(output, "detectors");
    for (size_t i = 0; i < status->n_detectors; i++) {
        const Netscope__V1__DetectorStatus *detector = status->detectors[i];
        if (!detector->enabled)
            continue;
        strbuf_add(line, separator);
        add_shown(line, detector->kind);
        strbuf_add(line, detector->degraded ? " (silent: it sees one direction only)" : "");
        separator = ", ";
    }
    strbuf_add(line, separator[0] == '\0' ? "none\n" : "\n");
}

static void show_caller(struct output *output, const Status *status)
{
    static const char *const roles[] = {"no role", "viewer", "packets", "operator"};
    const Netscope__V1__Caller *caller = status->caller;
    if (caller == NULL)
        return;
    struct strbuf *line = output_label(output, "you");
    add_shown(line, caller->identity[0] != '\0' ? caller->identity : "nobody in particular");
    strbuf_addf(line, ", %s",
                (unsigned)caller->role < 4 ? roles[caller->role] : "a role that is unknown here");
    for (size_t i = 0; i < caller->n_limits; i++) {
        strbuf_add(line, i == 0 ? ", seeing only " : ", ");
        add_shown(line, caller->limits[i]);
    }
    strbuf_add_char(line, '\n');
}

static void show_packets(struct output *output, const Netscope__V1__Report__Ledger *ledger)
{
    struct strbuf *line = output_label(output, "packets");
    units_add_count(line, ledger->received);
    strbuf_add(line, " received, ");
    units_add_count(line, ledger->analysed);
    strbuf_add(line, " analysed, ");
    units_add_count(line, ledger->duplicate);
    strbuf_add(line, " seen twice\n");
}

static void show_one(struct output *output, const struct fleet *fleet, const struct answer *answer)
{
    (void)fleet;
    const Status *status = (const Status *)answer->message;
    struct strbuf *line = output_label(output, "node");
    add_shown(line, status->node);
    strbuf_addf(line, " at %s\n", answer->server->label);
    line = output_label(output, "version");
    add_shown(line, status->version);
    strbuf_addf(line, ", API revision %u\n", status->api_revision);
    line = output_label(output, "state");
    strbuf_add(line, state_name(status));
    if (status->live) {
        strbuf_add(line, " for ");
        add_up_time(line, status);
    }
    strbuf_add(line, status->live ? ", live capture\n" : ", over files\n");
    if (status->ledger != NULL) {
        show_packets(output, status->ledger);
        show_lost(output, status);
        show_detectors(output, status);
    }
    show_caller(output, status);
}

static const struct table_column status_columns[] = {
    {"NODE", false, CUT_MIDDLE}, {"SERVER", false, CUT_MIDDLE}, {"VERSION", false, CUT_NEVER},
    {"STATE", false, CUT_NEVER}, {"FOR", true, CUT_NEVER},      {"RECEIVED", true, CUT_NEVER},
    {"LOST", true, CUT_NEVER},   {NULL, false, CUT_NEVER},
};

static void show_statuses(struct output *output, const struct fleet *fleet, const struct answers *answers)
{
    struct text_table table;
    if (!fleet_is_several(fleet)) {
        if (answers->count == 1 && answers->list[0].message != NULL)
            show_one(output, fleet, &answers->list[0]);
        return;
    }
    table_init(&table, status_columns);
    for (unsigned i = 0; i < answers->count; i++) {
        const Status *status = (const Status *)answers->list[i].message;
        struct strbuf *cell = table_cell(&table);
        add_shown(cell, status != NULL ? status->node : "?");
        strbuf_add(table_cell(&table), answers->list[i].server->label);
        cell = table_cell(&table);
        add_shown(cell, status != NULL ? status->version : "");
        strbuf_add(table_cell(&table), status != NULL ? state_name(status) : "unreachable");
        cell = table_cell(&table);
        if (status != NULL)
            add_up_time(cell, status);
        cell = table_cell(&table);
        if (status != NULL && status->ledger != NULL)
            units_add_count(cell, status->ledger->received);
        cell = table_cell(&table);
        if (status != NULL && status->ledger != NULL)
            add_loss(cell, status);
    }
    output_add_table(output, &table);
    table_done(&table);
}

enum ctl_exit run_status(const struct invocation *given)
{
    Netscope__V1__GetStatusRequest request;
    netscope__v1__get_status_request__init(&request);
    struct question question = {.method = "/netscope.v1.SensorService/GetStatus",
                                .request = &request.base,
                                .response = &netscope__v1__get_status_response__descriptor};
    return answers_show(given, &question, show_statuses);
}

// interfaces

static const struct table_column interface_columns[] = {
    {"NODE", false, CUT_MIDDLE},      {"INTERFACE", false, CUT_MIDDLE},     {"STATE", false, CUT_NEVER},
    {"PACKETS", true, CUT_NEVER},     {"BYTES", true, CUT_NEVER},           {"LOST", true, CUT_NEVER},
    {"NIC DROPPED", true, CUT_NEVER}, {"CONFIGURED AS", false, CUT_MIDDLE}, {NULL, false, CUT_NEVER},
};

static void add_interface(struct text_table *table, const char *node, const Interface *interface)
{
    add_shown(table_cell(table), node);
    add_shown(table_cell(table), interface->name);
    strbuf_add(table_cell(table), interface->up ? "up" : "down");
    units_add_count(table_cell(table), interface->packets);
    units_add_bytes(table_cell(table), interface->bytes);
    units_add_count(table_cell(table), interface->lost);
    units_add_count(table_cell(table), interface->nic_dropped);
    struct strbuf *cell = table_cell(table);
    if (strcmp(interface->configured, interface->name) != 0)
        add_shown(cell, interface->configured);
}

static void show_interfaces(struct output *output, const struct fleet *fleet, const struct answers *answers)
{
    struct text_table table;
    table_init(&table, interface_columns);
    for (unsigned i = 0; i < answers->count; i++) {
        const Netscope__V1__ListInterfacesResponse *answer =
            (const Netscope__V1__ListInterfacesResponse *)answers->list[i].message;
        for (size_t row = 0; answer != NULL && row < answer->n_interfaces; row++)
            add_interface(&table, fleet_is_several(fleet) ? answer->node : "", answer->interfaces[row]);
    }
    output_add_table(output, &table);
    table_done(&table);
}

enum ctl_exit run_interfaces(const struct invocation *given)
{
    Netscope__V1__ListInterfacesRequest request;
    netscope__v1__list_interfaces_request__init(&request);
    struct question question = {.method = "/netscope.v1.SensorService/ListInterfaces",
                                .request = &request.base,
                                .response = &netscope__v1__list_interfaces_response__descriptor};
    return answers_show(given, &question, show_interfaces);
}

// start, stop: their answers have the same members.

static void show_captures(struct output *output, const struct fleet *fleet, const struct answers *answers,
                          const char *what)
{
    for (unsigned i = 0; i < answers->count; i++) {
        const Netscope__V1__StartCaptureResponse *answer =
            (const Netscope__V1__StartCaptureResponse *)answers->list[i].message;
        if (answer == NULL)
            continue;
        strbuf_add(&output->text, what);
        add_shown(&output->text, answer->interface);
        strbuf_add(&output->text, fleet_is_several(fleet) ? " of " : "");
        add_shown(&output->text, fleet_is_several(fleet) ? answer->node : "");
        strbuf_add_char(&output->text, '\n');
    }
}

static void show_started(struct output *output, const struct fleet *fleet, const struct answers *answers)
{
    show_captures(output, fleet, answers, "capturing on ");
}

_Static_assert(sizeof(Netscope__V1__StopCaptureResponse) == sizeof(Netscope__V1__StartCaptureResponse) &&
                   offsetof(Netscope__V1__StopCaptureResponse, interface) ==
                       offsetof(Netscope__V1__StartCaptureResponse, interface) &&
                   offsetof(Netscope__V1__StopCaptureResponse, node) ==
                       offsetof(Netscope__V1__StartCaptureResponse, node),
               "one reader serves both");

static void show_stopped(struct output *output, const struct fleet *fleet, const struct answers *answers)
{
    show_captures(output, fleet, answers, "no longer capturing on ");
}

enum ctl_exit run_start(const struct invocation *given)
{
    Netscope__V1__StartCaptureRequest request;
    netscope__v1__start_capture_request__init(&request);
    request.interface = build_borrowed(given->arguments[0]);
    struct question question = {.method = "/netscope.v1.SensorService/StartCapture",
                                .request = &request.base,
                                .response = &netscope__v1__start_capture_response__descriptor};
    return answers_show(given, &question, show_started);
}

enum ctl_exit run_stop(const struct invocation *given)
{
    Netscope__V1__StopCaptureRequest request;
    netscope__v1__stop_capture_request__init(&request);
    request.interface = build_borrowed(given->arguments[0]);
    struct question question = {.method = "/netscope.v1.SensorService/StopCapture",
                                .request = &request.base,
                                .response = &netscope__v1__stop_capture_response__descriptor};
    return answers_show(given, &question, show_stopped);
}

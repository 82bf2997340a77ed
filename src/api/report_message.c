#include "api/report_message.h"

#include <stdlib.h>
#include <string.h>

#include "api/alert_message.h"
#include "api/json.h"
#include "api/report_message_build.h"
#include "base/time.h"
#include "netscope/v1/report.pb-c.h"

static void build_all(struct report_message *message)
{
    netscope__v1__report__init(message->report);
    build_capture(message);
    build_flows(message);
    build_dns(message);
    build_tls(message);
    build_alerts(message);
}

struct report_message *report_message_create(const struct report_summary *summary)
{
    struct report_message *message = calloc(1, sizeof *message);
    if (message == NULL)
        return NULL;
    message->summary = summary;
    build_init(&message->build);
    message->report = build_part(&message->build, sizeof *message->report);
    if (message->report != NULL)
        build_all(message);
    if (message->build.failed) {
        report_message_destroy(message);
        return NULL;
    }
    return message;
}

void report_message_destroy(struct report_message *message)
{
    if (message == NULL)
        return;
    for (unsigned i = 0; i < message->flow_message_count; i++)
        flow_message_destroy(message->flow_messages[i]);
    for (unsigned i = 0; i < message->alert_message_count; i++)
        alert_message_destroy(message->alert_messages[i]);
    build_done(&message->build);
    free(message);
}

const struct Netscope__V1__Report *report_message_get(const struct report_message *message)
{
    return message->report;
}

bool report_json_add(struct strbuf *into, const struct report_summary *summary)
{
    struct report_message *message = report_message_create(summary);
    struct message_plan *plan = message_plan_create(&netscope__v1__report__descriptor);
    bool ready = message != NULL && plan != NULL;
    if (ready)
        json_add_indented(into, plan, report_message_get(message));
    message_plan_destroy(plan);
    report_message_destroy(message);
    return ready && !into->failed;
}

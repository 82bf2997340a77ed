#include "api/report_message.h"

#include <stdlib.h>
#include <string.h>

#include "api/alert_message.h"
#include "api/json.h"
#include "api/report_message_build.h"
#include "api/text.h"
#include "base/time.h"
#include "netscope/v1/report.pb-c.h"

enum { LONGEST_TEXT = 8192 };

struct report_block {
    struct report_block *next;
    max_align_t bytes[];
};

void *build_part(struct report_message *message, size_t bytes)
{
    struct report_block *block = calloc(1, sizeof *block + bytes);
    if (block == NULL) {
        message->failed = true;
        return NULL;
    }
    block->next = message->blocks;
    message->blocks = block;
    return block->bytes;
}

static char *nothing(void)
{
    static char empty[1];
    return empty;
}

char *build_text(struct report_message *message, const char *wire)
{
    const char *text = api_text(&message->scratch, wire);
    if (message->scratch.failed)
        message->failed = true;
    if (text[0] == '\0')
        return nothing();
    size_t bytes = strlen(text) + 1;
    char *copy = build_part(message, bytes);
    return copy != NULL ? memcpy(copy, text, bytes) : nothing();
}

char *build_address(struct report_message *message, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    return build_text(message, address_format(address, text));
}

size_t build_rows(struct report_message *message, void *list, size_t count, size_t row_bytes)
{
    if (count == 0)
        return 0;
    size_t stride = (row_bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    uint8_t *rows = build_part(message, count * stride);
    void **pointers = build_part(message, count * sizeof(void *));
    if (rows == NULL || pointers == NULL)
        return 0;
    for (size_t i = 0; i < count; i++)
        pointers[i] = rows + i * stride;
    memcpy(list, &pointers, sizeof(void *));
    return count;
}

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
    strbuf_init(&message->scratch, LONGEST_TEXT);
    message->report = build_part(message, sizeof *message->report);
    if (message->report != NULL)
        build_all(message);
    if (message->failed) {
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
    for (struct report_block *block = message->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    strbuf_done(&message->scratch);
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

#include "api/build.h"

#include <assert.h>
#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <stdlib.h>
#include <string.h>

#include "api/alert_message.h"
#include "api/flow_message.h"
#include "api/text.h"
#include "api/timestamp.h"
#include "base/time.h"
#include "netscope/v1/alert.pb-c.h"
#include "netscope/v1/flow.pb-c.h"
#include "netscope/v1/report.pb-c.h"
#include "report/summary.h"

enum { LONGEST_TEXT = 8192 };

struct build_block {
    struct build_block *next;
    void *thing; // NULL = the block holds bytes
    void (*destroy)(void *thing);
    max_align_t bytes[];
};

void build_init(struct build *build)
{
    *build = (struct build){0};
    strbuf_init(&build->scratch, LONGEST_TEXT);
}

void build_done(struct build *build)
{
    for (struct build_block *block = build->blocks, *next; block != NULL; block = next) {
        next = block->next;
        if (block->thing != NULL)
            block->destroy(block->thing);
        free(block);
    }
    strbuf_done(&build->scratch);
    build->blocks = NULL;
}

static struct build_block *add_block(struct build *build, size_t bytes)
{
    struct build_block *block = calloc(1, sizeof *block + bytes);
    if (block == NULL) {
        build->failed = true;
        return NULL;
    }
    block->next = build->blocks;
    build->blocks = block;
    return block;
}

void *build_part(struct build *build, size_t bytes)
{
    struct build_block *block = add_block(build, bytes);
    return block != NULL ? block->bytes : NULL;
}

void *build_own(struct build *build, void *take_thing, void (*destroy)(void *thing))
{
    struct build_block *block = take_thing != NULL ? add_block(build, 0) : NULL;
    if (block == NULL) {
        build->failed = true;
        if (take_thing != NULL)
            destroy(take_thing);
        return NULL;
    }
    block->thing = take_thing;
    block->destroy = destroy;
    return take_thing;
}

static char *nothing(void)
{
    static char empty[1];
    return empty;
}

static char *copy_text(struct build *build, const char *text)
{
    if (text[0] == '\0')
        return nothing();
    size_t bytes = strlen(text) + 1;
    char *copy = build_part(build, bytes);
    return copy != NULL ? memcpy(copy, text, bytes) : nothing();
}

char *build_text(struct build *build, const char *wire)
{
    const char *text = api_text(&build->scratch, wire);
    if (build->scratch.failed)
        build->failed = true;
    return copy_text(build, text);
}

static bool is_utf8(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    for (size_t left = strlen(text), length; left > 0; left -= length, at += length)
        if ((length = utf8_sequence(at, left)) == 0)
            return false;
    return true;
}

char *build_copy(struct build *build, const char *text)
{
    return is_utf8(text) ? copy_text(build, text) : build_text(build, text);
}

char *build_address(struct build *build, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    return build_text(build, address_format(address, text));
}

size_t build_rows(struct build *build, void *list, size_t count, size_t row_bytes)
{
    if (count == 0)
        return 0;
    size_t stride = (row_bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    uint8_t *rows = build_part(build, count * stride);
    void **pointers = build_part(build, count * sizeof(void *));
    if (rows == NULL || pointers == NULL)
        return 0;
    for (size_t i = 0; i < count; i++)
        pointers[i] = rows + i * stride;
    memcpy(list, &pointers, sizeof(void *));
    return count;
}

Google__Protobuf__Timestamp *build_time(struct build *build, int64_t time_ns)
{
    Google__Protobuf__Timestamp *time = build_part(build, sizeof *time);
    if (time != NULL)
        timestamp_fill(time, time_ns);
    return time;
}

Google__Protobuf__Duration *build_duration(struct build *build, int64_t span_ns)
{
    Google__Protobuf__Duration *span = build_part(build, sizeof *span);
    assert(span_ns >= 0);
    if (span == NULL)
        return NULL;
    google__protobuf__duration__init(span);
    span->seconds = span_ns / NS_PER_S;
    span->nanos = (int32_t)(span_ns % NS_PER_S);
    return span;
}

static void build_lost(struct build *build, Netscope__V1__Report__Lost *into, const struct report_lost *from)
{
    netscope__v1__report__lost__init(into);
    if (from->interface[0] != '\0') {
        into->interface_value_case = NETSCOPE__V1__REPORT__LOST__INTERFACE_VALUE_INTERFACE;
        into->interface = build_text(build, from->interface);
    }
    into->stage = build_text(build, from->stage);
    into->reason = build_text(build, from->reason);
    into->packets = from->packets;
}

Netscope__V1__Report__Ledger *build_ledger(struct build *build, const struct report_ledger *from)
{
    Netscope__V1__Report__Ledger *ledger = build_part(build, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    netscope__v1__report__ledger__init(ledger);
    ledger->received = from->received;
    ledger->analysed = from->analysed;
    ledger->duplicate = from->duplicate;
    ledger->balanced = from->balanced;
    ledger->n_lost = build_rows(build, &ledger->lost, from->lost_count, sizeof **ledger->lost);
    for (size_t i = 0; i < ledger->n_lost; i++)
        build_lost(build, ledger->lost[i], &from->lost_by[i]);
    return ledger;
}

static void destroy_flow(void *message)
{
    flow_message_destroy(message);
}

Netscope__V1__Flow *build_flow(struct build *build, const struct flow_event *event, bool basic)
{
    struct flow_message *message = build_own(build, flow_message_create(), destroy_flow);
    if (message == NULL)
        return NULL;
    flow_message_fill(message, event);
    return basic ? flow_message_reduce(message) : flow_message_whole(message);
}

static void destroy_alert(void *message)
{
    alert_message_destroy(message);
}

Netscope__V1__Alert *build_alert(struct build *build, const struct alert_event *event)
{
    struct alert_message *message = build_own(build, alert_message_create(), destroy_alert);
    struct alert_event *copy = build_part(build, sizeof *copy);
    if (message == NULL || copy == NULL)
        return NULL;
    *copy = *event;
    return (Netscope__V1__Alert *)(uintptr_t)alert_message_fill(message, copy);
}

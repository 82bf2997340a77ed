#include "decode/fields.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "decode/decode.h"
#include "decode/describe.h"

enum { TEXT_MAXIMUM = 256 * 1024, VALUE_BYTES = 1024 };

void fields_init(struct fields *fields)
{
    fields->base = NULL;
    fields->count = 0;
    strbuf_init(&fields->text, TEXT_MAXIMUM);
}

void fields_done(struct fields *fields)
{
    strbuf_done(&fields->text);
    fields->count = 0;
}

static uint32_t add_text(struct fields *fields, const char *text)
{
    uint32_t offset = (uint32_t)fields->text.length;
    strbuf_add_wire(&fields->text, text, strlen(text));
    strbuf_add_char(&fields->text, '\0');
    return offset;
}

// A field without room for it, or for its whole text, is left out.
static void add_field(struct fields *fields, const struct field *place, const char *name, const char *value)
{
    if (fields->count == FIELDS_MAXIMUM || fields->text.failed)
        return;
    assert(fields->count < FIELDS_MAXIMUM);
    struct field field = *place;
    field.name = add_text(fields, name);
    field.value = add_text(fields, value);
    if (!fields->text.failed)
        fields->items[fields->count++] = field;
}

static struct field place_of(const struct fields *fields, unsigned depth, const uint8_t *at, size_t length)
{
    assert(at >= fields->base && depth <= UINT8_MAX);
    return (struct field){
        .depth = (uint8_t)depth,
        .offset = (uint32_t)(at - fields->base),
        .length = (uint32_t)length,
    };
}

void fields_layer(struct fields *fields, const char *name, const uint8_t *at, size_t length)
{
    struct field place = place_of(fields, 0, at, length);
    add_field(fields, &place, name, "");
}

void fields_add(struct fields *fields, unsigned depth, const char *name, const uint8_t *at, size_t length,
                const char *format, ...)
{
    char value[VALUE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    struct field place = place_of(fields, depth, at, length);
    add_field(fields, &place, name, value);
}

const char *field_name(const struct fields *fields, const struct field *field)
{
    assert(field->name < fields->text.length);
    return fields->text.text + field->name;
}

const char *field_value(const struct fields *fields, const struct field *field)
{
    assert(field->value < fields->text.length);
    return fields->text.text + field->value;
}

static const char *link_text(const struct packet *packet)
{
    const char *name = link_type_name(packet->link_type);
    return name != NULL ? name : "not decoded";
}

static void add_frame(struct fields *fields, const struct packet *packet)
{
    const uint8_t *at = packet->bytes;
    struct strbuf time;
    strbuf_init(&time, 64);
    time_add_rfc3339(&time, packet->time_ns, 9);
    fields_layer(fields, "Frame", at, packet->captured);
    fields_add(fields, FIELD_TOP, "Number", at, 0, "%llu", (unsigned long long)packet->number);
    fields_add(fields, FIELD_TOP, "Time", at, 0, "%s", time.text);
    fields_add(fields, FIELD_TOP, "Length", at, 0, "%u", packet->length);
    if (packet->captured < packet->length)
        fields_add(fields, FIELD_TOP, "Captured", at, 0, "%u", packet->captured);
    fields_add(fields, FIELD_TOP, "Link type", at, 0, "%s (%u)", link_text(packet), packet->link_type);
    if (packet->error_reason != DECODE_OK)
        fields_add(fields, FIELD_TOP, "Decoding stopped", at, 0, "%s: %s",
                   decode_layer_name(packet->error_layer), decode_reason_name(packet->error_reason));
    strbuf_done(&time);
}

static void add_layers(struct fields *fields, const struct packet *packet, const struct layer_trace *trace)
{
    for (unsigned i = 0; i < trace->count; i++) {
        const struct decoder *row = &decoders[trace->layers[i].decoder];
        assert(trace->layers[i].offset + trace->layers[i].length <= packet->captured);
        struct cursor layer = cursor_of(packet->bytes + trace->layers[i].offset, trace->layers[i].length);
        if (row->describe != NULL)
            row->describe(layer, packet, fields);
    }
}

static void add_dns_answers(struct fields *fields, const struct packet *packet,
                            const struct dns_message *message)
{
    for (unsigned i = 0; i < message->addresses; i++) {
        const struct dns_answer *answer = &message->answer[i];
        char type[12], address[ADDRESS_TEXT_BYTES];
        fields_add(fields, FIELD_INNER, "Answer", packet_payload(packet), packet->payload_captured,
                   "%s %s, TTL %u", dns_type_name(answer->type, type),
                   address_format(&answer->address, address), answer->ttl_seconds);
    }
}

static bool add_dns(struct fields *fields, const struct packet *packet)
{
    struct dns_message message;
    bool found = false;
    dns_of_packet(packet, &message, &found);
    if (!found)
        return false;
    const uint8_t *at = packet_payload(packet);
    uint32_t length = packet->payload_captured;
    char text[12];
    fields_layer(fields, "DNS", at, length);
    fields_add(fields, FIELD_TOP, "Id", at, length, "0x%04x", message.id);
    fields_add(fields, FIELD_TOP, "Kind", at, length, "%s", message.response ? "response" : "query");
    fields_add(fields, FIELD_TOP, "Operation", at, length, "%u", message.opcode);
    if (message.response)
        fields_add(fields, FIELD_TOP, "Response code", at, length, "%s", dns_rcode_name(message.rcode, text));
    if (message.name.length > 0) {
        fields_add(fields, FIELD_TOP, "Name", at, length, "%s", message.name.text);
        fields_add(fields, FIELD_TOP, "Type", at, length, "%s", dns_type_name(message.type, text));
    }
    fields_add(fields, FIELD_TOP, "Records", at, length,
               "%u questions, %u answers, %u authorities, %u additionals", message.questions, message.answers,
               message.authorities, message.additionals);
    add_dns_answers(fields, packet, &message);
    if (message.damaged)
        fields_add(fields, FIELD_TOP, "Decoding stopped", at, length, "%s: %s",
                   decode_layer_name(DECODE_LAYER_APP), decode_reason_name(DECODE_BAD_MESSAGE));
    return true;
}

static void add_fingerprints(struct fields *fields, const struct packet *packet, const char *offer)
{
    char ja3[JA3_TEXT_BYTES], ja4[JA4_TEXT_BYTES];
    tls_ja3(offer, ja3);
    tls_ja4(offer, ja4);
    fields_add(fields, FIELD_TOP, "JA3", packet_payload(packet), packet->payload_captured, "%s", ja3);
    fields_add(fields, FIELD_TOP, "JA4", packet_payload(packet), packet->payload_captured, "%s", ja4);
}

static bool add_tls(struct fields *fields, const struct packet *packet)
{
    struct tls_hello hello;
    if (!tls_hello_of_packet(packet, &hello))
        return false;
    const uint8_t *at = packet_payload(packet);
    uint32_t length = packet->payload_captured;
    char text[12];
    fields_layer(fields, "TLS ClientHello", at, length);
    fields_add(fields, FIELD_TOP, "Version", at, length, "%s",
               hello.complete ? tls_version_name(hello.version, text) : "");
    fields_add(fields, FIELD_TOP, "Server name", at, length, "%s", hello.sni);
    fields_add(fields, FIELD_TOP, "Server name status", at, length, "%s", sni_status_name(hello.sni_status));
    fields_add(fields, FIELD_TOP, "ALPN", at, length, "%s", hello.alpn);
    if (hello.ech_offered)
        fields_add(fields, FIELD_TOP, "Encrypted ClientHello", at, length, "offered");
    if (hello.complete)
        add_fingerprints(fields, packet, hello.offer);
    return true;
}

static void add_payload(struct fields *fields, const struct packet *packet)
{
    if (packet->payload_length == 0)
        return;
    const uint8_t *at = packet_payload(packet);
    fields_layer(fields, "Payload", at, packet->payload_captured);
    fields_add(fields, FIELD_TOP, "Length", at, packet->payload_captured, "%u", packet->payload_length);
    if (packet->payload_captured < packet->payload_length)
        fields_add(fields, FIELD_TOP, "Captured", at, packet->payload_captured, "%u",
                   packet->payload_captured);
}

void fields_of_packet(struct fields *fields, const struct packet *packet)
{
    struct packet again = *packet;
    struct layer_trace trace;
    fields->base = packet->bytes;
    fields->count = 0;
    strbuf_clear(&fields->text);
    decode_packet_traced(&again, &(struct decode_options){.tunnels = true}, &trace);
    add_frame(fields, &again);
    add_layers(fields, &again, &trace);
    if (!add_dns(fields, &again) && !add_tls(fields, &again))
        add_payload(fields, &again);
}

void packet_add_detail(struct strbuf *into, const struct packet *packet, struct fields *scratch)
{
    fields_of_packet(scratch, packet);
    for (unsigned i = 0; i < scratch->count; i++) {
        const struct field *field = &scratch->items[i];
        const char *value = field_value(scratch, field);
        strbuf_add_repeat(into, ' ', 2U * field->depth);
        strbuf_add(into, field_name(scratch, field));
        if (value[0] != '\0') {
            strbuf_add(into, ": ");
            strbuf_add(into, value);
        }
        strbuf_add_char(into, '\n');
    }
}

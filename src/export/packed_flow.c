#include "export/packed_flow.h"

#include <assert.h>
#include <string.h>

#include "api/flow_message.h"

// The texts of a block, in order.
enum packed_text {
    TEXT_NODE,
    TEXT_INTERFACE,
    TEXT_NAME,
    TEXT_NAME_SPACE = TEXT_NAME + 2,
    TEXT_OBSERVED = TEXT_NAME_SPACE + 2,
    TEXT_SNI = TEXT_OBSERVED + OBSERVED_INTERFACES,
    TEXT_ALPN,
    TEXT_JA3,
    TEXT_JA4,
    TEXT_DNS_QUERY,
    PACKED_TEXTS,
};

enum { LONGEST_TEXT = 255, BLOCK_ALIGNMENT = 8 };

static_assert(sizeof(struct packed_flow) + PACKED_TEXTS * (LONGEST_TEXT + 1) + BLOCK_ALIGNMENT <=
                  PACKED_FLOW_MOST_BYTES,
              "a block may be larger than its bound");
static_assert(_Alignof(struct packed_flow) <= BLOCK_ALIGNMENT, "blocks need more alignment");

static void texts_of(const struct named_flow *flow, const char *texts[PACKED_TEXTS])
{
    texts[TEXT_NODE] = flow->node;
    texts[TEXT_INTERFACE] = flow->interface;
    for (unsigned side = 0; side < 2; side++) {
        texts[TEXT_NAME + side] = flow->name[side];
        texts[TEXT_NAME_SPACE + side] = flow->name_space[side];
    }
    for (unsigned i = 0; i < OBSERVED_INTERFACES; i++)
        texts[TEXT_OBSERVED + i] = flow->observed[i];
    const struct flow_names *names = flow->record->names;
    if (names == NULL)
        return;
    texts[TEXT_SNI] = names->sni;
    texts[TEXT_ALPN] = names->alpn;
    texts[TEXT_JA3] = names->ja3;
    texts[TEXT_JA4] = names->ja4;
    texts[TEXT_DNS_QUERY] = names->dns_query;
}

static size_t text_length(const char *text)
{
    return text != NULL ? strnlen(text, LONGEST_TEXT) : 0;
}

static size_t block_bytes(const char *const texts[PACKED_TEXTS])
{
    size_t bytes = offsetof(struct packed_flow, texts) + PACKED_TEXTS;
    for (unsigned i = 0; i < PACKED_TEXTS; i++)
        bytes += text_length(texts[i]);
    bytes = bytes < sizeof(struct packed_flow) ? sizeof(struct packed_flow) : bytes;
    return (bytes + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
}

size_t packed_flow_bytes(const struct named_flow *flow)
{
    const char *texts[PACKED_TEXTS] = {0};
    texts_of(flow, texts);
    return block_bytes(texts);
}

static void write_names(struct packed_flow *packed, const struct flow_names *names)
{
    packed->has_names = names != NULL;
    if (names == NULL)
        return;
    packed->sni_status = names->sni_status;
    packed->app = names->app;
    packed->tls_version = names->tls_version;
    packed->dns_type = names->dns_type;
    packed->dns_rcode = names->dns_rcode;
}

static void write_texts(char *into, const char *const texts[PACKED_TEXTS])
{
    for (unsigned i = 0; i < PACKED_TEXTS; i++) {
        size_t length = text_length(texts[i]);
        if (length > 0)
            memcpy(into, texts[i], length);
        into[length] = '\0';
        into += length + 1;
    }
}

void packed_flow_write(void *into, const struct named_flow *flow)
{
    const char *texts[PACKED_TEXTS] = {0};
    texts_of(flow, texts);
    struct packed_flow *packed = into;
    *packed = (struct packed_flow){
        .bytes = (uint32_t)block_bytes(texts),
        .name_source = {flow->name_source[0], flow->name_source[1]},
        .direction = flow->direction,
        .record = *flow->record,
    };
    packed->record.names = NULL;
    named_flow_identify(flow, packed->community_id);
    write_names(packed, flow->record->names);
    write_texts(packed->texts, texts);
}

static void read_texts(const char *from, const char *texts[PACKED_TEXTS])
{
    for (unsigned i = 0; i < PACKED_TEXTS; i++) {
        texts[i] = from;
        from += strlen(from) + 1;
    }
}

static void read_names(const struct packed_flow *packed, const char *const texts[PACKED_TEXTS],
                       struct flow_names *names)
{
    *names = (struct flow_names){
        .sni = texts[TEXT_SNI],
        .alpn = texts[TEXT_ALPN],
        .ja3 = texts[TEXT_JA3],
        .ja4 = texts[TEXT_JA4],
        .dns_query = texts[TEXT_DNS_QUERY],
        .sni_status = packed->sni_status,
        .app = packed->app,
        .tls_version = packed->tls_version,
        .dns_type = packed->dns_type,
        .dns_rcode = packed->dns_rcode,
    };
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

void packed_flow_read(const struct packed_flow *packed, struct unpacked_flow *out)
{
    const char *texts[PACKED_TEXTS];
    read_texts(packed->texts, texts);
    out->record = packed->record;
    if (packed->has_names) {
        read_names(packed, texts, &out->names);
        out->record.names = &out->names;
    }
    out->flow = (struct named_flow){
        .record = &out->record,
        .node = texts[TEXT_NODE],
        .interface = texts[TEXT_INTERFACE],
        .direction = packed->direction,
    };
    for (unsigned side = 0; side < 2; side++) {
        out->flow.name[side] = text_or_null(texts[TEXT_NAME + side]);
        out->flow.name_space[side] = text_or_null(texts[TEXT_NAME_SPACE + side]);
        out->flow.name_source[side] = packed->name_source[side];
    }
    memcpy(out->flow.community_id, packed->community_id, sizeof out->flow.community_id);
    for (unsigned i = 0; i < OBSERVED_INTERFACES; i++)
        out->flow.observed[i] = texts[TEXT_OBSERVED + i];
}

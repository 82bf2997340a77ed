#include "capture/synthetic_source.h"

#include <stdlib.h>
#include <string.h>

#include "capture/link_type.h"
#include "capture/live/interface_list.h"
#include "net/protocol.h"

enum {
    PAYLOAD_MAX = 1400,
    ETHERNET_BYTES = 14,
    IPV4_BYTES = 20,
    TCP_BYTES = 20,
    UDP_BYTES = 8,
    FRAME_MAX = ETHERNET_BYTES + IPV4_BYTES + TCP_BYTES + PAYLOAD_MAX,
    EXCHANGES = 4, // requests and answers of a TCP conversation
    TCP_STEPS = 3 + 2 * EXCHANGES + 3,
    UDP_STEPS = 2,
    SERVER_PORT_TCP = 443,
    SERVER_PORT_UDP = 5353,
};

struct conversation {
    uint32_t number; // grows with every new one in this slot
    uint32_t step;
    uint32_t sequence[2]; // next of client and server
    uint16_t client_port;
    uint8_t client[4], server[4];
    bool udp;
};

struct synthetic_source {
    struct source source;
    struct synthetic_options options;
    struct chunk_pool *pool;
    struct chunk *chunk;
    uint64_t made;
    uint64_t random;
    atomic_bool stopped;
    struct conversation *conversations;
    struct interface_list interfaces;
};

static struct synthetic_source *synthetic_of(struct source *source)
{
    return (struct synthetic_source *)source;
}

// splitmix64
static uint64_t draw(struct synthetic_source *source)
{
    uint64_t z = source->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, value >> 16);
    put_u16(at + 2, value);
}

static uint32_t sum_bytes(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    return sum;
}

static uint16_t checksum(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void begin_conversation(struct synthetic_source *source, struct conversation *conversation)
{
    uint64_t random = draw(source);
    uint32_t number = conversation->number + 1;
    *conversation = (struct conversation){
        .number = number,
        .udp = random % 4 == 0,
        .client_port = (uint16_t)(1024 + (random >> 8) % 60000),
        .client = {10, 1, (uint8_t)(random >> 24), (uint8_t)(random >> 32)},
        .server = {10, 2, 0, (uint8_t)(1 + (random >> 40) % 32)},
    };
    conversation->sequence[0] = (uint32_t)(random >> 20);
    conversation->sequence[1] = (uint32_t)draw(source);
}

// What one packet of a conversation is.
struct segment {
    bool from_server;
    uint8_t flags;
    uint32_t payload;
};

static struct segment tcp_segment(struct synthetic_source *source, const struct conversation *conversation)
{
    uint32_t step = conversation->step;
    if (step < 3)
        return (struct segment){.from_server = step == 1,
                                .flags = step == 0   ? TCP_SYN
                                         : step == 1 ? TCP_SYN | TCP_ACK
                                                     : TCP_ACK};
    if (step >= 3 + 2 * EXCHANGES)
        return (struct segment){.from_server = step == 4 + 2 * EXCHANGES,
                                .flags = step == TCP_STEPS - 1 ? TCP_ACK : TCP_FIN | TCP_ACK};
    bool answer = step % 2 == 0;
    uint32_t payload = (uint32_t)(draw(source) % (answer ? PAYLOAD_MAX : 200)) + 1;
    return (struct segment){.from_server = answer, .flags = TCP_PSH | TCP_ACK, .payload = payload};
}

static struct segment next_segment(struct synthetic_source *source, const struct conversation *conversation)
{
    if (!conversation->udp)
        return tcp_segment(source, conversation);
    return (struct segment){.from_server = conversation->step == 1,
                            .payload = (uint32_t)(draw(source) % 400) + 20};
}

static void write_ethernet(uint8_t *frame, bool from_server)
{
    static const uint8_t address[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
    memcpy(frame, address[!from_server], 6);
    memcpy(frame + 6, address[from_server], 6);
    put_u16(frame + 12, ETHER_TYPE_IPV4);
}

static void write_ipv4(uint8_t *ip, const struct conversation *conversation, bool from_server,
                       uint32_t length)
{
    memset(ip, 0, IPV4_BYTES);
    ip[0] = 0x45;
    put_u16(ip + 2, length);
    put_u16(ip + 4, conversation->number);
    ip[8] = 64;
    ip[9] = conversation->udp ? IP_PROTOCOL_UDP : IP_PROTOCOL_TCP;
    memcpy(ip + 12, from_server ? conversation->server : conversation->client, 4);
    memcpy(ip + 16, from_server ? conversation->client : conversation->server, 4);
    put_u16(ip + 10, checksum(sum_bytes(ip, IPV4_BYTES, 0)));
}

static void write_ports(uint8_t *transport, const struct conversation *conversation, bool from_server)
{
    uint16_t server_port = conversation->udp ? SERVER_PORT_UDP : SERVER_PORT_TCP;
    put_u16(transport, from_server ? server_port : conversation->client_port);
    put_u16(transport + 2, from_server ? conversation->client_port : server_port);
}

static void write_tcp(uint8_t *tcp, struct conversation *conversation, const struct segment *segment)
{
    bool side = segment->from_server;
    put_u32(tcp + 4, conversation->sequence[side]);
    put_u32(tcp + 8, (segment->flags & TCP_ACK) != 0 ? conversation->sequence[!side] : 0);
    tcp[12] = (TCP_BYTES / 4) << 4;
    tcp[13] = segment->flags;
    put_u16(tcp + 14, 64240);
    put_u32(tcp + 16, 0);
    bool counts_one = (segment->flags & (TCP_SYN | TCP_FIN)) != 0;
    conversation->sequence[side] += segment->payload + counts_one;
}

static void fill_payload(struct synthetic_source *source, uint8_t *payload, uint32_t length)
{
    for (uint32_t i = 0; i < length; i += 8) {
        uint64_t random = draw(source);
        memcpy(payload + i, &random, length - i < 8 ? length - i : 8);
    }
}

static uint32_t write_frame(struct synthetic_source *source, struct conversation *conversation,
                            uint8_t *frame)
{
    struct segment segment = next_segment(source, conversation);
    uint32_t header = conversation->udp ? UDP_BYTES : TCP_BYTES;
    uint32_t transport_length = header + segment.payload;
    uint8_t *ip = frame + ETHERNET_BYTES;
    uint8_t *transport = ip + IPV4_BYTES;
    write_ethernet(frame, segment.from_server);
    write_ipv4(ip, conversation, segment.from_server, IPV4_BYTES + transport_length);
    write_ports(transport, conversation, segment.from_server);
    fill_payload(source, transport + header, segment.payload);
    if (conversation->udp)
        put_u32(transport + 4, transport_length << 16);
    else
        write_tcp(transport, conversation, &segment);
    uint32_t pseudo = sum_bytes(ip + 12, 8, ip[9] + transport_length);
    put_u16(transport + (conversation->udp ? 6 : 16),
            checksum(sum_bytes(transport, transport_length, pseudo)));
    conversation->step++;
    if (conversation->step == (conversation->udp ? UDP_STEPS : TCP_STEPS))
        begin_conversation(source, conversation);
    return ETHERNET_BYTES + IPV4_BYTES + transport_length;
}

static void make_frame(struct synthetic_source *source, struct frame *frame)
{
    struct chunk *chunk = source->chunk;
    struct conversation *conversation = &source->conversations[draw(source) % source->options.flows];
    uint32_t length = write_frame(source, conversation, chunk->bytes + chunk->used);
    *frame = (struct frame){
        .time_ns = source->options.start_ns + (int64_t)source->made * source->options.step_ns,
        .bytes = chunk->bytes + chunk->used,
        .captured = length,
        .length = length,
        .link_type = LINK_TYPE_ETHERNET,
        .chunk = chunk,
    };
    chunk->used += length;
    source->made++;
}

// A chunk with room for a frame; the old one goes when the poll begins, never within it.
static bool ready_chunk(struct synthetic_source *source, int timeout_ms)
{
    if (source->chunk != NULL && source->chunk->capacity - source->chunk->used >= FRAME_MAX)
        return true;
    if (source->chunk != NULL)
        chunk_release(source->chunk);
    source->chunk = chunk_pool_take(source->pool, timeout_ms);
    return source->chunk != NULL;
}

static enum source_result synthetic_poll(struct source *base, int timeout_ms, struct frame *frames,
                                         unsigned capacity, unsigned *count)
{
    struct synthetic_source *source = synthetic_of(base);
    *count = 0;
    if (source->made == source->options.packets || atomic_load(&source->stopped))
        return SOURCE_END;
    if (!ready_chunk(source, timeout_ms))
        return SOURCE_IDLE;
    while (*count < capacity && source->made < source->options.packets &&
           source->chunk->capacity - source->chunk->used >= FRAME_MAX)
        make_frame(source, &frames[(*count)++]);
    return SOURCE_FRAMES;
}

static unsigned synthetic_interfaces(const struct source *source)
{
    return interface_list_count(&((const struct synthetic_source *)source)->interfaces);
}

static const struct source_interface *synthetic_interface(const struct source *source, unsigned index)
{
    return &interface_list_row(&((const struct synthetic_source *)source)->interfaces, index)->shown;
}

static bool synthetic_drops(struct source *source, bool first, struct source_drops *out)
{
    (void)source;
    (void)first;
    (void)out;
    return false;
}

static void synthetic_stop(struct source *source, bool drain)
{
    (void)drain;
    atomic_store(&synthetic_of(source)->stopped, true);
}

static enum error_kind synthetic_verdict(const struct source *source, struct error *error)
{
    (void)source;
    (void)error;
    return ERROR_NONE;
}

static void synthetic_destroy(struct source *base)
{
    struct synthetic_source *source = synthetic_of(base);
    if (source->chunk != NULL)
        chunk_release(source->chunk);
    interface_list_done(&source->interfaces);
    free(source->conversations);
    free(source);
}

static const struct source_ops synthetic_ops = {
    .name = "synthetic",
    .lossless = true,
    .poll = synthetic_poll,
    .interfaces = synthetic_interfaces,
    .interface = synthetic_interface,
    .drops = synthetic_drops,
    .stop = synthetic_stop,
    .verdict = synthetic_verdict,
    .destroy = synthetic_destroy,
};

struct source *synthetic_source_create(const struct synthetic_options *options, struct chunk_pool *pool)
{
    struct synthetic_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return NULL;
    source->source.ops = &synthetic_ops;
    source->options = *options;
    source->pool = pool;
    source->random = options->seed;
    uint16_t index;
    struct source_interface row = {.name = "synthetic",
                                   .configured = "synthetic",
                                   .link_type = LINK_TYPE_ETHERNET,
                                   .snaplen = FRAME_MAX};
    source->conversations = calloc(options->flows, sizeof *source->conversations);
    if (source->conversations == NULL || !interface_list_add(&source->interfaces, &row, &index)) {
        synthetic_destroy(&source->source);
        return NULL;
    }
    for (uint32_t i = 0; i < options->flows; i++)
        begin_conversation(source, &source->conversations[i]);
    return &source->source;
}

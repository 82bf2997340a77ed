#include "traffic/conversation.h"

#include <string.h>

#include "base/cursor.h"

enum {
    ETHERNET_BYTES = 14,
    IPV4_BYTES = 20,
    TCP_BYTES = 20,
    REQUEST_BYTES = 100,
    RESPONSE_BYTES = 200,
    FLOWS_A_CLIENT = 64,
    SERVERS = 250,
};

enum { SYN = 2, PSH = 8, ACK = 16 };

// One TCP segment.
struct segment {
    uint32_t source, target; // addresses
    uint16_t source_port, target_port;
    uint32_t sequence, acknowledgement;
    uint8_t flags;
    unsigned payload_bytes;
};

static const uint8_t syn_options[] = {2, 4, 0x05, 0xb4, 4, 2, 1, 3, 3, 7, 1, 1}; // MSS, SACK, window scale

static const uint32_t turn_steps[] = {1,          2147483647, 2147483629, 2147483587, 2147483579,
                                      2147483563, 2147483549, 2147483543}; // 1 and primes above 2^30

uint64_t traffic_scatter(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

uint64_t conversation_turn(uint64_t flows, unsigned round, uint64_t place)
{
    return place * turn_steps[round % (sizeof turn_steps / sizeof turn_steps[0])] % flows;
}

static uint32_t sum_words(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return length % 2 != 0 ? sum + ((uint32_t)bytes[length - 1] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void ipv4_mend_checksum(uint8_t *header, size_t length)
{
    bytes_put_u16(header + 10, 0);
    bytes_put_u16(header + 10, fold(sum_words(header, length, 0)));
}

static void put_ipv4(uint8_t *ip, const struct segment *segment, unsigned length)
{
    memset(ip, 0, IPV4_BYTES);
    ip[0] = 0x45;
    bytes_put_u16(ip + 2, (uint16_t)length);
    ip[6] = 0x40; // don't fragment
    ip[8] = 64;
    ip[9] = 6;
    bytes_put_u32(ip + 12, segment->source);
    bytes_put_u32(ip + 16, segment->target);
    ipv4_mend_checksum(ip, IPV4_BYTES);
}

static unsigned put_tcp(uint8_t *tcp, const struct segment *segment)
{
    unsigned options = (segment->flags & SYN) != 0 ? sizeof syn_options : 0;
    memset(tcp, 0, TCP_BYTES);
    bytes_put_u16(tcp, segment->source_port);
    bytes_put_u16(tcp + 2, segment->target_port);
    bytes_put_u32(tcp + 4, segment->sequence);
    bytes_put_u32(tcp + 8, segment->acknowledgement);
    tcp[12] = (uint8_t)((TCP_BYTES + options) / 4 << 4);
    tcp[13] = segment->flags;
    bytes_put_u16(tcp + 14, 64240);
    memcpy(tcp + TCP_BYTES, syn_options, options);
    memset(tcp + TCP_BYTES + options, 'x', segment->payload_bytes);
    return TCP_BYTES + options + segment->payload_bytes;
}

static unsigned put_frame(uint8_t *into, const struct segment *segment)
{
    static const uint8_t ethernet[ETHERNET_BYTES] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
    memcpy(into, ethernet, sizeof ethernet);
    uint8_t *ip = into + ETHERNET_BYTES, *tcp = ip + IPV4_BYTES;
    unsigned tcp_length = put_tcp(tcp, segment);
    put_ipv4(ip, segment, IPV4_BYTES + tcp_length);
    uint32_t pseudo_header = sum_words(ip + 12, 8, 6 + tcp_length);
    bytes_put_u16(tcp + 16, fold(sum_words(tcp, tcp_length, pseudo_header)));
    return ETHERNET_BYTES + IPV4_BYTES + tcp_length;
}

// Flags, length and numbers of a step as its sender sees them; true when the server sends it.
static int fill_step(struct segment *segment, unsigned step, uint32_t client, uint32_t server)
{
    if (step < CONVERSATION_HANDSHAKE) {
        static const uint8_t flags[CONVERSATION_HANDSHAKE] = {SYN, SYN | ACK, ACK};
        segment->flags = flags[step];
        segment->sequence = step == 1 ? server : client + (step == 2);
        segment->acknowledgement = step == 0 ? 0 : (step == 1 ? client : server) + 1;
        return step == 1;
    }
    unsigned exchange = (step - CONVERSATION_HANDSHAKE) / CONVERSATION_EXCHANGE;
    unsigned part = (step - CONVERSATION_HANDSHAKE) % CONVERSATION_EXCHANGE;
    uint32_t requested = client + 1 + exchange * REQUEST_BYTES + (part > 0 ? REQUEST_BYTES : 0);
    uint32_t responded = server + 1 + exchange * RESPONSE_BYTES + (part > 1 ? RESPONSE_BYTES : 0);
    static const uint16_t payload_bytes[CONVERSATION_EXCHANGE] = {REQUEST_BYTES, RESPONSE_BYTES, 0};
    segment->flags = part == 2 ? ACK : PSH | ACK;
    segment->payload_bytes = payload_bytes[part];
    segment->sequence = part == 1 ? responded : requested;
    segment->acknowledgement = part == 1 ? requested : responded;
    return part == 1;
}

unsigned conversation_frame(uint64_t flow, unsigned step, uint8_t into[CONVERSATION_FRAME_BYTES])
{
    uint32_t client = UINT32_C(0x0a000000) | (uint32_t)(flow / FLOWS_A_CLIENT * 5003 & 0xffffff);
    uint32_t server = UINT32_C(0xc6120000) + (uint32_t)(flow % SERVERS) + 1; // 198.18.0.0
    uint16_t client_port = (uint16_t)(32768 + flow % FLOWS_A_CLIENT * 16),
             server_port = CONVERSATION_SERVER_PORT;
    uint64_t first = traffic_scatter(flow);
    struct segment segment = {0};
    if (fill_step(&segment, step, (uint32_t)first, (uint32_t)(first >> 32)) != 0) {
        segment.source = server, segment.target = client;
        segment.source_port = server_port, segment.target_port = client_port;
    } else {
        segment.source = client, segment.target = server;
        segment.source_port = client_port, segment.target_port = server_port;
    }
    return put_frame(into, &segment);
}

// From 11.0.0.0 to 126.255.255.255.
static uint32_t spoofed_address(uint64_t bits)
{
    return UINT32_C(0x0b000000) + (uint32_t)(bits % (UINT64_C(116) << 24));
}

unsigned flood_frame(uint64_t number, uint8_t into[CONVERSATION_FRAME_BYTES])
{
    uint64_t bits = traffic_scatter(number);
    struct segment segment = {
        .source = spoofed_address(bits >> 16),
        .target = UINT32_C(0xc6120001),
        .source_port = (uint16_t)(1024 + bits % 64000),
        .target_port = CONVERSATION_SERVER_PORT,
        .sequence = (uint32_t)traffic_scatter(bits),
        .flags = SYN,
    };
    return put_frame(into, &segment);
}

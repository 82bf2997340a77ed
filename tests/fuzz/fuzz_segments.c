// A TCP flow's segments as its table reads them: in any order, cut, again, on several ports. Each six bytes of the input
// say side, place and length of a segment of what stands behind them all.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "flow/ending.h"
#include "flow/key.h"
#include "flow/table.h"

enum { COMMAND_BYTES = 6, COMMANDS = 64, CLIENT_PORT_USED = 40000, FIRST_BYTE = 1000 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void feed(struct flow_table *table, struct dns_list *answers, struct packet *packet)
{
    struct flow_key key;
    uint8_t sender;
    require(flow_key_of_packet(packet, &key, &sender));
    uint64_t hash = flow_hash(&key, 1, 2);
    struct flow_hit hit = {.sender = sender};
    flow_table_packet(table, packet, &key, hash, &hit);
    if (hit.flow != NULL && packet->payload_captured > 0)
        flow_read_segment(table, &hit, packet, hash, answers);
    require(flow_table_partition(table, hash)->streams.bytes <= ASSEMBLY_POOL_BYTES);
}

static struct packet segment(bool back, uint16_t port, uint32_t sequence, const uint8_t *bytes,
                             uint32_t length)
{
    struct packet packet = {.ip_protocol = IP_PROTOCOL_TCP, .has_transport = true, .ports_known = true};
    packet.source = address_v4((const uint8_t[]){10, 0, 0, back ? 2 : 1});
    packet.target = address_v4((const uint8_t[]){10, 0, 0, back ? 1 : 2});
    packet.source_port = back ? port : CLIENT_PORT_USED;
    packet.target_port = back ? CLIENT_PORT_USED : port;
    packet.bytes = bytes;
    packet.payload_length = packet.payload_captured = length;
    packet.length = packet.captured = length + 54;
    packet.tcp.sequence = sequence;
    packet.tcp.flags = TCP_ACK;
    return packet;
}

static void play(const uint8_t *commands, unsigned count, const uint8_t *bytes, size_t size, uint16_t port)
{
    struct flow_policy policy = {
        .hash_seed = 1, .index_seed = 2, .max_flows = 64, .never = true, .rtt = true};
    struct flow_table table;
    struct dns_list answers = {0};
    require(flow_table_init(&table, &policy, 0, 1));
    struct packet syn = segment(false, port, FIRST_BYTE - 1, bytes, 0);
    syn.tcp.flags = TCP_SYN;
    feed(&table, &answers, &syn);
    for (unsigned i = 0; i < count; i++, commands += COMMAND_BYTES) {
        size_t begin = ((size_t)commands[1] << 8 | commands[2]) % (size + 1);
        size_t length = ((size_t)commands[3] << 8 | commands[4]) % (size - begin + 1);
        struct packet packet = segment((commands[0] & 1) != 0, port, FIRST_BYTE + (uint32_t)begin,
                                       bytes + begin, (uint32_t)length);
        packet.payload_length += (commands[0] & 2) != 0 ? commands[5] : 0;
        feed(&table, &answers, &packet);
    }
    flow_table_tick(&table, 1, true);
    flow_table_done(&table);
    free(answers.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint16_t ports[] = {53, 443};
    unsigned count = size > 0 ? bytes[0] % COMMANDS : 0;
    if (size < 1 + (size_t)count * COMMAND_BYTES)
        return 0;
    const uint8_t *content = bytes + 1 + (size_t)count * COMMAND_BYTES;
    size_t left = size - (size_t)(content - bytes);
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
        play(bytes + 1, count, content, left, ports[i]);
    return 0;
}

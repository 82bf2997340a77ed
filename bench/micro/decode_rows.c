#include "capture/clock.h"
#include "decode/decode.h"
#include "flow/key.h"
#include "micro/rows.h"
#include "micro/series.h"

enum { LINKTYPE_ETHERNET = 1, KEYS = 4096, PACKETS_A_SAMPLE = 500000 };

static void decode_one(const struct frame_set *set, size_t index, struct packet *packet)
{
    static const struct decode_options options = {.tunnels = true};
    const struct set_frame *frame = &set->frames[index];
    packet->bytes = set->bytes + frame->offset;
    packet->captured = frame->captured;
    packet->length = frame->length;
    packet->link_type = LINKTYPE_ETHERNET;
    decode_packet(packet, &options);
}

static double time_decode(const struct frame_set *set, size_t rounds, uint64_t *payload_bytes)
{
    struct packet packet = {0};
    int64_t begin_ns = clock_now_ns();
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < set->count; i++) {
            decode_one(set, i, &packet);
            *payload_bytes += packet.payload_captured;
        }
    return (double)(clock_now_ns() - begin_ns) / (double)(rounds * set->count);
}

void measure_decode(const struct micro_options *options)
{
    struct series series = {0};
    size_t rounds = PACKETS_A_SAMPLE / options->frames->count + 1;
    uint64_t first = 0;
    time_decode(options->frames, 1, &first);
    for (unsigned i = 0; i < options->repetitions; i++) {
        uint64_t payload_bytes = 0;
        series_add(&series, time_decode(options->frames, rounds, &payload_bytes));
        micro_expect("payload bytes", payload_bytes, first * rounds);
    }
    series_print(&series, "decode_packet", "ns/packet");
}

static unsigned collect_keys(const struct frame_set *set, struct flow_key keys[KEYS])
{
    unsigned count = 0;
    uint8_t sender;
    struct packet packet = {0};
    for (size_t i = 0; i < set->count && count < KEYS; i++) {
        decode_one(set, i, &packet);
        count += flow_key_of_packet(&packet, &keys[count], &sender);
    }
    return count;
}

static uint64_t hash_keys(const struct flow_key *keys, unsigned count, uint64_t seed)
{
    uint64_t mixed = 0;
    for (unsigned i = 0; i < count; i++)
        mixed ^= flow_key_hash(&keys[i], seed);
    return mixed;
}

void measure_hash(const struct micro_options *options)
{
    static struct flow_key keys[KEYS];
    struct series series = {0};
    unsigned count = collect_keys(options->frames, keys);
    if (count == 0)
        micro_fail("no packet of the capture has a flow");
    unsigned rounds = PACKETS_A_SAMPLE / count + 1;
    uint64_t expected = hash_keys(keys, count, 1);
    for (unsigned i = 0; i < options->repetitions; i++) {
        int64_t begin_ns = clock_now_ns();
        for (unsigned round = 0; round < rounds; round++)
            micro_expect("hash", hash_keys(keys, count, 1), expected);
        series_add(&series, (double)(clock_now_ns() - begin_ns) / ((double)rounds * count));
    }
    series_print(&series, "flow_key_hash", "ns/key");
}

// The short way for ordinary segments against the long one: random connections, both ways, the same quality behind each
// segment.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "flow/tcp_segment.h"

enum { FLOWS = 2000, SEGMENTS = 60, STORE_FLOWS = 8 };

static const struct flow_policy policy = {.rtt = true, .retransmissions = true, .out_of_order = true};

// A connection as its two hosts see it, and what is measured of it.
struct world {
    struct flow_store store[2];
    struct tcp_quality quality[2];
    uint32_t next[2], told[2]; // the next number of a side, and the last that its peer has acknowledged
    int64_t now_ns;
    uint64_t state;
    uint16_t id;
    uint32_t calm; // one segment in so many is odd
    unsigned ordinary;
};

static uint32_t draw(struct world *world, uint32_t below)
{
    world->state = world->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(world->state >> 33) % below;
}

// Mostly what comes next in order; now and then a flag, a step back or ahead, an old ACK, a closed window.
static struct packet_tcp draw_segment(struct world *world, int direction, uint32_t *length)
{
    struct packet_tcp tcp = {.sequence = world->next[direction],
                             .acknowledgement = world->next[!direction],
                             .window = (uint16_t)(1000 + draw(world, 2)),
                             .ip_id = ++world->id,
                             .flags = TCP_ACK};
    *length = draw(world, 8) == 0 ? 1 : 1 + draw(world, 1400);
    if (draw(world, 3) == 0 && world->told[!direction] != tcp.acknowledgement)
        *length = 0;
    world->told[!direction] = tcp.acknowledgement;
    switch (draw(world, world->calm) == 0 ? draw(world, 9) : 9) {
    case 0:
        tcp.flags |= (uint8_t)(1u << draw(world, 6));
        break;
    case 1:
        tcp.sequence -= draw(world, 3000);
        break;
    case 2:
        tcp.sequence += draw(world, 3000);
        break;
    case 3:
        tcp.acknowledgement += draw(world, 5) - 2;
        break;
    case 4:
        tcp.window = 0;
        break;
    case 5:
        world->id--; // the same frame once more
        tcp.ip_id = world->id;
        break;
    case 6:
        tcp.flags = (uint8_t)draw(world, 64);
        break;
    case 7:
        tcp.ip_id = 0;
        break;
    case 8:
        world->now_ns += 400 * NS_PER_S;
        break;
    default:
        break;
    }
    return tcp;
}

static void measure(struct world *world, int direction, const struct packet_tcp *tcp, uint32_t length,
                    bool at_once)
{
    struct packet packet = {.time_ns = world->now_ns, .payload_length = length, .tcp = *tcp};
    for (int way = 0; way < 2; way++) {
        struct segment segment = segment_of(tcp, length, world->now_ns);
        segment.frame = tcp_frame_of(tcp, length);
        segment.at_once = at_once;
        struct flow_store *store = &world->store[way];
        struct tcp_quality *quality = &world->quality[way];
        bool done = way == 1 && tcp_measure_ordinary(store, quality, direction, &packet, &policy);
        world->ordinary += done;
        if (done)
            continue;
        enum tcp_sighting sighting = tcp_frame_sighting(store, quality, direction, &segment);
        segment.twice = sighting == FRAME_TWICE;
        segment.likely_twice = sighting == FRAME_LIKELY_TWICE;
        tcp_measure_segment(store, quality, direction, &segment, &policy);
    }
    cr_assert(memcmp(&world->quality[0], &world->quality[1], sizeof world->quality[0]) == 0,
              "direction %d, flags %x, %u bytes", direction, tcp->flags, length);
    for (int side = 0; side < 2; side++) {
        const struct tcp_trouble *long_way = flow_trouble(&world->store[0], &world->quality[0].side[side]);
        const struct tcp_trouble *short_way = flow_trouble(&world->store[1], &world->quality[1].side[side]);
        cr_assert((long_way == NULL) == (short_way == NULL));
        cr_assert(long_way == NULL || memcmp(long_way, short_way, sizeof *long_way) == 0);
    }
}

static void exchange(struct world *world)
{
    int direction = (int)draw(world, 2);
    uint32_t length;
    struct packet_tcp tcp = draw_segment(world, direction, &length);
    world->now_ns += draw(world, 2) == 0 ? draw(world, 1000000) : draw(world, 50) * NS_PER_MS;
    measure(world, direction, &tcp, length, draw(world, 2) == 0);
    if (before(world->next[direction], tcp.sequence + length))
        world->next[direction] = tcp.sequence + length;
}

static void shake_hands(struct world *world)
{
    struct packet_tcp syn = {.sequence = world->next[0], .window = 1000, .flags = TCP_SYN};
    struct packet_tcp answer = {.sequence = world->next[1], .window = 1000, .flags = TCP_SYN | TCP_ACK};
    answer.acknowledgement = ++world->next[0];
    world->next[1]++;
    measure(world, 0, &syn, 0, false);
    measure(world, 1, &answer, 0, true);
}

Test(tcp_ordinary, says_what_the_long_way_says)
{
    struct world world = {.state = 1};
    unsigned segments = 0;
    for (unsigned flow = 0; flow < FLOWS; flow++) {
        for (int way = 0; way < 2; way++) {
            cr_assert(flow_store_init(&world.store[way], STORE_FLOWS));
            world.quality[way] = (struct tcp_quality){0};
        }
        world.next[0] = draw(&world, 2) == 0 ? UINT32_MAX - draw(&world, 100000) : draw(&world, 1u << 30);
        world.next[1] = draw(&world, 1u << 30);
        world.now_ns = NS_PER_S;
        world.calm = (const uint32_t[]){5, 20, 500}[flow % 3];
        if (draw(&world, 3) != 0)
            shake_hands(&world);
        for (unsigned i = 0; i < SEGMENTS; i++, segments++)
            exchange(&world);
        flow_store_done(&world.store[0]);
        flow_store_done(&world.store[1]);
    }
    cr_expect_gt(world.ordinary, segments / 5, "%u of %u went the short way", world.ordinary, segments);
}

#include "flow/look.h"

#include <stdlib.h>

#include "packets.h"

static const int64_t wait_ns = 2 * NS_PER_S;

// A table whose looks are noted, in their order.
enum { NOTED = 65536 };

struct watched {
    struct test_table test;
    unsigned count;
    struct flow_look looks[NOTED];
};

static void note(void *owner, const struct flow_look *look)
{
    struct watched *watched = owner;
    cr_assert_lt(watched->count, NOTED);
    watched->looks[watched->count++] = *look;
}

static struct flow_policy looking_policy(void)
{
    struct flow_policy policy = test_policy();
    policy.look_ns = wait_ns;
    return policy;
}

static struct watched *watch(struct flow_policy policy, unsigned number, unsigned shards)
{
    struct watched *watched = calloc(1, sizeof *watched);
    cr_assert_not_null(watched);
    watched->test.policy = policy;
    cr_assert(flow_table_init(&watched->test.table, &policy, number, shards));
    watched->test.table.on_look = note;
    watched->test.table.on_look_owner = watched;
    return watched;
}

static void unwatch(struct watched *watched)
{
    flow_table_done(&watched->test.table);
    free(watched);
}

static void take_all(struct watched *watched)
{
    struct flow_record record;
    int64_t order_ns;
    while (flow_table_take(&watched->test.table, &record, &order_ns)) {
    }
}

// A tick; how many flows were looked at in it.
static unsigned looks_of_tick(struct watched *watched, int64_t at_ns)
{
    unsigned before = watched->count;
    flow_table_tick(&watched->test.table, TEST_START_NS + at_ns, false);
    take_all(watched);
    return watched->count - before;
}

static unsigned looks_at_end(struct watched *watched, int64_t at_ns)
{
    unsigned before = watched->count;
    flow_table_tick(&watched->test.table, TEST_START_NS + at_ns, true);
    take_all(watched);
    return watched->count - before;
}

static void see_udp(struct watched *watched, uint16_t port, int64_t at_ns)
{
    struct packet packet = udp_packet(1, port, 2, 53, at_ns);
    feed(&watched->test, &packet);
}

static void see_tcp(struct watched *watched, bool back, uint8_t flags, int64_t at_ns)
{
    struct packet packet =
        back ? tcp_packet(2, 443, 1, 40000, flags, at_ns) : tcp_packet(1, 40000, 2, 443, flags, at_ns);
    feed(&watched->test, &packet);
}

static const struct flow_look *latest(const struct watched *watched)
{
    cr_assert_gt(watched->count, 0);
    return &watched->looks[watched->count - 1];
}

Test(look, comes_once_when_the_wait_is_over)
{
    struct watched *watched = watch(looking_policy(), 0, 1);
    struct packet packet = udp_packet(1, 5000, 2, 53, NS_PER_S);
    packet.interface = 3;
    packet.clock_offset_ns = 7 * NS_PER_S; // a clock that stepped back was re-based
    feed(&watched->test, &packet);
    cr_expect_eq(looks_of_tick(watched, 8 * NS_PER_S + wait_ns - 1), 0);
    packet = udp_packet(2, 53, 1, 5000, 2 * NS_PER_S);
    packet.clock_offset_ns = 7 * NS_PER_S;
    feed(&watched->test, &packet);
    cr_expect_eq(looks_of_tick(watched, 8 * NS_PER_S + wait_ns), 1);
    const struct flow_look *look = latest(watched);
    cr_expect_eq(look->began_ns, TEST_START_NS + 8 * NS_PER_S);
    cr_expect_eq(look->first_seen_ns, TEST_START_NS + NS_PER_S);
    cr_expect_eq(look->key.protocol, IP_PROTOCOL_UDP);
    cr_expect_eq(look->key.ports[look->client], 5000);
    cr_expect(look->waited && look->packets[0] == 1 && look->packets[1] == 1 && look->interface == 3);
    cr_expect_eq(looks_of_tick(watched, 30 * NS_PER_S), 0);
    cr_expect_eq(looks_at_end(watched, 31 * NS_PER_S), 0);
    unwatch(watched);
}

Test(look, comes_at_once_when_refused)
{
    struct watched *watched = watch(looking_policy(), 0, 1);
    see_tcp(watched, false, TCP_SYN, 0);
    cr_expect_eq(watched->count, 0);
    see_tcp(watched, true, TCP_RST | TCP_ACK, 1);
    cr_expect_eq(watched->count, 1);
    const struct flow_look *look = latest(watched);
    cr_expect_eq(look->tcp_flags[look->client], TCP_SYN);
    cr_expect_eq(look->tcp_flags[!look->client], TCP_RST | TCP_ACK);
    cr_expect_eq(look->tcp_state, TCP_STATE_RESET);
    cr_expect_eq(look->client_from, CLIENT_SYN);
    cr_expect_not(look->waited);
    see_tcp(watched, true, TCP_RST | TCP_ACK, 2);
    cr_expect_eq(looks_of_tick(watched, wait_ns), 0);
    cr_expect_eq(looks_at_end(watched, 3 * wait_ns), 0);
    unwatch(watched);
}

Test(look, comes_at_once_when_closed)
{
    struct watched *watched = watch(looking_policy(), 0, 1);
    see_tcp(watched, false, TCP_SYN, 0);
    see_tcp(watched, true, TCP_SYN | TCP_ACK, 1);
    see_tcp(watched, false, TCP_FIN | TCP_ACK, 2);
    cr_expect_eq(watched->count, 0);
    see_tcp(watched, true, TCP_FIN | TCP_ACK, 3);
    cr_expect_eq(watched->count, 1);
    cr_expect_eq(latest(watched)->tcp_state, TCP_STATE_CLOSED);
    cr_expect_not(latest(watched)->waited);
    cr_expect_eq(looks_of_tick(watched, wait_ns) + looks_at_end(watched, wait_ns), 0);
    unwatch(watched);
}

// Who resets what it began itself has not been answered yet: the answer may still come.
Test(look, waits_after_a_reset_of_who_began)
{
    struct watched *watched = watch(looking_policy(), 0, 1);
    see_tcp(watched, false, TCP_SYN, 0);
    see_tcp(watched, false, TCP_RST, 1);
    cr_expect_eq(looks_of_tick(watched, wait_ns - 1), 0);
    see_tcp(watched, true, TCP_SYN | TCP_ACK, wait_ns - 1);
    cr_expect_eq(looks_of_tick(watched, wait_ns), 1);
    cr_expect_eq(latest(watched)->tcp_flags[!latest(watched)->client], TCP_SYN | TCP_ACK);
    cr_expect(latest(watched)->waited);
    unwatch(watched);
}

// Its wait has not passed: that no answer came says nothing.
Test(look, comes_when_a_flow_makes_room)
{
    struct flow_policy policy = looking_policy();
    policy.max_flows = 1;
    struct watched *watched = watch(policy, 0, 1);
    see_udp(watched, 5000, 0);
    see_udp(watched, 5001, NS_PER_S);
    cr_expect_eq(watched->count, 1);
    cr_expect_not(latest(watched)->waited);
    cr_expect_eq(latest(watched)->key.ports[latest(watched)->client], 5000);
    cr_expect_eq(looks_of_tick(watched, wait_ns), 0);
    cr_expect_eq(looks_of_tick(watched, NS_PER_S + wait_ns), 1);
    see_udp(watched, 5002, 5 * NS_PER_S);
    cr_expect_eq(watched->count, 2, "its look is over");
    unwatch(watched);
}

Test(look, comes_when_the_timeout_is_shorter)
{
    struct flow_policy policy = looking_policy();
    policy.udp_timeout_ns = NS_PER_S;
    struct watched *watched = watch(policy, 0, 1);
    see_udp(watched, 5000, 0);
    cr_expect_eq(looks_of_tick(watched, wait_ns - 1), 1);
    cr_expect_not(latest(watched)->waited);
    cr_expect_eq(looks_of_tick(watched, 2 * wait_ns), 0);
    unwatch(watched);
}

Test(look, comes_at_the_end_of_the_run)
{
    for (int64_t waited = 0; waited < 2; waited++) {
        struct watched *watched = watch(looking_policy(), 0, 1);
        see_udp(watched, 5000, 0);
        cr_expect_eq(looks_at_end(watched, waited != 0 ? wait_ns : wait_ns - 1), 1);
        cr_expect_eq(latest(watched)->waited, waited != 0);
        unwatch(watched);
    }
}

// The place of a flow that made room is another flow's when the wait of the first would have been over.
Test(look, knows_a_node_that_is_used_again)
{
    struct flow_policy policy = looking_policy();
    policy.max_flows = 1;
    struct watched *watched = watch(policy, 0, 1);
    see_udp(watched, 5000, 0);
    see_udp(watched, 5001, NS_PER_S / 2);
    cr_expect_eq(looks_of_tick(watched, NS_PER_S), 0);
    see_udp(watched, 5002, 3 * NS_PER_S / 2);
    cr_expect_eq(watched->count, 2, "two made room");
    cr_expect_eq(looks_of_tick(watched, wait_ns), 0, "the first is long over");
    cr_expect_eq(looks_of_tick(watched, NS_PER_S + wait_ns), 0);
    cr_expect_eq(looks_of_tick(watched, 2 * NS_PER_S + wait_ns), 1);
    cr_expect_eq(latest(watched)->key.ports[latest(watched)->client], 5002);
    cr_expect(latest(watched)->waited);
    unwatch(watched);
}

// More flows than wait in a partition.
Test(look, comes_at_the_end_of_a_flow_that_found_no_place)
{
    enum { BEYOND = 100 };
    struct watched *watched = watch(looking_policy(), 0, 1);
    struct flow_table *table = &watched->test.table;
    unsigned fed = 0;
    for (unsigned i = 0; fed < LOOKS_WAITING + BEYOND; i++) {
        struct packet packet = udp_packet((uint8_t)(10 + i / 65536), (uint16_t)i, 2, 53, 0);
        struct flow_key key;
        uint8_t sender;
        flow_key_of_packet(&packet, &key, &sender);
        uint64_t hash = flow_hash(&key, watched->test.policy.hash_seed, watched->test.policy.index_seed);
        if (partition_of(hash, FLOW_PARTITIONS) == 0)
            fed += feed(&watched->test, &packet).created;
    }
    cr_expect_eq(table->partition[0]->looks.count, LOOKS_WAITING);
    cr_expect_eq(looks_of_tick(watched, wait_ns), LOOKS_WAITING);
    cr_expect_eq(table->partition[0]->looks.room, 0, "what a flood took is given back");
    cr_expect_eq(looks_at_end(watched, 2 * wait_ns), BEYOND);
    cr_expect(latest(watched)->waited);
    unwatch(watched);
}

static void set_wait(struct watched *watched, int64_t look_ns)
{
    struct flow_policy policy = watched->test.policy;
    policy.look_ns = look_ns;
    flow_table_change(&watched->test.table, &policy);
    while (flow_table_settle(&watched->test.table)) {
    }
}

Test(look, is_switched_on_and_off_while_flows_are_alive)
{
    struct watched *watched = watch(test_policy(), 0, 1);
    see_udp(watched, 5000, 0);
    cr_expect_eq(looks_of_tick(watched, wait_ns), 0, "off");
    set_wait(watched, wait_ns);
    see_udp(watched, 5001, 3 * NS_PER_S);
    cr_expect_eq(looks_of_tick(watched, 3 * NS_PER_S + wait_ns), 1, "the one that began since");
    see_udp(watched, 5002, 6 * NS_PER_S);
    set_wait(watched, 0);
    see_udp(watched, 5003, 6 * NS_PER_S);
    cr_expect_eq(looks_of_tick(watched, 6 * NS_PER_S + wait_ns), 0, "off");
    set_wait(watched, wait_ns);
    cr_expect_eq(looks_of_tick(watched, 7 * NS_PER_S + wait_ns), 0, "they wait no more");
    see_udp(watched, 5004, 10 * NS_PER_S);
    set_wait(watched, NS_PER_S);
    cr_expect_eq(looks_of_tick(watched, 11 * NS_PER_S), 1, "a shorter wait");
    cr_expect_eq(looks_at_end(watched, 12 * NS_PER_S), 3, "each that was not looked at");
    unwatch(watched);
}

Test(look, bears_time_that_stands_still_or_steps_back)
{
    struct watched *watched = watch(looking_policy(), 0, 1);
    see_udp(watched, 5000, 5 * NS_PER_S);
    see_udp(watched, 5000, 4 * NS_PER_S);
    cr_expect_eq(looks_of_tick(watched, 5 * NS_PER_S), 0);
    cr_expect_eq(looks_of_tick(watched, 5 * NS_PER_S), 0);
    cr_expect_eq(looks_of_tick(watched, 1 * NS_PER_S), 0, "before it began");
    cr_expect_eq(looks_of_tick(watched, 5 * NS_PER_S + wait_ns), 1);
    cr_expect_eq(looks_of_tick(watched, 5 * NS_PER_S + wait_ns), 0);
    cr_expect_eq(looks_of_tick(watched, 3 * NS_PER_S), 0);
    cr_expect_eq(looks_at_end(watched, 3 * NS_PER_S), 0);
    unwatch(watched);
}

// Of many flows that are refused, closed, evicted or left alone.
static struct packet some_packet(uint64_t *state, int64_t at_ns)
{
    static const uint8_t flags[] = {TCP_SYN, TCP_ACK, TCP_RST, TCP_FIN | TCP_ACK};
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint64_t bits = *state >> 24;
    uint16_t port = (uint16_t)(bits % 20000 + 1024);
    bool back = (bits >> 16 & 3) == 0;
    if ((bits >> 18 & 1) == 0)
        return back ? udp_packet(2, 53, 1, port, at_ns) : udp_packet(1, port, 2, 53, at_ns);
    uint8_t sent = flags[bits >> 20 & 3];
    return back ? tcp_packet(2, 443, 1, port, sent, at_ns) : tcp_packet(1, port, 2, 443, sent, at_ns);
}

static bool same_look(const struct flow_look *left, const struct flow_look *right)
{
    return memcmp(&left->key, &right->key, sizeof left->key) == 0 && left->began_ns == right->began_ns &&
           left->packets[0] == right->packets[0] && left->packets[1] == right->packets[1] &&
           left->tcp_flags[0] == right->tcp_flags[0] && left->tcp_flags[1] == right->tcp_flags[1] &&
           left->tcp_state == right->tcp_state && left->client == right->client &&
           left->waited == right->waited;
}

// The next look at a flow of that partition from a place on.
static const struct flow_look *next_of(const struct watched *watched, unsigned partition, unsigned *place)
{
    while (*place < watched->count && watched->looks[*place].partition != partition)
        ++*place;
    return *place < watched->count ? &watched->looks[(*place)++] : NULL;
}

Test(look, comes_in_an_order_that_shards_do_not_change)
{
    enum { SHARDS = 3, PACKETS = 60000 };
    struct flow_policy policy = looking_policy();
    policy.max_flows = FLOW_PARTITIONS * 256;
    struct watched *whole = watch(policy, 0, 1), *shards[SHARDS];
    for (unsigned i = 0; i < SHARDS; i++)
        shards[i] = watch(policy, i, SHARDS);
    uint64_t state = 1;
    for (int64_t i = 0; i < PACKETS; i++) {
        struct packet packet = some_packet(&state, i * 200 * NS_PER_US);
        struct flow_key key;
        uint8_t sender;
        flow_key_of_packet(&packet, &key, &sender);
        unsigned partition =
            partition_of(flow_hash(&key, policy.hash_seed, policy.index_seed), FLOW_PARTITIONS);
        feed(&whole->test, &packet);
        feed(&shards[partition % SHARDS]->test, &packet);
        for (unsigned k = 0; k <= SHARDS && (i % 250 == 249 || i == PACKETS - 1); k++) {
            struct watched *one = k < SHARDS ? shards[k] : whole;
            flow_table_tick(&one->test.table, packet.now_ns, i == PACKETS - 1);
            take_all(one);
        }
    }
    cr_expect_eq(whole->count, whole->test.table.counts.created, "each flow once");
    for (unsigned partition = 0; partition < FLOW_PARTITIONS; partition++) {
        unsigned in_whole = 0, in_shard = 0;
        for (const struct flow_look *look; (look = next_of(whole, partition, &in_whole)) != NULL;) {
            const struct flow_look *other = next_of(shards[partition % SHARDS], partition, &in_shard);
            cr_assert(other != NULL && same_look(look, other), "partition %u", partition);
        }
        cr_expect_null(next_of(shards[partition % SHARDS], partition, &in_shard));
    }
    for (unsigned i = 0; i < SHARDS; i++)
        unwatch(shards[i]);
    unwatch(whole);
}

#include "pipeline/shard.h"

#include <stdlib.h>

#include "../flow/packets.h"

enum { BATCH = 64 };

// A batch that the test fills with packets; their bytes lie in one chunk.
struct filling {
    struct chunk_pool *pool;
    struct chunk *chunk;
    struct batch batch;
    unsigned shards;
};

static void filling_init(struct filling *filling)
{
    filling->shards = 1;
    filling->pool = chunk_pool_create(1, 4096);
    filling->chunk = chunk_pool_take(filling->pool, 0);
    cr_assert(batch_init(&filling->batch, BATCH));
}

static void filling_done(struct filling *filling)
{
    batch_done(&filling->batch);
    chunk_release(filling->chunk);
    chunk_pool_destroy(filling->pool);
}

static void give(struct filling *filling, struct shard *shard, const struct packet *packet)
{
    struct batch_item *item = batch_place(&filling->batch);
    *item = (struct batch_item){.packet = *packet};
    item->has_flow = flow_key_of_packet(packet, &item->key, &item->sender);
    uint64_t hash =
        item->has_flow ? flow_hash(&item->key, test_policy().hash_seed, test_policy().index_seed) : 0;
    batch_add(&filling->batch, hash, partition_of(hash, FLOW_PARTITIONS) % filling->shards, filling->chunk);
    shard_batch(shard, &filling->batch);
    batch_clear(&filling->batch);
}

static struct shard_setup setup_of(uint32_t max_flows)
{
    struct shard_setup setup = {.policy = test_policy(), .number = 0, .shards = 1};
    setup.policy.max_flows = max_flows;
    return setup;
}

static void end_tick(struct shard *shard, int64_t now_ns, bool last)
{
    struct shard_report report = {0};
    shard_tick(shard, now_ns, last, false, &report);
    free(report.dns.items);
}

static unsigned take_all(struct shard *shard)
{
    unsigned count = 0;
    for (struct ended_record ended; shard_next_ended(shard, &ended); count++)
        flow_names_free(ended.record.names);
    return count;
}

Test(shard, has_partitions_by_the_cap_alone)
{
    cr_expect_eq(partition_count(0), 64);
    cr_expect_eq(partition_count(1000000), 64);
    cr_expect_eq(partition_count(16384), 64);
    cr_expect_eq(partition_count(16383), 32);
    cr_expect_eq(partition_count(512), 2);
    cr_expect_eq(partition_count(511), 1);
    cr_expect_eq(partition_count(1), 1);
}

// The parts of the partitions add up to flow.max_flows exactly.
static void expect_exact_cap(uint32_t max_flows)
{
    struct filling filling;
    filling_init(&filling);
    struct shard_setup setup = setup_of(max_flows);
    struct shard *shard = shard_create(&setup);
    cr_assert_not_null(shard);
    for (uint32_t i = 0; i < 3 * max_flows + 2000; i++) {
        struct packet packet = udp_packet((uint8_t)(10 + i / 60000), (uint16_t)(i % 60000), 2, 53, 0);
        give(&filling, shard, &packet);
        if (i % 50000 == 49999) {
            end_tick(shard, TEST_START_NS, false);
            take_all(shard);
        }
    }
    end_tick(shard, TEST_START_NS, false);
    const struct shard_totals *totals = shard_totals(shard);
    cr_expect_eq(totals->flows_active, max_flows, "%lu of %u", totals->flows_active, max_flows);
    cr_expect_eq(totals->flows_created, totals->flows_active + totals->flows_ended[END_EVICTION]);
    shard_destroy(shard); // with the records of the last tick
    filling_done(&filling);
}

Test(shard, holds_exactly_max_flows, .timeout = 60)
{
    expect_exact_cap(1);
    expect_exact_cap(255);
    expect_exact_cap(1000);
    expect_exact_cap(16385);
    expect_exact_cap(20011);
}

// A mix of packets: UDP with answers, TCP handshakes, ARP; spread over two minutes.
static struct packet mixed_packet(uint32_t i)
{
    int64_t at_ns = i * 20 * NS_PER_MS;
    uint16_t port = (uint16_t)(1 + i / 5 * 7919 % 300);
    switch (i % 5) {
    case 0:
        return udp_packet(1, port, 2, 53, at_ns);
    case 1:
        return udp_packet(2, 53, 1, port, at_ns);
    case 2:
        return tcp_packet(3, port, 4, 443, TCP_SYN, at_ns);
    case 3:
        return icmp_packet(5, (uint8_t)(6 + port % 20), 8, 0, at_ns);
    default: {
        struct packet packet = {.is_arp = true, .length = 60};
        set_time(&packet, at_ns);
        return packet;
    }
    }
}

enum { MIXED = 6000, MIXED_TICK = 50, SPLIT = 3 };

// Runs the mix over `shards` shards; the records of each tick, merged, go into `out`.
static unsigned run_mix(unsigned shards, struct flow_record *out, struct shard_totals *sum)
{
    struct filling filling;
    filling_init(&filling);
    filling.shards = shards;
    struct shard *shard[SPLIT];
    for (unsigned i = 0; i < shards; i++) {
        struct shard_setup setup = setup_of(0);
        setup.number = i;
        setup.shards = shards;
        shard[i] = shard_create(&setup);
    }
    unsigned count = 0;
    for (uint32_t i = 0; i < MIXED; i++) {
        struct packet packet = mixed_packet(i);
        struct flow_key key;
        uint8_t sender;
        bool has_flow = flow_key_of_packet(&packet, &key, &sender);
        uint64_t hash = has_flow ? flow_hash(&key, test_policy().hash_seed, test_policy().index_seed) : 0;
        give(&filling, shard[partition_of(hash, partition_count(0)) % shards], &packet);
        if (i % MIXED_TICK != MIXED_TICK - 1)
            continue;
        unsigned first = count;
        for (unsigned s = 0; s < shards; s++) {
            end_tick(shard[s], packet.now_ns, i == MIXED - 1);
            for (struct ended_record ended; shard_next_ended(shard[s], &ended);)
                out[count++] = ended.record;
        }
        for (unsigned a = first; a < count; a++) // a merge, the slow way
            for (unsigned b = a; b > first && flow_record_compare(&out[b - 1], &out[b]) > 0; b--) {
                struct flow_record swap = out[b];
                out[b] = out[b - 1];
                out[b - 1] = swap;
            }
    }
    *sum = (struct shard_totals){0};
    for (unsigned s = 0; s < shards; s++) {
        const struct shard_totals *totals = shard_totals(shard[s]);
        sum->analysed += totals->analysed;
        sum->flows_created += totals->flows_created;
        sum->flows_active += totals->flows_active;
        for (int protocol = 0; protocol < 256; protocol++)
            sum->protocol_packets[protocol] += totals->protocol_packets[protocol];
        shard_destroy(shard[s]);
    }
    filling_done(&filling);
    return count;
}

// The shard count never changes an answer.
Test(shard, gives_the_same_records_however_many_there_are)
{
    static struct flow_record alone[MIXED], split[MIXED];
    struct shard_totals alone_totals, split_totals;
    unsigned count = run_mix(1, alone, &alone_totals);
    cr_assert_eq(run_mix(SPLIT, split, &split_totals), count);
    cr_expect_gt(count, 100, "%u records", count);
    for (unsigned i = 0; i < count; i++)
        cr_assert_arr_eq(&alone[i], &split[i], sizeof alone[i], "record %u", i);
    cr_expect_arr_eq(&alone_totals, &split_totals, sizeof alone_totals);
}

Test(shard, counts_every_packet_once)
{
    static struct flow_record records[MIXED];
    struct shard_totals totals;
    unsigned count = run_mix(1, records, &totals);
    cr_expect_eq(totals.analysed, MIXED);
    cr_expect_eq(totals.protocol_packets[IP_PROTOCOL_UDP], MIXED / 5 * 2);
    cr_expect_eq(totals.protocol_packets[IP_PROTOCOL_TCP], MIXED / 5);
    cr_expect_eq(totals.protocol_packets[IP_PROTOCOL_ICMP], MIXED / 5);
    cr_expect_eq(totals.flows_active, 0);
    cr_expect_eq(totals.flows_created, count);
    uint64_t packets = 0;
    for (unsigned i = 0; i < count; i++)
        packets += records[i].packets[0] + records[i].packets[1];
    cr_expect_eq(packets, MIXED / 5 * 4, "all but ARP");
}

Test(shard, puts_second_sightings_into_their_bucket)
{
    struct filling filling;
    filling_init(&filling);
    struct shard_setup setup = setup_of(0);
    setup.policy.observe_first = true;
    struct shard *shard = shard_create(&setup);
    for (uint16_t interface = 0; interface < 3; interface++) {
        for (int i = 0; i < 10; i++) {
            struct packet packet = udp_packet(1, 1000, 2, 53, i * NS_PER_MS + interface);
            packet.interface = interface;
            give(&filling, shard, &packet);
        }
    }
    const struct shard_totals *totals = shard_totals(shard);
    cr_expect(totals->analysed == 10 && totals->duplicate == 20 && totals->second_sightings == 20);
    cr_expect_eq(totals->analysed_bytes, 10 * HEADERS_BYTES);
    cr_expect_eq(totals->protocol_packets[IP_PROTOCOL_UDP], 10);
    shard_destroy(shard);
    filling_done(&filling);
}

// Names in payloads.

static struct packet dns_packet(struct filling *filling, bool response, int64_t at_ns)
{
    static const uint8_t question[] = {
        0x12, 0x34, 1,   0,   0, 1,   0,   0,   0,   0,   0,   0, // a query for one name
        3,    'o',  'n', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1};
    static const uint8_t answer[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7};
    uint8_t *at = filling->chunk->bytes;
    memcpy(at, question, sizeof question);
    struct packet packet = response ? udp_packet(2, 53, 1, 1000, at_ns) : udp_packet(1, 1000, 2, 53, at_ns);
    packet.bytes = at;
    packet.captured = packet.payload_captured = packet.payload_length = sizeof question;
    if (response) {
        at[2] = 0x81;
        at[7] = 1;
        memcpy(at + sizeof question, answer, sizeof answer);
        packet.captured = packet.payload_captured = packet.payload_length = sizeof question + sizeof answer;
    }
    return packet;
}

Test(shard, reports_dns_in_the_tick_in_which_it_was_seen)
{
    struct filling filling;
    filling_init(&filling);
    struct shard_setup setup = setup_of(0);
    setup.names = true;
    struct shard *shard = shard_create(&setup);
    struct packet packet = dns_packet(&filling, false, 0);
    give(&filling, shard, &packet);
    packet = dns_packet(&filling, true, 3 * NS_PER_MS);
    give(&filling, shard, &packet);
    struct shard_report report = {0};
    shard_tick(shard, TEST_START_NS + 50 * NS_PER_MS, false, false, &report);
    const struct dns_list dns = report.dns;
    cr_assert_eq(dns.count, 1);
    cr_expect_str_eq(dns.items[0].name.text, "one.example");
    cr_expect_eq(dns.items[0].latency_ns, 3 * NS_PER_MS);
    cr_expect_eq(dns.items[0].rcode, 0);
    struct address answer = address_v4((const uint8_t[4]){192, 0, 2, 7});
    cr_expect(dns.items[0].addresses == 1 && address_compare(&dns.items[0].answer[0].address, &answer) == 0);

    shard_tick(shard, TEST_START_NS + 100 * NS_PER_MS, true, false, &report);
    cr_expect_eq(report.dns.count, 0);
    free(report.dns.items);
    cr_expect_eq(shard_totals(shard)->payload.dns_messages, 2);
    struct ended_record ended;
    cr_assert(shard_next_ended(shard, &ended));
    cr_assert_not_null(ended.record.names);
    cr_expect_str_eq(ended.record.names->text[FLOW_TEXT_DNS_QUERY], "one.example");
    flow_names_free(ended.record.names);
    shard_destroy(shard);
    filling_done(&filling);
}

// Random damage behind the header: both sides are told, without the answer's address.
Test(shard, counts_damaged_dns_and_keeps_its_question)
{
    struct filling filling;
    filling_init(&filling);
    struct shard_setup setup = setup_of(0);
    setup.names = true;
    struct shard *shard = shard_create(&setup);
    for (int response = 0; response < 2; response++) {
        struct packet packet = dns_packet(&filling, response, response * NS_PER_MS);
        filling.chunk->bytes[9] = 0x52; // authorities that are not there
        give(&filling, shard, &packet);
    }
    struct shard_report report = {0};
    shard_tick(shard, TEST_START_NS + 50 * NS_PER_MS, false, false, &report);
    cr_expect_eq(shard_totals(shard)->payload.dns_messages, 2);
    cr_expect_eq(shard_totals(shard)->payload.bad_messages, 2);
    cr_assert_eq(report.dns.count, 1);
    cr_expect_str_eq(report.dns.items[0].name.text, "one.example");
    cr_expect_eq(report.dns.items[0].latency_ns, NS_PER_MS);
    cr_expect_eq(report.dns.items[0].addresses, 0);
    free(report.dns.items);
    shard_destroy(shard);
    filling_done(&filling);
}

Test(shard, reads_a_hello_in_a_datagram)
{
    // OpenVPN's first message, with the hello of "769,47,,,"
    static const uint8_t packet_bytes[] = {
        0x20, 1, 2, 3, 4,  5, 6, 7, 8,  0, 0, 0, 0, 1, // no acknowledgement
        22,   3, 1, 0, 45, 1, 0, 0, 41, 3, 1,          // record, handshake, version
        0,    0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, // random
        0,    0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 2, 0, 47, 1, 0};
    struct filling filling;
    filling_init(&filling);
    struct shard_setup setup = setup_of(0);
    setup.names = true;
    struct shard *shard = shard_create(&setup);
    struct packet packet = udp_packet(1, 1000, 2, 1194, 0);
    memcpy(filling.chunk->bytes, packet_bytes, sizeof packet_bytes);
    packet.bytes = filling.chunk->bytes;
    packet.captured = packet.payload_captured = packet.payload_length = sizeof packet_bytes;
    give(&filling, shard, &packet);
    struct shard_report report = {0};
    shard_tick(shard, TEST_START_NS + 50 * NS_PER_MS, true, false, &report);
    free(report.dns.items);
    cr_expect_eq(shard_totals(shard)->payload.tls_hellos, 1);
    struct ended_record ended;
    char ja3[JA3_TEXT_BYTES];
    cr_assert(shard_next_ended(shard, &ended));
    cr_assert_not_null(ended.record.names);
    cr_expect_eq(ended.record.facts.app, FLOW_APP_TLS);
    tls_ja3(ended.record.names->text[FLOW_TEXT_OFFER], ja3);
    cr_expect_str_eq(ja3, "b02be259814e870a469a20ce9b2a7900");
    flow_names_free(ended.record.names);
    shard_destroy(shard);
    filling_done(&filling);
}

Test(shard, looks_into_payloads_only_when_told_so)
{
    struct filling filling;
    filling_init(&filling);
    struct shard_setup setup = setup_of(0);
    struct shard *shard = shard_create(&setup);
    struct packet packet = dns_packet(&filling, false, 0);
    give(&filling, shard, &packet);
    cr_expect_eq(shard_totals(shard)->payload.dns_messages, 0);
    shard_destroy(shard);
    filling_done(&filling);
}

Test(shard, names_the_top_flows_since_the_last_question)
{
    struct filling filling;
    filling_init(&filling);
    struct shard_setup setup = setup_of(0);
    setup.top_flows = true;
    struct shard *shard = shard_create(&setup);
    for (uint16_t port = 1; port <= 100; port++) {
        struct packet packet = udp_packet(1, port, 2, 53, 0);
        set_payload(&packet, port);
        give(&filling, shard, &packet);
    }
    struct shard_report report = {0};
    shard_tick(shard, TEST_START_NS, false, false, &report);
    cr_expect_eq(report.top_count, 0, "the interval has not ended");
    shard_tick(shard, TEST_START_NS, false, true, &report);
    cr_assert_eq(report.top_count, 100);
    for (unsigned i = 0; i < 100; i++)
        cr_expect(report.top[i].key.ports[0] == 100 - i && report.top[i].bytes == HEADERS_BYTES + 100 - i);
    shard_tick(shard, TEST_START_NS, false, true, &report);
    cr_expect_eq(report.top_count, 0);
    free(report.dns.items);
    shard_destroy(shard);
    filling_done(&filling);
}

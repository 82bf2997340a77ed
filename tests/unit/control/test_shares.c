#include "control/shares.h"

#include <criterion/criterion.h>

#include "config/settings.h"
#include "flow/assembly.h"
#include "flow/policy.h"
#include "pipeline/dispatch.h"

static const uint64_t mb = 1 << 20;
static const uint64_t unlimited = 0;

static struct settings settings_of(bool live)
{
    static char *path = "a.pcap";
    struct settings settings = {.events.capacity = 65536, .flow.max_flows = 1000000};
    if (!live)
        settings.capture.read_pcap = (struct string_list){.items = &path, .count = 1};
    return settings;
}

Test(shares, are_what_is_of_use_without_a_limit)
{
    struct settings file = settings_of(false), live = settings_of(true);
    struct memory_shares shares = memory_shares_of(unlimited, &file);
    cr_expect_eq(shares.chunk_bytes, 64 * mb);
    cr_expect_eq(shares.flows, 0, "no cap for files");
    cr_expect_eq(shares.tick_packets, 65536);
    cr_expect_eq(shares.events, 65536);
    cr_expect_eq(shares.datagrams, 4096);
    cr_expect_eq(shares.export_bytes, 64 * mb);
    cr_expect_eq(memory_shares_of(unlimited, &live).flows, 1000000);
    struct memory_shares large = memory_shares_of(UINT64_C(64) << 30, &live);
    cr_expect_eq(large.flows, 1000000, "a limit raises nothing");
    cr_expect_eq(large.events, 65536);
    cr_expect_eq(large.tap_bytes, 16 * mb);
}

Test(shares, are_less_under_a_limit)
{
    struct settings file = settings_of(false), live = settings_of(true);
    struct memory_shares shares = memory_shares_of(128 * mb, &file);
    uint64_t put_together = dispatch_datagram_bytes(shares.datagrams) + FLOW_PARTITIONS * ASSEMBLY_POOL_BYTES;
    cr_expect_eq(shares.chunk_bytes + put_together, 16 * mb);
    cr_expect_eq(shares.tick_packets, 4096);
    cr_expect_eq(shares.names, 16384);
    cr_expect_eq(shares.datagrams, 1024);
    cr_expect_eq(shares.export_bytes, 4 * mb);
    cr_expect_eq(shares.tap_bytes, 8 * mb);
    cr_expect_leq(shares.flows * SHARES_FLOW_BYTES, 128 * mb / 4);
    cr_expect_eq(memory_shares_of(128 * mb, &live).flows, shares.flows, "live the usual cap is lowered");
    cr_expect_lt(memory_shares_of(128 * mb, &live).events, 65536 / 4);
}

Test(shares, servers_take_from_flows)
{
    struct settings file = settings_of(false), served = settings_of(false);
    served.grpc.enabled = true;
    struct memory_shares without = memory_shares_of(256 * mb, &file),
                         with = memory_shares_of(256 * mb, &served);
    cr_expect_leq(with.flows * SHARES_FLOW_BYTES, without.flows * SHARES_FLOW_BYTES - 16 * mb);
    cr_expect_eq(with.server_bytes, 8 * mb);
    cr_expect_eq(with.capture_bytes, 2 * mb);
    cr_expect_eq(memory_shares_of(unlimited, &served).capture_bytes, 8 * mb);
}

Test(shares, never_grow_when_the_limit_falls)
{
    struct settings file = settings_of(false);
    struct memory_shares above = memory_shares_of(4096 * mb, &file);
    for (uint64_t limit = 4096 * mb; limit > 0; limit /= 2) {
        struct memory_shares shares = memory_shares_of(limit, &file);
        cr_expect_leq(shares.chunk_bytes, above.chunk_bytes);
        cr_expect_leq(shares.flows, above.flows);
        cr_expect_leq(shares.tick_packets, above.tick_packets);
        cr_expect_leq(shares.events, above.events);
        cr_expect_leq(shares.datagrams, above.datagrams);
        above = shares;
    }
    cr_expect_gt(above.flows, 0, "the least is no \"no cap\"");
    cr_expect_eq(above.chunk_bytes, 8 * mb, "as much as a reader needs");
    cr_expect_eq(above.datagrams, 512);
}

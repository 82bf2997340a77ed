#include "capture/synthetic_source.h"

#include "capture/filter.h"
#include "fixtures.h"

static uint64_t digest_of(uint64_t seed, uint64_t *tcp, uint64_t *udp)
{
    struct synthetic_options options = {.seed = seed, .packets = 5000, .flows = 16, .step_ns = 1000};
    struct chunk_pool *pool = chunk_pool_create(2, CHUNK_BYTES);
    struct source *source = synthetic_source_create(&options, pool);
    struct error error;
    struct filter *is_tcp = filter_create("ip and tcp", 1, &error);
    struct filter *is_udp = filter_create("ip and udp", 1, &error);
    struct frame frames[100];
    unsigned count;
    uint64_t digest = 14695981039346656037u;
    *tcp = *udp = 0;
    while (source_poll(source, 0, frames, 100, &count) == SOURCE_FRAMES)
        for (unsigned i = 0; i < count; i++) {
            *tcp += filter_accepts(is_tcp, &frames[i]) > 0;
            *udp += filter_accepts(is_udp, &frames[i]) > 0;
            for (uint32_t k = 0; k < frames[i].captured; k++)
                digest = (digest ^ frames[i].bytes[k]) * 1099511628211u;
        }
    filter_destroy(is_tcp);
    filter_destroy(is_udp);
    source_destroy(source);
    chunk_pool_destroy(pool);
    return digest;
}

Test(synthetic_source, the_seed_decides_the_bytes)
{
    uint64_t tcp, udp;
    uint64_t first = digest_of(1, &tcp, &udp);
    cr_assert_eq(tcp + udp, 5000);
    cr_assert(tcp > 3000 && udp > 100);
    cr_assert_eq(digest_of(1, &tcp, &udp), first);
    cr_assert_neq(digest_of(2, &tcp, &udp), first);
}

static uint32_t sum16(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

Test(synthetic_source, checksums_are_valid)
{
    struct synthetic_options options = {.seed = 3, .packets = 2000, .flows = 16, .step_ns = 1000};
    struct chunk_pool *pool = chunk_pool_create(2, CHUNK_BYTES);
    struct source *source = synthetic_source_create(&options, pool);
    struct frame frames[100];
    unsigned count;
    while (source_poll(source, 0, frames, 100, &count) == SOURCE_FRAMES)
        for (unsigned i = 0; i < count; i++) {
            const uint8_t *ip = frames[i].bytes + 14;
            uint32_t transport = frames[i].captured - 34;
            cr_assert_eq(sum16(ip, 20, 0), 0xffff);
            cr_assert_eq(sum16(ip + 20, transport, sum16(ip + 12, 8, ip[9] + transport)), 0xffff);
        }
    source_destroy(source);
    chunk_pool_destroy(pool);
}

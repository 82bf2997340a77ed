#include "app/synthetic_flows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "capture/clock.h"
#include "pipeline/shard.h"

enum { SYNTHETIC_BATCH = 256, SYNTHETIC_MAXIMUM = 100 * 1000 * 1000 };

static const int64_t synthetic_start_ns = INT64_C(1700000000) * NS_PER_S;

// Resident bytes of the process.
static uint64_t resident_bytes(void)
{
    unsigned long total = 0, resident = 0;
    FILE *stream = fopen("/proc/self/statm", "re");
    if (stream == NULL)
        return 0;
    if (fscanf(stream, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    fclose(stream);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

// The SYN that opens flow `number`: 10.x.y.z:port to 192.0.2.1:443.
static void add_syn(struct batch *batch, uint64_t number, const struct flow_policy *policy)
{
    struct batch_item *item = batch_place(batch);
    struct packet *packet = &item->packet;
    memset(item, 0, sizeof *item);
    packet->time_ns = packet->now_ns = synthetic_start_ns;
    packet->length = packet->captured = 60;
    packet->ip_protocol = IP_PROTOCOL_TCP;
    packet->has_transport = packet->ports_known = true;
    uint32_t host = (uint32_t)(number / 60000);
    packet->source =
        address_v4((const uint8_t[]){10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host});
    packet->target = address_v4((const uint8_t[]){192, 0, 2, 1});
    packet->source_port = (uint16_t)(number % 60000 + 1024);
    packet->target_port = 443;
    packet->tcp.flags = TCP_SYN;
    item->has_flow = flow_key_of_packet(packet, &item->key, &item->sender);
    batch_add(batch, flow_hash(&item->key, policy->hash_seed, policy->index_seed), 0, NULL);
}

static void fill(struct shard *shard, struct batch *batch, uint64_t flows, const struct flow_policy *policy,
                 int64_t *spent_ns)
{
    for (uint64_t number = 0; number < flows;) {
        for (batch->count = 0; batch->count < batch->capacity && number < flows; number++)
            add_syn(batch, number, policy);
        int64_t begin_ns = clock_now_ns();
        shard_batch(shard, batch);
        *spent_ns += clock_now_ns() - begin_ns;
    }
}

bool synthetic_flows_run(const struct settings *settings, uint64_t flows, struct error *error)
{
    if (flows == 0 || flows > SYNTHETIC_MAXIMUM)
        return error_set(error, ERROR_INVALID_ARGUMENT, "--synthetic-flows takes 1 to %d flows",
                         SYNTHETIC_MAXIMUM);
    struct shard_setup setup = {.shards = 1,
                                .policy = {
                                    .never = true,
                                    .rtt = settings->analysis.rtt,
                                    .retransmissions = settings->analysis.retrans,
                                    .out_of_order = settings->analysis.out_of_order,
                                }};
    uint64_t before = resident_bytes();
    struct batch batch;
    struct shard_report report = {0};
    struct shard *shard = shard_create(&setup);
    if (shard == NULL || !batch_init(&batch, SYNTHETIC_BATCH)) {
        shard_destroy(shard);
        return error_set(error, ERROR_EXHAUSTED, "no memory for the flow table");
    }
    int64_t spent_ns = 0;
    fill(shard, &batch, flows, &setup.policy, &spent_ns);
    uint64_t grown = resident_bytes() - before;
    shard_tick(shard, synthetic_start_ns, false, false, &report);
    printf("%" PRIu64 " flows inserted in %.3f s: %.1f ns a flow\n", shard_totals(shard)->flows_active,
           (double)spent_ns / 1e9, (double)spent_ns / (double)flows);
    printf("resident memory grew by %.1f MB: %.1f bytes a flow (table: %.1f MB)\n", (double)grown / 1e6,
           (double)grown / (double)flows, (double)shard_totals(shard)->flow_table_bytes / 1e6);
    batch.count = 0;
    batch_done(&batch);
    shard_destroy(shard);
    return fflush(stdout) == 0 ||
           error_set(error, ERROR_UNAVAILABLE, "cannot write standard output: %s", strerror(errno));
}

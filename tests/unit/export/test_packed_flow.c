#include "export/packed_flow.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "../api/sample_flow.h"

static void there_and_back(const struct named_flow *flow, struct unpacked_flow *out, void *block)
{
    size_t bytes = packed_flow_bytes(flow);
    cr_assert(bytes % 8 == 0 && bytes <= PACKED_FLOW_MOST_BYTES);
    packed_flow_write(block, flow);
    cr_assert(eq(sz, ((struct packed_flow *)block)->bytes, bytes));
    packed_flow_read(block, out);
}

Test(packed_flow, full_flow_comes_back)
{
    static _Alignas(8) char block[PACKED_FLOW_MOST_BYTES];
    static struct unpacked_flow out;
    struct sample_flow sample;
    sample_flow_full(&sample);
    there_and_back(&sample.flow, &out, block);
    memset(&sample.names, 0, sizeof sample.names); // nothing of the flow is borrowed
    cr_expect(eq(str, (char *)out.flow.node, "node-1"));
    cr_expect(eq(str, (char *)out.flow.name[1], "server"));
    cr_expect(eq(str, (char *)out.flow.name_space[0], "default"));
    cr_expect(eq(str, (char *)out.flow.observed[1], "cni0"));
    cr_expect(eq(str, (char *)out.record.names->sni, "example.com"));
    cr_expect(eq(str, (char *)out.record.names->dns_query, "www.example.com"));
    cr_expect(eq(i16, out.record.names->dns_rcode, 3));
    cr_expect(eq(u64, out.record.bytes[1], 18014398509481985));
    cr_expect(eq(str, out.flow.community_id, sample.flow.community_id));
}

Test(packed_flow, empty_flow_comes_back_without_names)
{
    static _Alignas(8) char block[PACKED_FLOW_MOST_BYTES];
    static struct unpacked_flow out;
    struct sample_flow sample;
    sample_flow_empty(&sample);
    there_and_back(&sample.flow, &out, block);
    cr_expect(out.record.names == NULL && out.flow.name[0] == NULL && out.flow.name_space[1] == NULL);
    char community_id[COMMUNITY_ID_TEXT_BYTES];
    named_flow_identify(&sample.flow, community_id);
    cr_expect(eq(str, out.flow.community_id, community_id), "made when it is written");
}

Test(packed_flow, longest_texts_stay_within_the_bound)
{
    static _Alignas(8) char block[PACKED_FLOW_MOST_BYTES];
    static struct unpacked_flow out;
    static char long_text[5000];
    struct sample_flow sample;
    memset(long_text, 'x', sizeof long_text - 1);
    sample_flow_full(&sample);
    char name[256] = {0};
    memset(name, 'y', sizeof name - 1);
    sample.names.sni = name;
    sample.flow.node = sample.flow.interface = sample.flow.name[0] = sample.flow.name[1] = long_text;
    there_and_back(&sample.flow, &out, block);
    cr_expect(eq(sz, strlen(out.flow.node), 255));
    cr_expect(eq(sz, strlen(out.record.names->sni), 255));
}

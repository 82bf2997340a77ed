#include "flow/candidates.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { FLOWS = 20000 };

static int compare(const void *left, const void *right)
{
    const struct flow_candidate *one = left, *other = right;
    if (one->rank != other->rank)
        return one->rank > other->rank ? -1 : 1;
    return flow_key_compare(&one->key, &other->key);
}

static struct flow_candidate candidate_of(unsigned number, unsigned count, unsigned pattern)
{
    static const uint8_t protocols[] = {IP_PROTOCOL_TCP, IP_PROTOCOL_UDP};
    unsigned scattered = number * 7919 % count;
    uint64_t rank = pattern == 0   ? number
                    : pattern == 1 ? count - number
                    : pattern == 2 ? 5 // all alike: their keys decide
                                   : scattered / 100;
    struct flow_candidate candidate = {.rank = rank, .id = number + 1};
    candidate.key.protocol = protocols[scattered % 2];
    candidate.key.ip_version = scattered % 3 == 0 ? 6 : 4;
    candidate.key.addresses[0][2] = (uint8_t)(scattered >> 12);
    candidate.key.addresses[0][3] = (uint8_t)(scattered >> 4);
    candidate.key.ports[0] = (uint16_t)scattered;
    candidate.prefix =
        flow_key_prefix(candidate.key.protocol, candidate.key.ip_version, candidate.key.addresses[0]);
    return candidate;
}

static void offer(struct flow_candidates *candidates, const struct flow_candidate *candidate)
{
    static struct flow_faces faces;
    static uint64_t ranks[FLOW_FACES];
    flow_faces_clear(&faces, candidate->key.ip_version);
    faces.count = 1;
    faces.key_prefix[0] = candidate->prefix;
    ranks[0] = candidate->rank;
    if (candidates_among(candidates, &faces, ranks, 1) != 0)
        candidates_add(candidates, candidate);
    cr_assert_eq(candidates_among(candidates, &faces, ranks, 0), 0);
}

static void expect_best(unsigned count, unsigned wanted, unsigned pattern)
{
    struct flow_candidate *all = calloc(count + 1, sizeof *all);
    struct flow_candidates candidates;
    cr_assert(candidates_init(&candidates, wanted));
    for (unsigned i = 0; i < count; i++) {
        all[i] = candidate_of(i, count, pattern);
        offer(&candidates, &all[i]);
    }
    candidates_cut(&candidates);
    qsort(all, count, sizeof *all, compare);
    qsort(candidates.items, candidates.count, sizeof *all, compare);
    cr_assert_eq(candidates.count, count < wanted ? count : wanted);
    for (unsigned i = 0; i < candidates.count; i++)
        cr_assert_eq(candidates.items[i].id, all[i].id, "%u of %u, pattern %u, place %u", wanted, count,
                     pattern, i);
    candidates_done(&candidates);
    free(all);
}

Test(candidates, are_the_best_in_whatever_order_they_come, .timeout = 60)
{
    static const unsigned counts[] = {0, 1, 2, 3, 10, 999, 1000, 1001, FLOWS}, wanted[] = {1, 2, 10, 1000};
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (unsigned j = 0; j < sizeof wanted / sizeof wanted[0]; j++)
            for (unsigned pattern = 0; pattern < 4; pattern++)
                expect_best(counts[i], wanted[j], pattern);
}

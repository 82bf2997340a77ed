#include "flow/number_set.h"

#include <assert.h>
#include <stdlib.h>

static int compare_firsts(const void *left, const void *right)
{
    const struct number_range *one = left, *other = right;
    return (one->first > other->first) - (one->first < other->first);
}

struct number_set number_set_of(struct number_range *take_ranges, unsigned count)
{
    struct number_set set = {.ranges = take_ranges};
    if (count == 0)
        return set;
    qsort(take_ranges, count, sizeof *take_ranges, compare_firsts);
    for (unsigned i = 0; i < count; i++) {
        struct number_range range = take_ranges[i];
        struct number_range *before = set.count > 0 ? &take_ranges[set.count - 1] : NULL;
        assert(range.first <= range.last);
        if (before == NULL || range.first > before->last)
            take_ranges[set.count++] = range;
        else if (range.last > before->last)
            before->last = range.last;
    }
    return set;
}

bool number_set_narrow(struct number_range *take_ranges, unsigned count, struct number_set *out)
{
    struct number_set wide = number_set_of(take_ranges, count);
    *out = (struct number_set){.count = wide.count, .narrow = calloc(wide.count + 1, sizeof *out->narrow)};
    bool good = out->narrow != NULL;
    for (unsigned i = 0; good && i < wide.count; i++) {
        assert(wide.ranges[i].last <= UINT32_MAX);
        out->narrow[i] = (struct narrow_range){(uint32_t)wide.ranges[i].first, (uint32_t)wide.ranges[i].last};
    }
    out->count = good ? wide.count : 0;
    number_set_done(&wide);
    return good;
}

void number_set_done(struct number_set *set)
{
    free(set->ranges);
    free(set->narrow);
    *set = (struct number_set){0};
}

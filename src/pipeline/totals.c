#include "pipeline/totals.h"

#include <stddef.h>
#include <string.h>

struct lost_row {
    const char *stage, *reason;
};

static const struct lost_row lost_rows[LOST_CAUSES] = {
    [LOST_KERNEL_RING] = {"kernel", "ring_full"},
    [LOST_DISPATCH_QUEUE] = {"dispatch", "queue_full"},
    [LOST_STOP_UNREAD] = {"stop", "unread"},
};

const char *lost_stage_name(enum lost_cause cause)
{
    return lost_rows[cause].stage;
}

const char *lost_reason_name(enum lost_cause cause)
{
    return lost_rows[cause].reason;
}

void totals_copy(struct totals *to, const struct totals *from)
{
    memcpy(to, from, offsetof(struct totals, interface) + from->interfaces * sizeof from->interface[0]);
}

uint64_t totals_lost(const struct totals *totals)
{
    uint64_t lost = 0;
    for (int cause = 0; cause < LOST_CAUSES; cause++)
        lost += totals->lost[cause];
    return lost;
}

bool totals_balanced(const struct totals *totals, int64_t *missing)
{
    uint64_t known = totals->analysed + totals->duplicate + totals->fragments_waiting;
    *missing = (int64_t)(totals->received - known - totals_lost(totals));
    return *missing == 0;
}

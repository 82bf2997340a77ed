#include "pipeline/totals.h"

#include <criterion/criterion.h>
#include <string.h>

static int64_t missing_in(const struct totals *totals)
{
    int64_t missing;
    cr_expect_eq(totals_balanced(totals, &missing), missing == 0);
    return missing;
}

Test(totals, balance_over_every_bucket)
{
    static struct totals totals;
    cr_expect_eq(missing_in(&totals), 0);
    totals.received = 1000;
    cr_expect_eq(missing_in(&totals), 1000);
    totals.analysed = 600;
    totals.duplicate = 300;
    cr_expect_eq(missing_in(&totals), 100);
    for (int cause = 0; cause < LOST_CAUSES; cause++)
        totals.lost[cause] = 10 + (uint64_t)cause;
    uint64_t lost = totals_lost(&totals);
    cr_expect_eq(lost, 10 * LOST_CAUSES + LOST_CAUSES * (LOST_CAUSES - 1) / 2);
    totals.received = 900 + lost;
    cr_expect_eq(missing_in(&totals), 0);
    totals.analysed++;
    cr_expect_eq(missing_in(&totals), -1, "one too many is as wrong as one too few");
}

Test(totals, name_every_cause_of_loss_once)
{
    for (int cause = 0; cause < LOST_CAUSES; cause++) {
        cr_assert_not_null(lost_stage_name(cause));
        cr_assert_not_null(lost_reason_name(cause));
        for (int other = 0; other < cause; other++)
            cr_expect(strcmp(lost_stage_name(cause), lost_stage_name(other)) != 0 ||
                      strcmp(lost_reason_name(cause), lost_reason_name(other)) != 0);
    }
    cr_expect_str_eq(lost_stage_name(LOST_KERNEL_RING), "kernel");
    cr_expect_str_eq(lost_reason_name(LOST_STOP_UNREAD), "unread");
}

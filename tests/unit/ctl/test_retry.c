#include <criterion/criterion.h>

#include "base/time.h"
#include "ctl/retry.h"

Test(retry, pauses_double_up_to_ten_seconds)
{
    struct retry retry = {0};
    int64_t now_ns = 5 * NS_PER_S, usual_ns = 250 * NS_PER_MS;
    cr_expect(retry_is_due(&retry, now_ns), "the first time at once");
    for (unsigned i = 0; i < 12; i++) {
        retry_after_failure(&retry, now_ns);
        int64_t pause_ns = retry.due_ns - now_ns;
        cr_expect(pause_ns >= usual_ns * 3 / 4 && pause_ns <= usual_ns * 5 / 4, "%u: %lld ns", i,
                  (long long)pause_ns);
        cr_expect_not(retry_is_due(&retry, retry.due_ns - 1));
        cr_expect(retry_is_due(&retry, retry.due_ns));
        usual_ns = usual_ns * 2 < 10 * NS_PER_S ? usual_ns * 2 : 10 * NS_PER_S;
    }
    retry_reset(&retry);
    retry_after_failure(&retry, now_ns);
    cr_expect_leq(retry.due_ns - now_ns, 313 * NS_PER_MS, "it went well in between");
}

#include "ctl/gap_text.h"

#include "base/strbuf.h"
#include "base/units.h"
#include "netscope/v1/stream.pb-c.h"

typedef Netscope__V1__StreamGap Gap;

static void add_reason(struct strbuf *into, const Gap *gap)
{
    static const char *const reasons[] = {
        "for a reason that this netscopectl does not know",
        "this reader was too slow",
        "the sensor was faster than it could tell",
        "they have left its log",
        "the sensor was restarted, and they were in the one before",
        "another sensor answers now, and they were in the one before",
    };
    strbuf_add(into, (unsigned)gap->reason < sizeof reasons / sizeof reasons[0] ? reasons[gap->reason]
                                                                                : reasons[0]);
}

void gap_text_add(struct strbuf *into, const struct Netscope__V1__StreamGap *gap, const char *what)
{
    bool bounded = gap->at_most_value_case == NETSCOPE__V1__STREAM_GAP__AT_MOST_VALUE_AT_MOST;
    if (!gap->count_known && bounded)
        strbuf_add(into, "at most ");
    if (gap->count_known || bounded)
        units_add_count(into, gap->count_known ? gap->count : gap->at_most);
    else
        strbuf_add(into, "an unknown number of");
    strbuf_addf(into, " %s are missing here: ", what);
    add_reason(into, gap);
}

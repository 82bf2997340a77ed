#include "detect/scan_window.h"

static unsigned slot_of(int64_t pane)
{
    return (unsigned)((pane % SCAN_KEPT_PANES + SCAN_KEPT_PANES) % SCAN_KEPT_PANES);
}

static void move_to_pane(struct scan_window *window, int64_t pane)
{
    for (int steps = 0; window->pane < pane && steps < SCAN_KEPT_PANES; steps++) {
        window->pane++;
        window->panes[slot_of(window->pane)] = (struct scan_count){0};
    }
    if (window->pane < pane)
        window->pane = pane; // all of them are empty
}

void scan_window_add(struct scan_window *window, int64_t pane, float weight, bool failed)
{
    move_to_pane(window, pane);
    if (window->pane - pane >= SCAN_KEPT_PANES)
        return;
    struct scan_count *count = &window->panes[slot_of(pane)];
    count->all += weight;
    count->failed += failed ? weight : 0;
}

struct scan_count scan_window_sum(const struct scan_window *window)
{
    struct scan_count sum = {0};
    for (int i = 0; i < SCAN_KEPT_PANES; i++) {
        sum.failed += window->panes[i].failed;
        sum.all += window->panes[i].all;
    }
    return sum;
}

struct scan_window scan_window_refit(const struct scan_window *from, int64_t from_ns, int64_t to_ns)
{
    int64_t oldest = from->pane - SCAN_KEPT_PANES + 1;
    struct scan_window to = {.pane = oldest * from_ns / to_ns};
    for (int64_t pane = oldest; pane <= from->pane; pane++) {
        const struct scan_count *count = &from->panes[slot_of(pane)];
        move_to_pane(&to, pane * from_ns / to_ns);
        to.panes[slot_of(to.pane)].failed += count->failed;
        to.panes[slot_of(to.pane)].all += count->all;
    }
    return to;
}

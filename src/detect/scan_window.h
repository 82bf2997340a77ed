// First contacts in a sliding window, and how many of them failed: ten panes and the one that is being filled. Ends with the
// latest contact. Plain value; times are numbers of panes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SCAN_PANES = 10,
    SCAN_KEPT_PANES = SCAN_PANES + 1,
};

struct scan_count {
    float failed, all;
};

struct scan_window {
    int64_t pane; // the number of the newest
    struct scan_count panes[SCAN_KEPT_PANES];
};

// Starts from zeros. Contacts come as they are decided, which is not quite the order in which they began.
void scan_window_add(struct scan_window *window, int64_t pane, float weight, bool failed);
struct scan_count scan_window_sum(const struct scan_window *window);
// The same for panes of another length.
struct scan_window scan_window_refit(const struct scan_window *from, int64_t from_ns, int64_t to_ns);

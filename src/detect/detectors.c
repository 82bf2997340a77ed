#include "detect/detector.h"

// port_scan ahead of host_sweep, which is silent about what is known as a port scan.
const struct detector_ops *const detector_table[] = {
    &port_scan_detector,
    &host_sweep_detector,
};
const unsigned detector_count = sizeof detector_table / sizeof detector_table[0];

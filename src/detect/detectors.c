#include "detect/detector.h"

// port_scan ahead of host_sweep, which is silent about what is known as a port scan.
const struct detector_row *const detector_table[] = {
    &port_scan_detector,  &host_sweep_detector, &syn_flood_detector,
    &reflection_detector, &udp_flood_detector,  &icmp_flood_detector,
};
const unsigned detector_count = sizeof detector_table / sizeof detector_table[0];

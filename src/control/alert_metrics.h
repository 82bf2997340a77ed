// The counters of detection, read off a snapshot: rows of a table beside those of the run (control/metrics.h).
#pragma once

#include "base/metric.h"

struct control;

extern const struct metric alert_metrics[]; // `held` is a struct snapshot
extern const unsigned alert_metric_count;

void alert_metrics_add(struct control *control); // to its registry

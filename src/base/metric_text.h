// The registry as text, as /metrics gives it: the format 0.0.4 of Prometheus, or OpenMetrics 1.0.
#pragma once

#include "base/metric.h"
#include "base/strbuf.h"

enum metric_format { METRIC_PROMETHEUS, METRIC_OPENMETRICS };

// Any thread.
void metric_text_add(struct strbuf *into, struct metric_registry *registry, enum metric_format format);

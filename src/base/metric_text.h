// The registry in the text format 0.0.4 of Prometheus, as /metrics gives it.
#pragma once

#include "base/metric.h"
#include "base/strbuf.h"

// Any thread.
void metric_text_add(struct strbuf *into, struct metric_registry *registry);

// Counters of the process: its build, and what the kernel knows of it, under the names that Prometheus' clients use.
#pragma once

#include "base/metric.h"

// Belongs to nobody: it is in the registry until that ends.
void process_metrics_add(struct metric_registry *registry);

// Alerts as the Alertmanager of Prometheus takes them (its API v2, POST /api/v2/alerts). An alert is there the labels
// that it has: kind, severity, node and fingerprint. Pure; any thread.
#pragma once

#include "aggregate/alert_event.h"

struct strbuf;

// One object of the array.
void alertmanager_add(struct strbuf *into, const struct alert_event *event);

// What a caller with limits sees of flows and alerts, for every method alike: the one place that decides it. Limits are those of
// struct call: NULL lets everything be seen, and costs nothing. What is withheld of a thing that is seen is blank in a copy,
// which is what filters match and messages are made of. Pure but for the selection; any thread.
#pragma once

#include "aggregate/alert_event.h"
#include "aggregate/flow_event.h"
#include "api/limits.h"

struct build;
struct call;
struct filter_end;

// The limits if they hide anything of a sensor that may be asked at all, else NULL.
const struct limits *limits_narrowing(const struct limits *limits);
// Whether an address that is of this namespace lies inside.
bool limits_hold_end(const struct limits *limits, const struct address *address, const char *name_space);
// Whether all of a network does, by its address: namespaces decide nothing here.
bool limits_hold_network(const struct limits *limits, const struct prefix *network);

// The event as it is seen: itself, or `scratch` where something is withheld (name_source is NAME_WITHHELD there). NULL when
// neither end lies inside. Texts are the event's.
const struct flow_event *flow_as_seen(const struct limits *limits, const struct flow_event *event,
                                      struct flow_event *scratch);
// Likewise; NULL when no party that it lists lies inside.
const struct alert_event *alert_as_seen(const struct limits *limits, const struct alert_event *event,
                                        struct alert_event *scratch);

// Where an end has to lie, in the build of the call: the places of namespaces are looked up now, which waits for the run.
bool visibility_take_inside(struct call *call, struct filter_end *inside);

// The words for a message's `limits`: the caller's, all of them. Returns how many.
size_t build_limits(struct build *build, const struct limits *limits, char ***list);

// Filters of requests, made ready: what is wrong is told by its path. For calls (api/call.h).
#pragma once

#include "aggregate/alert_event.h"
#include "api/call.h"

struct filter_end;
struct filter_places;
struct flow_filter;
struct flow_filters;
struct flow_selection;
struct Netscope__V1__FlowFilter;
struct Netscope__V1__AlertFilter;
struct Google__Protobuf__Duration;

// NULL in *out: every flow; else to be released. Names are looked up now: which addresses have them then. Waits for the run.
bool flow_filters_take(struct call *call, struct Netscope__V1__FlowFilter *const *allow, size_t allow_count,
                       struct Netscope__V1__FlowFilter *const *deny, size_t deny_count,
                       struct flow_selection **out);

// The same of filters that are none of a request, with what the caller may not see left out. They are not kept.
bool flow_selection_take(struct call *call, const struct flow_filters *filters, struct flow_selection **out);
// Where namespaces lie now, in the build of the call. Waits for the run.
bool places_take(struct call *call, const char *const *namespaces, unsigned count,
                 const struct filter_places **out);

// The steps of flow_filters_take(), for the two files that have them. What flow/ finds wrong begins with the field:
// "allow[0].names[1]: ...". False always.
bool filters_refuse(struct call *call, const struct error *error);
// Names and namespaces of `from` into the filters that were read of it.
bool filters_look_up(struct call *call, const struct filter_end *inside,
                     struct Netscope__V1__FlowFilter *const *from, size_t count, struct flow_filter *filters);
// Of flows with an end inside, those that the filters select. NULL in *out: all.
bool filters_prepare(struct call *call, const struct filter_end *inside, struct flow_filters *filters,
                     struct flow_selection **out);

// Filters of alerts, prepared; owned by whoever asked. Any thread may read them.
struct alert_selection;
bool alert_filters_take(struct call *call, struct Netscope__V1__AlertFilter *const *allow, size_t allow_count,
                        struct Netscope__V1__AlertFilter *const *deny, size_t deny_count,
                        struct alert_selection **out);
void alert_selection_destroy(struct alert_selection *selection); // takes NULL
// An event as the caller sees it (visibility.h).
bool alert_selection_fits(const struct alert_selection *selection, const struct alert_event *event);

// A span as nanoseconds, within [least, most]; absent: `absent`. False with a violation of `field`.
bool duration_take(struct status *status, const char *field,
                   const struct Google__Protobuf__Duration *duration, int64_t least_ns, int64_t most_ns,
                   int64_t absent_ns, int64_t *out_ns);

// The facade: everything outside (the app, later the API) starts, stops and asks a run through here.
// control_create() builds source, aggregate and pipeline from the settings; sinks and taps are added before
// control_run(), which is the source thread and returns at the end of the run; control_finish() follows.
// Sinks are called by the aggregate thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

// What it gives out; whoever looks inside includes the header of its own.
struct control;
struct filter_name;
struct name_search;
struct own_connections;
struct flow_page;
struct flow_query;
struct generation;
struct memory_shares;
struct metric_registry;
struct settings;
struct sink;
struct snapshot;
struct source;
struct tap;
struct top_flow;
struct totals;

// Shards of a run, at most.
unsigned control_workers(const struct settings *settings);

// The settings are borrowed and frozen. Opens the capture: fails with the exit code of what is wrong.
struct control *control_create(const struct settings *settings, struct error *error);
void control_destroy(struct control *control); // the sinks too

void control_add_sink(struct control *control, struct sink *sink); // takes it
// For readers, which are gone before control_destroy() has destroyed the sinks.
struct event_log *control_alert_events(struct control *control);
struct event_log *control_flow_events(struct control *control);
// Borrows it until control_remove_tap() or the end of the run; at any time.
bool control_add_tap(struct control *control, struct tap *tap, struct error *error);
void control_remove_tap(struct control *control, struct tap *tap);

// To the end of the source, control_stop() or run.count. False with the sentence when the ledger does not
// add up; how the input ended tells control_verdict().
bool control_run(struct control *control, struct error *error);
// After it: finishes the sinks. False with the sentence of the first output that is incomplete; further ones
// are logged.
bool control_finish(struct control *control, struct error *error);

// Ends the source; control_run() then ends in order. Safe in a signal handler and from any thread.
void control_stop(struct control *control);

// With `on` the run goes on when all files were read, when no interface is left. Any thread.
void control_keep_open(struct control *control, bool on);
// Whether control_stop() was called.
bool control_was_stopped(const struct control *control);
// Whether control_run() has returned: what a snapshot tells from then on is final. Any thread.
bool control_is_over(const struct control *control);

const struct source *control_source(const struct control *control);
const char *control_node(const struct control *control);
const uint8_t *control_instance_id(const struct control *control); // INSTANCE_ID_BYTES: of this start
// Begins and ends to capture on a word as in capture.interfaces, as source_start() and source_stop_one() do. Any thread
// but those of the run; wait for seconds at most.
bool control_start_capture(struct control *control, const char *word, struct error *error);
bool control_stop_capture(struct control *control, const char *word, struct error *error);
const struct memory_shares *control_shares(const struct control *control); // under the limit at the start
bool control_is_live(const struct control *control);
bool control_observes_first(const struct control *control);
// What the run knew at its latest tick, or NULL before the first: any thread, at any time until
// control_destroy(). To be released.
const struct snapshot *control_snapshot(struct control *control);
// The settings in force; any thread, at any time until control_destroy(). To be released (control/generation.h).
const struct generation *control_generation(struct control *control);
// The sensor's own connections, for whoever makes some to add (capture/own_connections.h).
struct own_connections *control_own_connections(struct control *control);
// The counters: those of the run, to which outputs and the door add theirs.
struct metric_registry *control_metrics(struct control *control);
// Asks the shards about the flows that are alive, and waits for the answer, held; any thread but those of the run. NULL
// with a sentence: ERROR_DEADLINE_EXCEEDED when it did not come in 5 s, ERROR_EXHAUSTED while 32 others wait for theirs.
// Its rows are named and placed: answer_row().
struct flow_page *control_ask(struct control *control, const struct flow_query *query, struct error *error);
// The same in pages: the first one without a token, then with that of the page before (flow/listing.h), where only the
// token counts.
struct flow_page *control_list(struct control *control, const struct flow_query *query, const char *token,
                               struct error *error);
// Which addresses and networks have one of these names, for the filters' `named`: a finished search, whose message is to be
// released. NULL with a sentence.
struct name_search *control_find_names(struct control *control, const struct filter_name *names,
                                       unsigned count, struct error *error);
// Which places the namespaces have, for the filters' `places`; likewise.
struct name_search *control_find_places(struct control *control, const char *const *namespaces,
                                        unsigned count, struct error *error);
// Exact after control_run(); during it for sinks, within their calls.
const struct totals *control_totals(const struct control *control);
// The flows with the most bytes in the statistics interval that ended last; for sinks, within tick(). Needs
// stats.top_flows.
const struct top_flow *control_top_flows(const struct control *control, unsigned *count);
// How the input ended: ERROR_NONE, or ERROR_DATA_LOSS, ERROR_UNAVAILABLE with a sentence.
enum error_kind control_verdict(const struct control *control, struct error *error);
// Whether all files were read, and the run is kept open (control_keep_open). Any thread.
bool control_rests(const struct control *control);
// Whether files were left before their end.
bool control_was_cut(const struct control *control);

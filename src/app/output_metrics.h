// Counters of the outputs that are files: what each has written, and how often it failed. The label is the setting's
// name ("export_json"), never a path.
#pragma once

struct outputs;

// Once they are open, and before they end.
void output_metrics_add(struct outputs *outputs);
void output_metrics_remove(struct outputs *outputs);

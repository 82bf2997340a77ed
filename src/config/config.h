// From command line, environment and settings file to one frozen `struct settings`: flag > environment
// > YAML (--config) > default, all derived from the settings table (table.c). Also what is printed of
// that table: help, effective settings, the page of documentation, the example file.
// Called on the main thread at start; reads files and nothing else from the system. Bounded: a settings
// file has at most 1 MiB.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/settings.h"

struct strbuf;

enum config_command {
    CONFIG_RUN,
    CONFIG_HELP,
    CONFIG_VERSION,
    CONFIG_CHECK,           // the settings are valid; nothing more to do
    CONFIG_PRINT,           // print config_add_yaml()
    CONFIG_LIST_INTERFACES, // settings are the defaults: needs no valid settings file
    CONFIG_SYNTHETIC_FLOWS,
    CONFIG_PRINT_DOCS,       // print config_add_markdown(); for scripts/generate-docs
    CONFIG_PRINT_EXAMPLE,    // print config_add_example(); for scripts/generate-docs
    CONFIG_PRINT_MANUAL,     // print config_add_manual(); for scripts/generate-docs
    CONFIG_PRINT_COMPLETION, // print config_add_completion(); for scripts/generate-docs
    CONFIG_PRINT_SCHEMA,     // print config_add_schema(); for scripts/generate-docs
};

// What the command line asks for besides settings.
struct config_invocation {
    enum config_command command;
    const char *settings_path; // borrowed from argv; NULL = none
    uint64_t synthetic_flows;  // flows to insert
};

// Fills `out` and `what`; argv is permuted as getopt_long does. Configures the log as soon as its
// settings are known, then warns of unknown NETSCOPE_ variables. For help, version, lists and documents
// neither environment nor file is read. On failure `error` says where (file:line, flag or variable), what
// and how to mend it, with ERROR_INVALID_ARGUMENT, and `out` holds nothing that needs settings_done().
bool config_load(int argc, char **argv, char **environment, struct settings *out,
                 struct config_invocation *what, struct error *error);

// The same again while a run goes on: flags, environment and the settings file as it is now. What only a start can
// do (log, warnings, commands) is left out. One thread at a time, and not while config_load() runs.
struct config_origin {
    int argc; // of config_load(), borrowed
    char **argv, **environment;
};
bool config_reload(const struct config_origin *origin, struct settings *out, struct error *error);

// A copy with strings and lists of its own. On failure there is nothing to free.
bool settings_copy(struct settings *to, const struct settings *from, struct error *error);

// Which rows of the settings table differ, obsolete ones left out: their indexes, in the order of the table.
enum { SETTINGS_ROWS = 256 };
struct settings_diff {
    unsigned count;
    unsigned rows[SETTINGS_ROWS];
};
void settings_compare(const struct settings *left, const struct settings *right, struct settings_diff *out);

// What no single setting can tell: rotation that is half set, two outputs that would mix, an input that an output
// would empty, windows in the wrong order, a code for alerts that nobody looks for. Looks at what is there and opens nothing.
bool settings_check(const struct settings *settings, struct error *error);
// Whether attacks are looked for: as it was set, else in files and not live.
bool settings_detect(const struct settings *settings);
// Whether the API is served, by gRPC or HTTP; whether any server is on, that of the metrics too.
bool settings_serve(const struct settings *settings);
bool settings_listen(const struct settings *settings);
// Whether an output goes to standard output, so that nothing for people may.
bool settings_use_stdout(const struct settings *settings);

// Frees what config_load() filled in; safe on zeros and when called twice.
void settings_done(struct settings *settings);

void config_add_help(struct strbuf *into);       // at most 100 columns
void config_add_markdown(struct strbuf *into);   // docs/configuration.md
void config_add_example(struct strbuf *into);    // deploy/netscope.yaml: every key, at its default
void config_add_manual(struct strbuf *into);     // deploy/man/netscope.8
void config_add_completion(struct strbuf *into); // deploy/completion/netscope: for bash
// A JSON schema (draft-07) of the settings file, for the values of the Helm chart. Stricter than the sensor in one
// place: an output that grows while the sensor runs is refused without a bound.
void config_add_schema(struct strbuf *into);

// The settings as YAML that loads back to the same settings; secrets are left out. Fails when a value
// is not UTF-8, which YAML cannot carry.
bool config_add_yaml(struct strbuf *into, const struct settings *settings, struct error *error);

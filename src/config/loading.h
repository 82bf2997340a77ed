// The state of one config_load(): the settings so far and who set each of them. The sources (file,
// environment, flags) put values into it in rising order of precedence; checks.c then looks at the
// whole. Lives on the stack of config_load(); one thread.
#pragma once

#include "config/config.h"
#include "config/table.h"

enum setting_level { LEVEL_DEFAULT, LEVEL_FILE, LEVEL_ENVIRONMENT, LEVEL_FLAG };

enum { ORIGIN_BYTES = 160 };

struct loading {
    struct settings *settings;
    enum setting_level levels[SETTING_MAXIMUM];  // by index in setting_table
    char origins[SETTING_MAXIMUM][ORIGIN_BYTES]; // "netscope.yaml:7", "--snaplen", "NETSCOPE_..."
    bool repeated[SETTING_MAXIMUM];              // one value, and several flags that set it
    unsigned configs;                            // times that --config was given
    const char *config;                          // the last of them
};

// Settings at their defaults, set by nobody. On failure (no memory) what is there is the caller's to free.
bool loading_begin(struct loading *loading, struct settings *settings, struct error *error);
// Puts one value; the first of a higher level replaces what was there, later ones of the same level
// append to a list or replace a scalar. `origin` says where it came from; errors begin with it.
bool loading_put(struct loading *loading, unsigned index, enum setting_level level, const char *origin,
                 const char *text, struct error *error);
// An empty list, given on purpose.
void loading_put_empty(struct loading *loading, unsigned index, enum setting_level level, const char *origin);
// Takes a list back, as if nobody had set it to anything.
void loading_drop(struct loading *loading, unsigned index);

// settings_file.c: reads the YAML file at `path`.
bool settings_file_read(const char *path, struct loading *loading, struct error *error);
// The same for bytes in memory; `name` is what errors call them.
bool settings_file_parse(const char *name, const char *bytes, size_t length, struct loading *loading,
                         struct error *error);

// environment.c: NETSCOPE_ variables into settings; then, once the log is configured, warnings of those
// that mean nothing.
bool environment_read(char **environment, struct loading *loading, struct error *error);
void environment_warn(char **environment);

// checks.c: what no single setting can tell; then, once the log is configured, warnings of what was given
// in vain.
bool loading_check(struct loading *loading, struct error *error);
void loading_warn(const struct loading *loading);

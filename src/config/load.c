#include "config/config.h"

#include <string.h>

#include "base/log.h"
#include "config/flags.h"
#include "config/loading.h"
#include "config/value.h"

enum { CAPTURE_SNAPLEN_MAXIMUM = 262144 };

static bool needs_settings(enum config_command command)
{
    return command == CONFIG_RUN || command == CONFIG_CHECK || command == CONFIG_PRINT ||
           command == CONFIG_SYNTHETIC_FLOWS;
}

// Values that stand for another.
static void settle(struct settings *settings)
{
    if (settings->capture.snaplen == 0)
        settings->capture.snaplen = CAPTURE_SNAPLEN_MAXIMUM;
}

static bool read_sources(int argc, char **argv, char **environment, const char *path, struct loading *loading,
                         struct error *error)
{
    return (path == NULL || settings_file_read(path, loading, error)) &&
           environment_read(environment, loading, error) && flags_read(argc, argv, loading, error) &&
           loading_check(loading, error);
}

// What can be said only once the log is configured.
static void begin_log(const struct loading *loading, char **environment)
{
    const struct log_settings *log = &loading->settings->log;
    log_configure((enum log_level)log->level, (enum log_format)log->format);
    environment_warn(environment);
    loading_warn(loading);
    for (unsigned i = 0; i < setting_count; i++) {
        if (setting_table[i].note != NULL && loading->levels[i] != LEVEL_DEFAULT)
            log_info("config", "%s: %s has no effect: %s", loading->origins[i], setting_table[i].key,
                     setting_table[i].note);
    }
}

bool config_load(int argc, char **argv, char **environment, struct settings *out,
                 struct config_invocation *what, struct error *error)
{
    struct loading loading;
    bool fine = loading_begin(&loading, out, error) && flags_command(argc, argv, what, error);
    if (fine && needs_settings(what->command))
        fine = read_sources(argc, argv, environment, what->settings_path, &loading, error);
    settle(out);
    if (!fine)
        settings_done(out);
    else if (needs_settings(what->command))
        begin_log(&loading, environment);
    return fine;
}

void settings_done(struct settings *settings)
{
    for (unsigned i = 0; i < setting_count; i++)
        value_clear(settings, &setting_table[i]);
}

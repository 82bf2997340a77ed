#include "config/config.h"

#include <string.h>

#include "base/log.h"
#include "config/flags.h"
#include "config/loading.h"
#include "config/paths.h"
#include "config/value.h"

enum { CAPTURE_SNAPLEN_MAXIMUM = 262144 };

static bool needs_settings(enum config_command command)
{
    return command == CONFIG_RUN || command == CONFIG_CHECK || command == CONFIG_PRINT ||
           command == CONFIG_SYNTHETIC_FLOWS;
}

// An output that leads to standard output by another name is called "-" from here on.
static bool settle_output(struct settings *settings, const struct setting *setting, struct error *error)
{
    const char *path = value_text(settings, setting);
    return path[0] == '\0' || !path_is_standard_output(path) || value_set(settings, setting, "-", error);
}

// Values that stand for another.
static bool settle(struct settings *settings, struct error *error)
{
    if (settings->capture.snaplen == 0)
        settings->capture.snaplen = CAPTURE_SNAPLEN_MAXIMUM;
    for (unsigned i = 0; i < setting_count; i++) {
        if (setting_is_output(&setting_table[i]) && !settle_output(settings, &setting_table[i], error))
            return false;
    }
    return true;
}

// Standard input cannot be read a second time.
static bool check_again(const char *path, struct error *error)
{
    if (path == NULL || strcmp(path, "-") != 0)
        return true;
    return error_set(error, ERROR_FAILED_PRECONDITION,
                     "the settings came from standard input (--config -), which cannot be read again; give "
                     "--config a path to change settings while it runs");
}

static bool read_sources(int argc, char **argv, char **environment, const char *path, struct loading *loading,
                         struct error *error)
{
    loading->settings->file = path;
    return (path == NULL || settings_file_read(path, loading, error)) &&
           environment_read(environment, loading, error) && flags_read(argc, argv, loading, error) &&
           settle(loading->settings, error) && loading_check(loading, error);
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
    if (!fine)
        settings_done(out);
    else if (needs_settings(what->command))
        begin_log(&loading, environment);
    return fine;
}

bool config_reload(const struct config_origin *origin, struct settings *out, struct error *error)
{
    struct loading loading;
    struct config_invocation what;
    bool fine =
        loading_begin(&loading, out, error) && flags_command(origin->argc, origin->argv, &what, error) &&
        check_again(what.settings_path, error) &&
        read_sources(origin->argc, origin->argv, origin->environment, what.settings_path, &loading, error);
    if (!fine)
        settings_done(out);
    return fine;
}

void settings_done(struct settings *settings)
{
    for (unsigned i = 0; i < setting_count; i++)
        value_clear(settings, &setting_table[i]);
}

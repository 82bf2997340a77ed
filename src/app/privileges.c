#include "app/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/log.h"
#include "config/table.h"
#include "config/value.h"

static bool is_denied(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) != 0 && (errno == EACCES || errno == EPERM);
}

// A path that can be written today may not be tomorrow: what counts is its folder, where files are made and renamed.
static bool is_output_denied(const char *path)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (path[0] == '\0' || strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0)
        return false;
    if (slash != NULL)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return is_denied(folder, W_OK | X_OK) || is_denied(path, W_OK);
}

// Captures of a folder are opened in turn: whether they can be is not known.
static bool is_input_denied(const char *path)
{
    struct stat status;
    return is_denied(path, R_OK) ||
           (stat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid != geteuid());
}

static bool is_list_denied(const struct string_list *inputs)
{
    for (unsigned i = 0; i < inputs->count; i++)
        if (is_input_denied(inputs->items[i]))
            return true;
    return false;
}

static bool is_setting_denied(const struct settings *settings, const struct setting *setting)
{
    if (setting->type == SETTING_LIST)
        return is_list_denied(value_list(settings, setting));
    const char *path = value_text(settings, setting);
    return setting_is_output(setting) ? is_output_denied(path) : path[0] != '\0' && is_denied(path, R_OK);
}

static bool is_any_denied(const struct settings *settings)
{
    for (unsigned i = 0; i < setting_count; i++)
        if (setting_table[i].file != SETTING_NO_FILE && is_setting_denied(settings, &setting_table[i]))
            return true;
    return settings->file != NULL && strcmp(settings->file, "-") != 0 && is_denied(settings->file, R_OK);
}

void privileges_begin(const struct settings *settings)
{
    if (geteuid() != 0)
        return;
    capabilities_suspend();
    bool denied = is_any_denied(settings);
    capabilities_resume();
    if (!denied)
        return;
    log_info("start", "files belong to other users: the right to open them (CAP_DAC_OVERRIDE) is kept");
    capabilities_keep_files();
}

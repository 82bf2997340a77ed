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

static bool is_any_denied(const struct settings *settings)
{
    const struct output_settings *output = &settings->output;
    const char *const outputs[] = {output->write_pcap,        output->export_json,
                                   output->export_csv,        output->expired_flows_jsonl,
                                   output->expired_flows_csv, output->summary_json};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        if (is_output_denied(outputs[i]))
            return true;
    for (unsigned i = 0; i < settings->capture.read_pcap.count; i++)
        if (is_input_denied(settings->capture.read_pcap.items[i]))
            return true;
    return settings->names.file[0] != '\0' && is_denied(settings->names.file, R_OK);
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

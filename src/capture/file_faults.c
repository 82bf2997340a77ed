#include "capture/file_faults.h"

#include <string.h>

#include "base/log.h"

void file_faults_note(struct file_faults *faults, const char *path, const struct error *error)
{
    if (faults->count++ == 0) {
        faults->first = strcmp(path, "-") == 0 ? "standard input" : path;
        faults->error = *error;
    }
    if (error->code == EXIT_UNREADABLE)
        faults->error.code = EXIT_UNREADABLE;
    if (faults->inputs > 1) // else the verdict says it
        log_warning("capture", "%s", error->text);
}

enum exit_code file_faults_verdict(const struct file_faults *faults, struct error *error)
{
    if (faults->count == 0)
        return EXIT_DONE;
    *error = faults->error;
    if (faults->inputs > 1)
        error_set(error, faults->error.code, "%u of %u inputs %s not read whole%s %s", faults->count,
                  faults->inputs, faults->count > 1 ? "were" : "was",
                  faults->count > 1 ? ", the first of them" : ":", faults->first);
    return error->code;
}

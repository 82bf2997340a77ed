#include "capture/file/file_faults.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"

void file_faults_note(struct file_faults *faults, const char *path, const struct error *error)
{
    assert(error->kind != ERROR_NONE && faults->count < faults->inputs); // each input is noted once
    if (faults->count++ == 0) {
        faults->first = strcmp(path, "-") == 0 ? "standard input" : path;
        faults->error = *error;
    }
    if (faults->error.kind == ERROR_DATA_LOSS) // one that cannot be read at all weighs more
        faults->error.kind = error->kind;
    if (faults->inputs > 1) // else the verdict says it
        log_warning("capture", "%s", error->text);
}

enum error_kind file_faults_verdict(const struct file_faults *faults, struct error *error)
{
    if (faults->count == 0)
        return ERROR_NONE;
    assert(faults->first != NULL && faults->error.kind != ERROR_NONE);
    *error = faults->error;
    if (faults->inputs > 1)
        error_set(error, faults->error.kind, "%u of %u inputs %s not read whole%s %s", faults->count,
                  faults->inputs, faults->count > 1 ? "were" : "was",
                  faults->count > 1 ? ", the first of them" : ":", faults->first);
    return error->kind;
}

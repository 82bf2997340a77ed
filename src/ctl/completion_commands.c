// completion: the script for a shell, which asks __complete what may follow.
#include <stdio.h>

#include "base/strbuf.h"
#include "ctl/commands.h"
#include "ctl/complaint.h"
#include "ctl/completion.h"
#include "ctl/hints.h"
#include "ctl/invocation.h"

enum { CANDIDATES_BYTES = 1 << 20 };

enum ctl_exit run_completion(const struct invocation *given)
{
    const char *script = completion_script(given->arguments[0]);
    if (script == NULL) {
        complain("there are scripts for bash, zsh and fish");
        return CTL_USAGE;
    }
    fputs(script, stdout);
    return CTL_DONE;
}

enum ctl_exit run_complete(const struct invocation *given)
{
    struct strbuf candidates;
    char *words[INVOCATION_ARGUMENTS];
    for (unsigned i = 0; i < given->argument_count; i++)
        words[i] = (char *)(uintptr_t)given->arguments[i];
    strbuf_init(&candidates, CANDIDATES_BYTES);
    completion_add(&candidates, words, (int)given->argument_count, hints_add);
    fputs(candidates.text, stdout);
    strbuf_done(&candidates);
    return CTL_DONE;
}

// Commands that ask no sensor: version.
#include <stdio.h>

#include "base/version.h"
#include "ctl/commands.h"

enum ctl_exit run_version(const struct invocation *given)
{
    (void)given;
    printf("netscopectl %s\n", NETSCOPE_VERSION);
    return CTL_DONE;
}

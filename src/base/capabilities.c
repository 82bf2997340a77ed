#include "base/capabilities.h"

#include <stddef.h>
#include <sys/capability.h>

static const cap_value_t raw = CAP_NET_RAW;

static bool has(cap_flag_t flag)
{
    cap_flag_value_t value = CAP_CLEAR;
    cap_t mine = cap_get_proc();
    bool known = mine != NULL && cap_get_flag(mine, raw, flag, &value) == 0;
    cap_free(mine);
    return known && value == CAP_SET;
}

// All that this thread has from now on.
static void become(bool permitted, bool effective)
{
    cap_t wanted = cap_init();
    if (wanted == NULL)
        return;
    if (permitted)
        cap_set_flag(wanted, CAP_PERMITTED, 1, &raw, CAP_SET);
    if (effective)
        cap_set_flag(wanted, CAP_EFFECTIVE, 1, &raw, CAP_SET);
    cap_set_proc(wanted); // less is always granted
    cap_free(wanted);
}

void capabilities_drop(void)
{
    become(false, false);
}

void capabilities_keep_raw(void)
{
    become(has(CAP_PERMITTED), false);
}

// Others that are in effect stay: at the start all are that the process was given.
static bool set_effective(cap_flag_value_t value)
{
    cap_t mine = cap_get_proc();
    bool done = mine != NULL && cap_set_flag(mine, CAP_EFFECTIVE, 1, &raw, value) == 0 && cap_set_proc(mine) == 0;
    cap_free(mine);
    return done;
}

bool capabilities_raise(void)
{
    return has(CAP_PERMITTED) && !has(CAP_EFFECTIVE) && set_effective(CAP_SET);
}

void capabilities_lower(void)
{
    set_effective(CAP_CLEAR);
}

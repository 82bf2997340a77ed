#include "base/capabilities.h"

#include <errno.h>
#include <stddef.h>
#include <sys/capability.h>
#include <unistd.h>

static const cap_value_t raw = CAP_NET_RAW, files = CAP_DAC_OVERRIDE;
static bool keeps_files; // written before the first thread

static bool has(cap_value_t value, cap_flag_t flag)
{
    cap_flag_value_t set = CAP_CLEAR;
    cap_t mine = cap_get_proc();
    bool known = mine != NULL && cap_get_flag(mine, value, flag, &set) == 0;
    cap_free(mine);
    return known && set == CAP_SET;
}

// What this thread has from now on. Less is always granted.
static void become(bool with_raw, bool with_files)
{
    cap_t wanted = cap_init();
    if (wanted == NULL)
        return;
    if (with_raw && has(raw, CAP_PERMITTED))
        cap_set_flag(wanted, CAP_PERMITTED, 1, &raw, CAP_SET);
    if (with_files && has(files, CAP_PERMITTED)) {
        cap_set_flag(wanted, CAP_PERMITTED, 1, &files, CAP_SET);
        cap_set_flag(wanted, CAP_EFFECTIVE, 1, &files, CAP_SET);
    }
    cap_set_proc(wanted);
    cap_free(wanted);
}

void capabilities_drop(void)
{
    become(false, keeps_files);
}

void capabilities_keep_raw(void)
{
    become(true, false);
}

void capabilities_keep_files(void)
{
    keeps_files = true;
}

void capabilities_suspend(void)
{
    cap_t mine = cap_get_proc();
    if (mine != NULL && cap_clear_flag(mine, CAP_EFFECTIVE) == 0)
        cap_set_proc(mine);
    cap_free(mine);
}

void capabilities_resume(void)
{
    cap_t mine = cap_get_proc();
    if (mine != NULL && cap_fill(mine, CAP_EFFECTIVE, CAP_PERMITTED) == 0)
        cap_set_proc(mine);
    cap_free(mine);
}

const char *capabilities_denial(int reason)
{
    bool denied = reason == EACCES || reason == EPERM;
    return denied && geteuid() == 0 && !has(files, CAP_EFFECTIVE)
               ? " (the right to files and folders of other users was given up at the start: restart with "
                 "this path)"
               : "";
}

static bool set_raw(cap_flag_value_t value)
{
    cap_t mine = cap_get_proc();
    bool done =
        mine != NULL && cap_set_flag(mine, CAP_EFFECTIVE, 1, &raw, value) == 0 && cap_set_proc(mine) == 0;
    cap_free(mine);
    return done;
}

bool capabilities_raise(void)
{
    return has(raw, CAP_PERMITTED) && !has(raw, CAP_EFFECTIVE) && set_raw(CAP_SET);
}

void capabilities_lower(void)
{
    set_raw(CAP_CLEAR);
}

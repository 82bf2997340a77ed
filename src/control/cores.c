#include "control/cores.h"

#include <sched.h>
#include <stdio.h>

static unsigned cores_of_affinity(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

// cpu.max of the process's own cgroup (version 2), rounded up; 0 = no limit.
static unsigned cores_of_cgroup(void)
{
    char group[512] = "", path[600];
    long quota_us = 0, period_us = 0;
    FILE *stream = fopen("/proc/self/cgroup", "re");
    if (stream == NULL)
        return 0;
    int found = fscanf(stream, "0::%511s", group);
    fclose(stream);
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
    if (found != 1 || (stream = fopen(path, "re")) == NULL)
        return 0;
    found = fscanf(stream, "%ld %ld", &quota_us, &period_us); // "max 100000" has no first number
    fclose(stream);
    if (found != 2 || quota_us <= 0 || period_us <= 0)
        return 0;
    return (unsigned)((quota_us + period_us - 1) / period_us);
}

unsigned cores_allowed(void)
{
    unsigned cores = cores_of_affinity();
    unsigned limit = cores_of_cgroup();
    if (limit != 0 && limit < cores)
        cores = limit;
    return cores != 0 ? cores : 1;
}

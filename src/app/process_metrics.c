#include "app/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"

struct process_figures {
    double cpu_s, start_s; // start: Unix time
    uint64_t virtual_bytes, resident_bytes, open_files, most_files;
};

static uint64_t count_open_files(void)
{
    uint64_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count - 1; // the directory's own
}

// Unix time of the boot, as /proc/stat tells it.
static double boot_time_s(void)
{
    char line[256];
    double time_s = 0;
    FILE *stream = fopen("/proc/stat", "re");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL)
        if (sscanf(line, "btime %lf", &time_s) == 1)
            break;
    if (stream != NULL)
        fclose(stream);
    return time_s;
}

// Fields behind the name of the program, which may hold anything: proc(5).
static void read_stat(struct process_figures *figures)
{
    char text[1024] = "";
    unsigned long user = 0, system = 0, memory = 0;
    unsigned long long start = 0;
    long pages = 0;
    double ticks_per_s = (double)sysconf(_SC_CLK_TCK);
    FILE *stream = fopen("/proc/self/stat", "re");
    if (stream == NULL)
        return;
    size_t length = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[length] = '\0';
    const char *fields = strrchr(text, ')');
    if (fields == NULL ||
        sscanf(fields,
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu %lu %ld",
               &user, &system, &start, &memory, &pages) != 5)
        return;
    figures->cpu_s = (double)(user + system) / ticks_per_s;
    figures->start_s = boot_time_s() + (double)start / ticks_per_s;
    figures->virtual_bytes = memory;
    figures->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static const void *hold(void *owner)
{
    (void)owner;
    struct rlimit files = {0};
    struct process_figures *figures = calloc(1, sizeof *figures);
    if (figures == NULL)
        return NULL;
    read_stat(figures);
    figures->open_files = count_open_files();
    getrlimit(RLIMIT_NOFILE, &files);
    figures->most_files = files.rlim_cur;
    return figures;
}

static void release(void *owner, const void *held)
{
    (void)owner;
    free((void *)(uintptr_t)held);
}

static void read_build(const struct metric *metric, const void *held, struct metric_reader *reader)
{
    (void)held;
    metric_labelled(metric, reader, (const char *const[METRIC_LABELS]){NETSCOPE_VERSION}, 1);
}

#define READ(name, give, member)                                                                             \
    static void name(const struct metric *metric, const void *held, struct metric_reader *reader)            \
    {                                                                                                        \
        give(metric, reader, ((const struct process_figures *)held)->member);                                \
    }

READ(read_cpu, metric_real, cpu_s)
READ(read_start, metric_real, start_s)
READ(read_virtual, metric_whole, virtual_bytes)
READ(read_resident, metric_whole, resident_bytes)
READ(read_open, metric_whole, open_files)
READ(read_most, metric_whole, most_files)

// clang-format off
static const struct metric rows[] = {
    {"netscope_build_info", METRIC_INFO, NULL, "What this is; always 1.", {"version"}, read_build},
    {"process_cpu_seconds_total", METRIC_COUNTER, "seconds", "Time of all cores spent.", {0}, read_cpu},
    {"process_start_time_seconds", METRIC_GAUGE, "seconds", "Unix time of the start.", {0}, read_start},
    {"process_virtual_memory_bytes", METRIC_GAUGE, "bytes", "Address space in use.", {0}, read_virtual},
    {"process_resident_memory_bytes", METRIC_GAUGE, "bytes", "Memory in use.", {0}, read_resident},
    {"process_open_fds", METRIC_GAUGE, NULL, "Open files.", {0}, read_open},
    {"process_max_fds", METRIC_GAUGE, NULL, "Most files that may be open.", {0}, read_most},
};
// clang-format on

void process_metrics_add(struct metric_registry *registry)
{
    struct metric_group group = {rows, sizeof rows / sizeof rows[0], NULL, hold, release};
    metric_registry_add(registry, &group);
}

#include "base/memory_limit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 1024, TABLE_BYTES = 8192 };

// A file that has a number; 0 for "max", and for what version 1 calls unlimited.
static uint64_t read_limit(const char *path)
{
    static const uint64_t unlimited = UINT64_C(1) << 60;
    uint64_t value = 0;
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return 0;
    if (fscanf(stream, "%" SCNu64, &value) != 1 || value >= unlimited)
        value = 0;
    fclose(stream);
    return value;
}

// 0 = none.
static uint64_t lesser(uint64_t limit, uint64_t other)
{
    return limit == 0 || (other != 0 && other < limit) ? other : limit;
}

// The least limit of a group and those above it. Inside a container the path may be the host's: then only the root is.
static uint64_t least_limit(const char *base, const char *group, const char *file)
{
    char path[PATH_BYTES];
    uint64_t least = 0;
    size_t base_length = strlen(base);
    int length = snprintf(path, sizeof path, "%s%s", base, group);
    if (length < 0 || (size_t)length + strlen(file) + 2 > sizeof path)
        return 0;
    for (;;) {
        size_t end = strlen(path);
        snprintf(path + end, sizeof path - end, "/%s", file);
        uint64_t limit = read_limit(path);
        least = lesser(least, limit);
        path[end] = '\0';
        char *last = strrchr(path + base_length, '/');
        if (last == NULL)
            return least;
        *last = '\0';
    }
}

// Whether a line of version 1 ("4:cpu,memory:/group") is that of the memory controller.
static bool has_memory(const char *controllers, const char *end)
{
    static const char name[] = "memory";
    const size_t length = sizeof name - 1;
    for (const char *at = controllers; at + length <= end; at++)
        if (strncmp(at, name, length) == 0 && (at == controllers || at[-1] == ',') &&
            (at + length == end || at[length] == ','))
            return true;
    return false;
}

// Above memory.high a group is slowed down until it stands still.
static uint64_t limit_of_version_2(const char *root, const char *group)
{
    return lesser(least_limit(root, group, "memory.max"), least_limit(root, group, "memory.high"));
}

static uint64_t limit_of_line(const char *controllers, const char *root)
{
    char group[PATH_BYTES], base[PATH_BYTES];
    const char *end = strchr(controllers, ':');
    if (end == NULL)
        return 0;
    snprintf(group, sizeof group, "%.*s", (int)strcspn(end + 1, "\n"), end + 1);
    if (end == controllers)
        return limit_of_version_2(root, group);
    snprintf(base, sizeof base, "%s/memory", root);
    return has_memory(controllers, end) ? least_limit(base, group, "memory.limit_in_bytes") : 0;
}

uint64_t memory_limit_of(const char *cgroups, const char *root)
{
    uint64_t least = 0;
    for (const char *line = cgroups; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *controllers = strchr(line, ':');
        least = lesser(least, controllers != NULL ? limit_of_line(controllers + 1, root) : 0);
    }
    return least;
}

uint64_t memory_limit(void)
{
    char table[TABLE_BYTES] = "";
    FILE *stream = fopen("/proc/self/cgroup", "re");
    if (stream == NULL)
        return 0;
    size_t length = fread(table, 1, sizeof table - 1, stream);
    table[length] = '\0';
    fclose(stream);
    return memory_limit_of(table, "/sys/fs/cgroup");
}

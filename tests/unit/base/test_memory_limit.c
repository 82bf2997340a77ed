#include "base/memory_limit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[64];

static void make_root(void)
{
    strcpy(root, "/tmp/netscope-test-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
}

static void remove_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    cr_assert_eq(system(command), 0);
}

// Writes a file of a group under the root, with the folders above it.
static void put(const char *group, const char *file, const char *text)
{
    char command[512];
    snprintf(command, sizeof command, "mkdir -p %s%s && echo %s > %s%s/%s", root, group, text, root, group,
             file);
    cr_assert_eq(system(command), 0);
}

TestSuite(memory_limit, .init = make_root, .fini = remove_root);

Test(memory_limit, is_the_least_of_a_group_and_those_above_it)
{
    put("/pods/one", "memory.max", "max");
    put("/pods", "memory.max", "1000000");
    cr_expect_eq(memory_limit_of("0::/pods/one\n", root), 1000000);
    put("/pods/one", "memory.max", "500000");
    cr_expect_eq(memory_limit_of("0::/pods/one\n", root), 500000);
    put("/pods/one", "memory.max", "2000000");
    cr_expect_eq(memory_limit_of("0::/pods/one\n", root), 1000000);
}

Test(memory_limit, is_where_version_2_begins_to_slow_down)
{
    put("/pods/one", "memory.max", "2000000");
    put("/pods/one", "memory.high", "max");
    cr_expect_eq(memory_limit_of("0::/pods/one\n", root), 2000000);
    put("/pods/one", "memory.high", "1500000");
    cr_expect_eq(memory_limit_of("0::/pods/one\n", root), 1500000);
    put("/pods", "memory.high", "1000000");
    cr_expect_eq(memory_limit_of("0::/pods/one\n", root), 1000000);
    put("/pods/one", "memory.max", "max");
    put("/pods/one", "memory.high", "max");
    cr_expect_eq(memory_limit_of("0::/pods/one\n", root), 1000000);
}

// Both versions are mounted: the controller is in one of them.
Test(memory_limit, is_that_of_either_version)
{
    put("/memory/a", "memory.limit_in_bytes", "3000000");
    put("/a", "cgroup.procs", "1");
    cr_expect_eq(memory_limit_of("4:memory:/a\n0::/a\n", root), 3000000);
    put("/a", "memory.max", "2000000");
    cr_expect_eq(memory_limit_of("4:memory:/a\n0::/a\n", root), 2000000);
}

// With a namespace of groups of its own a process is at the root, or below it by a relative path.
Test(memory_limit, is_found_in_a_namespace)
{
    put("", "memory.max", "5000000");
    cr_expect_eq(memory_limit_of("0::/\n", root), 5000000);
    put("", "memory.max", "garbage");
    cr_expect_eq(memory_limit_of("0::/\n", root), 0, "what is no number is no limit");
}

Test(memory_limit, is_known_of_version_1)
{
    put("/memory/docker/x", "memory.limit_in_bytes", "9223372036854771712");
    cr_expect_eq(memory_limit_of("5:cpu:/docker/x\n4:hugetlb,memory:/docker/x\n", root), 0);
    put("/memory/docker/x", "memory.limit_in_bytes", "268435456");
    cr_expect_eq(memory_limit_of("5:cpu:/docker/x\n4:hugetlb,memory:/docker/x\n0::/\n", root), 268435456);
    cr_expect_eq(memory_limit_of("5:cpu:/docker/x\n4:memoryx:/docker/x\n", root), 0);
}

// In a container the file may name the host's path while the container's own group is mounted.
Test(memory_limit, is_the_roots_where_the_path_is_not_there)
{
    put("", "memory.max", "7340032");
    cr_expect_eq(memory_limit_of("0::/kubepods/burstable/pod1\n", root), 7340032);
}

Test(memory_limit, is_none_without_groups)
{
    cr_expect_eq(memory_limit_of("", root), 0);
    cr_expect_eq(memory_limit_of("nonsense\n::\n\n0::/\n", root), 0);
}

#include "base/capabilities.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"

struct found {
    unsigned long long permitted, effective;
};

static struct found look(void)
{
    struct found found = {0};
    char line[128];
    FILE *stream = fopen("/proc/thread-self/status", "re");
    cr_assert_not_null(stream);
    while (fgets(line, sizeof line, stream) != NULL) {
        sscanf(line, "CapPrm: %llx", &found.permitted);
        sscanf(line, "CapEff: %llx", &found.effective);
    }
    fclose(stream);
    return found;
}

static const unsigned long long raw = 1ULL << 13, files = 1ULL << 1;

static void need_root(void)
{
    if (geteuid() != 0 || (look().permitted & raw) == 0)
        cr_skip_test("needs root");
}

static void *look_in_thread(void *found)
{
    *(struct found *)found = look();
    return NULL;
}

static struct found of_thread(bool (*start)(pthread_t *, void *(*)(void *), void *))
{
    pthread_t thread;
    struct found found;
    cr_assert(start(&thread, look_in_thread, &found));
    pthread_join(thread, NULL);
    return found;
}

Test(capabilities, of_threads_are_none)
{
    need_root();
    struct found mine = look(), others = of_thread(thread_start);
    cr_expect_eq(others.permitted, 0);
    cr_expect_eq(others.effective, 0);
    others = of_thread(thread_start_capable);
    cr_expect_eq(others.permitted, mine.permitted);
    mine = look();
    cr_expect_neq(mine.effective, 0, "the starter's own stay");
}

Test(capabilities, one_stays_and_is_raised_when_needed)
{
    need_root();
    cr_expect_not(capabilities_raise(), "it is in effect");
    capabilities_keep_raw();
    cr_expect_eq(look().permitted, raw);
    cr_expect_eq(look().effective, 0);
    cr_expect(capabilities_raise());
    cr_expect_eq(look().effective, raw);
    capabilities_lower();
    cr_expect_eq(look().effective, 0);
    capabilities_drop();
    cr_expect_eq(look().permitted, 0);
    cr_expect_not(capabilities_raise());
}

Test(capabilities, to_open_files_stay_when_told_so)
{
    need_root();
    struct found before = look();
    capabilities_suspend();
    cr_expect_eq(look().effective, 0);
    cr_expect_eq(look().permitted, before.permitted);
    capabilities_resume();
    cr_expect_eq(look().effective, before.permitted);
    capabilities_keep_files();
    cr_expect_eq(of_thread(thread_start).effective, files);
    capabilities_drop();
    cr_expect_eq(look().permitted, files);
    cr_expect_eq(look().effective, files);
}

static void *deny_in_thread(void *answer)
{
    *(const char **)answer = capabilities_denial(EACCES);
    return NULL;
}

Test(capabilities, that_were_given_up_are_told_of)
{
    need_root();
    const char *answer = NULL;
    pthread_t thread;
    cr_expect_str_empty(capabilities_denial(EACCES), "it is not for want of the right");
    cr_assert(thread_start(&thread, deny_in_thread, &answer));
    pthread_join(thread, NULL);
    cr_expect_not_null(strstr(answer, "restart with this path"));
    capabilities_drop();
    cr_expect_str_empty(capabilities_denial(ENOENT));
}

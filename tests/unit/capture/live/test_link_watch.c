#include "capture/live/link_watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "live/live_fixture.h"

enum { CHANGES = 4000, PAIRS = 8 };

static void run(const char *format, unsigned number)
{
    char command[128];
    snprintf(command, sizeof command, format, number, number);
    cr_assert_eq(system(command), 0, "%s", command);
}

// More news than the kernel keeps for who does not listen.
static void change_often(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (int i = 0; i < CHANGES; i++) {
        struct ifreq request = {.ifr_name = "lo", .ifr_mtu = 60000 + i % 2};
        cr_assert_eq(ioctl(fd, SIOCSIFMTU, &request), 0);
    }
    close(fd);
}

static unsigned count_links(const struct link_watch *watch)
{
    unsigned count;
    link_watch_links(watch, &count);
    return count;
}

static struct link_watch *open_watch(void)
{
    struct error error;
    struct link_watch *watch = link_watch_open(&error);
    cr_assert_not_null(watch, "%s", error.text);
    return watch;
}

Test(link_watch, tells_what_comes_and_goes, .timeout = 30)
{
    enter_namespace();
    struct link_watch *watch = open_watch();
    unsigned before = count_links(watch);
    cr_expect(link_by_name(watch, "lo")->loopback);
    cr_expect_not(link_watch_read(watch), "nothing has come");
    make_veth("one0");
    cr_assert(link_watch_read(watch));
    cr_expect_eq(count_links(watch), before + 2);
    cr_expect(link_by_name(watch, "one0")->up);
    cr_expect_eq(link_by_index(watch, if_nametoindex("one0")), link_by_name(watch, "one0"));
    run("ip link del one%u", 0);
    cr_assert(link_watch_read(watch));
    cr_expect_eq(count_links(watch), before);
    link_watch_close(watch);
}

Test(link_watch, knows_no_ghosts_when_news_was_lost, .timeout = 60)
{
    enter_namespace();
    struct link_watch *watch = open_watch();
    unsigned before = count_links(watch);
    for (unsigned i = 0; i < PAIRS; i++)
        run("ip link add gone%u type veth peer name peer%u", i);
    change_often();
    for (unsigned i = 0; i < PAIRS; i++)
        run("ip link del gone%u", i);
    make_veth("new0");
    cr_assert(link_watch_read(watch));
    cr_expect_eq(count_links(watch), before + 2, "%u links", count_links(watch));
    cr_expect_null(link_by_name(watch, "gone0"));
    cr_expect(link_by_name(watch, "new0")->up, "what came unheard of is known");
    run("ip link del new%u", 0);
    cr_expect(link_watch_read(watch));
    cr_expect_eq(count_links(watch), before, "and it goes on");
    link_watch_close(watch);
}

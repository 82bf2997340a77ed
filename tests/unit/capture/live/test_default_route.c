#include "capture/live/default_route.h"

#include <criterion/criterion.h>

static char name[IF_NAMESIZE], reason[96];

#define V4_HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

Test(default_route, lowest_metric_wins)
{
    const char *table = V4_HEAD "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
                                "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                                "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    cr_assert(default_route_parse_v4(table, name, reason, sizeof reason));
    cr_assert_str_eq(name, "eth0");
    cr_assert_str_eq(reason, "it holds the IPv4 default route via 192.168.1.1");
}

Test(default_route, halves_and_rejects_are_no_default_routes)
{
    const char *table = V4_HEAD "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
                                "*\t00000000\t00000000\t0203\t0\t0\t0\t00000000\t0\t0\t0\n";
    cr_assert_not(default_route_parse_v4(table, name, reason, sizeof reason));
    cr_assert_not(default_route_parse_v4("", name, reason, sizeof reason));
    cr_assert_not(default_route_parse_v4("garbage\nmore garbage", name, reason, sizeof reason));
}

#define ZEROS "00000000000000000000000000000000"

Test(default_route, ipv6_skips_the_loopback)
{
    const char *table =
        ZEROS " 00 " ZEROS " 00 " ZEROS " ffffffff 00000001 00000000 00200200       lo\n" ZEROS " 00 " ZEROS
              " 00 fe800000000000000000000000000001 00000400 00000001 00000000 "
              "00000003     eth1\n";
    cr_assert(default_route_parse_v6(table, name, reason, sizeof reason));
    cr_assert_str_eq(name, "eth1");
    cr_assert_not(default_route_parse_v6("", name, reason, sizeof reason));
}

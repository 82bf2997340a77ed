#include "decode/fields.h"

#include "wire.h"

static void expect_line(struct packet packet, const char *expected)
{
    struct strbuf text;
    strbuf_init(&text, 10000);
    packet_add_line(&text, &packet, "eth0");
    cr_expect_str_eq(text.text, expected, "%s", text.text);
    strbuf_done(&text);
}

// To the port of DNS, with so many bytes.
static struct packet with_udp(const char *payload, unsigned length)
{
    char hex[512];
    snprintf(hex, sizeof hex,
             IPV4_HEADER("%04x", "0000", "11", "0000") UDP_HEADER("3039", "0035", "%04x") "%s", 28 + length,
             8 + length, payload);
    struct packet packet = wire_hex(LINK_RAW, hex);
    decode_packet(&packet, &(struct decode_options){.tunnels = true});
    return packet;
}

Test(line, tcp_with_a_name)
{
    expect_line(wire_decode_capture("pppoe-qinq.pcap", 4),
                "4 2018-04-10 09:09:58.864824 eth0 vlan 3704.2474 1.1.1.1:20394 > 2.2.2.2:443 tcp [P.] seq "
                "3618128214 "
                "ack 4237337343 win 4096 len 517 tls sni=xp.apple.com "
                "alpn=h2,h2-16,h2-15,h2-14,spdy/3.1,spdy/3,http/1.1");
}

Test(line, dns)
{
    expect_line(wire_decode_capture("mail-retransmissions.pcap", 1),
                "1 2009-10-05 06:06:07.492060 eth0 10.10.1.4:56166 > 10.10.1.1:53 udp len 34 dns query A "
                "mail.patriots.in");
    expect_line(wire_decode_capture("mail-retransmissions.pcap", 2),
                "2 2009-10-05 06:06:07.526085 eth0 10.10.1.1:53 > 10.10.1.4:56166 udp len 100 dns answer A "
                "mail.patriots.in NOERROR 74.53.140.153");
}

// What is told of a damaged message, and that it is one.
Test(line, damaged_dns)
{
    expect_line(with_udp("1234 0100 0001 0000 0000 00cf 03 6f6e65 00 0001 0001", 21),
                "1 1970-01-01 00:00:00.000000 eth0 10.0.0.1:12345 > 10.0.0.2:53 udp len 21 dns query A one "
                "[app bad_message]");
    expect_line(with_udp("1234 8182 0001 0000 0000 0000 4d 6f6e65 00 0001 0001", 21),
                "1 1970-01-01 00:00:00.000000 eth0 10.0.0.1:12345 > 10.0.0.2:53 udp len 21 dns answer (no "
                "name) SERVFAIL [app bad_message]");
    expect_line(
        with_udp("ffffffffffffffffffffffffffffffffffffffffff", 21),
        "1 1970-01-01 00:00:00.000000 eth0 10.0.0.1:12345 > 10.0.0.2:53 udp len 21 [app bad_message]");
}

Test(line, tunnel)
{
    expect_line(wire_decode_capture("gre.pcap", 2), "2 1970-01-01 00:00:01.001000 eth0 10.20.0.1:44444 > "
                                                    "10.20.0.2:80 tcp [P.] seq 2 ack 0 win 8192 len 1 "
                                                    "gre 0 (192.0.2.1 > 198.51.100.1)");
}

Test(line, arp)
{
    expect_line(wire_decode_capture("browsing.pcap", 3),
                "3 2025-02-24 22:53:11.745327 eth0 arp who-has 10.10.0.34 tell 10.10.0.35");
    expect_line(wire_decode_capture("browsing.pcap", 4),
                "4 2025-02-24 22:53:11.745359 eth0 arp 10.10.0.34 is-at 00:50:56:82:08:6e");
}

Test(line, icmp_and_ipv6)
{
    expect_line(wire_decode_capture("icmpv6-echo.pcap", 1),
                "1 2008-06-23 13:58:24.137215 eth0 2001:db8:0:12::1 > 2001:db8:0:12::2 icmpv6 type 128 code "
                "0 len 52");
    expect_line(
        wire_decode_capture("ipv6-fragments.pcap", 4),
        "4 2012-03-29 16:44:12.497486 eth0 [2001:db8:1::2]:36951 > [2001:db8:1::1]:80 tcp [S] seq 3810442574 "
        "win 8192 len 0");
}

Test(line, fragment)
{
    expect_line(
        wire_decode_capture("fragments.pcap", 2),
        "2 2013-02-26 22:04:34.458646 eth0 172.16.133.54 > 216.137.33.81 tcp fragment of 0x425f len 144");
}

Test(line, what_is_not_ip_or_broken)
{
    expect_line(wire_decode(LINK_ETHERNET, MACS "88cc 0207"),
                "1 1970-01-01 00:00:00.000000 eth0 ether-type 0x88cc len 16");
    expect_line(wire_decode(195, "0000"), "1 1970-01-01 00:00:00.000000 eth0 link type 195 len 2");
    expect_line(
        wire_decode(LINK_RAW, IPV4_HEADER("0000", "0000", "06", "54c2") "3039 01bb 0000"),
        "1 1970-01-01 00:00:00.000000 eth0 10.0.0.1:12345 > 10.0.0.2:443 tcp len 6 [transport truncated]");
}

Test(line, interface_names_are_escaped)
{
    struct packet packet = wire_decode(195, "0000");
    struct strbuf text;
    strbuf_init(&text, 1000);
    packet_add_line(&text, &packet, "e\x1bt");
    cr_expect_not_null(strstr(text.text, " e\\x1bt "));
    strbuf_done(&text);
}

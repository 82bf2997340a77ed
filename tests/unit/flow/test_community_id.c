#include "flow/community_id.h"

#include <criterion/criterion.h>

#include "net/protocol.h"

static struct endpoint endpoint(const char *address, uint16_t port)
{
    struct endpoint made = {.port = port};
    cr_assert(address_parse(address, &made.address), "%s", address);
    return made;
}

static void expect(const char *source, uint16_t source_port, const char *target, uint16_t target_port,
                   uint8_t protocol, uint16_t seed, const char *expected)
{
    struct endpoint from = endpoint(source, source_port), to = endpoint(target, target_port);
    char text[COMMUNITY_ID_TEXT_BYTES];
    cr_expect(community_id(&from, &to, protocol, false, seed, text));
    cr_expect_str_eq(text, expected);
    cr_expect(community_id(&to, &from, protocol, false, seed, text));
    cr_expect_str_eq(text, expected, "both directions have one");
}

// The specification's baseline files.
Test(community_id, is_that_of_the_specification)
{
    expect("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25, IP_PROTOCOL_TCP, 0,
           "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
    expect("192.168.170.8", 7, "192.168.170.56", 7, IP_PROTOCOL_SCTP, 0, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=");
    expect("128.232.110.120", 34855, "66.35.250.204", 80, IP_PROTOCOL_TCP, 0,
           "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    expect("192.168.1.52", 54585, "8.8.8.8", 53, IP_PROTOCOL_UDP, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    expect("10.1.12.1", 0, "10.1.12.2", 0, 46, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=");
    expect("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25, IP_PROTOCOL_TCP, 1,
           "1:eJYTW6AOzFLlSUoESovMjnu7rMw=");
    expect("192.168.170.8", 7, "192.168.170.56", 7, IP_PROTOCOL_SCTP, 1, "1:5w3ZRjeKBzqT3zsaEECDGjUbYeg=");
    expect("128.232.110.120", 34855, "66.35.250.204", 80, IP_PROTOCOL_TCP, 1,
           "1:3V71V58M3Ksw/yuFALMcW0LAHvc=");
    expect("192.168.1.52", 54585, "8.8.8.8", 53, IP_PROTOCOL_UDP, 1, "1:Q9We8WO3piVF8yEQBNJF4uiSVrI=");
    expect("10.1.12.1", 0, "10.1.12.2", 0, 46, 1, "1:rYir8gphR31noO9iDRQmF/BteEI=");
}

static void expect_icmp(uint8_t protocol, const char *source, const char *target, uint8_t type, uint8_t code,
                        const char *expected)
{
    uint16_t ports[2];
    bool one_way;
    char text[COMMUNITY_ID_TEXT_BYTES];
    icmp_ports(protocol, type, code, &ports[0], &ports[1], &one_way);
    struct endpoint from = endpoint(source, ports[0]), to = endpoint(target, ports[1]);
    cr_expect(community_id(&from, &to, protocol, one_way, 0, text));
    cr_expect_str_eq(text, expected);
}

Test(community_id, maps_icmp_types)
{
    expect_icmp(IP_PROTOCOL_ICMPV6, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 136,
                "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
    expect_icmp(IP_PROTOCOL_ICMPV6, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 135,
                "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
    expect_icmp(IP_PROTOCOL_ICMPV6, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
                "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=");
    expect_icmp(IP_PROTOCOL_ICMPV6, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1,
                4, "1:hLZd0XGWojozrvxqE0dWB1iM6R0=");
    expect_icmp(IP_PROTOCOL_ICMPV6, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 129,
                "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=");
    expect_icmp(IP_PROTOCOL_ICMPV6, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 128,
                "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=");
    expect_icmp(IP_PROTOCOL_ICMPV6, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 134,
                "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=");
    expect_icmp(IP_PROTOCOL_ICMPV6, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 133,
                "1:pkvHqCL88/tg1k4cPigmZXUtL00=");
    expect_icmp(IP_PROTOCOL_ICMP, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    expect_icmp(IP_PROTOCOL_ICMP, "192.168.0.1", "192.168.0.89", 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    expect_icmp(IP_PROTOCOL_ICMP, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM=");
}

Test(icmp_ports, of_an_answer_are_those_of_the_question_turned)
{
    static const uint8_t pairs[][3] = {{1, 8, 0},      {1, 9, 10},     {1, 13, 14},    {1, 15, 16},
                                       {1, 17, 18},    {58, 128, 129}, {58, 130, 131}, {58, 133, 134},
                                       {58, 135, 136}, {58, 139, 140}, {58, 144, 145}};
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint16_t question[2], answer[2];
        bool one_way;
        icmp_ports(pairs[i][0], pairs[i][1], 0, &question[0], &question[1], &one_way);
        cr_expect_not(one_way);
        icmp_ports(pairs[i][0], pairs[i][2], 0, &answer[0], &answer[1], &one_way);
        cr_expect_not(one_way);
        cr_expect(question[0] == answer[1] && question[1] == answer[0], "pair %u", i);
    }
}

Test(icmp_ports, of_a_lone_message_are_type_and_code)
{
    uint16_t source, target;
    bool one_way;
    icmp_ports(IP_PROTOCOL_ICMP, 3, 13, &source, &target, &one_way);
    cr_expect(one_way && source == 3 && target == 13);
    icmp_ports(IP_PROTOCOL_ICMPV6, 8, 0, &source, &target, &one_way);
    cr_expect(one_way, "8 is an echo in ICMP only");
}

// A message without counterpart from the other side is another flow.
Test(community_id, keeps_the_direction_of_one_way_messages)
{
    struct endpoint one = endpoint("10.0.0.1", 3), other = endpoint("10.0.0.2", 1);
    char there[COMMUNITY_ID_TEXT_BYTES], back[COMMUNITY_ID_TEXT_BYTES];
    cr_assert(community_id(&one, &other, IP_PROTOCOL_ICMP, true, 0, there));
    cr_assert(community_id(&other, &one, IP_PROTOCOL_ICMP, true, 0, back));
    cr_expect_str_neq(there, back);
}

Test(community_id, ignores_ports_where_there_are_none)
{
    struct endpoint one = endpoint("10.0.0.1", 1), other = endpoint("10.0.0.2", 2);
    char with[COMMUNITY_ID_TEXT_BYTES], without[COMMUNITY_ID_TEXT_BYTES];
    cr_assert(community_id(&one, &other, IP_PROTOCOL_GRE, false, 0, with));
    one.port = other.port = 0;
    cr_assert(community_id(&one, &other, IP_PROTOCOL_GRE, false, 0, without));
    cr_expect_str_eq(with, without);
}

Test(community_id, refuses_mixed_and_missing_addresses)
{
    struct endpoint four = endpoint("10.0.0.1", 1), six = endpoint("2001:db8::1", 2), none = {.port = 1};
    char text[COMMUNITY_ID_TEXT_BYTES] = "left over";
    cr_expect_not(community_id(&four, &six, IP_PROTOCOL_TCP, false, 0, text));
    cr_expect_str_empty(text);
    cr_expect_not(community_id(&none, &none, IP_PROTOCOL_TCP, false, 0, text));
}

// Filters that are wrong, and the sentences that say so.
#include "filters.h"

#include <stdio.h>

static void expect_wrong(const struct flow_filters *filters, const char *sentence)
{
    struct error error = {0};
    cr_expect_not(flow_filter_check(filters, &error));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
    cr_expect_str_eq(error.text, sentence);
    cr_expect_null(flow_filter_prepare(filters, &error));
}

static void expect_wrong_filter(struct flow_filter filter, const char *sentence)
{
    struct flow_filter filters[2] = {{.figure[FILTER_BYTES].has_min = true}, filter};
    expect_wrong(&(struct flow_filters){.deny = filters, .deny_count = 2}, sentence);
}

Test(filter, with_wrong_ends_is_refused)
{
    struct prefix wrong[4] = {{.bits = 0}, prefix_of("10.0.0.0/8"), prefix_of("10.0.0.1"), prefix_of("::1")};
    wrong[2].bits = 8;
    wrong[3].bits = 129;
    struct flow_filter filter = {0};
    filter.end[FILTER_CLIENT].networks = (struct filter_prefixes){wrong, 1};
    expect_wrong_filter(filter, "deny[1].client.networks[0]: no address or prefix is given");
    filter.end[FILTER_CLIENT].networks = (struct filter_prefixes){wrong + 1, 2};
    expect_wrong_filter(
        filter, "deny[1].client.networks[1]: the address has bits behind the prefix of 8: clear them");
    filter.end[FILTER_CLIENT].networks = (struct filter_prefixes){wrong + 3, 1};
    expect_wrong_filter(filter, "deny[1].client.networks[0]: a prefix of IPv6 has at most 128 bits, not 129");
    struct filter_ports ports[2] = {{1, 65535}, {0, 1}};
    filter = (struct flow_filter){0};
    filter.end[FILTER_OTHER_END].ports = ports;
    filter.end[FILTER_OTHER_END].port_count = 2;
    expect_wrong_filter(filter, "deny[1].other_end.ports[1]: 0 is no port: give 1 to 65535");
    ports[1] = (struct filter_ports){80, 79};
    expect_wrong_filter(filter, "deny[1].other_end.ports[1]: the first port, 80, is above the last, 79");
    filter.end[FILTER_OTHER_END].port_count = FILTER_VALUES + 1;
    expect_wrong_filter(filter, "deny[1].other_end.ports: 65 values are too many: give at most 64");
}

Test(filter, with_wrong_values_is_refused)
{
    uint32_t value = 256;
    struct flow_filter filter = {.field[FILTER_PROTOCOL] = {&value, 1}};
    expect_wrong_filter(filter, "deny[1].protocol[0]: 256 is above the largest value, 255");
    filter = (struct flow_filter){.field[FILTER_APP] = {&value, 1}};
    expect_wrong_filter(filter, "deny[1].app[0]: 256 is above the largest value, 2");
    filter = (struct flow_filter){.field[FILTER_SNI_STATUS] = {&value, 1}};
    expect_wrong_filter(filter, "deny[1].sni_status[0]: 256 is above the largest value, 6");
    filter = (struct flow_filter){.figure[FILTER_RTT_NS] = {2, 1, true, true}};
    expect_wrong_filter(filter, "deny[1].rtt: the least value, 2, is above the largest, 1");
    const char *id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg";
    filter = (struct flow_filter){.community_ids = &id, .community_id_count = 1};
    expect_wrong_filter(filter, "deny[1].community_id[0]: it is no Community ID of version 1, as "
                                "\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\"");
    const char *number = "00112233445566778899aabbccddeefX";
    filter = (struct flow_filter){.ids = &number, .id_count = 1};
    expect_wrong_filter(filter, "deny[1].ids[0]: the id of a flow is 32 digits of 0 to 9 and a to f");
    number = "00112233445566778899aabbccddeeff0";
    expect_wrong_filter(filter, "deny[1].ids[0]: the id of a flow is 32 digits of 0 to 9 and a to f");
    expect_wrong_filter((struct flow_filter){0},
                        "deny[1]: a filter without a field denies every flow: give it one, or leave it out");
    struct flow_filter many[FILTER_ALTERNATIVES + 1] = {0};
    expect_wrong(&(struct flow_filters){.allow = many, .allow_count = FILTER_ALTERNATIVES + 1},
                 "allow: 17 values are too many: give at most 16");
}

static void expect_wrong_name(const char *text, const char *sentence)
{
    struct filter_name names[2] = {{"example.com", true}, {text, false}};
    char whole[ERROR_TEXT_BYTES];
    snprintf(whole, sizeof whole, "deny[1].names[1]: %s", sentence);
    expect_wrong_filter((struct flow_filter){.names = names, .name_count = 2}, whole);
}

Test(filter, with_wrong_names_is_refused)
{
    char longest[FILTER_NAME_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    longest[FILTER_NAME_BYTES + 1] = '\0';
    expect_wrong_name("", "a name has 1 to 253 characters, not 0");
    expect_wrong_name(longest, "a name has 1 to 253 characters, not 254");
    expect_wrong_name("b\xc3\xbc"
                      "cher.example",
                      "a name is of printable ASCII: give others as \"xn--...\"");
    expect_wrong_name("a b", "a name is of printable ASCII: give others as \"xn--...\"");
    expect_wrong_name("*.example.com", "\"*\" stands for nothing: give the domain alone, as a suffix");
    expect_wrong_name(".example.com", "a part of the name is empty: give \"example.com\"");
    expect_wrong_name("a..b", "a part of the name is empty: give \"example.com\"");
    struct prefix prefix = prefix_of("10.0.0.1");
    expect_wrong_filter((struct flow_filter){.named = {&prefix, 1}, .figure[FILTER_BYTES].has_min = true},
                        "deny[1].names: addresses of names are given, but no name");
}

// Names may stand for many addresses, but not for any number, and many such filters not at once.
Test(filter, bounds_what_names_stand_for)
{
    static struct prefix named[FILTER_NAMED_PREFIXES + 1];
    for (unsigned i = 0; i <= FILTER_NAMED_PREFIXES; i++)
        named[i] = (struct prefix){address_v4((const uint8_t[4]){10, (uint8_t)(i >> 8), (uint8_t)i, 1}), 32};
    struct filter_name name = {"example.com", true};
    struct flow_filter filters[FILTER_ALTERNATIVES];
    for (unsigned i = 0; i < FILTER_ALTERNATIVES; i++)
        filters[i] =
            (struct flow_filter){.names = &name, .name_count = 1, .named = {named, FILTER_NAMED_PREFIXES}};
    struct flow_record record = known();
    record.endpoint[1].address = named[1234].address;
    cr_expect(fits(filters[0], &record));
    filters[0].named.count++;
    expect_wrong(&(struct flow_filters){.allow = filters, .allow_count = 1},
                 "allow[0].names: they stand for 4097 addresses, and 4096 is the most: narrow them");
    filters[0].named.count--;
    struct error error;
    cr_expect_null(flow_filter_prepare(
        &(struct flow_filters){.allow = filters, .allow_count = FILTER_ALTERNATIVES}, &error));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, "give fewer filters, or fewer names"), "%s", error.text);
}

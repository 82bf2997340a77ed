// What filters select, by examples; test_filter_random.c asks the same of many made ones.
#include "flow/filter.h"

#include <stdio.h>

#include "packets.h"

// A TCP flow with a little of everything: 10.0.0.1:50000 -> 10.0.0.2:443.
static struct flow_record known(void)
{
    return (struct flow_record){
        .endpoint = {{host(1), 50000}, {host(2), 443}},
        .first_seen_ns = TEST_START_NS,
        .last_seen_ns = TEST_START_NS + 2 * NS_PER_S,
        .packets = {6, 4},
        .bytes = {600, 4000},
        .retransmissions = {1, 2},
        .rtt_samples = 3,
        .rtt_ewma_ns = 20 * NS_PER_MS,
        .interface = 2,
        .observed_at = {5, 7},
        .observed = 2,
        .vlan = 100,
        .has_vlan = true,
        .has_quality = true,
        .protocol = IP_PROTOCOL_TCP,
        .tcp_state = TCP_STATE_ESTABLISHED,
        .client = 0,
        .client_from = CLIENT_SYN,
    };
}

static struct flow_selection *prepare(const struct flow_filters *filters)
{
    struct error error;
    struct flow_selection *selection = flow_filter_prepare(filters, &error);
    cr_assert_not_null(selection, "%s", error.text);
    return selection;
}

static bool lists_fit(const struct flow_filters *filters, const struct flow_record *record)
{
    struct flow_selection *selection = prepare(filters);
    bool fits = flow_selection_fits(selection, record);
    flow_selection_release(selection);
    return fits;
}

static bool fits(struct flow_filter filter, const struct flow_record *record)
{
    return lists_fit(&(struct flow_filters){.allow = &filter, .allow_count = 1}, record);
}

static struct prefix prefix_of(const char *text)
{
    struct prefix prefix;
    cr_assert(prefix_parse(text, &prefix), "%s", text);
    return prefix;
}

static bool end_fits(enum filter_role role, const char *network, uint16_t port,
                     const struct flow_record *record)
{
    struct prefix prefix = network != NULL ? prefix_of(network) : (struct prefix){0};
    struct filter_ports ports = {port, port};
    struct flow_filter filter = {0};
    filter.end[role].networks = (struct filter_prefixes){&prefix, network != NULL};
    filter.end[role].ports = &ports;
    filter.end[role].port_count = port != 0;
    return fits(filter, record);
}

Test(filter, of_nothing_selects_all)
{
    struct flow_record record = known();
    cr_expect(flow_selection_fits(NULL, &record));
    cr_expect(lists_fit(&(struct flow_filters){0}, &record));
    cr_expect(fits((struct flow_filter){0}, &record));
}

Test(filter, asks_ends_for_addresses_and_ports)
{
    struct flow_record record = known();
    cr_expect(end_fits(FILTER_ONE_END, "10.0.0.2", 0, &record));
    cr_expect(end_fits(FILTER_ONE_END, "10.0.0.0/24", 0, &record));
    cr_expect(end_fits(FILTER_ONE_END, NULL, 443, &record));
    cr_expect(end_fits(FILTER_ONE_END, "10.0.0.2", 443, &record));
    cr_expect_not(end_fits(FILTER_ONE_END, "10.0.0.1", 443, &record), "one end has to have both");
    cr_expect_not(end_fits(FILTER_ONE_END, "10.0.0.3", 0, &record));
    cr_expect_not(end_fits(FILTER_ONE_END, "::/0", 0, &record));
    cr_expect(end_fits(FILTER_CLIENT, "10.0.0.1", 50000, &record));
    cr_expect_not(end_fits(FILTER_CLIENT, "10.0.0.2", 0, &record));
    cr_expect(end_fits(FILTER_SERVER, "10.0.0.2", 443, &record));
    cr_expect_not(end_fits(FILTER_SERVER, NULL, 50000, &record));
    record.client = 1;
    cr_expect(end_fits(FILTER_CLIENT, "10.0.0.2", 0, &record));
    record.client = -1;
    cr_expect_not(end_fits(FILTER_CLIENT, "0.0.0.0/0", 0, &record), "what is not known fits nothing");
    cr_expect(end_fits(FILTER_ONE_END, "0.0.0.0/0", 0, &record));
}

Test(filter, asks_the_end_across)
{
    struct flow_record record = known();
    struct prefix client = prefix_of("10.0.0.1"), server = prefix_of("10.0.0.2");
    struct flow_filter filter = {0};
    filter.end[FILTER_ONE_END].networks = (struct filter_prefixes){&client, 1};
    filter.end[FILTER_OTHER_END].networks = (struct filter_prefixes){&server, 1};
    cr_expect(fits(filter, &record));
    filter.end[FILTER_ONE_END].networks.items = &server;
    filter.end[FILTER_OTHER_END].networks.items = &client;
    cr_expect(fits(filter, &record));
    filter.end[FILTER_OTHER_END].networks.items = &server;
    cr_expect_not(fits(filter, &record), "both cannot be the same end");
}

Test(filter, means_ports_by_ports)
{
    struct flow_record record = known();
    record.endpoint[0].port = 8; // an echo, as Community ID has it
    record.endpoint[1].port = 53;
    static const uint8_t with[] = {IP_PROTOCOL_TCP, IP_PROTOCOL_UDP, IP_PROTOCOL_SCTP};
    static const uint8_t without[] = {IP_PROTOCOL_ICMP, IP_PROTOCOL_ICMPV6, IP_PROTOCOL_GRE};
    for (unsigned i = 0; i < 3; i++) {
        record.protocol = with[i];
        cr_expect(end_fits(FILTER_ONE_END, NULL, 53, &record));
        cr_expect(end_fits(FILTER_SERVER, NULL, 53, &record));
        record.protocol = without[i];
        cr_expect_not(end_fits(FILTER_ONE_END, NULL, 53, &record));
        cr_expect_not(end_fits(FILTER_ONE_END, NULL, 8, &record));
        cr_expect_not(end_fits(FILTER_SERVER, NULL, 53, &record));
        cr_expect(end_fits(FILTER_ONE_END, "10.0.0.1", 0, &record));
    }
}

Test(filter, takes_ranges_of_ports)
{
    struct flow_record record = known();
    static const struct filter_ports ports[] = {{80, 80}, {400, 442}, {444, 500}};
    struct flow_filter filter = {0};
    filter.end[FILTER_SERVER].ports = ports;
    filter.end[FILTER_SERVER].port_count = 3;
    cr_expect_not(fits(filter, &record));
    static const uint16_t inside[] = {80, 400, 442, 444, 500}, outside[] = {79, 81, 399, 501, 65535};
    for (unsigned i = 0; i < 5; i++) {
        record.endpoint[1].port = inside[i];
        cr_expect(fits(filter, &record), "%u", inside[i]);
        record.endpoint[1].port = outside[i];
        cr_expect_not(fits(filter, &record), "%u", outside[i]);
    }
}

static bool field_fits(enum filter_field field, uint32_t value, const struct flow_record *record)
{
    uint32_t values[2] = {value, value};
    struct flow_filter filter = {0};
    filter.field[field] = (struct filter_numbers){values, 2};
    return fits(filter, record);
}

Test(filter, asks_fields)
{
    struct flow_record record = known();
    cr_expect(field_fits(FILTER_PROTOCOL, IP_PROTOCOL_TCP, &record));
    cr_expect_not(field_fits(FILTER_PROTOCOL, IP_PROTOCOL_UDP, &record));
    cr_expect(field_fits(FILTER_TCP_STATE, TCP_STATE_ESTABLISHED, &record));
    cr_expect_not(field_fits(FILTER_TCP_STATE, TCP_STATE_NONE, &record));
    for (uint32_t interface = 0; interface < 10; interface++)
        cr_expect_eq(field_fits(FILTER_INTERFACE, interface, &record),
                     interface == 2 || interface == 5 || interface == 7);
    cr_expect(field_fits(FILTER_VLAN, 100, &record));
    cr_expect_not(field_fits(FILTER_VLAN, 101, &record));
    record.has_vlan = false;
    record.vlan = 0;
    cr_expect_not(field_fits(FILTER_VLAN, 0, &record), "untagged is not VLAN 0");
}

Test(filter, asks_for_tunnels)
{
    struct flow_record record = known();
    cr_expect(field_fits(FILTER_TUNNEL_KIND, TUNNEL_NONE, &record));
    cr_expect_not(field_fits(FILTER_TUNNEL_KIND, TUNNEL_VXLAN, &record));
    cr_expect_not(field_fits(FILTER_TUNNEL_ID, 0, &record), "outside of a tunnel there is no id");
    record.tunnel = (struct flow_tunnel){.kind = TUNNEL_VXLAN, .id = 4096};
    cr_expect_not(field_fits(FILTER_TUNNEL_KIND, TUNNEL_NONE, &record));
    cr_expect(field_fits(FILTER_TUNNEL_KIND, TUNNEL_VXLAN, &record));
    cr_expect(field_fits(FILTER_TUNNEL_ID, 4096, &record));
    cr_expect_not(field_fits(FILTER_TUNNEL_ID, 4095, &record));
}

Test(filter, asks_for_apps)
{
    struct flow_record record = known();
    cr_expect(field_fits(FILTER_APP, FLOW_APP_NONE, &record));
    cr_expect_not(field_fits(FILTER_APP, FLOW_APP_TLS, &record));
    record.facts.app = FLOW_APP_TLS;
    cr_expect(field_fits(FILTER_APP, FLOW_APP_TLS, &record));
    cr_expect_not(field_fits(FILTER_APP, FLOW_APP_NONE, &record));
}

static bool figure_fits(enum filter_figure figure, struct filter_range range,
                        const struct flow_record *record)
{
    struct flow_filter filter = {0};
    filter.figure[figure] = range;
    return fits(filter, record);
}

Test(filter, takes_ranges_of_figures_with_their_bounds)
{
    static const uint64_t values[FILTER_FIGURES] = {
        [FILTER_BYTES] = 4600,
        [FILTER_PACKETS] = 10,
        [FILTER_DURATION_NS] = 2 * NS_PER_S,
        [FILTER_RETRANSMISSIONS] = 3,
        [FILTER_RTT_NS] = 20 * NS_PER_MS,
    };
    struct flow_record record = known();
    for (enum filter_figure figure = 0; figure < FILTER_FIGURES; figure++) {
        uint64_t value = values[figure];
        cr_expect(figure_fits(figure, (struct filter_range){value, value, true, true}, &record), "%d",
                  figure);
        cr_expect(figure_fits(figure, (struct filter_range){.min = value, .has_min = true}, &record));
        cr_expect(figure_fits(figure, (struct filter_range){.max = value, .has_max = true}, &record));
        cr_expect_not(figure_fits(figure, (struct filter_range){.min = value + 1, .has_min = true}, &record));
        cr_expect_not(figure_fits(figure, (struct filter_range){.max = value - 1, .has_max = true}, &record));
        cr_expect(figure_fits(figure, (struct filter_range){.max = 1}, &record), "it is not there");
    }
}

Test(filter, fits_no_value_to_what_is_not_known)
{
    struct filter_range any = {.has_min = true};
    struct flow_record record = known();
    record.rtt_samples = 0;
    cr_expect_not(figure_fits(FILTER_RTT_NS, any, &record));
    cr_expect(figure_fits(FILTER_RETRANSMISSIONS, any, &record));
    record.no_retransmissions = true;
    cr_expect_not(figure_fits(FILTER_RETRANSMISSIONS, any, &record));
    record.no_retransmissions = record.has_quality = false;
    cr_expect_not(figure_fits(FILTER_RETRANSMISSIONS, any, &record));
    record = known();
    record.protocol = IP_PROTOCOL_UDP;
    cr_expect_not(figure_fits(FILTER_RETRANSMISSIONS, any, &record));
}

static bool name_fits(const char *text, bool suffix, const char *sni, const char *dns_query)
{
    struct flow_record record = known();
    struct flow_names names = flow_names_none;
    names.text[FLOW_TEXT_SNI] = sni;
    names.text[FLOW_TEXT_DNS_QUERY] = dns_query;
    record.names = &names;
    struct filter_name name = {text, suffix};
    return fits((struct flow_filter){.names = &name, .name_count = 1}, &record);
}

Test(filter, asks_for_names_by_whole_labels)
{
    cr_expect(name_fits("example.com", false, "example.com", ""));
    cr_expect(name_fits("Example.COM", false, "eXample.com", ""));
    cr_expect(name_fits("example.com.", false, "example.com", ""));
    cr_expect(name_fits("example.com", false, "", "example.com."));
    cr_expect_not(name_fits("example.com", false, "a.example.com", "example.co"));
    cr_expect(name_fits("example.com", true, "example.com", ""));
    cr_expect(name_fits("example.com", true, "", "A.b.EXAMPLE.com"));
    cr_expect_not(name_fits("example.com", true, "badexample.com", ""));
    cr_expect_not(name_fits("example.com", true, "example.com.evil.org", "xample.com"));
    cr_expect_not(name_fits("example.com", true, "", ""));
    cr_expect(name_fits("com", true, "example.com", ""));
}

Test(filter, asks_for_names_of_endpoints_by_their_addresses)
{
    struct flow_record record = known();
    struct filter_name name = {"database.internal", false};
    struct prefix named[] = {prefix_of("192.168.0.0/24"), prefix_of("10.0.0.2"), prefix_of("2001:db8::/32")};
    struct flow_filter filter = {.names = &name, .name_count = 1};
    cr_expect_not(fits(filter, &record));
    filter.named = (struct filter_prefixes){named, 3};
    cr_expect(fits(filter, &record));
    record.endpoint[1].address = host(3);
    cr_expect_not(fits(filter, &record));
    struct flow_names names = flow_names_none;
    names.text[FLOW_TEXT_SNI] = "database.internal";
    record.names = &names;
    cr_expect(fits(filter, &record), "what the payload told does, too");
}

Test(filter, asks_for_community_ids)
{
    struct flow_record record = {.protocol = IP_PROTOCOL_TCP, .endpoint = {{.port = 34855}, {.port = 80}}};
    cr_assert(address_parse("128.232.110.120", &record.endpoint[0].address));
    cr_assert(address_parse("66.35.250.204", &record.endpoint[1].address));
    const char *ids[] = {"1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="};
    cr_expect(fits((struct flow_filter){.community_ids = ids, .community_id_count = 2}, &record));
    cr_expect_not(fits((struct flow_filter){.community_ids = ids, .community_id_count = 1}, &record));
    record.endpoint[1].port = 81;
    cr_expect_not(fits((struct flow_filter){.community_ids = ids, .community_id_count = 2}, &record));
}

Test(filter, of_several_are_alternatives_and_denied_ones_win)
{
    struct flow_record record = known();
    static const uint32_t tcp = IP_PROTOCOL_TCP, udp = IP_PROTOCOL_UDP;
    struct flow_filter of_tcp = {.field[FILTER_PROTOCOL] = {&tcp, 1}},
                       of_udp = {.field[FILTER_PROTOCOL] = {&udp, 1}};
    struct flow_filter both[] = {of_udp, of_tcp};
    cr_expect(lists_fit(&(struct flow_filters){.allow = both, .allow_count = 2}, &record));
    cr_expect_not(lists_fit(&(struct flow_filters){.allow = both, .allow_count = 1}, &record));
    cr_expect(lists_fit(&(struct flow_filters){.deny = both, .deny_count = 1}, &record));
    cr_expect_not(lists_fit(&(struct flow_filters){.deny = both, .deny_count = 2}, &record));
    cr_expect_not(lists_fit(
        &(struct flow_filters){.allow = both, .allow_count = 2, .deny = &of_tcp, .deny_count = 1}, &record));
    cr_expect(lists_fit(
        &(struct flow_filters){.allow = both, .allow_count = 2, .deny = &of_udp, .deny_count = 1}, &record));
    struct flow_filter narrow = of_tcp;
    narrow.field[FILTER_TCP_STATE] = (struct filter_numbers){&(uint32_t){TCP_STATE_CLOSED}, 1};
    cr_expect_not(fits(narrow, &record), "fields have to fit all");
}

Test(filter, outlives_what_it_was_made_of)
{
    struct flow_record record = known();
    struct prefix prefix = prefix_of("10.0.0.1");
    char text[] = "example.com";
    struct filter_name name = {text, true};
    struct flow_filter filter = {.names = &name, .name_count = 1, .named = {&prefix, 1}};
    struct flow_selection *selection = prepare(&(struct flow_filters){.allow = &filter, .allow_count = 1});
    cr_expect_eq(flow_selection_hold(selection), selection);
    memset(text, 'x', sizeof text - 1);
    prefix = prefix_of("10.9.9.9");
    flow_selection_release(selection);
    cr_expect(flow_selection_fits(selection, &record));
    flow_selection_release(selection);
    cr_expect_null(flow_selection_hold(NULL));
    flow_selection_release(NULL);
}

// What is wrong.

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
    filter = (struct flow_filter){.figure[FILTER_RTT_NS] = {2, 1, true, true}};
    expect_wrong_filter(filter, "deny[1].rtt: the least value, 2, is above the largest, 1");
    const char *id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg";
    filter = (struct flow_filter){.community_ids = &id, .community_id_count = 1};
    expect_wrong_filter(filter, "deny[1].community_id[0]: it is no Community ID of version 1, as "
                                "\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\"");
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

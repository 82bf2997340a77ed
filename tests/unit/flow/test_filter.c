// What filters select, by examples; test_filter_random.c asks the same of many made ones.
#include "filters.h"

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

Test(filter, asks_how_a_connection_went)
{
    struct flow_record record = known();
    record.conn_state = CONN_STATE_SF;
    cr_expect(field_fits(FILTER_CONN_STATE, CONN_STATE_SF, &record));
    cr_expect_not(field_fits(FILTER_CONN_STATE, CONN_STATE_S0, &record));
    cr_expect_not(field_fits(FILTER_CONN_STATE, CONN_STATE_UNKNOWN, &record));
}

Test(filter, asks_for_what_a_hello_told)
{
    struct flow_record record = known();
    cr_expect_not(field_fits(FILTER_SNI_STATUS, SNI_ABSENT, &record));
    cr_expect_not(field_fits(FILTER_TLS_VERSION, 0x0304, &record));
    record.facts.sni_status = SNI_ABSENT;
    record.facts.tls_version = 0x0304;
    cr_expect(field_fits(FILTER_SNI_STATUS, SNI_ABSENT, &record));
    cr_expect_not(field_fits(FILTER_SNI_STATUS, SNI_COMPLETE, &record));
    cr_expect(field_fits(FILTER_TLS_VERSION, 0x0304, &record));
    cr_expect_not(field_fits(FILTER_TLS_VERSION, 0x0303, &record));
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
    record.rtt_far.samples = 0;
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

Test(filter, asks_for_ids)
{
    struct flow_record record = known(), other = known();
    char id[2][FLOW_ID_TEXT_BYTES];
    other.ordinal = 7;
    flow_record_id(&record, id[0]);
    flow_record_id(&other, id[1]);
    const char *const ids[] = {id[0], id[1]};
    cr_expect(fits((struct flow_filter){.ids = ids, .id_count = 2}, &record));
    cr_expect(fits((struct flow_filter){.ids = ids + 1, .id_count = 1}, &other));
    cr_expect_not(fits((struct flow_filter){.ids = ids + 1, .id_count = 1}, &record));
}

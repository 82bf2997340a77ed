#include <criterion/criterion.h>
#include <string.h>

#include "api/build.h"
#include "ctl/filters.h"
#include "netscope/v1/filter.pb-c.h"
#include "words.h"

typedef Netscope__V1__FlowFilter Filter;

static struct build build;
static struct flow_filters filters;

static void start(void)
{
    build_init(&build);
}

static void stop(void)
{
    build_done(&build);
}

TestSuite(filters, .init = start, .fini = stop);

static void make(char *const line[])
{
    struct error error;
    cr_assert(flow_filters_build(&build, taken(line), &filters, &error), "%s", error.text);
}

static void make_none(char *const line[], const char *why)
{
    struct error error = {.kind = ERROR_NONE};
    cr_assert_not(flow_filters_build(&build, taken(line), &filters, &error));
    cr_expect(strstr(error.text, why) != NULL, "%s", error.text);
}

Test(filters, none_given_is_every_flow)
{
    make(LINE("flows", "-n", "5"));
    cr_expect_eq(filters.allow_count, 0);
    cr_expect_eq(filters.deny_count, 0);
}

Test(filters, values_of_an_option_are_alternatives_in_one_filter)
{
    make(LINE("flows", "--protocol", "tcp", "--app", "tls", "--protocol", "udp", "--tcp-state", "reset",
              "--vlan", "7"));
    cr_assert_eq(filters.allow_count, 1);
    const Filter *filter = filters.allow[0];
    cr_assert_eq(filter->n_protocols, 2);
    cr_expect_str_eq(filter->protocols[1], "udp");
    cr_expect_eq(filter->n_apps, 1);
    cr_assert_eq(filter->n_tcp_states, 1);
    cr_expect_eq(filter->tcp_states[0], NETSCOPE__V1__TCP_STATE__TCP_STATE_RESET);
    cr_assert_eq(filter->n_vlans, 1);
    cr_expect_eq(filter->vlans[0], 7);
}

Test(filters, words_become_the_numbers_of_their_enum)
{
    make(LINE("flows", "--sni-status", "gap", "--sni-status", "absent", "--conn-state", "RSTOS0",
              "--tls-version", "TLS 1.3", "--tunnel", "teredo"));
    cr_assert_eq(filters.allow_count, 1);
    const Filter *filter = filters.allow[0];
    cr_assert_eq(filter->n_sni_statuses, 2);
    cr_expect_eq(filter->sni_statuses[0], NETSCOPE__V1__SNI_STATUS__SNI_STATUS_GAP);
    cr_expect_eq(filter->sni_statuses[1], NETSCOPE__V1__SNI_STATUS__SNI_STATUS_ABSENT, "5 is none any more");
    cr_expect_str_eq(filter->conn_states[0], "RSTOS0");
    cr_expect_str_eq(filter->tls_versions[0], "TLS 1.3");
    cr_expect_eq(filter->tunnel_kinds[0], NETSCOPE__V1__TUNNEL_KIND__TUNNEL_KIND_TEREDO);
}

Test(filters, each_not_is_a_filter_of_its_own)
{
    make(LINE("flows", "--not", "--app", "dns", "--protocol", "udp", "--not", "--to-port", "53"));
    cr_assert_eq(filters.allow_count, 1);
    cr_assert_eq(filters.deny_count, 2);
    cr_expect_eq(filters.deny[0]->n_apps, 1);
    cr_expect_null(filters.deny[0]->server);
    cr_assert_not_null(filters.deny[1]->server);
    cr_expect_eq(filters.deny[1]->server->ports[0]->min, 53);
}

Test(filters, an_address_and_a_port_may_be_of_different_ends)
{
    make(LINE("flows", "--ip", "10.0.0.1", "--port", "443", "--app", "tls"));
    cr_assert_eq(filters.allow_count, 2);
    const Filter *same = filters.allow[0], *apart = filters.allow[1];
    cr_expect_eq(same->one_end->n_networks, 1);
    cr_expect_eq(same->one_end->n_ports, 1);
    cr_expect_null(same->other_end);
    cr_expect_eq(apart->one_end->n_networks, 1);
    cr_expect_eq(apart->one_end->n_ports, 0);
    cr_assert_not_null(apart->other_end);
    cr_expect_eq(apart->other_end->n_networks, 0);
    cr_expect_eq(apart->other_end->n_ports, 1);
    cr_expect_eq(apart->n_apps, 1);
}

Test(filters, three_things_are_shared_out_in_four_ways)
{
    unsigned seen = 0;
    make(LINE("flows", "--ip", "10.0.0.1", "--port", "443", "--namespace", "shop"));
    cr_assert_eq(filters.allow_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const Netscope__V1__EndpointFilter *one = filters.allow[i]->one_end,
                                           *other = filters.allow[i]->other_end;
        cr_expect_eq(one->n_networks, 1, "the address stays where it is");
        cr_expect_eq(one->n_ports + (other != NULL ? other->n_ports : 0), 1);
        cr_expect_eq(one->n_namespaces + (other != NULL ? other->n_namespaces : 0), 1);
        seen |= 1U << (2 * one->n_ports + one->n_namespaces);
    }
    cr_expect_eq(seen, 0xF, "each way once");
    make(LINE("flows", "--port", "443"));
    cr_expect_eq(filters.allow_count, 1);
}

Test(filters, ports)
{
    make(LINE("flows", "--from-port", "8000-8999", "--from-port", "-1023", "--from-port", "60000-"));
    const Netscope__V1__EndpointFilter *client = filters.allow[0]->client;
    cr_assert_eq(client->n_ports, 3);
    cr_expect_eq(client->ports[0]->min, 8000);
    cr_expect_eq(client->ports[0]->max, 8999);
    cr_expect_eq(client->ports[1]->min, 1);
    cr_expect_eq(client->ports[1]->max, 1023);
    cr_expect_eq(client->ports[2]->max, 65535);
    static char *const bad[] = {"x", "-", "65536", "9-8", "1-2-3", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        make_none(LINE("flows", "--port", bad[i]), "--port takes a port");
}

Test(filters, names_numbers_and_spans)
{
    make(LINE("flows", "--name", "a.com", "--name", "*.b.com", "--min-bytes", "1k", "--max-bytes", "2k",
              "--min-rtt", "1500ms"));
    const Filter *filter = filters.allow[0];
    cr_expect_str_eq(filter->names[0]->exact, "a.com");
    cr_expect_eq(filter->names[1]->match_case, NETSCOPE__V1__NAME_FILTER__MATCH_DOMAIN);
    cr_expect_str_eq(filter->names[1]->domain, "b.com");
    cr_expect_eq(filter->bytes->min, 1000);
    cr_expect_eq(filter->bytes->max, 2000);
    cr_expect_eq(filter->packets, NULL);
    cr_expect_eq(filter->rtt->min->seconds, 1);
    cr_expect_eq(filter->rtt->min->nanos, 500000000);
    cr_expect_null(filter->rtt->max);
    make_none(LINE("flows", "--min-rtt", "5"), "--min-rtt takes a span");
    make_none(LINE("flows", "--vlan", "all"), "--vlan takes a number");
}

Test(filters, of_alerts)
{
    struct alert_filters alerts;
    struct error error;
    const struct invocation *given =
        taken(LINE("alerts", "--kind", "port_scan", "--severity", "high", "--severity", "critical", "--not",
                   "--source", "10.0.0.0/8", "--not", "--ip", "::1"));
    cr_assert(alert_filters_build(&build, given, &alerts, &error));
    cr_assert_eq(alerts.allow_count, 1);
    cr_assert_eq(alerts.deny_count, 2);
    cr_expect_str_eq(alerts.allow[0]->kinds[0], "port_scan");
    cr_assert_eq(alerts.allow[0]->n_severities, 2);
    cr_expect_eq(alerts.allow[0]->severities[1], NETSCOPE__V1__SEVERITY__SEVERITY_CRITICAL);
    cr_expect_str_eq(alerts.deny[0]->sources[0], "10.0.0.0/8");
    cr_expect_str_eq(alerts.deny[1]->parties[0], "::1");
}

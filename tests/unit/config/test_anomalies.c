#include "given.h"

#include "config/table.h"

static void expect_refused(const char *yaml, const char *const *words, const char *sentence)
{
    struct outcome outcome = load(yaml, NULL, words);
    cr_expect_not(outcome.loaded, "%s", sentence);
    cr_expect_not_null(strstr(outcome.error.text, sentence), "%s", outcome.error.text);
    outcome_done(&outcome);
}

Test(anomalies, the_defaults_of_the_reference)
{
    struct outcome outcome = accepted(load(NULL, NULL, NULL));
    const struct anomaly_settings *anomalies = &outcome.settings.analysis.anomalies;
    cr_expect_not(anomalies->enabled_given);
    cr_expect_eq(anomalies->wait_secs, 2);
    cr_expect_eq(anomalies->max_alerts_per_minute, 60);
    cr_expect_eq(anomalies->syn_flood.common.window_secs, 5);
    cr_expect_eq(anomalies->syn_flood.syn_threshold, 200);
    cr_expect_eq(anomalies->syn_flood.unique_src_threshold, 50);
    cr_expect_eq(anomalies->syn_flood.outstanding_threshold, 2000);
    cr_expect_eq(anomalies->syn_flood.flood_threshold, 4000);
    cr_expect_eq(anomalies->port_scan.unique_threshold, 25);
    cr_expect_eq(anomalies->port_scan.common.cooldown_secs, 60);
    cr_expect_eq(anomalies->host_sweep.slow_window_secs, 300);
    cr_expect_eq(anomalies->host_sweep.slow_threshold, 60);
    cr_expect_eq(anomalies->host_sweep.slow_targets, 100);
    cr_expect_eq(anomalies->host_sweep.slow_targets_inside, 250);
    cr_expect_eq(anomalies->reflection.common.window_secs, 1);
    cr_expect_eq(anomalies->reflection.packets_per_sec_threshold, 500);
    cr_expect_eq(anomalies->reflection.unique_src_threshold, 10);
    cr_expect_eq(anomalies->reflection.flood_per_sec_threshold, 5000);
    cr_expect_eq(anomalies->udp_flood.packets_per_sec_threshold, 10000);
    cr_expect_eq(anomalies->icmp_flood.packets_per_sec_threshold, 1000);
    cr_expect_eq(anomalies->icmp_flood.answer_ratio, 20);
    outcome_done(&outcome);
}

Test(anomalies, keys_of_all_levels_come_from_file_environment_and_flags)
{
    static const char yaml[] =
        "analysis:\n"
        "  rtt: false\n"
        "  anomalies:\n"
        "    wait_secs: 3s\n"
        "    allow:\n"
        "      - 10.0.0.0/8 port=9100 side=source expires=2027-01-31 comment=ours, all\n"
        "    port_scan:\n"
        "      window_secs: 90\n"
        "      unique_ports_threshold: 30\n"
        "    host_sweep: {unique_hosts_threshold: 40, enabled: false}\n"
        "  tunnels: false\n";
    struct outcome outcome = accepted(
        load(yaml,
             WORDS("NETSCOPE_ANALYSIS_ANOMALIES_PORT_SCAN_WINDOW_SECS=2m",
                   "NETSCOPE_ANALYSIS_ANOMALIES_SYN_FLOOD_SYN_THRESHOLD=7"),
             WORDS("--no-udp-flood", "--syn-flood-syn-threshold", "8", "--port-scan-cooldown-secs", "5m")));
    const struct anomaly_settings *anomalies = &outcome.settings.analysis.anomalies;
    cr_expect_eq(anomalies->wait_secs, 3);
    cr_expect_eq(anomalies->allow.count, 1);
    cr_expect_str_eq(anomalies->allow.items[0],
                     "10.0.0.0/8 port=9100 side=source expires=2027-01-31 comment=ours, all");
    cr_expect_eq(anomalies->port_scan.common.window_secs, 120, "the environment wins over the file");
    cr_expect_eq(anomalies->port_scan.common.cooldown_secs, 300);
    cr_expect_eq(anomalies->port_scan.unique_threshold, 30);
    cr_expect_eq(anomalies->host_sweep.unique_threshold, 40);
    cr_expect_not(anomalies->host_sweep.common.enabled);
    cr_expect(anomalies->port_scan.common.enabled);
    cr_expect_not(anomalies->udp_flood.common.enabled);
    cr_expect_eq(anomalies->syn_flood.syn_threshold, 8, "a flag wins over the environment");
    cr_expect_not(outcome.settings.analysis.rtt);
    cr_expect_not(outcome.settings.analysis.tunnels, "keys go on behind a section");
    outcome_done(&outcome);
}

Test(anomalies, files_are_looked_at_and_live_traffic_is_not_unless_asked)
{
    const struct {
        const char *const *words;
        bool detects;
    } cases[] = {
        {WORDS("-r", "x.pcap"), true},
        {WORDS("-r", "x.pcap", "--no-anomalies"), false},
        {WORDS("-i", "lo"), false},
        {WORDS("-i", "lo", "--anomalies"), true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome outcome = accepted(load(NULL, NULL, cases[i].words));
        cr_expect_eq(settings_detect(&outcome.settings), cases[i].detects, "case %zu", i);
        outcome_done(&outcome);
    }
}

Test(anomalies, unknown_keys_get_the_nearest_and_those_of_the_seed_a_hint)
{
    static const char *const cases[][2] = {
        {"analysis.anomalies.portscan", "analysis.anomalies.port_scan"},
        {"analysis.anomolies", "analysis.anomalies"},
        {"anomalies", "analysis.anomalies"},
        {"analysis.anomalies.host_sweep.windw_secs", "analysis.anomalies.host_sweep.window_secs"},
        {"analysis.anomalies.hostsweep.window_secs", "analysis.anomalies.host_sweep.window_secs"},
        {"analysis.anomalies.port_scan.unique_port_threshold",
         "analysis.anomalies.port_scan.unique_ports_threshold"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_str_eq(setting_nearest(cases[i][0]), cases[i][1], "%s", cases[i][0]);
    cr_expect_str_eq(setting_renamed("analysis.anomalies.syn_threshold"),
                     "analysis.anomalies.syn_flood.syn_threshold");
    expect_refused("analysis:\n  anomalies:\n    unique_ports_threshold: 3\n", NULL,
                   "3: analysis.anomalies.unique_ports_threshold is called "
                   "analysis.anomalies.port_scan.unique_ports_threshold now");
    expect_refused("analysis:\n  anomalies:\n    port_scan:\n      window_sec: 3\n", NULL,
                   "4: unknown key analysis.anomalies.port_scan.window_sec; the nearest is "
                   "analysis.anomalies.port_scan.window_secs");
    expect_refused("analysis:\n  anomalies: true\n", NULL, "2: this key opens a section");
}

// Where a key of the seed went is a key or a section.
Test(anomalies, the_sections_are_those_of_the_keys)
{
    for (unsigned s = 0; s < setting_section_count; s++)
        cr_expect(setting_is_section(setting_sections[s].name), "%s", setting_sections[s].name);
    cr_expect(setting_is_section(setting_renamed("analysis.port_scan")));
    cr_expect_geq(setting_find(setting_renamed("analysis.anomaly_detection")), 0);
}

Test(anomalies, settings_that_contradict_each_other_are_refused)
{
    expect_refused(
        "analysis: {anomalies: {port_scan: {window_secs: 300}}}", NULL,
        "analysis.anomalies.port_scan.slow_window_secs (300) must be longer than its window_secs (300)");
    expect_refused(NULL, WORDS("--host-sweep-slow-window-secs", "60"), "host_sweep.slow_window_secs (60)");
    expect_refused(NULL, WORDS("-i", "lo", "--fail-on-alert"),
                   "would never fail: nothing looks for attacks in a live capture");
    expect_refused(NULL, WORDS("-r", "x.pcap", "--fail-on-alert", "--no-anomalies"),
                   "would never fail: nothing looks for attacks; set");
    struct outcome outcome = accepted(load(NULL, NULL, WORDS("-r", "x.pcap", "--fail-on-alert")));
    cr_expect(outcome.settings.output.fail_on_alert);
    outcome_done(&outcome);
}

Test(anomalies, a_webhook_is_a_url_of_http)
{
    static const char *const broken[] = {"alerts.example", "ftp://alerts.example", "http://", "https:///hook",
                                         "http://:80/"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct outcome outcome = load(NULL, NULL, WORDS("--alerts-webhook", broken[i]));
        cr_expect_not(outcome.loaded, "%s", broken[i]);
        cr_expect_not_null(strstr(outcome.error.text, "output.alerts_webhook must be a URL"), "%s",
                           outcome.error.text);
        outcome_done(&outcome);
    }
    struct outcome outcome = accepted(load(
        NULL, NULL,
        WORDS("--alerts-webhook", "HTTPS://u:p@[::1]:8443/x", "--alerts-webhook-format", "alertmanager")));
    cr_expect_eq(outcome.settings.output.alerts_webhook_format, WEBHOOK_ALERTMANAGER);
    cr_expect(setting_table[setting_find("output.alerts_webhook")].secret, "it may hold a password");
    outcome_done(&outcome);
}

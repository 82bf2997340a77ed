#include "calling.h"

typedef Netscope__V1__ListAlertsResponse List;

enum { SCANS = 12 };
static struct answer answer;

static uint32_t begin_with_alerts(struct calling *calling)
{
    begin_calling(calling, "sensor: {node_name: here}\nanalysis: {anomalies: {enabled: true}}\n");
    start_run(&calling->running);
    for (uint8_t source = 1; source <= SCANS; source++)
        send_scan(calling, 1000, source);
    return go_on_until(calling, 1001, has_alerts, SCANS);
}

Test(alert_service, pages_show_each_alert_once, .timeout = 60)
{
    struct calling calling;
    char json[512] = "{\"page_size\": 5, \"allow\": [{\"kinds\": [\"port_scan\"]}]}", ids[SCANS][40];
    unsigned shown = 0;
    bool more = true;
    uint32_t second = begin_with_alerts(&calling);
    while (more) {
        const List *list = CALL(&calling, List, ALERTS("ListAlerts"), json, &answer);
        cr_expect_eq(list->total, SCANS);
        cr_expect_gt(strlen(list->cursor), 32);
        for (size_t i = 0; i < list->n_alerts; i++) {
            cr_expect_str_eq(list->alerts[i]->kind, "port_scan");
            for (unsigned j = 0; j < shown; j++)
                cr_expect_str_neq(ids[j], list->alerts[i]->id);
            cr_assert_lt(shown, SCANS);
            strcpy(ids[shown++], list->alerts[i]->id);
        }
        more = list->next_page_token[0] != '\0';
        snprintf(json, sizeof json,
                 "{\"page_size\": 5, \"allow\": [{\"kinds\": [\"port_scan\"]}], \"page_token\": \"%s\"}",
                 list->next_page_token);
        answer_done(&answer);
        send_scan(&calling, second, (uint8_t)(100 + shown)); // what comes meanwhile is on no page
        second = go_on_until(&calling, second + 1, has_alerts, SCANS + shown / 5 + (shown % 5 != 0));
    }
    cr_expect_eq(shown, SCANS);
    end_calling(&calling);
}

static void expect_total(struct calling *calling, const char *filters, uint64_t total)
{
    const List *list = CALL(calling, List, ALERTS("ListAlerts"), filters, &answer);
    cr_expect_eq(list->total, total, "%s: %lu", filters, (unsigned long)list->total);
    cr_expect_eq(list->n_alerts, total);
    answer_done(&answer);
}

Test(alert_service, filters_select, .timeout = 60)
{
    struct calling calling;
    begin_with_alerts(&calling);
    expect_total(&calling, "{\"allow\": [{\"sources\": [\"10.0.0.1\", \"10.0.0.2\"]}]}", 2);
    expect_total(&calling, "{\"allow\": [{\"targets\": [\"10.0.0.1\"]}]}", 0);
    expect_total(&calling, "{\"allow\": [{\"parties\": [\"10.0.0.1\"]}]}", 1);
    expect_total(&calling,
                 "{\"allow\": [{\"sources\": [\"10.0.0.0/8\"]}], \"deny\": [{\"sources\": [\"10.0.0.3\"]}]}",
                 SCANS - 1);
    expect_total(&calling, "{\"allow\": [{\"kinds\": [\"syn_flood\"]}]}", 0);
    expect_total(&calling,
                 "{\"allow\": [{\"severities\": [\"SEVERITY_LOW\", 2, 3, 4], \"targets\": [\"192.0.2.7\"],"
                 " \"kinds\": [\"port_scan\"]}]}",
                 SCANS);
    expect_total(
        &calling,
        "{\"allow\": [{\"interfaces\": [\"none\"]}, {\"fingerprints\": [\"none\"]}, {\"ids\": [\"none\"]}]}",
        0);
    expect_total(&calling, "{\"allow\": [{\"lifecycles\": [\"ALERT_LIFECYCLE_ENDED\"]}]}", 0);
    end_calling(&calling);
}

Test(alert_service, what_is_wrong_has_its_field, .timeout = 60)
{
    static const struct {
        const char *json, *field, *part;
    } cases[] = {
        {"{\"allow\": [{\"kinds\": [\"port_scan\", \"portscan\"]}]}", "allow[0].kinds[1]",
         "no kind of alert"},
        {"{\"allow\": [{\"severities\": [0]}]}", "allow[0].severities[0]", "says nothing"},
        {"{\"allow\": [{\"lifecycles\": [1, 0]}]}", "allow[0].lifecycles[1]", "says nothing"},
        {"{\"allow\": [{\"sources\": [\"x\"]}]}", "allow[0].sources[0]", "no address or network"},
        {"{\"deny\": [{\"targets\": [\"10.0.0.1/8\"]}]}", "deny[0].targets[0]", "no address or network"},
        {"{\"deny\": [{\"parties\": [\"10.0.0.1/8\"]}]}", "deny[0].parties[0]", "no address or network"},
        {"{\"deny\": [{}]}", "deny[0]", "denies every alert"},
        {"{\"allow\": [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}", "allow", "17 filters"},
        {"{\"page_token\": \"x\"}", "page_token", "no token"},
    };
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        call_refused(&calling, ALERTS("ListAlerts"), cases[i].json, STATUS_INVALID_ARGUMENT, cases[i].field,
                     cases[i].part);
    expect_total(&calling, "{}", 0);
    end_calling(&calling);
}

Test(alert_service, one_alert_by_its_id, .timeout = 60)
{
    struct calling calling;
    char json[128], id[40];
    begin_with_alerts(&calling);
    const List *list = CALL(&calling, List, ALERTS("ListAlerts"), "{\"page_size\": 1}", &answer);
    cr_assert_eq(list->n_alerts, 1);
    strcpy(id, list->alerts[0]->id);
    answer_done(&answer);
    snprintf(json, sizeof json, "{\"id\": \"%s\"}", id);
    typedef Netscope__V1__GetAlertResponse Found;
    const Found *found = CALL(&calling, Found, ALERTS("GetAlert"), json, &answer);
    cr_expect_str_eq(found->alert->id, id);
    cr_expect_str_eq(found->node, "here");
    answer_done(&answer);
    call_refused(&calling, ALERTS("GetAlert"), "{}", STATUS_INVALID_ARGUMENT, "id", "give the id");
    call_refused(&calling, ALERTS("GetAlert"), "{\"id\": \"none\"}", STATUS_NOT_FOUND, NULL,
                 "no alert that is kept");
    end_calling(&calling);
}

Test(alert_service, an_alert_is_told_as_it_ended, .timeout = 60)
{
    struct calling calling;
    begin_with_alerts(&calling);
    end_input(&calling.running); // all alerts end with the run, and stay
    expect_total(&calling,
                 "{\"allow\": [{\"lifecycles\": [\"ALERT_LIFECYCLE_ENDED\"], \"kinds\": [\"port_scan\"]}]}",
                 SCANS);
    expect_total(&calling, "{\"allow\": [{\"lifecycles\": [\"ALERT_LIFECYCLE_STARTED\"]}]}", 0);
    api_destroy(calling.api);
    done_run(&calling.running);
}

#include "calling.h"

Test(sensor_service, status_and_stats, .timeout = 60)
{
    struct calling calling;
    struct answer answer;
    begin_calling(&calling, "sensor: {node_name: here}\nanalysis: {anomalies: {enabled: true}}\n");
    typedef Netscope__V1__GetStatusResponse Status;
    const Status *status = CALL(&calling, Status, SENSOR("GetStatus"), "{}", &answer);
    cr_expect_eq(status->state, NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_STARTING);
    cr_expect_null(status->ledger);
    answer_done(&answer);
    start_run(&calling.running);
    send_flow(&calling, 1000, 1);
    go_on_until(&calling, 1001, has_flows, 1);
    status = CALL(&calling, Status, SENSOR("GetStatus"), "{}", &answer);
    cr_expect_eq(status->state, NETSCOPE__V1__SENSOR_STATE__SENSOR_STATE_RUNNING);
    cr_expect_str_eq(status->node, "here");
    cr_expect_eq(strlen(status->instance_id), 32);
    cr_expect_str_eq(status->version, "1.2.3");
    cr_expect_eq(status->api_revision, 2);
    cr_expect_not(status->live);
    cr_expect_str_eq(status->caller->identity, "tester");
    cr_expect_eq(status->caller->role, NETSCOPE__V1__ROLE__ROLE_OPERATOR);
    cr_expect(status->ledger->balanced);
    cr_expect_geq(status->ledger->received, 2);
    cr_expect_eq(status->loss_ratio, 0);
    cr_expect_eq(status->n_detectors, 6);
    cr_expect_str_eq(status->detectors[0]->kind, "syn_flood");
    cr_expect(status->detectors[0]->enabled);
    answer_done(&answer);
    typedef Netscope__V1__GetStatsResponse Stats;
    const Stats *stats = CALL(&calling, Stats, STATS("GetStats"), "{}", &answer);
    cr_expect_str_eq(stats->node, "here");
    cr_expect_eq(stats->counters->flows_active, 1);
    cr_expect_eq(stats->counters->packets_received, stats->counters->packets_analysed +
                                                        stats->counters->packets_duplicate +
                                                        stats->counters->packets_lost);
    answer_done(&answer);
    end_calling(&calling);
}

Test(sensor_service, interfaces, .timeout = 60)
{
    struct calling calling;
    struct answer answer;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    typedef Netscope__V1__ListInterfacesResponse List;
    const List *list = CALL(&calling, List, SENSOR("ListInterfaces"), "{}", &answer);
    cr_assert_eq(list->n_interfaces, 1);
    cr_expect_not_null(strstr(calling.running.fifo, list->interfaces[0]->name));
    cr_expect(list->interfaces[0]->up);
    cr_expect_eq(list->interfaces[0]->link_type, 1);
    cr_expect_geq(list->interfaces[0]->packets, 1);
    answer_done(&answer);
    call_refused(&calling, SENSOR("StartCapture"), "{}", STATUS_INVALID_ARGUMENT, "interface", "give a name");
    call_refused(
        &calling, SENSOR("StopCapture"),
        "{\"interface\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
        STATUS_INVALID_ARGUMENT, "interface", "at most 63 bytes");
    call_refused(&calling, SENSOR("StartCapture"), "{\"interface\": \"lo\"}", STATUS_FAILED_PRECONDITION,
                 NULL, "a capture file is read");
    call_refused(&calling, SENSOR("StopCapture"), "{\"interface\": \"lo\"}", STATUS_FAILED_PRECONDITION, NULL,
                 "a capture file is read");
    end_calling(&calling);
}

#include "made_report.h"

TestSuite(report_capture, .init = start, .fini = stop);

Test(report_capture, the_ledger_names_each_loss)
{
    totals.received = 100;
    totals.received_bytes = 10000;
    totals.analysed = 90;
    totals.duplicate = 3;
    totals.lost[LOST_KERNEL_RING] = 7;
    totals.first_packet_ns = 100 * NS_PER_S;
    totals.last_packet_ns = 110 * NS_PER_S;
    const struct report_summary *summary = finish();
    cr_expect(summary->ledger.balanced);
    cr_assert_eq(summary->ledger.lost_count, 1);
    cr_expect_str_eq(summary->ledger.lost_by[0].stage, "kernel");
    cr_expect_eq(summary->ledger.lost_by[0].packets, 7);
    cr_expect_float_eq(summary->span.bits_per_sec, 8000, 1e-6);
    cr_expect(says(&summary->warnings, "7 of 100 packets (7.0 %) were lost"));
}

Test(report_capture, protocols_hold_what_has_no_flow_too)
{
    totals.received = totals.analysed = 10;
    totals.analysed_bytes = 1000;
    totals.protocol_packets[IP_PROTOCOL_UDP] = 8;
    totals.protocol_bytes[IP_PROTOCOL_UDP] = 900;
    totals.arp = 2;
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->protocol_count, 2);
    cr_expect_str_eq(summary->protocols[0].name, "udp");
    cr_expect_float_eq(summary->protocols[0].byte_share, 0.9, 1e-9);
    cr_expect_str_eq(summary->protocols[1].name, "arp");
    cr_expect(summary->protocols[1].bytes_known);
    cr_expect_eq(summary->protocols[1].bytes, 100);
}

Test(report_capture, second_sightings_are_warned_of_unless_the_first_one_counts)
{
    totals.received = totals.analysed = 100;
    totals.second_sightings = 38;
    cr_expect(says(&finish()->warnings, "38 % of the packets are second sightings"));
}

Test(report_capture, with_observation_first_there_is_no_such_warning)
{
    totals.received = totals.analysed = 100;
    totals.second_sightings = 38;
    const struct report_summary *summary = finish_in(&(struct report_context){.observe_first = true});
    cr_expect_eq(summary->warnings.count, 0);
}

Test(report_capture, what_was_not_understood_is_listed)
{
    totals.received = totals.analysed = 20;
    totals.decode_errors[DECODE_LAYER_NETWORK][DECODE_BAD_LENGTH] = 2;
    totals.decode_errors[DECODE_LAYER_LINK][DECODE_UNSUPPORTED_TYPE] = 3;
    totals.unsupported = 1;
    totals.unsupported_kind[0] = (struct unsupported_totals){.number = 0x88cc, .packets = 3};
    totals.clock_steps_back = 1;
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->doubts.error_count, 1);
    cr_expect_str_eq(summary->doubts.errors[0].layer, "network");
    cr_expect_str_eq(summary->doubts.errors[0].reason, "bad_length");
    cr_assert_eq(summary->doubts.unsupported_count, 1);
    cr_expect_eq(summary->doubts.unsupported[0].number, 0x88cc);
    cr_expect(says(&summary->warnings, "stepped back"));
}

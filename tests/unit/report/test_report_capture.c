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
    totals.arp = 1;
    totals.arp_bytes = 40;
    totals.not_ip = 1;
    totals.not_ip_bytes = 60;
    const struct report_summary *summary = finish();
    cr_assert_eq(summary->protocol_count, 3);
    cr_expect_str_eq(summary->protocols[0].name, "udp");
    cr_expect_float_eq(summary->protocols[0].byte_share, 0.9, 1e-9);
    cr_expect_str_eq(summary->protocols[1].name, "arp");
    cr_expect_eq(summary->protocols[1].bytes, 40);
    cr_expect_str_eq(summary->protocols[2].name, "not-ip");
    cr_expect_eq(summary->protocols[2].bytes, 60);
}

Test(report_capture, rows_of_protocols_add_up_however_many_there_are)
{
    for (unsigned protocol = 0; protocol < 40; protocol++) {
        totals.protocol_packets[protocol] = protocol + 1;
        totals.protocol_bytes[protocol] = 100 * (protocol + 1);
        totals.analysed += protocol + 1;
        totals.analysed_bytes += 100 * (protocol + 1);
    }
    totals.received = totals.analysed;
    const struct report_summary *summary = finish();
    uint64_t packets = 0, bytes = 0;
    for (unsigned i = 0; i < summary->protocol_count; i++) {
        packets += summary->protocols[i].packets;
        bytes += summary->protocols[i].bytes;
    }
    cr_expect_eq(packets, totals.analysed);
    cr_expect_eq(bytes, totals.analysed_bytes);
    cr_expect_str_eq(summary->protocols[summary->protocol_count - 1].name, "others");
}

Test(report_capture, where_little_was_read_the_first_line_says_so_and_why)
{
    totals.received = totals.analysed = totals.not_ip = totals.unread = 3;
    totals.decode_errors[DECODE_LAYER_LINK][DECODE_UNSUPPORTED_LINK] = 3;
    totals.unsupported = 1;
    totals.unsupported_kind[0] = (struct unsupported_totals){.link = true, .number = 195, .packets = 3};
    cr_expect_str_eq(finish()->warnings.text[0],
                     "None of the 3 packets could be read: link type 195 is not decoded.");
}

Test(report_capture, half_that_was_read_is_enough)
{
    totals.received = totals.analysed = 4;
    totals.not_ip = totals.unread = 2;
    cr_expect_eq(finish()->warnings.count, 0);
}

Test(report_capture, less_than_half_is_not)
{
    totals.received = totals.analysed = 4;
    totals.not_ip = totals.unread = 3;
    cr_expect(says(&finish()->warnings, "3 of 4 packets (75.0 %) could not be read."));
}

Test(report_capture, what_a_file_says_was_lost_is_told)
{
    totals.received = totals.analysed = 2;
    totals.interfaces = 1;
    totals.interface[0].interface_dropped = 950;
    const struct report_summary *summary = finish();
    cr_expect(says(&summary->warnings, "950 packets were lost before the capture was written"));
    cr_expect_eq(summary->interfaces[0].nic_dropped, 950);
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

Test(report_capture, datagrams_that_were_never_whole_are_warned_of)
{
    totals.received = totals.analysed = totals.fragments = 2;
    totals.datagrams_given_up = 1;
    const struct report_summary *summary = finish();
    cr_expect_eq(summary->overflow.datagrams, 1);
    cr_expect(says(&summary->warnings, "1 IP datagram came in fragments and was never whole"));
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

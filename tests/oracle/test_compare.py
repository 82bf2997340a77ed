"""Shows that compare.py finds what it is there to find, on small values made for it."""

import dataclasses
import unittest

import capture_file
import compare
import streams
import tables
import zeek

KEY, _ = tables.tuple_key("tcp", "10.0.0.2", 80, "10.0.0.1", 4000)
TEXT = "tcp 10.0.0.1,4000 10.0.0.2,80"


def flow(packets_a_to_b, protocol="tcp", a=("10.0.0.1", 4000), b=("10.0.0.2", 80)):
    return {"protocol": protocol, "endpoint_a": {"ip": a[0], "port": a[1]}, "endpoint_b": {"ip": b[0], "port": b[1]},
            "packets_a_to_b": packets_a_to_b, "packets_b_to_a": 1, "bytes_a_to_b": 60, "bytes_b_to_a": 40}


class TuplesTest(unittest.TestCase):
    def test_streams_of_one_tuple_are_added_up_and_turned(self):
        turned = flow(5, a=("10.0.0.2", 80), b=("10.0.0.1", 4000))
        counts = tables.flow_counts([flow(2), turned, flow(1, protocol="icmp")])
        self.assertEqual(dict(counts), {KEY: [3, 6, 100, 100]})

    def test_a_different_count_differs(self):
        equal, differing = compare.compare_tuples({KEY: [2, 1, 60, 40]}, tables.flow_counts([flow(3)]))
        self.assertEqual((equal, list(differing)), (0, [TEXT]))

    def test_a_tuple_on_one_side_only_differs(self):
        self.assertEqual(list(compare.compare_tuples({KEY: [2, 1, 60, 40]}, {})[1]), [TEXT])
        self.assertEqual(list(compare.compare_tuples({}, {KEY: [2, 1, 60, 40]})[1]), [TEXT])

    def test_ports_of_tunnels_are_left_out(self):
        inside = flow(2, protocol="udp", b=("10.0.0.2", 4789))
        self.assertEqual(dict(tables.flow_counts([inside])), {})
        self.assertEqual(len(tables.flow_counts([flow(2, b=("10.0.0.2", 4789))])), 1, "TCP has no tunnels there")

    def test_addresses_are_compared_by_value(self):
        long, _ = tables.tuple_key("udp", "2001:db8:0:0:0:0:0:1", 1, "10.0.0.1", 2)
        short, _ = tables.tuple_key("udp", "2001:db8::1", 1, "10.0.0.1", 2)
        self.assertEqual(long, short)


class ExplanationsTest(unittest.TestCase):
    def judge(self, differing, explained):
        return list(tables.judge_explanations(differing, explained, {"a.pcap"}, compare.EXPLAINED))

    def test_a_difference_wants_an_explanation(self):
        self.assertEqual(len(self.judge({("a.pcap", TEXT): "x"}, {})), 1)
        self.assertEqual(self.judge({("a.pcap", TEXT): "x"}, {("a.pcap", TEXT): "why"}), [])
        self.assertEqual(self.judge({("a.pcap", TEXT): "x"}, {("a.pcap", "*"): "why"}), [])

    def test_an_explanation_wants_a_difference(self):
        self.assertEqual(len(self.judge({}, {("a.pcap", TEXT): "why"})), 1)
        self.assertEqual(len(self.judge({}, {("a.pcap", "*"): "why"})), 1)

    def test_a_packet_count_is_not_explained_by_its_tuples(self):
        differing = {("a.pcap", tables.WHOLE_FILE): "x", ("a.pcap", TEXT): "y"}
        self.assertEqual(len(self.judge(differing, {("a.pcap", "*"): "why"})), 1)

    def test_the_share_counts_tuples_only_and_apart_by_tunnels(self):
        comparison, outcome = compare.Comparison(), compare.Outcome("a.pcap", packets=3, tuples={KEY: [2, 1, 60, 40]})
        for tunnelled, tuples in ((False, {KEY: [2, 1, 60, 40]}), (True, {KEY: [1, 1, 60, 40]}), (True, {KEY: [2, 1, 60, 40]})):
            comparison.add(tables.File("a.pcap", 4, True, tunnelled, ""), outcome, tuples)
        self.assertEqual((comparison.outside, comparison.all), (streams.Share(1, 1), streams.Share(2, 3)))


class CopyTest(unittest.TestCase):
    frame = capture_file.Frame(1, 60, b"a" * 60, 1)

    def judge(self, expected, written):
        outcome = compare.Outcome("a.pcap")
        compare.judge_copy(outcome, expected, written)
        return len(outcome.problems)

    def test_equal_packets_pass(self):
        self.assertEqual(self.judge([self.frame], [self.frame]), 0)

    def test_a_lost_and_every_kind_of_changed_packet_are_found(self):
        self.assertEqual(self.judge([self.frame], []), 1)
        for change in ({"time_ns": 2}, {"length": 61}, {"content": b"b" * 60}, {"link_type": 101}):
            self.assertEqual(self.judge([self.frame], [dataclasses.replace(self.frame, **change)]), 1, change)

    def test_a_stamp_where_there_was_none_and_a_mended_length_pass(self):
        unstamped = dataclasses.replace(self.frame, time_ns=None, length=10)
        self.assertEqual(self.judge([unstamped], [self.frame]), 0)


class StreamsTest(unittest.TestCase):
    none = dict.fromkeys(tables.QUALITY, 0)

    def test_streams_with_events_are_counted_apart(self):
        some, found = self.none | {"zero_windows": 1}, streams.Agreement()
        found.add("a.pcap", {1: self.none}, {1: self.none})
        found.add("b.pcap", {KEY: some}, {KEY: some | {"out_of_order": 1}})
        found.add("c.pcap", {KEY: some}, {})  # no such tuple: not of this comparison
        self.assertEqual(found.shares["streams"], streams.Share(1, 2))
        self.assertEqual(found.shares["streams with any event"], streams.Share(0, 1))
        self.assertEqual(list(found.differing), [("b.pcap", TEXT)])
        self.assertEqual(len(list(found.problems())), 2)

    def test_round_trips_of_handshakes_may_be_a_microsecond_off(self):
        found = streams.Agreement()
        theirs = {(KEY, moment): seconds for moment, seconds in enumerate((0.5, 0.5, 0.5, None))}
        found.add_handshakes("a.pcap", theirs, {(KEY, 0): 0.500001, (KEY, 1): 0.500003, (KEY, 2): None, (KEY, 3): 1})
        self.assertEqual(found.shares["handshakes"], streams.Share(1, 3))

    def test_stamps_are_read_to_the_nanosecond(self):
        self.assertEqual(tables.time_ns("2024-05-01T12:00:00.123456789Z"), tables.stamp_ns("1714564800.123456789"))
        self.assertEqual(tables.time_ns("1970-01-01T00:00:01Z"), tables.stamp_ns("1.000000000"))


class ZeekTest(unittest.TestCase):
    def test_letters_of_checksums_and_what_is_behind_16_are_not_compared(self):
        self.assertEqual(zeek.comparable({"history": "^hcADaCdX"}), "^hADad")
        self.assertEqual(zeek.comparable({"history": "^" + "R" * 20}), "^" + "R" * 16)

    def test_each_field_that_differs_is_told(self):
        theirs = {"conn_state": "SF", "history": "ShAFf", "orig_bytes": "10", "resp_bytes": "-"}
        shares = {field: streams.Share() for field in zeek.FIELDS}
        differing = zeek.compare({KEY: [theirs, theirs]}, {KEY: [theirs | {"resp_bytes": "7"}]}, shares)
        self.assertEqual(list(differing), [TEXT])
        self.assertEqual(shares["history"], streams.Share(1, 2))
        self.assertEqual(shares["resp_bytes"], streams.Share())


if __name__ == "__main__":
    unittest.main(verbosity=2)

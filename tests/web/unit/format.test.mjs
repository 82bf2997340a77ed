import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const numbers = await load("format/numbers.ts");
const times = await load("format/times.ts");
const names = await load("format/names.ts");

test("three digits and a prefix of 1000", () => {
  const told = [0, 7, 999, 999.6, 1234, 12345, 123456, 999_500, 1e6, 1.5e9, 0.25].map((value) => numbers.quantity(value, "B"));
  assert.deepEqual(told, ["0 B", "7 B", "999 B", "1.00 kB", "1.23 kB", "12.3 kB", "123 kB", "1.00 MB", "1.00 MB", "1.50 GB", "0.25 B"]);
  assert.equal(numbers.bitRate(undefined), "–");
});

test("counts have all digits", () => assert.deepEqual([0, 999, 1000, 1234567].map(numbers.count), ["0", "999", "1,000", "1,234,567"]));

test("a share is never 0 of something, and 100 only when it rounds to it", () => {
  assert.deepEqual([0, 0.00001, 0.0012, 0.5, 0.9994, 1].map(numbers.share), ["0 %", "< 0.01 %", "0.12 %", "50.0 %", "99.9 %", "100 %"]);
});

test("spans", () => assert.deepEqual([0, 0.0042, 0.42, 12.34, 250, 1240, 61_000, 3_720_000, 90_000_000].map(numbers.span),
  ["0 ms", "4.2 µs", "0.42 ms", "12.3 ms", "250 ms", "1.24 s", "1 m 1 s", "1 h 2 m", "1 d 1 h"]));

test("axes end at 1, 2 or 5", () => assert.deepEqual([0, 1, 1.2, 3, 501, 9e6].map(numbers.niceTop), [1, 1, 2, 5, 1000, 1e7]));

test("one zone for all times", () => {
  const ms = Date.UTC(2026, 10, 26, 4, 5, 6, 78);
  assert.equal(times.clockMillis(ms, "utc"), "04:05:06.078");
  assert.equal(times.moment(ms, "utc"), "2026-11-26 04:05:06");
  assert.equal(times.zoneName("utc"), "UTC");
  assert.equal(times.clock(undefined, "utc"), "–");
});

test("ages have one unit", () => assert.deepEqual([200, 4000, 180_000, 7_200_000].map(times.age), ["now", "4 s", "3 m", "2 h"]));

test("what does not show as itself is written out", () => {
  assert.equal(names.plain("a\u202eb\u0007c\u200bd\n"), "a\\u202eb\\u0007c\\u200bd\\u000a");
  assert.equal(names.plain("bücher.example <b>"), "bücher.example <b>");
});

test("addresses with ports", () => {
  assert.equal(names.socket("10.0.0.1", 80), "10.0.0.1:80");
  assert.equal(names.socket("fe80::1", 80), "[fe80::1]:80");
  assert.equal(names.socket("fe80::1", 0), "fe80::1");
});

test("words for a shell", () => assert.deepEqual(["10.0.0.0/8", "*.a", "it's"].map(names.shellWord), ["10.0.0.0/8", "'*.a'", "'it'\\''s'"]));
test("flags", () => assert.equal(names.tcpFlags(0x12), "SYN ACK"));
test("settings of time", () => assert.deepEqual(["1000", "500ms", "1.5s", "2m", "", "x"].map(times.millisOf), [1000, 500, 1500, 120000, undefined, undefined]));

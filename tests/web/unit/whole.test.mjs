import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { ordered } = await load("state/order.ts");
const { digestOf } = await load("state/digest.ts");
const { samplesOf } = await load("wire/metrics.ts");
const { pcapngOf } = await load("state/pcap_file.ts");

const end = (ip, port, name) => ({ ip, port, nameValue: name === undefined ? { case: undefined } : { case: "name", value: name } });
const none = { case: undefined };
function flow(id, bytes, more = {}) {
  return {
    id, protocol: "tcp", client: 1, endpointA: end("10.0.0.1", 4000), endpointB: end("10.0.0.2", 443, "shop.example"), bytesTotal: BigInt(bytes), packetsTotal: 10n,
    bytesAToB: BigInt(bytes), bytesBToA: 0n, packetsAToB: 10n, packetsBToA: 0n, tcpFlagsA: 0, tcpFlagsB: 0, durationSecs: 1, final: true, reason: 4,
    firstSeen: { seconds: 100n, nanos: 0 }, lastSeen: { seconds: 110n, nanos: 0 }, retransmissionsValue: none, rttEwmaMsValue: none, handshakeRttMsValue: none,
    avgBpsValue: none, appValue: none, sniValue: none, dnsQueryValue: none, dnsRcodeValue: none, ...more,
  };
}
const rtt = (value) => ({ rttEwmaMsValue: { case: "rttEwmaMs", value } });

test("the most first, what is not known last in both directions, equal ones by id", () => {
  const flows = [flow("c", 5), flow("a", 5, rtt(3)), flow("b", 9, rtt(7))];
  const ids = (order, reverse) => ordered(flows, order, reverse).map(({ id }) => id).join("");
  assert.deepEqual([ids("bytes", false), ids("bytes", true), ids("rtt", false), ids("rtt", true)], ["bac", "acb", "bac", "abc"]);
});

test("what flows add up to", () => {
  const digest = digestOf([
    flow("a", 100, { retransmissionsValue: { case: "retransmissions", value: 1n }, firstSeen: { seconds: 90n, nanos: 5e8 } }),
    flow("b", 50, { protocol: "udp", endpointB: end("10.0.0.3", 53), final: false, dnsQueryValue: { case: "dnsQuery", value: "no.example" }, dnsRcodeValue: { case: "dnsRcode", value: "NXDOMAIN" } }),
  ]);
  assert.deepEqual([digest.first, digest.last, digest.bytes], [90_500, 110_000, 150]);
  assert.deepEqual(digest.protocols, [{ name: "tcp", flows: 1, bytes: 100 }, { name: "udp", flows: 1, bytes: 50 }]);
  assert.deepEqual(digest.services.map(({ name }) => name), ["tcp/443", "udp/53"]);
  assert.deepEqual(digest.ends.map(({ name, flows }) => [name, flows]), [["closed", 1], ["alive at the end", 1]]);
  assert.deepEqual(digest.failures.map(({ name }) => name), ["nxdomain no.example"]);
  assert.deepEqual(digest.talkers.map(({ ip, sent, received, flows }) => [ip, sent, received, flows]), [["10.0.0.1", 150, 0, 2], ["10.0.0.2", 0, 100, 1], ["10.0.0.3", 0, 50, 1]]);
  assert.deepEqual([digest.tcp.flows, digest.tcp.retransmissions, digest.tcp.lossy], [1, 1, 1]);
});

test("counters of /metrics", () => {
  const text = '# HELP a b\n# TYPE a counter\na_total{output="alerts_jsonl",x="q\\"\\n"} 12\nb 0.5\nnonsense\n';
  assert.deepEqual(samplesOf(text), [{ name: "a_total", labels: { output: "alerts_jsonl", x: 'q"\n' }, value: 12 }, { name: "b", labels: {}, value: 0.5 }]);
});

test("packets as pcapng: whole blocks, each with its length at both ends", async () => {
  const packet = (id, name) => ({ packet: { id, interface: name, length: 60, time: { seconds: 5n, nanos: 7 } }, data: Uint8Array.of(1, 2, 3, 4, 5) });
  const bytes = new DataView(await pcapngOf([packet(1n, "eth0"), packet(2n, "any"), packet(3n, "eth0")], new Map([["any", 276]])).arrayBuffer());
  const types = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = bytes.getUint32(at + 4, true);
    assert.equal(bytes.getUint32(at + length - 4, true), length);
    types.push(bytes.getUint32(at, true));
    if (types.length === 3) assert.deepEqual([8, 12, 16, 20, 24].map((of) => bytes.getUint32(at + of, true)), [0, 1, 705032711, 5, 60]);
    if (types.length === 4) assert.equal(bytes.getUint16(at + 8, true), 276);
    at += length;
  }
  assert.deepEqual(types, [0x0a0d0d0a, 1, 6, 1, 6, 6]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { readFilter, pieces, quoted, withTerm } = await load("state/filter.ts");
const { spanOf } = await load("state/filter_terms.ts");
const ends = ({ oneEnd, otherEnd }) => [oneEnd, otherEnd].map((end) => end && { networks: end.networks, ports: end.ports.map(({ minValue, maxValue }) => [minValue.value, maxValue.value]) });

test("no text asks for everything", () => assert.deepEqual(readFilter("  "), { allow: [], deny: [], options: [], wrong: [] }));

test("values of a word are alternatives, words all have to fit", () => {
  const { allow, wrong } = readFilter("app:tls,dns protocol:tcp min-bytes:1.5M");
  assert.deepEqual(wrong, []);
  assert.equal(allow.length, 1);
  assert.deepEqual([allow[0].apps, allow[0].protocols], [["tls", "dns"], ["tcp"]]);
  assert.deepEqual(allow[0].bytes, { minValue: { case: "min", value: 1500000n } });
});

test("the end that has the address need not be the one that has the port, as in netscopectl", () => {
  const { allow } = readFilter("ip:10.0.0.7 port:8000-8999");
  assert.deepEqual(allow.map(ends), [
    [{ networks: ["10.0.0.7"], ports: [[8000, 8999]] }, undefined],
    [{ networks: ["10.0.0.7"], ports: [] }, { networks: [], ports: [[8000, 8999]] }],
  ]);
});

test("each word behind a minus leaves out by itself", () => {
  const { allow, deny } = readFilter("-app:dns -port:53");
  assert.equal(allow.length, 0);
  assert.deepEqual(deny.map((one) => [one.apps, ends(one)[0]]), [[["dns"], undefined], [[], { networks: [], ports: [[53, 53]] }]]);
});

test("bare words are guessed", () => {
  const named = (text) => pieces(text).map(({ not, name, value }) => `${not ? "-" : ""}${name}=${value}`);
  assert.deepEqual(named("10.0.0.0/8 fe80::1 443 tcp dns *.example.com -2001:db8::/32"),
    ["ip=10.0.0.0/8", "ip=fe80::1", "port=443", "protocol=tcp", "app=dns", "name=*.example.com", "-ip=2001:db8::/32"]);
  assert.deepEqual(named('namespace:"a, b"'), ["namespace=a, b"]);
});

test("closed lists are words, whatever their case", () => {
  const { allow, wrong, options } = readFilter('conn-state:sf,RSTO sni-status:absent tls-version:"TLS 1.3" tcp-state:fin-wait');
  assert.deepEqual(wrong, []);
  assert.deepEqual([allow[0].connStates, allow[0].sniStatuses, allow[0].tlsVersions, allow[0].tcpStates], [["SF", "RSTO"], [6], ["TLS 1.3"], [5]]);
  assert.deepEqual([...options.slice(0, 2), ...options.slice(-2)], ["--conn-state", "SF", "--tcp-state", "fin_wait"]);
});

test("what is wrong is told where it stands, and asked for no more", () => {
  const { allow, wrong } = readFilter("port:99999 colour:red app:tls");
  assert.deepEqual(wrong.map(({ at }) => at), [0, 11]);
  assert.match(wrong[0].sentence, /99999/);
  assert.match(wrong[1].sentence, /colour/);
  assert.deepEqual(allow[0].apps, ["tls"]);
  for (const text of ["tcp-state:openn", "conn-state:constructor", "ip:10.0.0", "min-rtt:5", "min-bytes:x", "port:9-3"]) assert.equal(readFilter(text).wrong.length, 1, text);
});

test("any value comes back as it was put in, and puts in nothing besides", () => {
  for (const value of ['x" -ip:10.6.6.6 "y', 'a\\', '\\"', '"', '""', "a b", "a,b", "\\", 'x\\" -ip:1.2.3.4', "-x", "\u00a0", "\u2028", "plain.example"])
    assert.deepEqual(pieces(withTerm("ip:10.0.0.1", "name", value)).slice(1).map(({ not, name, value: read }) => [not, name, read]), [[false, "name", value]], value);
  assert.equal(quoted('x"'), '"x\\""');
  assert.equal(withTerm('name:"a b"', "name", "a b"), 'name:"a b"');
});

test("the same as options of netscopectl, quoted for a shell", () => {
  assert.deepEqual(readFilter("10.0.0.7 -app:dns name:*.a.com").options, ["--ip", "10.0.0.7", "--not", "--app", "dns", "--name", "'*.a.com'"]);
});

test("spans", () => {
  assert.equal(spanOf("1h30m"), 5400000);
  assert.equal(spanOf("50ms"), 50);
  assert.equal(spanOf("5 m"), undefined);
});

test("a word is added once", () => {
  assert.equal(withTerm("app:tls", "port", "443"), "app:tls port:443");
  assert.equal(withTerm("app:tls", "app", "tls"), "app:tls");
  assert.equal(withTerm("", "namespace", "a b"), 'namespace:"a b"');
});

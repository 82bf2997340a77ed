import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { home, hashOf, placeOf } = await load("state/url.ts");
const { commandOf } = await load("state/command.ts");
const { RateHistory } = await load("state/history.ts");
const { wordAt } = await load("state/hints.ts");

test("the address keeps the state, and only what differs", () => {
  assert.equal(hashOf(home), "#/overview");
  const place = { ...home, view: "flows", id: "a/b?", filter: "port:443 -app:dns", order: "rtt", reverse: true, scope: "records", live: false, minutes: 15, zone: "local", page: true };
  assert.deepEqual(placeOf(hashOf(place)), place);
});

test("what an address says wrongly is left out", () => {
  for (const hash of ["", "#", "#/nowhere", "#/overview?minutes=9999&order=x&zone=mars"]) assert.deepEqual(placeOf(hash), home, hash);
  assert.equal(placeOf("#/flows/%E0%A4%A").view, "flows");
});

test("the screen as a command", () => {
  const command = (change) => commandOf({ ...home, ...change });
  assert.equal(command({ view: "flows", filter: "*.a.com -port:53", order: "rtt", reverse: true }), "netscopectl flows --sort rtt --reverse --name '*.a.com' --not --port 53");
  assert.equal(command({ view: "flows", scope: "records" }), "netscopectl flows --follow");
  assert.equal(command({ view: "alerts", severity: "high", live: false }), "netscopectl alerts --severity high --severity critical");
  assert.equal(command({ view: "health" }), "netscopectl status");
  assert.equal(command({ order: "bytes", filter: "app:tls" }), "netscopectl top --sort bytes --app tls");
  assert.equal(command({ order: "rate" }), "netscopectl top", "which is its own order");
});

test("thinned ticks keep their maximum", () => {
  const history = new RateHistory(1000);
  for (let at = 1; at <= 100; at++) history.add(at * 1000, at === 50 ? 900 : 1, 2);
  const told = history.since(1, 10);
  assert.equal(told.times.length, 10);
  assert.equal(Math.max(...told.bits), 900);
  assert.deepEqual(history.since(91, 100).times, [91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
});

test("a gap is null with a reason, never zero", () => {
  const history = new RateHistory(100);
  history.add(1000, 5, 5);
  history.gap(9000, "disconnected");
  history.add(10000, 7, 7);
  assert.deepEqual(history.since(0, 100).bits, [5, null, 7]);
  assert.deepEqual(history.gaps, [{ from: 1000, to: 9000, reason: "disconnected" }]);
});

test("ticks that a reconnection tells again are taken once, and the room is bounded", () => {
  const history = new RateHistory(100);
  for (const at of [1, 2, 2, 1, 3]) history.add(at * 1000, at, at);
  assert.deepEqual(history.since(0, 100).times, [1, 2, 3]);
  for (let at = 4; at < 5000; at++) history.add(at * 1000, 1, 1);
  assert.ok(history.length <= 164);
});

test("the word that is being written", () => {
  assert.deepEqual(wordAt("app:tls po :x", 10), { before: "app:tls ", word: "po", after: " :x" });
  assert.deepEqual(wordAt("ap", 2), { before: "", word: "ap", after: "" });
});

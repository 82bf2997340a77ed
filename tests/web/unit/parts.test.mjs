import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./load.mjs";

const { hold, moved, windowOf } = await load("parts/rows.ts");
const { fieldAt, treeRows } = await load("parts/tree.ts");
const { hexRows } = await load("parts/hex.tsx");

test("only rows that can be seen, and a few more", () => {
  assert.deepEqual(windowOf(0, 240, 24, 10000), { first: 0, end: 22 });
  assert.deepEqual(windowOf(24000, 240, 24, 10000), { first: 994, end: 1016 });
  assert.deepEqual(windowOf(1e9, 240, 24, 5), { first: 5, end: 5 });
  assert.deepEqual(windowOf(0, 240, 24, 3), { first: 0, end: 3 });
});

test("a held order keeps its rows, with the values of now", () => {
  const row = (id, value) => ({ id, value });
  const held = hold([row("a", 1), row("b", 1), row("c", 1)], [row("d", 9), row("c", 2), row("a", 2)], ({ id }) => id);
  assert.deepEqual(held.rows, [row("a", 2), row("b", 1), row("c", 2)]);
  assert.deepEqual([...held.gone], ["b"]);
  assert.equal(held.waiting, 1);
});

test("keys move within the rows", () => {
  assert.deepEqual(["ArrowDown", "k", "End", "PageDown", "x"].map((key) => moved(key, 3, 10, 5)), [4, 2, 9, 8, undefined]);
  assert.equal(moved("ArrowDown", 9, 10, 5), 9);
  assert.equal(moved("ArrowUp", -1, 10, 5), 0);
  assert.equal(moved("Home", 0, 0, 5), undefined);
});

const layers = [
  { depth: 0, name: "Ethernet", fields: [{ name: "Destination", value: "x", offset: 0, length: 6 }, { name: "Source", value: "y", offset: 6, length: 6 }] },
  { depth: 1, name: "IPv4", fields: [{ name: "TTL", value: "64", offset: 22, length: 1 }, { name: "note", value: "", offset: 0, length: 0 }] },
];

test("layers as rows, some closed", () => {
  assert.deepEqual(treeRows(layers, new Set(["0"])).map(({ key, level }) => [key, level]), [["0", 1], ["1", 2], ["1.0", 3], ["1.1", 3]]);
  assert.deepEqual([treeRows(layers, new Set())[0].offset, treeRows(layers, new Set())[0].length], [0, 12]);
});

test("a byte leads to its field", () => {
  const rows = treeRows(layers, new Set());
  assert.equal(fieldAt(rows, 7).name, "Source");
  assert.equal(fieldAt(rows, 22).name, "TTL");
  assert.equal(fieldAt(rows, 40), undefined);
});

test("bytes, with a field marked across rows", () => {
  const rows = hexRows(Uint8Array.from({ length: 20 }, (_, at) => at + 60), { offset: 15, length: 2 });
  assert.equal(rows.length, 2);
  assert.deepEqual(rows.flatMap(({ cells }) => cells.filter(({ marked }) => marked).map(({ hex }) => hex)), ["4b", "4c"]);
  assert.equal(rows[1].offset, "0010");
  assert.equal(rows[0].cells[5].text, "A");
});

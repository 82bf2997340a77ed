// The layers of a packet as the rows of a tree, some of them closed.
import type { PacketLayer } from "../wire/gen/netscope/v1/packet_pb.ts";

export interface TreeRow {
  key: string;
  level: number;
  name: string;
  value: string;
  offset: number;
  length: number;
  layer: boolean;
  open: boolean;
}

/** The bytes that a layer's fields cover. */
function extent(layer: PacketLayer): { offset: number; length: number } {
  const placed = layer.fields.filter((field) => field.length > 0);
  if (placed.length === 0) return { offset: 0, length: 0 };
  const offset = Math.min(...placed.map((field) => field.offset));
  return { offset, length: Math.max(...placed.map((field) => field.offset + field.length)) - offset };
}

export function treeRows(layers: readonly PacketLayer[], closed: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  layers.forEach((layer, at) => {
    const key = String(at);
    const open = !closed.has(key);
    rows.push({ key, level: layer.depth + 1, name: layer.name, value: "", ...extent(layer), layer: true, open });
    if (!open) return;
    layer.fields.forEach(({ name, value, offset, length }, index) => {
      rows.push({ key: `${at}.${index}`, level: layer.depth + 2, name, value, offset, length, layer: false, open: false });
    });
  });
  return rows;
}

/** The field that a byte belongs to: the shortest one that covers it, a field rather than its layer. */
export function fieldAt(rows: readonly TreeRow[], offset: number): TreeRow | undefined {
  let found: TreeRow | undefined;
  for (const row of rows)
    if (row.length > 0 && offset >= row.offset && offset < row.offset + row.length && (found === undefined || row.length <= found.length)) found = row;
  return found;
}

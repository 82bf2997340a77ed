// Which rows a table shows: a window of rows of one height, and an order that holds while somebody reads.

export interface Window {
  first: number;
  end: number; // behind the last
}

const spare_rows = 6;

/** The rows that can be seen, and a few more. */
export function windowOf(scroll_px: number, height_px: number, row_px: number, count: number): Window {
  const first = Math.max(0, Math.floor(scroll_px / row_px) - spare_rows);
  const seen = Math.ceil(height_px / row_px) + 2 * spare_rows;
  const end = Math.min(count, first + seen);
  return { first: Math.max(0, Math.min(first, end)), end };
}

export interface Held<Row> {
  rows: Row[];
  gone: Set<string>; // ids of rows that ended, with their last values
  waiting: number; // rows that are not shown yet
}

/** The rows of before in their order with the values of now; what is new waits. */
export function hold<Row>(before: readonly Row[], now: readonly Row[], idOf: (row: Row) => string): Held<Row> {
  const current = new Map(now.map((row) => [idOf(row), row]));
  const gone = new Set<string>();
  const rows = before.map((row) => {
    const id = idOf(row);
    const value = current.get(id);
    if (value === undefined) gone.add(id);
    return value ?? row;
  });
  const shown = new Set(before.map(idOf));
  let waiting = 0;
  for (const id of current.keys()) if (!shown.has(id)) waiting++;
  return { rows, gone, waiting };
}

/** The index behind a key: arrows, pages, ends; undefined when it is none of them. */
export function moved(key: string, at: number, count: number, page: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowDown: at + 1, j: at + 1, ArrowUp: at < 0 ? 0 : at - 1, k: at < 0 ? 0 : at - 1, PageDown: at + page, PageUp: at - page,
    Home: 0, End: count - 1,
  };
  const to = steps[key];
  return to === undefined || count === 0 ? undefined : Math.max(0, Math.min(count - 1, to));
}

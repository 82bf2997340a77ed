// What the filter could go on with: words of the filter, and the values that the sensor has right now.
import { bytes } from "../format/numbers.ts";
import { call } from "../wire/call.ts";
import { FlowService } from "../wire/gen/netscope/v1/flow_service_pb.ts";
import { number } from "../wire/wire.ts";
import { quoted, readFilter } from "./filter.ts";
import { termOf, terms } from "./filter_terms.ts";

export interface Hint {
  text: string; // that replaces the word at the cursor
  label: string;
  note: string;
}

/** The word before the cursor, and what stands around it. */
export function wordAt(text: string, cursor: number): { before: string; word: string; after: string } {
  const start = Math.max(text.lastIndexOf(" ", cursor - 1) + 1, 0);
  return { before: text.slice(0, start), word: text.slice(start, cursor), after: text.slice(cursor) };
}

const values_limit = 12;

async function valuesOf(minus: string, name: string, prefix: string, others: string, abort: AbortSignal): Promise<Hint[]> {
  const term = termOf(name);
  if (term === undefined) return [];
  const hint = (value: string, note: string): Hint => ({ text: `${minus}${name}:${quoted(value)} `, label: value, note });
  if (term.words !== undefined) return term.words.filter((word) => word.toLowerCase().startsWith(prefix.toLowerCase())).map((word) => hint(word, ""));
  if (term.hint === undefined) return [];
  const { allow, deny } = readFilter(others);
  const told = await call(FlowService.method.filterHints, { field: term.hint, prefix, allow, deny, limit: values_limit }, abort);
  return told.values.map(({ value, weight }) => hint(value, bytes(number(weight))));
}

/** Hints for what is written before the cursor. */
export async function hintsFor(text: string, cursor: number, abort: AbortSignal): Promise<Hint[]> {
  const { before, word, after } = wordAt(text, cursor);
  const [, minus = "", name, value] = /^(-?)([a-z-]+):(.*)$/u.exec(word) ?? [];
  if (name !== undefined && termOf(name) !== undefined)
    return valuesOf(minus, name, (value ?? "").replace(/^"/u, ""), `${before} ${after}`, abort);
  const dash = word.startsWith("-") ? "-" : "";
  const begun = word.slice(dash.length);
  return terms.filter((term) => term.name.startsWith(begun)).map((term) => ({ text: `${dash}${term.name}:`, label: `${term.name}:`, note: term.help }));
}

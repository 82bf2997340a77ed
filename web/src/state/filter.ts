// The filter as people write it, `port:443 -app:dns 10.0.0.0/8`, and as the API and netscopectl take it.
// Values of one word are alternatives, different words all have to fit, each word behind a minus leaves out what it fits.
import type { MessageInitShape } from "@bufbuild/protobuf";
import { shellWord } from "../format/names.ts";
import type { EndpointFilterSchema, FlowFilterSchema } from "../wire/gen/netscope/v1/filter_pb.ts";
import { type Bounds, type Draft, type EndDraft, emptyDraft, isNetwork, meantBy, spanRange, termOf } from "./filter_terms.ts";

export type FlowFilterInit = MessageInitShape<typeof FlowFilterSchema>;
type EndInit = MessageInitShape<typeof EndpointFilterSchema>;

export interface Piece {
  not: boolean;
  name: string;
  value: string;
  at: number; // in the text
}

export interface Wrong {
  sentence: string;
  at: number;
}

export interface Filter {
  allow: FlowFilterInit[];
  deny: FlowFilterInit[];
  options: string[]; // of netscopectl
  wrong: Wrong[];
}

const transports = ["tcp", "udp", "icmp", "icmpv6", "sctp"];

/** The word that a value without one means. */
function guess(value: string): string {
  if (isNetwork(value)) return "ip";
  if (/^\d+(-\d+)?$/u.test(value)) return "port";
  if (transports.includes(value.toLowerCase())) return "protocol";
  if (value.toLowerCase() === "dns" || value.toLowerCase() === "tls") return "app";
  return "name";
}

/** A value as it stands in the text. What packets say may hold quotes: they must not end the value. */
export function quoted(value: string): string {
  return /^$|[\s",\\]/u.test(value) ? `"${value.replaceAll(/["\\]/gu, "\\$&")}"` : value;
}

const unquoted = (text: string): string => text.replace(/^"/u, "").replaceAll(/\\(.)|"/gsu, (_, escaped?: string) => escaped ?? "");

/** The words of the text, in their order. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  for (const match of text.matchAll(/(-?)(?:([a-z][a-z-]*):)?("(?:\\.|[^"\\])*"?|[^\s"]+)/gsu)) {
    const [whole, minus, name, given] = match;
    const named = name !== undefined && termOf(name) !== undefined;
    const looks = isNetwork(whole.replace(/^-/u, "")); // fe80::1 has a colon, too
    const value = (named || (name !== undefined && !looks) ? given : whole.slice(minus?.length ?? 0)) ?? "";
    const values = value.startsWith('"') ? [unquoted(value)] : value.split(",");
    for (const one of values.filter((part) => part !== ""))
      found.push({ not: minus === "-", name: name !== undefined && !looks ? name : guess(one), value: one, at: match.index });
  }
  return found;
}

function endInit(end: EndDraft): EndInit | undefined {
  if (end.networks.length + end.ports.length + end.namespaces.length === 0) return undefined;
  return {
    networks: end.networks,
    namespaces: end.namespaces,
    ports: end.ports.map(({ min, max }) => ({ minValue: { case: "min", value: min }, maxValue: { case: "max", value: max } })),
  };
}

function range(bounds: Bounds): NonNullable<FlowFilterInit["bytes"]> | undefined {
  if (bounds.min === undefined && bounds.max === undefined) return undefined;
  return {
    ...(bounds.min === undefined ? {} : { minValue: { case: "min" as const, value: BigInt(bounds.min) } }),
    ...(bounds.max === undefined ? {} : { maxValue: { case: "max" as const, value: BigInt(bounds.max) } }),
  };
}

const spans = (bounds: Bounds): NonNullable<FlowFilterInit["rtt"]> | undefined =>
  bounds.min === undefined && bounds.max === undefined ? undefined : spanRange(bounds);

function namesInit(names: string[]): NonNullable<FlowFilterInit["names"]> {
  return names.map((name) =>
    name.startsWith("*.") ? { match: { case: "domain", value: name.slice(2) } } : { match: { case: "exact", value: name } });
}

/** Members that are there: exactOptionalPropertyTypes knows no undefined. */
function present<T extends object>(all: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  const kept: Partial<T> = {};
  for (const key in all) {
    const value = all[key];
    if (value !== undefined) kept[key] = value;
  }
  return kept;
}

function filterInit(draft: Draft, oneEnd: EndDraft, otherEnd?: EndDraft): FlowFilterInit {
  return {
    ...present<Record<string, unknown>>({
      client: endInit(draft.client), server: endInit(draft.server), oneEnd: endInit(oneEnd),
      otherEnd: otherEnd === undefined ? undefined : endInit(otherEnd),
      bytes: range(draft.bytes), packets: range(draft.packets), retransmissions: range(draft.retransmissions),
      duration: spans(draft.duration), rtt: spans(draft.rtt),
    }),
    protocols: draft.protocols, tcpStates: draft.tcpStates, connStates: draft.connStates, interfaces: draft.interfaces,
    vlans: draft.vlans, tunnelKinds: draft.tunnelKinds, tunnelIds: draft.tunnelIds, tlsVersions: draft.tlsVersions,
    sniStatuses: draft.sniStatuses, apps: draft.apps, names: namesInit(draft.names),
    communityIds: draft.communityIds, ids: draft.ids,
  };
}

const nothing: EndDraft = { networks: [], ports: [], namespaces: [] };

/** The end that has the address need not be the one that has the port: a filter for each way to share out what is asked. */
function ways(draft: Draft): FlowFilterInit[] {
  const kinds = (["networks", "ports", "namespaces"] as const).filter((kind) => draft.either[kind].length > 0);
  const found: FlowFilterInit[] = [];
  for (let across = 0; across < 1 << Math.max(0, kinds.length - 1); across++) {
    const one = { ...draft.either };
    const other = { ...nothing };
    kinds.slice(1).forEach((kind, bit) => {
      if (across & (1 << bit)) {
        Object.assign(other, { [kind]: draft.either[kind] });
        Object.assign(one, { [kind]: [] });
      }
    });
    found.push(filterInit(draft, one, other));
  }
  return found;
}

/** What the text asks for; what is wrong in it is told, and left out. */
export function readFilter(text: string): Filter {
  const filter: Filter = { allow: [], deny: [], options: [], wrong: [] };
  const draft = emptyDraft();
  let asked = false;
  for (const piece of pieces(text)) {
    const term = termOf(piece.name);
    const into = piece.not ? emptyDraft() : draft;
    const value = term === undefined ? piece.value : meantBy(term, piece.value);
    const sentence = term === undefined ? `“${piece.name}:” is no word of the filter` : term.add(into, value);
    if (sentence !== undefined) {
      filter.wrong.push({ sentence, at: piece.at });
      continue;
    }
    if (piece.not) filter.deny.push(...ways(into));
    else asked = true;
    filter.options.push(...(piece.not ? ["--not"] : []), `--${piece.name}`, shellWord(value));
  }
  if (asked) filter.allow = ways(draft);
  return filter;
}

/** The text with one more word, or with it instead of the others of its name. */
export function withTerm(text: string, name: string, value: string, not = false): string {
  const there = pieces(text).some((piece) => piece.not === not && piece.name === name && piece.value === value);
  return there ? text : `${text.trim()} ${not ? "-" : ""}${name}:${quoted(value)}`.trim();
}

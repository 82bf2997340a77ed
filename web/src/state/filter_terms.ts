// The words of the flow filter: the names of netscopectl's options, and what each puts into a FlowFilter.
import { HintField } from "../wire/gen/netscope/v1/flow_service_pb.ts";
import { SniStatus, TcpState, TunnelKind } from "../wire/gen/netscope/v1/flow_pb.ts";
import { duration } from "../wire/wire.ts";

export interface PortBounds {
  min: number;
  max: number;
}

/** What is asked of one end. */
export interface EndDraft {
  networks: string[];
  ports: PortBounds[];
  namespaces: string[];
}

export interface Bounds {
  min?: number;
  max?: number;
}

/** A FlowFilter while it is put together. */
export interface Draft {
  client: EndDraft;
  server: EndDraft;
  either: EndDraft;
  protocols: string[];
  tcpStates: TcpState[];
  connStates: string[];
  interfaces: string[];
  vlans: number[];
  tunnelKinds: TunnelKind[];
  tunnelIds: number[];
  tlsVersions: string[];
  sniStatuses: SniStatus[];
  apps: string[];
  names: string[];
  communityIds: string[];
  ids: string[];
  bytes: Bounds;
  packets: Bounds;
  retransmissions: Bounds;
  duration: Bounds;
  rtt: Bounds;
}

const emptyEnd = (): EndDraft => ({ networks: [], ports: [], namespaces: [] });

export const emptyDraft = (): Draft => ({
  client: emptyEnd(), server: emptyEnd(), either: emptyEnd(), protocols: [], tcpStates: [], connStates: [], interfaces: [],
  vlans: [], tunnelKinds: [], tunnelIds: [], tlsVersions: [], sniStatuses: [], apps: [], names: [], communityIds: [], ids: [], bytes: {}, packets: {},
  retransmissions: {}, duration: {}, rtt: {},
});

/** A word of the filter. `add` gives a sentence when the value is none of its kind. */
export interface Term {
  name: string;
  help: string;
  hint?: HintField;
  words?: string[];
  add: (draft: Draft, value: string) => string | undefined;
}

const network = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)(\/\d{1,3})?$/iu;
export const isNetwork = (text: string): boolean => network.test(text);

type EndOf = (draft: Draft) => EndDraft;
const either: EndOf = (draft) => draft.either;
const client: EndOf = (draft) => draft.client;
const server: EndOf = (draft) => draft.server;

function addNetwork(end: EndOf): Term["add"] {
  return (draft, value) => {
    if (!isNetwork(value)) return `“${value}” is no address or network: 10.0.0.7, 10.0.0.0/8, 2001:db8::/32`;
    end(draft).networks.push(value);
    return undefined;
  };
}

function addPort(end: EndOf): Term["add"] {
  return (draft, value) => {
    const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/u.exec(value) ?? [];
    const min = Number(first);
    const max = Number(last ?? first);
    if (first === undefined || min < 1 || max > 65535 || min > max) return `“${value}” is no port: 443, or 8000-8999`;
    end(draft).ports.push({ min, max });
    return undefined;
  };
}

const addNamespace = (end: EndOf): Term["add"] => (draft, value) => void end(draft).namespaces.push(value);
const addText = (list: (draft: Draft) => string[]): Term["add"] => (draft, value) => void list(draft).push(value);

function addNumber(list: (draft: Draft) => number[]): Term["add"] {
  return (draft, value) => {
    if (!/^\d{1,10}$/u.test(value)) return `“${value}” is no number`;
    list(draft).push(Number(value));
    return undefined;
  };
}

/** One of a closed list, by the words that people write for its values. */
function oneOf<T>(list: (draft: Draft) => T[], values: Readonly<Record<string, T>>): Pick<Term, "words" | "add"> {
  return {
    words: Object.keys(values),
    add: (draft, value) => {
      const found = Object.entries(values).find(([word]) => word === value);
      if (found === undefined) return `“${value}” is none of ${Object.keys(values).join(", ")}`;
      list(draft).push(found[1]);
      return undefined;
    },
  };
}

/** A value as netscopectl takes it: words of closed lists may be written in any case here, and with a minus. */
export function meantBy(term: Term, value: string): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll("-", "_");
  return term.words?.find((word) => plain(word) === plain(value)) ?? value;
}

const factors: Record<string, number> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function addBound(of: (draft: Draft) => Bounds, bound: keyof Bounds): Term["add"] {
  return (draft, value) => {
    const [, digits, unit] = /^(\d+(?:\.\d+)?)([kmgt]?)b?$/iu.exec(value) ?? [];
    if (digits === undefined) return `“${value}” is no amount: 1500, 20k, 1.5M`;
    of(draft)[bound] = Math.round(Number(digits) * (factors[(unit ?? "").toLowerCase()] ?? 1));
    return undefined;
  };
}

const spanUnits: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** Milliseconds of "1h30m", "50ms"; undefined when it is none. */
export function spanOf(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/u.test(text)) return undefined;
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gu)) sum += Number(digits) * (spanUnits[unit ?? ""] ?? 0);
  return sum;
}

function addSpan(of: (draft: Draft) => Bounds, bound: keyof Bounds): Term["add"] {
  return (draft, value) => {
    const ms = spanOf(value);
    if (ms === undefined) return `“${value}” is no span: 50ms, 90s, 1h30m`;
    of(draft)[bound] = ms;
    return undefined;
  };
}

const tcpStates = {
  unknown: TcpState.UNKNOWN, syn_sent: TcpState.SYN_SENT, syn_ack: TcpState.SYN_ACK, established: TcpState.ESTABLISHED,
  fin_wait: TcpState.FIN_WAIT, closed: TcpState.CLOSED, reset: TcpState.RESET,
};
const connStates = Object.fromEntries(
  ["S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"].map((state) => [state, state]));
const tunnels = {
  ipip: TunnelKind.IPIP, gre: TunnelKind.GRE, erspan: TunnelKind.ERSPAN, vxlan: TunnelKind.VXLAN, geneve: TunnelKind.GENEVE,
  gtp_u: TunnelKind.GTP_U, teredo: TunnelKind.TEREDO,
};
const sniStatuses = {
  complete: SniStatus.COMPLETE, reassembled: SniStatus.REASSEMBLED, truncated: SniStatus.TRUNCATED, gap: SniStatus.GAP,
  absent: SniStatus.ABSENT,
};

export const terms: readonly Term[] = [
  { name: "ip", help: "address or network of either end", hint: HintField.ADDRESS, add: addNetwork(either) },
  { name: "from-ip", help: "of the client", hint: HintField.ADDRESS, add: addNetwork(client) },
  { name: "to-ip", help: "of the server", hint: HintField.ADDRESS, add: addNetwork(server) },
  { name: "port", help: "of either end: 443, or 8000-8999", hint: HintField.SERVER_PORT, add: addPort(either) },
  { name: "from-port", help: "of the client", add: addPort(client) },
  { name: "to-port", help: "of the server", hint: HintField.SERVER_PORT, add: addPort(server) },
  { name: "name", help: "of an end, TLS server or DNS question; *.a.com: all below it", hint: HintField.NAME, add: addText((draft) => draft.names) },
  { name: "app", help: "dns, tls…", hint: HintField.APP, add: addText((draft) => draft.apps) },
  { name: "protocol", help: "tcp, udp, icmp…", hint: HintField.PROTOCOL, add: addText((draft) => draft.protocols) },
  { name: "namespace", help: "of either end", hint: HintField.NAMESPACE, add: addNamespace(either) },
  { name: "from-namespace", help: "of the client", hint: HintField.NAMESPACE, add: addNamespace(client) },
  { name: "to-namespace", help: "of the server", hint: HintField.NAMESPACE, add: addNamespace(server) },
  { name: "interface", help: "that saw it", hint: HintField.INTERFACE, add: addText((draft) => draft.interfaces) },
  { name: "tcp-state", help: "how far the connection is", ...oneOf((draft) => draft.tcpStates, tcpStates) },
  { name: "conn-state", help: "as Zeek says it", ...oneOf((draft) => draft.connStates, connStates) },
  { name: "vlan", help: "the outer one", hint: HintField.VLAN, add: addNumber((draft) => draft.vlans) },
  { name: "tunnel", help: "what it went through", ...oneOf((draft) => draft.tunnelKinds, tunnels) },
  { name: "tunnel-id", help: "VNI, key or TEID", add: addNumber((draft) => draft.tunnelIds) },
  { name: "tls-version", help: "the highest offered: \"TLS 1.3\"", add: addText((draft) => draft.tlsVersions) },
  { name: "sni-status", help: "how the TLS server's name was come by", ...oneOf((draft) => draft.sniStatuses, sniStatuses) },
  { name: "community-id", help: "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", add: addText((draft) => draft.communityIds) },
  { name: "id", help: "of the flow", add: addText((draft) => draft.ids) },
  { name: "min-bytes", help: "both directions together: 1500, 20k, 1.5M", add: addBound((draft) => draft.bytes, "min") },
  { name: "max-bytes", help: "both directions together", add: addBound((draft) => draft.bytes, "max") },
  { name: "min-packets", help: "both directions together", add: addBound((draft) => draft.packets, "min") },
  { name: "max-packets", help: "both directions together", add: addBound((draft) => draft.packets, "max") },
  { name: "min-retransmissions", help: "of TCP", add: addBound((draft) => draft.retransmissions, "min") },
  { name: "min-duration", help: "90s, 5m, 1h30m", add: addSpan((draft) => draft.duration, "min") },
  { name: "max-duration", help: "90s, 5m, 1h30m", add: addSpan((draft) => draft.duration, "max") },
  { name: "min-rtt", help: "moving average: 50ms", add: addSpan((draft) => draft.rtt, "min") },
  { name: "max-rtt", help: "moving average: 50ms", add: addSpan((draft) => draft.rtt, "max") },
];

export const termOf = (name: string): Term | undefined => terms.find((term) => term.name === name);

/** Bounds of spans as messages. */
export function spanRange(bounds: Bounds): { min?: ReturnType<typeof duration>; max?: ReturnType<typeof duration> } {
  return {
    ...(bounds.min === undefined ? {} : { min: duration(bounds.min) }),
    ...(bounds.max === undefined ? {} : { max: duration(bounds.max) }),
  };
}

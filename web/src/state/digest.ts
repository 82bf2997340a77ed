// What flows add up to, for a file that was read: the figures of its report.
import type { Flow } from "../wire/gen/netscope/v1/flow_pb.ts";
import { enumName, known, knownNumber, millis, number } from "../wire/wire.ts";
import { EndReason } from "../wire/gen/netscope/v1/flow_pb.ts";
import { word } from "../format/names.ts";
import { conversation } from "./conversation.ts";

export interface Share {
  name: string;
  flows: number;
  bytes: number;
}

export interface Talker {
  ip: string;
  name: string | undefined;
  sent: number;
  received: number;
  flows: number;
}

export interface Digest {
  first: number | undefined;
  last: number | undefined;
  bytes: number;
  protocols: Share[];
  apps: Share[];
  services: Share[];
  servers: Share[]; // names of TLS servers and DNS questions
  ends: Share[]; // why flows ended
  failures: Share[]; // DNS answers that are errors
  talkers: Talker[];
  tcp: { flows: number; packets: number; retransmissions: number; lossy: number; reset: number; slow: number };
}

function tally(flows: readonly Flow[], nameOf: (flow: Flow) => string | undefined): Share[] {
  const found = new Map<string, Share>();
  for (const flow of flows) {
    const name = nameOf(flow);
    if (name === undefined) continue;
    const row = found.get(name) ?? { name, flows: 0, bytes: 0 };
    row.flows++;
    row.bytes += number(flow.bytesTotal);
    found.set(name, row);
  }
  return [...found.values()].sort((one, other) => other.bytes - one.bytes || other.flows - one.flows);
}

function talkersOf(flows: readonly Flow[]): Talker[] {
  const found = new Map<string, Talker>();
  for (const flow of flows) {
    const { client, server } = conversation(flow);
    for (const [own, other] of [[client, server], [server, client]] as const) {
      const ip = own.end?.ip ?? "";
      const row = found.get(ip) ?? { ip, name: undefined, sent: 0, received: 0, flows: 0 };
      row.name ??= own.end === undefined ? undefined : known(own.end.nameValue);
      row.sent += own.bytes;
      row.received += other.bytes;
      row.flows++;
      found.set(ip, row);
    }
  }
  return [...found.values()].sort((one, other) => other.sent + other.received - one.sent - one.received);
}

const lossy_share = 0.01; // as the report on the terminal
const slow_ms = 500;

function tcpOf(flows: readonly Flow[]): Digest["tcp"] {
  const sum = { flows: 0, packets: 0, retransmissions: 0, lossy: 0, reset: 0, slow: 0 };
  for (const flow of flows) {
    if (flow.protocol !== "tcp") continue;
    const packets = number(flow.packetsTotal);
    const again = knownNumber(flow.retransmissionsValue) ?? 0;
    sum.flows++;
    sum.packets += packets;
    sum.retransmissions += again;
    if (packets > 0 && again / packets > lossy_share) sum.lossy++;
    if (flow.reason === EndReason.RESET) sum.reset++;
    if (Math.max(known(flow.handshakeRttMsValue) ?? 0, known(flow.rttEwmaMsValue) ?? 0) > slow_ms) sum.slow++;
  }
  return sum;
}

const service = (flow: Flow): string | undefined => {
  const { server, known: sure } = conversation(flow);
  return sure && server.end !== undefined && server.end.port > 0 ? `${flow.protocol}/${server.end.port}` : undefined;
};

function failure(flow: Flow): string | undefined {
  const code = known(flow.dnsRcodeValue);
  const name = known(flow.dnsQueryValue);
  return code === undefined || code.toLowerCase() === "noerror" ? undefined : `${code.toLowerCase()} ${name ?? ""}`;
}

export function digestOf(flows: readonly Flow[]): Digest {
  let first: number | undefined;
  let last: number | undefined;
  let sum = 0;
  for (const flow of flows) {
    const from = millis(flow.firstSeen);
    const to = millis(flow.lastSeen);
    if (from !== undefined && (first === undefined || from < first)) first = from;
    if (to !== undefined && (last === undefined || to > last)) last = to;
    sum += number(flow.bytesTotal);
  }
  return {
    first, last, bytes: sum,
    protocols: tally(flows, (flow) => flow.protocol),
    apps: tally(flows, (flow) => known(flow.appValue)),
    services: tally(flows, service),
    servers: tally(flows, (flow) => known(flow.sniValue) ?? known(flow.dnsQueryValue)),
    ends: tally(flows, (flow) => flow.final ? word(enumName(EndReason, flow.reason), "END_REASON_") : "alive at the end"),
    failures: tally(flows, failure),
    talkers: talkersOf(flows),
    tcp: tcpOf(flows),
  };
}

// The columns of flows, for every table of them.
import { bitRate, bytes, count, span, unknown } from "../format/numbers.ts";
import { clock } from "../format/times.ts";
import { conversation, stateWord, topicOf } from "../state/conversation.ts";
import { zone } from "../state/place.ts";
import { End, Wire } from "../parts/small.tsx";
import type { Column } from "../parts/table.tsx";
import type { Flow } from "../wire/gen/netscope/v1/flow_pb.ts";
import { known, knownNumber, millis, number } from "../wire/wire.ts";

export const flowColumns: readonly Column<Flow>[] = [
  { key: "client", title: "Client", width: "", narrow: true, cell: (flow) => <End end={conversation(flow).client.end} /> },
  { key: "server", title: "Server", width: "", narrow: true, cell: (flow) => <End end={conversation(flow).server.end} /> },
  { key: "protocol", title: "Proto", width: "4.4rem", narrow: true, cell: (flow) => flow.protocol },
  { key: "app", title: "App", width: "4rem", least: 700, cell: (flow) => known(flow.appValue) ?? "" },
  { key: "topic", title: "Name", hint: "of the TLS server or the DNS question", width: "", least: 860, cell: (flow) => <Wire text={topicOf(flow) ?? ""} /> },
  { key: "state", title: "State", width: "6.4rem", least: 980, cell: (flow) => stateWord(flow) },
  { key: "bytes", title: "Bytes", width: "5.4rem", numeric: true, narrow: true, sort: "bytes", cell: (flow) => bytes(number(flow.bytesTotal)) },
  { key: "packets", title: "Packets", width: "5rem", numeric: true, least: 640, sort: "packets", cell: (flow) => count(number(flow.packetsTotal)) },
  { key: "rate", title: "Rate", hint: "bits a second over the flow's life", width: "6rem", numeric: true, least: 900, sort: "rate", cell: (flow) => bitRate(known(flow.avgBpsValue)) },
  { key: "retransmissions", title: "Retr.", hint: "TCP retransmissions", width: "4rem", numeric: true, least: 1040, sort: "retransmissions", cell: (flow) => retransmissions(flow) },
  { key: "rtt", title: "RTT", hint: "moving average of the round trip", width: "5rem", numeric: true, least: 1040, sort: "rtt", cell: (flow) => span(known(flow.rttEwmaMsValue)) },
  { key: "duration", title: "Duration", width: "5.6rem", numeric: true, least: 1180, sort: "duration", cell: (flow) => span(flow.durationSecs * 1000) },
  { key: "first", title: "First", width: "5rem", numeric: true, least: 1500, sort: "first-seen", cell: (flow) => clock(millis(flow.firstSeen), zone.value) },
  { key: "last", title: "Last", width: "5rem", numeric: true, least: 760, sort: "last-seen", cell: (flow) => clock(millis(flow.lastSeen), zone.value) },
  { key: "interface", title: "Interface", width: "7rem", least: 1700, cell: (flow) => <Wire text={flow.interface} /> },
];

function retransmissions(flow: Flow) {
  const told = knownNumber(flow.retransmissionsValue);
  if (told === undefined || flow.protocol !== "tcp") return unknown;
  return <span class={told > 0 ? "warning" : ""}>{count(told)}</span>;
}

// A flow as people think of it: client and server, with what each of them did. Where the client is not known, A stands first.
import { word } from "../format/names.ts";
import { Client, ClientFrom, type Endpoint, type Flow, TcpState } from "../wire/gen/netscope/v1/flow_pb.ts";
import { enumName, known, knownNumber, number } from "../wire/wire.ts";

export interface Side {
  end: Endpoint | undefined;
  bytes: number;
  packets: number;
  flags: number;
}

/** What TCP's counters say of what one side sent. */
export interface SideQuality {
  payload: number | undefined; // by sequence numbers
  retransmissions: number | undefined;
  outOfOrder: number | undefined;
  duplicateAcks: number;
  zeroWindows: number;
  missed: number;
  roundTrip: number | undefined; // the least, of the other side's data to this one's ACK, in milliseconds
}

export interface Conversation {
  known: boolean; // who is the client
  client: Side;
  server: Side;
}

export function conversation(flow: Flow): Conversation {
  const a: Side = { end: flow.endpointA, bytes: number(flow.bytesAToB), packets: number(flow.packetsAToB), flags: flow.tcpFlagsA };
  const b: Side = { end: flow.endpointB, bytes: number(flow.bytesBToA), packets: number(flow.packetsBToA), flags: flow.tcpFlagsB };
  const swapped = flow.client === Client.B_TO_A;
  return { known: flow.client !== Client.UNSPECIFIED, client: swapped ? b : a, server: swapped ? a : b };
}

export function qualities(flow: Flow): { client: SideQuality; server: SideQuality } {
  const a = {
    payload: knownNumber(flow.payloadBytesAToBValue), retransmissions: knownNumber(flow.retransmissionsAToBValue),
    outOfOrder: knownNumber(flow.outOfOrderAToBValue), duplicateAcks: number(flow.duplicateAcksAToB),
    zeroWindows: number(flow.zeroWindowsAToB), missed: number(flow.bytesMissedAToB),
  };
  const b = {
    payload: knownNumber(flow.payloadBytesBToAValue), retransmissions: knownNumber(flow.retransmissionsBToAValue),
    outOfOrder: knownNumber(flow.outOfOrderBToAValue), duplicateAcks: number(flow.duplicateAcksBToA),
    zeroWindows: number(flow.zeroWindowsBToA), missed: number(flow.bytesMissedBToA),
  };
  const swapped = flow.client === Client.B_TO_A;
  return {
    client: { ...(swapped ? b : a), roundTrip: known(flow.rttClientMinMsValue) },
    server: { ...(swapped ? a : b), roundTrip: known(flow.rttServerMinMsValue) },
  };
}

export const stateWord = (flow: Flow): string => word(enumName(TcpState, flow.tcpState), "TCP_STATE_");

const clientFrom: Record<number, string> = {
  [ClientFrom.SYN]: "it sent the SYN", [ClientFrom.SYN_ACK]: "it got the SYN-ACK", [ClientFrom.FIRST_PACKET]: "it sent the first packet seen",
  [ClientFrom.PORT]: "the other port is a service's",
};
export const clientReason = (flow: Flow): string => clientFrom[flow.clientFrom] ?? "not known who began";

/** The name that says most: of the TLS server, of the DNS question. */
export const topicOf = (flow: Flow): string | undefined => known(flow.sniValue) ?? known(flow.dnsQueryValue);

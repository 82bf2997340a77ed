// The orders of flows, for those that are all here.
import type { Flow } from "../wire/gen/netscope/v1/flow_pb.ts";
import { known, knownNumber, millis, number } from "../wire/wire.ts";
import type { Order } from "./url.ts";

const figures: Record<Order, (flow: Flow) => number | undefined> = {
  bytes: (flow) => number(flow.bytesTotal),
  packets: (flow) => number(flow.packetsTotal),
  "last-seen": (flow) => millis(flow.lastSeen),
  "first-seen": (flow) => millis(flow.firstSeen),
  duration: (flow) => flow.durationSecs,
  retransmissions: (flow) => knownNumber(flow.retransmissionsValue),
  rtt: (flow) => known(flow.rttEwmaMsValue),
  rate: (flow) => known(flow.avgBpsValue),
};

/** In the order that the sensor would have: the most first, what is not known last, equal ones by id. */
export function ordered(flows: readonly Flow[], order: Order, reverse: boolean): Flow[] {
  const figure = figures[order];
  const sign = reverse ? -1 : 1;
  return flows.map((flow) => ({ flow, value: figure(flow) })).sort((one, other) => {
    if (one.value === undefined || other.value === undefined) return Number(one.value === undefined) - Number(other.value === undefined);
    return sign * (other.value - one.value) || (one.flow.id < other.flow.id ? -1 : 1);
  }).map(({ flow }) => flow);
}

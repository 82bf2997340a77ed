// Flows that are alive, by pages and again at intervals; or their records as they leave.
import { effect, signal } from "@preact/signals";
import { call } from "../wire/call.ts";
import type { Flow } from "../wire/gen/netscope/v1/flow_pb.ts";
import { FlowOrder, FlowService, type WatchFlowsResponse } from "../wire/gen/netscope/v1/flow_service_pb.ts";
import { Stream } from "../wire/stream.ts";
import { knownNumber, millis } from "../wire/wire.ts";
import { Asked } from "./asked.ts";
import { newestFirst, Position } from "./events.ts";
import { readFilter } from "./filter.ts";
import { inFrame } from "./frame.ts";
import { place } from "./place.ts";
import type { Order } from "./url.ts";

export const flowOrders: Record<Order, FlowOrder> = {
  bytes: FlowOrder.BYTES, packets: FlowOrder.PACKETS, "last-seen": FlowOrder.LAST_SEEN, "first-seen": FlowOrder.FIRST_SEEN,
  duration: FlowOrder.DURATION, retransmissions: FlowOrder.RETRANSMISSIONS, rtt: FlowOrder.RTT, rate: FlowOrder.RATE,
};

export interface FlowList {
  flows: Flow[];
  total: number | undefined;
  next: string; // "" = these are all
  as_of: number | undefined;
  limits: string[];
}

const page_size = 200;
const refresh_ms = 2000;
const refreshed_most = 1000;
export const listed_most = 10_000;

/** The one request of the list: the page size may differ from page to page, nothing else. */
function request(size: number, token: string): Parameters<typeof call<typeof FlowService.method.listFlows.input, typeof FlowService.method.listFlows.output>>[1] {
  const { filter, order, reverse } = place.peek();
  const { allow, deny } = readFilter(filter);
  return { allow, deny, order: flowOrders[order], reverse, pageSize: size, pageToken: token };
}

let wanted = page_size; // rows that a refresh brings again

export const list = new Asked<FlowList>(async (abort) => {
  const told = await call(FlowService.method.listFlows, request(wanted, ""), abort);
  return { flows: told.flows, total: knownNumber(told.totalValue), next: told.nextPageToken, as_of: millis(told.asOf), limits: told.limits };
});

let timer: ReturnType<typeof setInterval> | undefined;

/** The next page, behind what is there. */
export async function more(): Promise<void> {
  const before = list.answer.peek();
  const rows = before.value;
  if (rows === undefined || rows.next === "" || rows.flows.length >= listed_most) return;
  list.answer.value = { ...before, loading: true };
  try {
    const told = await call(FlowService.method.listFlows, request(page_size, rows.next));
    if (list.answer.peek().value !== rows) return; // it was asked anew meanwhile
    list.answer.value = { ...before, loading: false, value: { ...rows, flows: [...rows.flows, ...told.flows], next: told.nextPageToken } };
    wanted = Math.min(refreshed_most, rows.flows.length + told.flows.length);
  } catch {
    await list.now(); // the list is too old, or it has begun anew: so do we
  }
}

/** More rows are there than a refresh brings: the list stands still. */
export const tooLongToRefresh = (): boolean => (list.answer.value.value?.flows.length ?? 0) > refreshed_most;

export function watchList(): () => void {
  let question = "";
  const stop = effect(() => {
    const { filter, order, reverse } = place.value;
    const next = JSON.stringify([filter, order, reverse]);
    if (next === question) return;
    question = next;
    wanted = page_size;
    void list.now(true);
  });
  timer = setInterval(() => {
    const { live } = place.peek();
    if (live && !document.hidden && !list.answer.peek().loading && !tooLongToRefresh()) void list.now();
  }, refresh_ms);
  return () => {
    stop();
    clearInterval(timer);
    list.stop();
  };
}

/** A record that left, as a row. */
export interface Left {
  sequence: string; // names it
  kind: number;
  flow: Flow;
}

const record_room = 2000;

/** Records of flows that a filter fits, newest first. */
export class Records {
  readonly rows = signal<Left[]>([]);
  readonly position = new Position("flow records");
  private pending: Left[] = [];
  private readonly stream: Stream<typeof FlowService.method.watchFlows.input, typeof FlowService.method.watchFlows.output>;

  constructor(filter: string, last: number) {
    const { allow, deny } = readFilter(filter);
    this.stream = new Stream({
      method: FlowService.method.watchFlows,
      request: () => ({
        allow, deny,
        options: { follow: true, start: this.position.start(last) },
      }),
      onMessage: (told) => this.take(told),
      onLink: this.position.onLink,
    });
  }

  private take(told: WatchFlowsResponse): boolean {
    const runs = this.position.before(told);
    for (const { sequence, kind, flow } of told.events)
      if (flow !== undefined) this.pending.push({ sequence: `${told.instanceId}:${sequence === 0n ? `${flow.id}.${flow.recordSeq}` : sequence}`, kind, flow });
    if (this.pending.length > record_room) this.pending.splice(0, this.pending.length - record_room);
    this.position.stored(told);
    if (this.pending.length > 0)
      inFrame(this, () => {
        const seen = new Set(this.rows.peek().slice(0, 600).map((row) => row.sequence));
        this.rows.value = newestFirst(this.pending.filter((row) => !seen.has(row.sequence)), this.rows.peek(), record_room);
        this.pending = [];
      });
    return runs || told.events.length > 0;
  }

  retry = (): void => this.stream.retry();
  stop = (): void => this.stream.stop();
}

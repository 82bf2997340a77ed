// The sensor as the bar shows it: link, rates and counters by WatchStats, status by GetStatus. One stream for the whole page.
import { computed, signal } from "@preact/signals";
import { call, tryAgain } from "../wire/call.ts";
import { type GetStatusResponse, SensorService, SensorState } from "../wire/gen/netscope/v1/sensor_pb.ts";
import { StatsService, type WatchStatsResponse } from "../wire/gen/netscope/v1/stats_pb.ts";
import { type Link, Stream } from "../wire/stream.ts";
import { duration, millis, number, spanMillis } from "../wire/wire.ts";
import { Asked } from "./asked.ts";
import { inFrame } from "./frame.ts";
import { RateHistory } from "./history.ts";
import { pageSettings, readPageSettings } from "./page_settings.ts";
import { measured } from "./perf.ts";

/** What the latest tick says. Rates are undefined while they are not known; counters for a caller with limits. */
export interface Tick {
  node: string;
  instance: string;
  as_of: number;
  start: number | undefined;
  bits: number | undefined;
  packets: number | undefined;
  flows_per_second: number | undefined;
  counters: { received: number; bytes: number; lost: number; errors: number; flows: number; alerts: number } | undefined;
  received_at: number; // by this browser's clock
}

export const link = signal<Link>({ state: "connecting" });
export const tick = signal<Tick | undefined>(undefined);
export const now = signal(Date.now());
export const history = new RateHistory(36_000); // an hour at the shortest interval

export const status = new Asked<GetStatusResponse>((abort) => call(SensorService.method.getStatus, {}, abort), 5000);

/** How old the last tick is; undefined before the first. */
export const silence_ms = computed(() => (tick.value === undefined ? undefined : Math.max(0, now.value - tick.value.received_at)));
export const stale = computed(() => link.value.state !== "live" && link.value.state !== "ended" && tick.value !== undefined);
export const lossRatio = computed(() => {
  const counters = tick.value?.counters;
  return counters === undefined || counters.received === 0 ? undefined : counters.lost / counters.received;
});
export const instance = computed(() => tick.value?.instance);
const resting = signal(false); // the latest two ticks have the same figures
/** Files were read to their end, and what came of the last packets is counted. */
export const fileRead = computed(() => status.answer.value.value?.state === SensorState.READ && resting.value);
export const degraded = computed(() => status.answer.value.value?.detectors.filter((one) => one.enabled && one.degraded).length ?? 0);

function countersOf(told: WatchStatsResponse["counters"]): Tick["counters"] {
  if (told === undefined) return undefined;
  return {
    received: number(told.packetsReceived), bytes: number(told.bytesReceived), lost: number(told.packetsLost),
    errors: number(told.decodeErrors), flows: number(told.flowsActive), alerts: number(told.alerts),
  };
}

let cut_off: string | undefined; // why ticks were missing since the last one

function remember(told: WatchStatsResponse, next: Tick): void {
  const before = tick.peek();
  if (before !== undefined && before.instance !== next.instance) cut_off = "the sensor was restarted";
  const interval_ms = pageSettings.tick_ms;
  const length = spanMillis(told.rates?.interval) ?? interval_ms;
  if (cut_off !== undefined) history.gap(next.as_of - interval_ms, cut_off);
  else if (told.skipped > 0n && length > 5 * interval_ms) history.gap(next.as_of - interval_ms, "the page read too slowly");
  cut_off = undefined;
  if (next.bits !== undefined && next.packets !== undefined) history.add(next.as_of, next.bits, next.packets);
}

const slot = {};

function take(told: WatchStatsResponse): boolean {
  const next: Tick = {
    node: told.node,
    instance: told.instanceId,
    as_of: millis(told.asOf) ?? Date.now(),
    start: millis(told.startTime),
    bits: told.rates?.bitsPerSecond,
    packets: told.rates?.packetsPerSecond,
    flows_per_second: told.rates?.flowsPerSecond,
    counters: countersOf(told.counters),
    received_at: Date.now(),
  };
  measured.received(number(told.skipped), next.as_of);
  remember(told, next);
  inFrame(slot, () => {
    const before = tick.peek();
    resting.value = before?.instance === next.instance && before.as_of === next.as_of && before.counters?.received === next.counters?.received;
    tick.value = next;
    now.value = next.received_at;
    measured.drawing();
  });
  return true;
}

function takeLink(next: Link): void {
  if (next.state === "disconnected" || next.state === "ended") cut_off = "disconnected";
  const before = link.peek().state;
  if (next.state === "live" && before === "live") return;
  link.value = next;
  if (next.state === "live") void status.now();
}

let stream: { stop: () => void; retry: () => void } | undefined;

/** Begins to watch, once it is known how often. */
export async function watchSensor(): Promise<void> {
  await readPageSettings();
  stream = new Stream({
    method: StatsService.method.watchStats,
    request: () => ({ interval: duration(pageSettings.tick_ms) }),
    onMessage: take,
    onLink: takeLink,
    quiet_ms: 25_000 + 2 * pageSettings.tick_ms,
  });
  void status.now();
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1000);
  addEventListener("online", () => stream?.retry());
}

/** Alerts have a stream of their own, which is tried with this one. */
export const retried: (() => void)[] = [];

export function retry(): void {
  tryAgain();
  for (const other of retried) other();
  stream?.retry();
}

/** Who the sensor takes the page for. */
export const caller = computed(() => status.answer.value.value?.caller);

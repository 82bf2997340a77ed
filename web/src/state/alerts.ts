// Alerts: those that are kept, then what comes; each once, as it was told last.
import { computed, signal } from "@preact/signals";
import { call } from "../wire/call.ts";
import { type Alert, AlertLifecycle, Severity } from "../wire/gen/netscope/v1/alert_pb.ts";
import { AlertService, type WatchAlertsResponse } from "../wire/gen/netscope/v1/alert_service_pb.ts";
import { asRefusal, type Refusal } from "../wire/refusal.ts";
import { Stream } from "../wire/stream.ts";
import { millis } from "../wire/wire.ts";
import { Position } from "./events.ts";
import { inFrame } from "./frame.ts";
import { retried } from "./sensor.ts";

const room = 5000;
const page_size = 250;

export const position = new Position("alerts");
export const refusal = signal<Refusal | undefined>(undefined);
export const loaded = signal(false);
const byId = new Map<string, Alert>();
const revision = signal(0); // grows with each change of byId
export const fresh = signal<Alert[]>([]); // that came since the page was opened, for who cannot see them

const toldAt = (alert: Alert): number => millis(alert.ts) ?? 0;

/** The latest told first. */
export const alerts = computed<Alert[]>(() => {
  revision.value;
  return [...byId.values()].sort((one, other) => toldAt(other) - toldAt(one) || (one.id < other.id ? -1 : 1));
});

export const active = computed(() => alerts.value.filter((alert) => alert.lifecycle !== AlertLifecycle.ENDED));
export const worst = computed(() => active.value.reduce((most, alert) => Math.max(most, alert.severity), Severity.UNSPECIFIED));

function keep(alert: Alert): void {
  const before = byId.get(alert.id);
  if (before !== undefined && before.revision >= alert.revision) return;
  byId.delete(alert.id);
  byId.set(alert.id, alert);
  for (const oldest of byId.keys()) {
    if (byId.size <= room) break;
    byId.delete(oldest);
  }
}

const slot = {};
retried.push(() => void watchAlerts());

function take(told: WatchAlertsResponse): boolean {
  const runs = position.before(told);
  if (position.otherInstance(told.instanceId)) byId.clear(); // all that the new one keeps follows
  const started = told.events.flatMap(({ alert }) => (alert !== undefined && !byId.has(alert.id) ? [alert] : []));
  for (const { alert } of told.events) if (alert !== undefined) keep(alert);
  position.stored(told);
  if (told.events.length > 0) {
    if (started.length > 0) fresh.value = [...fresh.peek(), ...started].slice(-50);
    inFrame(slot, () => revision.value++);
  }
  return runs || told.events.length > 0;
}

/** All that are kept, page by page; the oldest are put in first. */
async function list(): Promise<void> {
  const found: Alert[] = [];
  for (let token = "", page = 0; page < room / page_size; page++) {
    const told = await call(AlertService.method.listAlerts, { pageSize: page_size, pageToken: token });
    found.push(...told.alerts);
    if (page === 0) position.begin(told);
    token = told.nextPageToken;
    if (token === "") break;
  }
  for (const alert of found.reverse()) keep(alert);
  revision.value++;
}

let stream: Stream<typeof AlertService.method.watchAlerts.input, typeof AlertService.method.watchAlerts.output> | undefined;
let listing: ReturnType<typeof setTimeout> | true | undefined; // under way, or when it is tried again

/** Begins to watch; once it does, tries at once when it waits for its next try. */
export async function watchAlerts(): Promise<void> {
  if (stream !== undefined) stream.retry();
  if (stream !== undefined || listing === true) return;
  clearTimeout(listing);
  listing = true;
  try {
    await list();
    refusal.value = undefined;
    loaded.value = true;
  } catch (thrown) {
    const told = asRefusal(thrown);
    refusal.value = told;
    listing = told.passing ? setTimeout(() => void watchAlerts(), 3000) : undefined;
    return;
  }
  listing = undefined;
  stream = new Stream({
    method: AlertService.method.watchAlerts,
    request: () => ({ options: { follow: true, start: position.start(room) } }),
    onMessage: take,
    onLink: position.onLink,
  });
}

// What `?perf=1` measures: frames a second, render latency (message to paint), ticks that were never drawn, clock offset.
import { signal } from "@preact/signals";
import { onPainted } from "./frame.ts";

export const perfWanted = new URLSearchParams(location.search).get("perf") === "1";

export interface Figures {
  fps: number;
  p50: number;
  p95: number;
  p99: number;
  ticks: number;
  undrawn: number;
  skipped: number; // by the server
  offset_ms: number | undefined; // of the sensor's clock against the browser's
  heap: number | undefined;
}

const sample_room = 1000;

/** The value below which a share of sorted samples lies. */
export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

class Measured {
  private latencies: number[] = [];
  private at = 0;
  private waiting_since: number | undefined;
  private drawing_since: number | undefined;
  private ticks = 0;
  private undrawn = 0;
  private skipped = 0;
  private offset: number | undefined;
  private frames = 0;
  private since = performance.now();
  readonly figures = signal<Figures | undefined>(undefined);

  /** A message came. */
  received(skipped: number, as_of: number): void {
    if (!perfWanted) return;
    this.ticks++;
    this.skipped += skipped;
    if (this.waiting_since !== undefined) this.undrawn++;
    this.waiting_since = performance.now();
    const offset = as_of - Date.now();
    // The message that travelled fastest tells most.
    this.offset = this.offset === undefined ? offset : Math.max(this.offset - 0.01, offset);
  }

  /** Its values are in the state, and in the page with this frame. */
  drawing(): void {
    this.drawing_since = this.waiting_since;
    this.waiting_since = undefined;
  }

  private painted(now: number): void {
    if (this.drawing_since === undefined) return;
    this.latencies[this.at++ % sample_room] = now - this.drawing_since;
    this.drawing_since = undefined;
  }

  private tell(): void {
    const now = performance.now();
    const sorted = [...this.latencies].sort((one, other) => one - other);
    const memory: unknown = Reflect.get(performance, "memory");
    const heap: unknown = typeof memory === "object" && memory !== null ? Reflect.get(memory, "usedJSHeapSize") : undefined;
    this.figures.value = {
      fps: (this.frames * 1000) / (now - this.since),
      p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99),
      ticks: this.ticks, undrawn: this.undrawn, skipped: this.skipped, offset_ms: this.offset,
      heap: typeof heap === "number" ? heap : undefined,
    };
    this.frames = 0;
    this.since = now;
  }

  /** Its own loop, outside the one that it measures. */
  start(): void {
    onPainted((now) => this.painted(now));
    const count = (): void => {
      this.frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    setInterval(() => this.tell(), 1000);
  }
}

export const measured = new Measured();
if (perfWanted) measured.start();

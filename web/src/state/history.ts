// What the charts show: the rates of the last hour at most, a value a tick. A tick that is missing is a gap with its reason.

export interface Gap {
  from: number; // ms
  to: number;
  reason: string;
}

export interface Columns {
  times: number[]; // seconds, as charts want them
  bits: (number | null)[];
  packets: (number | null)[];
}

export class RateHistory {
  private readonly times: number[] = [];
  private readonly bits: (number | null)[] = [];
  private readonly packets: (number | null)[] = [];
  readonly gaps: Gap[] = [];

  constructor(private readonly room: number) {}

  get length(): number {
    return this.times.length;
  }

  /** When the oldest tick was, in seconds. */
  get first(): number | undefined {
    return this.times[0];
  }

  /** Drops what is older than the room; in pieces, so that a tick does not move the whole. */
  private trim(): void {
    const spare = Math.max(64, this.room >> 4);
    if (this.times.length < this.room + spare) return;
    for (const column of [this.times, this.bits, this.packets]) column.splice(0, spare);
    const oldest = (this.times[0] ?? 0) * 1000;
    while ((this.gaps[0]?.to ?? oldest) < oldest) this.gaps.shift();
  }

  add(time_ms: number, bits: number, packets: number): void {
    const last = this.times[this.times.length - 1];
    if (last !== undefined && time_ms / 1000 <= last) return; // what a reconnection told again
    this.times.push(time_ms / 1000);
    this.bits.push(bits);
    this.packets.push(packets);
    this.trim();
  }

  /** Nothing is known between the last tick and `to_ms`. */
  gap(to_ms: number, reason: string): void {
    const last = this.times[this.times.length - 1];
    if (last === undefined || to_ms / 1000 <= last) return;
    this.gaps.push({ from: last * 1000, to: to_ms, reason });
    this.times.push((last + to_ms / 1000) / 2);
    this.bits.push(null);
    this.packets.push(null);
  }

  clear(): void {
    for (const column of [this.times, this.bits, this.packets]) column.length = 0;
    this.gaps.length = 0;
  }

  /** The ticks since `from` (seconds), in at most `room` buckets that keep their maximum. */
  since(from: number, room: number): Columns {
    let first = this.times.findIndex((time) => time >= from);
    if (first < 0) first = this.times.length;
    const step = Math.max(1, Math.ceil((this.times.length - first) / room));
    const told: Columns = { times: [], bits: [], packets: [] };
    for (let at = first - (first % step); at < this.times.length; at += step) {
      if (at < 0) continue;
      told.times.push(this.times[Math.min(at + step, this.times.length) - 1] ?? 0);
      told.bits.push(highest(this.bits, at, step));
      told.packets.push(highest(this.packets, at, step));
    }
    return told;
  }
}

/** The largest of a bucket; null when a gap lies in it. */
function highest(column: (number | null)[], from: number, step: number): number | null {
  let most = 0;
  for (let at = from; at < Math.min(from + step, column.length); at++) {
    const value = column[at] ?? null;
    if (value === null) return null;
    if (value > most) most = value;
  }
  return most;
}

// What all streams of events have in common: cursors, gaps, and lists of which only so much is kept.
import { signal } from "@preact/signals";
import { count } from "../format/numbers.ts";
import { GapReason, type StreamGap, type StreamStarted } from "../wire/gen/netscope/v1/stream_pb.ts";
import type { Link } from "../wire/stream.ts";
import { knownNumber, number } from "../wire/wire.ts";

const reasons: Record<number, string> = {
  [GapReason.SLOW_READER]: "this page read too slowly",
  [GapReason.LAPPED]: "they left the sensor's log too early",
  [GapReason.AWAY]: "they left the sensor's log while the page was away",
  [GapReason.RESTARTED]: "the sensor was restarted",
  [GapReason.OTHER_SENSOR]: "another sensor answers now",
};

/** "1,234 flow records are missing: this page read too slowly". */
export function gapSentence(gap: StreamGap, what: string): string {
  const at_most = knownNumber(gap.atMostValue);
  const many = gap.countKnown ? count(number(gap.count)) : at_most === undefined ? "some" : `at most ${count(at_most)}`;
  return `${many} ${what} are missing: ${reasons[gap.reason] ?? "the sensor does not say why"}`;
}

interface Told {
  cursor: string;
  instanceId: string;
  gaps: StreamGap[];
  start?: StreamStarted;
  heartbeat?: object;
}

/** What the latest gap of any stream was, for who cannot see it. */
export const missing = signal("");

/** Where a stream stands: the cursor behind what was handled, its link, its gaps. */
export class Position {
  private cursor = "";
  private instance = "";
  readonly link = signal<Link>({ state: "connecting" });
  readonly gaps = signal<string[]>([]);

  constructor(private readonly what: string) {}

  /** Before its events: takes gaps. After them `stored` has to be called. */
  before(told: Told): boolean {
    const sentences = told.gaps.map((gap) => gapSentence(gap, this.what));
    if (sentences.length > 0) missing.value = sentences[sentences.length - 1] ?? "";
    if (sentences.length > 0) this.gaps.value = [...this.gaps.peek(), ...sentences].slice(-20);
    return told.start !== undefined || told.heartbeat !== undefined;
  }

  stored(told: Told): void {
    if (told.cursor !== "") this.cursor = told.cursor;
  }

  onLink = (next: Link): void => {
    if (next.state === "live" && this.link.peek().state === "live") return;
    this.link.value = next;
  };

  /** Of a list that was asked for first: the stream goes on behind it. */
  begin(told: { cursor: string; instanceId: string }): void {
    this.cursor = told.cursor;
    this.instance = told.instanceId;
  }

  /** Whether another start of the sensor speaks than before. */
  otherInstance(told: string): boolean {
    const other = this.instance !== "" && told !== this.instance;
    this.instance = told;
    return other;
  }

  /** Where the next attempt begins: behind what was handled, at first with the `last` events. */
  start(last: number): { from: { case: "last"; value: number } | { case: "resumeAfter"; value: string } } {
    return { from: this.cursor === "" ? { case: "last", value: last } : { case: "resumeAfter", value: this.cursor } };
  }
}

/** The newest first, `room` of them. */
export function newestFirst<T>(fresh: T[], kept: readonly T[], room: number): T[] {
  return [...fresh.reverse(), ...kept].slice(0, room);
}

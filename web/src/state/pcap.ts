// A capture into a file: StreamPcap, bounded, put together here and handed to the browser as a download.
import { signal } from "@preact/signals";
import { PacketService, PcapEndReason, type StreamPcapResponse } from "../wire/gen/netscope/v1/packet_pb.ts";
import { Refusal } from "../wire/refusal.ts";
import { type Link, Stream } from "../wire/stream.ts";
import { duration, enumName, number } from "../wire/wire.ts";

export type Recording =
  | { state: "idle" }
  | { state: "running"; bytes: number }
  | { state: "done"; bytes: number; packets: number; dropped: number; reason: string; file: string }
  | { state: "failed"; refusal: Refusal };

export const recording = signal<Recording>({ state: "idle" });
const most_bytes = 64n * 1024n * 1024n;
const most_packets = 100_000n;

let pieces: BlobPart[] = [];
let size = 0;
let stream: Stream<typeof PacketService.method.streamPcap.input, typeof PacketService.method.streamPcap.output> | undefined;
let over = false;

function forget(): void {
  const before = recording.peek();
  if (before.state === "done") URL.revokeObjectURL(before.file);
  pieces = [];
  size = 0;
}

function finish(packets: number, dropped: number, reason: string): void {
  over = true;
  const file = URL.createObjectURL(new Blob(pieces, { type: "application/x-pcapng" }));
  recording.value = { state: "done", bytes: size, packets, dropped, reason, file };
  pieces = [];
}

function take(told: StreamPcapResponse): boolean {
  if (told.data.length > 0) {
    pieces.push(new Uint8Array(told.data));
    size += told.data.length;
  }
  if (told.end === undefined) recording.value = { state: "running", bytes: size };
  else {
    const reason = enumName(PcapEndReason, told.end.reason)?.replace("MAX_", "").replaceAll("_", " ").toLowerCase() ?? "";
    finish(number(told.end.packets), number(told.end.dropped), reason);
    stream?.stop();
  }
  return true;
}

function takeLink(link: Link): void {
  if (over || link.state === "connecting" || link.state === "live") return;
  over = true;
  stream?.stop(); // a recording is never begun anew by itself
  const refusal = link.state === "ended" ? new Refusal("unavailable", "the run is over") : link.refusal;
  // What came is whole blocks: a readable file.
  if (size > 0) finish(0, 0, refusal.message);
  else recording.value = { state: "failed", refusal };
}

/** Records what the filter (of tcpdump) lets through for so many seconds. */
export function record(filter: string, seconds: number): void {
  stop();
  forget();
  over = false;
  recording.value = { state: "running", bytes: 0 };
  stream = new Stream({
    method: PacketService.method.streamPcap,
    request: () => ({ filter, maxBytes: most_bytes, maxPackets: most_packets, maxDuration: duration(seconds * 1000) }),
    onMessage: take,
    onLink: takeLink,
    quiet_ms: Number.POSITIVE_INFINITY, // a filter that nothing fits
  });
}

export function stop(): void {
  stream?.stop();
  stream = undefined;
  if (!over && size > 0) finish(0, 0, "stopped here");
  else if (recording.peek().state === "running") recording.value = { state: "idle" };
}

// The packets that are listed as a file: pcapng with the bytes that the sensor keeps of each, put together here.
import { call } from "../wire/call.ts";
import { type PacketEvent, PacketService } from "../wire/gen/netscope/v1/packet_pb.ts";
import { SensorService } from "../wire/gen/netscope/v1/sensor_pb.ts";
import { collect } from "../wire/stream.ts";
import { readFilter } from "./filter.ts";

const padded = (length: number): number => (length + 3) & ~3;
const ethernet = 1;

class Blocks {
  private readonly pieces: Uint8Array<ArrayBuffer>[] = [];

  /** A block of `head` (words of 32 bit) and then bytes, each padded. */
  add(type: number, head: readonly number[], ...parts: readonly Uint8Array[]): void {
    const length = 12 + 4 * head.length + parts.reduce((sum, part) => sum + padded(part.length), 0);
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    [type, length, ...head].forEach((word, at) => {
      view.setUint32(4 * at, word >>> 0, true);
    });
    let at = 8 + 4 * head.length;
    for (const part of parts) {
      bytes.set(part, at);
      at += padded(part.length);
    }
    view.setUint32(length - 4, length, true);
    this.pieces.push(bytes);
  }

  get file(): Blob {
    return new Blob(this.pieces, { type: "application/x-pcapng" });
  }
}

/** An option of pcapng: code, length, bytes. */
function option(code: number, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(4 + padded(bytes.length));
  new DataView(whole.buffer).setUint32(0, code | (bytes.length << 16), true);
  whole.set(bytes, 4);
  return whole;
}

const no_more = new Uint8Array(4);
const nanoseconds = option(9, Uint8Array.of(9)); // if_tsresol
const version = [0x1a2b3c4d, 1, 0xffffffff, 0xffffffff]; // of the section: 1.0, its length not told

/** `events` as pcapng; `linkTypes` by the names of interfaces. */
export function pcapngOf(events: readonly PacketEvent[], linkTypes: ReadonlyMap<string, number>): Blob {
  const blocks = new Blocks();
  const interfaces = new Map<string, number>();
  blocks.add(0x0a0d0d0a, version);
  for (const { packet, data } of events) {
    if (packet?.time === undefined) continue;
    let number = interfaces.get(packet.interface);
    if (number === undefined) {
      number = interfaces.size;
      interfaces.set(packet.interface, number);
      blocks.add(1, [linkTypes.get(packet.interface) ?? ethernet, 0], option(2, new TextEncoder().encode(packet.interface)), nanoseconds, no_more);
    }
    const time = packet.time.seconds * 1_000_000_000n + BigInt(packet.time.nanos);
    blocks.add(6, [number, Number(time >> 32n), Number(time & 0xffffffffn), data.length, packet.length], data);
  }
  return blocks.file;
}

/** What the sensor keeps of the sample, of these numbers, as a file. */
export async function sampleFile(filter: string, wanted: ReadonlySet<bigint>): Promise<{ file: Blob; packets: number }> {
  const { allow, deny } = readFilter(filter);
  const { interfaces } = await call(SensorService.method.listInterfaces, {});
  const events: PacketEvent[] = [];
  await collect(PacketService.method.watchPackets, { allow, deny, withData: true, options: { follow: false } }, (told) => {
    for (const event of told.events) if (event.packet !== undefined && wanted.has(event.packet.id)) events.push(event);
  });
  return { file: pcapngOf(events, new Map(interfaces.map((one) => [one.name, one.linkType]))), packets: events.length };
}

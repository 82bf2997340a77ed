// The sample of packets as it grows, newest first, and one of it in detail.
import { signal } from "@preact/signals";
import { call } from "../wire/call.ts";
import { type GetPacketResponse, type Packet, PacketService, type WatchPacketsResponse } from "../wire/gen/netscope/v1/packet_pb.ts";
import { Stream } from "../wire/stream.ts";
import { newestFirst, Position } from "./events.ts";
import { readFilter } from "./filter.ts";
import { inFrame } from "./frame.ts";

const room = 5000;
const first_count = 2000; // what the sensor keeps

export class PacketSample {
  readonly rows = signal<Packet[]>([]);
  readonly position = new Position("packets");
  private pending: Packet[] = [];
  private readonly stream: Stream<typeof PacketService.method.watchPackets.input, typeof PacketService.method.watchPackets.output>;

  constructor(filter: string) {
    const { allow, deny } = readFilter(filter);
    this.stream = new Stream({
      method: PacketService.method.watchPackets,
      request: () => ({
        allow, deny,
        options: { follow: true, start: this.position.start(first_count) },
      }),
      onMessage: (told) => this.take(told),
      onLink: this.position.onLink,
    });
  }

  private take(told: WatchPacketsResponse): boolean {
    const runs = this.position.before(told);
    if (this.position.otherInstance(told.instanceId)) {
      this.pending = []; // numbers begin anew
      this.rows.value = [];
    }
    for (const { packet } of told.events) if (packet !== undefined) this.pending.push(packet);
    if (this.pending.length > room) this.pending.splice(0, this.pending.length - room);
    this.position.stored(told);
    if (this.pending.length > 0) inFrame(this, () => this.write());
    return runs || told.events.length > 0;
  }

  private write(): void {
    const last = this.rows.peek()[0]?.id ?? -1n;
    this.rows.value = newestFirst(this.pending.filter((packet) => packet.id > last), this.rows.peek(), room);
    this.pending = [];
  }

  retry = (): void => this.stream.retry();
  stop = (): void => this.stream.stop();
}

export const packetDetail = (id: bigint, abort?: AbortSignal): Promise<GetPacketResponse> => call(PacketService.method.getPacket, { id }, abort);

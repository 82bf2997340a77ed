// Traffic for a sensor that reads a FIFO: a capture, again and again under the time of now, with other addresses each round, and
// once a port scan. What is written is counted, so that tests know what the page has to show.
import { createWriteStream, readFileSync } from "node:fs";

/** Frames of a pcap file, with their times in ms since the first. */
export function framesOf(path) {
  const bytes = readFileSync(path);
  const nanos = bytes.readUInt32LE(0) === 0xa1b23c4d;
  const frames = [];
  let first;
  for (let at = 24; at + 16 <= bytes.length;) {
    const time = bytes.readUInt32LE(at) * 1000 + bytes.readUInt32LE(at + 4) / (nanos ? 1e6 : 1e3);
    const captured = bytes.readUInt32LE(at + 8);
    first ??= time;
    frames.push({ ms: time - first, wire: bytes.readUInt32LE(at + 12), frame: bytes.subarray(at + 16, at + 16 + captured) });
    at += 16 + captured;
  }
  return frames;
}

/** The frame with the third octet of its 10.x, 172.x and 192.x addresses moved by `round`. */
function moved(frame, round) {
  const copy = Buffer.from(frame);
  if (copy.length < 34 || copy.readUInt16BE(12) !== 0x0800) return copy;
  for (const at of [26, 30]) if ([10, 172, 192].includes(copy[at])) copy[at + 2] = (copy[at + 2] + round) & 255;
  return copy;
}

function packed(address) {
  return Buffer.from(address.split(".").map(Number));
}

/** A TCP packet with these flags and nothing else. */
export function tcp(source, sourcePort, target, targetPort, flags) {
  const frame = Buffer.alloc(54);
  frame.writeUInt16BE(0x0800, 12);
  frame.writeUInt8(0x45, 14);
  frame.writeUInt16BE(40, 16);
  frame.writeUInt8(64, 22);
  frame.writeUInt8(6, 23);
  packed(source).copy(frame, 26);
  packed(target).copy(frame, 30);
  frame.writeUInt16BE(sourcePort, 34);
  frame.writeUInt16BE(targetPort, 36);
  frame.writeUInt32BE(sourcePort * 7919, 38);
  frame.writeUInt8(0x50, 46);
  frame.writeUInt8(flags, 47);
  frame.writeUInt16BE(1024, 48);
  return frame;
}

export class Feed {
  packets = 0;
  bytes = 0;

  constructor(path) {
    this.file = createWriteStream(path);
    const head = Buffer.alloc(24);
    head.writeUInt32LE(0xa1b2c3d4, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(262144, 16);
    head.writeUInt32LE(1, 20);
    this.file.write(head);
  }

  send(frame, wire = frame.length, at = Date.now()) {
    const head = Buffer.alloc(16);
    head.writeUInt32LE(Math.floor(at / 1000), 0);
    head.writeUInt32LE(Math.floor((at % 1000) * 1000), 4);
    head.writeUInt32LE(frame.length, 8);
    head.writeUInt32LE(wire, 12);
    this.file.write(Buffer.concat([head, frame]));
    this.packets++;
    this.bytes += wire;
  }

  /** A source that tries `ports` doors of one target, all of which refuse. */
  scan(source, target, ports = 60) {
    for (let port = 1; port <= ports; port++) {
      this.send(tcp(source, 40000 + port, target, port, 0x02));
      this.send(tcp(target, port, source, 40000 + port, 0x14));
    }
  }

  /** SYNs of many sources to one door, which answers none. */
  flood(target, port, count = 600) {
    for (let at = 0; at < count; at++) this.send(tcp(`198.51.${at % 90}.${1 + (at % 200)}`, 1024 + at, target, port, 0x02));
  }

  /** The capture at `speed` times its pace, until `stop` is called. */
  replay(frames, speed = 1) {
    let next = 0, round = 0, begun = Date.now();
    const timer = setInterval(() => {
      const now = (Date.now() - begun) * speed;
      while (frames[next].ms <= now) {
        this.send(moved(frames[next].frame, round), frames[next].wire);
        if (++next === frames.length) { next = 0; round++; begun = Date.now(); break; }
      }
    }, 20);
    this.stop = () => clearInterval(timer);
  }

  end() {
    this.stop?.();
    return new Promise((done) => this.file.end(done));
  }
}

// One connection machine for every stream: opens, resumes, and says how it stands. Messages go to `onMessage` as they come.
import { create, type DescMessage, type DescMethodServerStreaming, fromBinary, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ticket } from "./call.ts";
import { asRefusal, Refusal, refusalOf } from "./refusal.ts";
import { members } from "./wire.ts";

export type Link =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "disconnected"; refusal: Refusal; next_try_ms: number }
  | { state: "refused"; refusal: Refusal }
  | { state: "ended" };

export interface Watching<I extends DescMessage, O extends DescMessage> {
  method: DescMethodServerStreaming<I, O>;
  /** The request of the next attempt: with the cursor behind what was handled. */
  request: () => MessageInitShape<I>;
  /** True when the message shows that the stream runs (start, heartbeat, figures): the back-off begins anew. */
  onMessage: (message: MessageShape<O>) => boolean;
  onLink: (link: Link) => void;
  /** For how long it may say nothing; Infinity = for ever, and only the connection's end is one. */
  quiet_ms?: number;
}

const first_pause_ms = 250;
const longest_pause_ms = 10_000;
const usual_quiet_ms = 25_000; // a heartbeat comes every 10 s at the latest
const steady_ms = 5_000; // it has run for so long: a failure then is a new one
const open_timeout_ms = 10_000;
const settle_ms = 300;

/** A stream that runs until it is stopped, is refused or ends. */
export class Stream<I extends DescMessage, O extends DescMessage> {
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause_ms = first_pause_ms;
  private stopped = false;
  private attempt = 0;
  private ended = false; // the run was over: whether another one begins is looked for quietly
  private settling: ReturnType<typeof setTimeout> | undefined;
  private steadying: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly watching: Watching<I, O>) {
    void this.open();
  }

  stop(): void {
    this.stopped = true;
    this.leave();
  }

  /** Tries at once, when it waits for its next try. */
  retry(): void {
    if (this.stopped || this.socket !== undefined) return;
    this.pause_ms = first_pause_ms;
    this.leave();
    void this.open();
  }

  private leave(): void {
    this.attempt++;
    clearTimeout(this.timer);
    clearTimeout(this.settling);
    clearTimeout(this.steadying);
    this.settling = undefined;
    this.steadying = undefined;
    const socket = this.socket;
    this.socket = undefined;
    if (socket !== undefined && socket.readyState <= WebSocket.OPEN) socket.close(1000);
  }

  private async open(): Promise<void> {
    const attempt = ++this.attempt;
    if (!this.ended) this.watching.onLink({ state: "connecting" });
    try {
      const told = await ticket();
      if (attempt === this.attempt && !this.stopped) this.connect(told, attempt);
    } catch (thrown) {
      if (attempt === this.attempt) this.fail(asRefusal(thrown));
    }
  }

  private connect(told: string, attempt: number): void {
    const { method } = this.watching;
    const url = new URL(`ws/${method.parent.typeName}/${method.name}`, document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    const socket = new WebSocket(url, ["netscope", told]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.expect(open_timeout_ms);
    socket.onopen = () => socket.send(new Uint8Array(toBinary(method.input, create(method.input, this.watching.request()))));
    socket.onmessage = (event) => attempt === this.attempt && this.take(event.data);
    socket.onclose = () => attempt === this.attempt && this.fail(new Refusal("unavailable", "the connection to the sensor was cut"));
  }

  /** Silence for so long is a connection that is gone. */
  private expect(ms: number): void {
    clearTimeout(this.timer);
    if (ms !== Number.POSITIVE_INFINITY) this.timer = setTimeout(() => this.fail(new Refusal("unavailable", "the sensor fell silent")), ms);
  }

  private take(content: unknown): void {
    if (typeof content === "string") {
      this.end(content);
      return;
    }
    if (!(content instanceof ArrayBuffer)) return;
    this.expect(this.watching.quiet_ms ?? usual_quiet_ms);
    try {
      const message = fromBinary(this.watching.method.output, new Uint8Array(content));
      if (this.watching.onMessage(message) && !this.ended) this.steadying ??= setTimeout(() => { this.pause_ms = first_pause_ms; }, steady_ms);
      this.runs();
    } catch (thrown) {
      this.fail(asRefusal(thrown));
    }
  }

  /** It is live; behind the end of a run only when it does not end again at once. */
  private runs(): void {
    const tell = (): void => {
      this.ended = false;
      this.watching.onLink({ state: "live" });
    };
    if (!this.ended) tell();
    else this.settling ??= setTimeout(tell, settle_ms);
  }

  private end(text: string): void {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = { error: { code: "internal", message: "the end of the stream cannot be read" } };
    }
    const { error } = members(json);
    if (error !== undefined) {
      this.fail(refusalOf(error, "unknown", "the stream ended without a reason"));
      return;
    }
    this.leave();
    this.ended = true;
    this.watching.onLink({ state: "ended" });
    this.again();
  }

  /** Tries later, and later each time. */
  private again(): number {
    const pause = this.pause_ms * (0.75 + Math.random() / 2);
    this.pause_ms = Math.min(this.pause_ms * 2, longest_pause_ms);
    this.timer = setTimeout(() => void this.open(), pause);
    return pause;
  }

  private fail(refusal: Refusal): void {
    this.leave();
    if (this.stopped) return;
    if (refusal.reason === "CREDENTIALS_GONE") {
      void this.open(); // the answer tells what is wanted instead; for a password the browser asks by itself
      return;
    }
    if (!refusal.passing && refusal.code !== "internal" && refusal.code !== "failed_precondition") {
      this.watching.onLink({ state: "refused", refusal });
      return;
    }
    this.ended = false;
    const next_try_ms = Date.now() + this.again();
    this.watching.onLink({ state: "disconnected", refusal, next_try_ms });
  }
}

/** What a stream tells that does not follow: resolves when it has ended in order. */
export function collect<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  take: (message: MessageShape<O>) => void,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((done, fail) => {
    const stream = new Stream({
      method,
      request: () => request,
      onMessage: (message) => {
        take(message);
        return true;
      },
      onLink: (link) => {
        if (link.state === "connecting" || link.state === "live") return;
        queueMicrotask(() => stream.stop());
        if (link.state === "ended") done();
        else fail(link.refusal);
      },
    });
    signal?.addEventListener("abort", () => {
      stream.stop();
      fail(new Refusal("canceled", "not wanted any more"));
    });
  });
}

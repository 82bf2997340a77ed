// The frame loop: what sockets bring is put into slots, and written into the state once a frame. A hidden tab gets no
// frames, and holds no more than its slots.
import { batch } from "@preact/signals";

const slots = new Map<object, () => void>();
let asked = false;
const watchers: ((drawn: number) => void)[] = [];
const painted = new MessageChannel();
painted.port1.onmessage = () => {
  for (const watcher of watchers) watcher(performance.now());
};

function draw(): void {
  asked = false;
  const now = [...slots.values()];
  slots.clear();
  batch(() => {
    for (const write of now) write();
  });
  if (watchers.length > 0) painted.port2.postMessage(0); // a task behind this frame's paint
}

/** Writes state in the next frame; what waited in the same slot is replaced. */
export function inFrame(slot: object, write: () => void): void {
  slots.set(slot, write);
  if (asked) return;
  asked = true;
  requestAnimationFrame(draw);
}

/** Tells when a frame that wrote state was painted. */
export const onPainted = (watcher: (drawn: number) => void): void => void watchers.push(watcher);

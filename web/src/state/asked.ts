// Answers that are asked for again and again: the latest one stays while the next is on its way, or was refused.
import { type Signal, signal } from "@preact/signals";
import { asRefusal, type Refusal } from "../wire/refusal.ts";

export interface Answer<T> {
  value: T | undefined;
  refusal: Refusal | undefined; // of the latest try; `value` is then of an earlier one
  at: number; // when `value` came
  loading: boolean;
}

export const unanswered = <T>(): Answer<T> => ({ value: undefined, refusal: undefined, at: 0, loading: true });

/** A question that is asked at intervals while the page is seen. */
export class Asked<T> {
  readonly answer: Signal<Answer<T>> = signal(unanswered<T>());
  private control: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly ask: (signal: AbortSignal) => Promise<T>,
    private readonly every_ms = 0,
  ) {}

  /** Asks now; with `fresh` the answer so far is of another question, and forgotten. */
  async now(fresh = false): Promise<void> {
    this.stop();
    const control = new AbortController();
    this.control = control;
    const before = fresh ? unanswered<T>() : this.answer.peek();
    this.answer.value = { ...before, loading: true };
    try {
      const value = await this.ask(control.signal);
      if (control.signal.aborted) return;
      this.answer.value = { value, refusal: undefined, at: Date.now(), loading: false };
    } catch (thrown) {
      if (control.signal.aborted) return;
      this.answer.value = { ...before, refusal: asRefusal(thrown), loading: false };
    }
    if (this.every_ms > 0) this.timer = setTimeout(() => this.again(), this.every_ms);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.control?.abort();
  }

  private again(): void {
    if (!document.hidden) void this.now();
    else this.timer = setTimeout(() => this.again(), this.every_ms);
  }
}

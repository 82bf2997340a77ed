// Where messages become values of the page: the only place that turns a bigint into a number, and the only one with `as`.
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** A number of 64 bit; above 2^53 it loses its last digits, which no figure of the page shows. */
export const number = (value: bigint): number => Number(value);

/** A Timestamp as milliseconds since 1970. */
export function millis(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : Number(time.seconds) * 1000 + time.nanos / 1e6;
}

export function spanMillis(span: Duration | undefined): number | undefined {
  return span === undefined ? undefined : Number(span.seconds) * 1000 + span.nanos / 1e6;
}

/** Members of a Duration. */
export function duration(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

type OneMember = { case: string; value: unknown } | { case: undefined; value?: undefined };

/** The value of a one-member oneof, which is how this API says that something may be unknown. */
export function known<T extends OneMember>(choice: T): Extract<T, { case: string }>["value"] | undefined {
  return choice.value as Extract<T, { case: string }>["value"] | undefined;
}

/** The number of a one-member oneof of 64 bit. */
export function knownNumber(choice: { case: string; value: bigint } | { case: undefined; value?: undefined }): number | undefined {
  return choice.value === undefined ? undefined : Number(choice.value);
}

/** The name of an enum's value, as the proto has it. */
export function enumName(all: Record<string | number, string | number>, value: number): string | undefined {
  const name = all[value];
  return typeof name === "string" ? name : undefined;
}

/** The members of a JSON object, or none. */
export function members(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The element that a tag of the page is, for events. */
export function element(target: EventTarget | null): HTMLElement | undefined {
  return target instanceof HTMLElement ? target : undefined;
}

/** The value of an input, of its event. */
export function inputValue(event: Event): string {
  const target = event.target;
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? target.value : "";
}

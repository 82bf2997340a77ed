// One formatter a quantity, for tables, charts, cards and copies. What is not known is a dash.

export const unknown = "–";

const prefixes = ["", "k", "M", "G", "T", "P"];

/** A value with three significant digits and the prefix that fits, factor 1000: ["1.24", "M"]. */
export function scaled(value: number): [string, string] {
  let size = Math.abs(value);
  let step = 0;
  while (size >= 999.5 && step < prefixes.length - 1) {
    size /= 1000;
    step++;
  }
  const digits = step === 0 && Number.isInteger(value) ? 0 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return [`${value < 0 ? "-" : ""}${size.toFixed(digits)}`, prefixes[step] ?? ""];
}

/** "1.24 MB", "512 b/s": a number, and the unit behind its prefix. */
export function quantity(value: number | undefined, unit: string): string {
  if (value === undefined || !Number.isFinite(value)) return unknown;
  const [digits, prefix] = scaled(value);
  return `${digits} ${prefix}${unit}`.trimEnd();
}

export const bitRate = (value: number | undefined): string => quantity(value, "b/s");
export const bytes = (value: number | undefined): string => quantity(value, "B");
export const packetRate = (value: number | undefined): string => quantity(value, "p/s");

/** "12,345": all digits. */
export function count(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return unknown;
  return Math.round(value).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A share of 0 to 1: "0.12 %", and never "0 %" of something. */
export function share(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return unknown;
  const percent = value * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  return `${percent < 1 ? percent.toFixed(2) : percent < 99.95 ? percent.toFixed(1) : "100"} %`;
}

/** A span of milliseconds: "0.42 ms", "1.24 s", "3 m 20 s". */
export function span(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return unknown;
  if (ms === 0) return "0 ms";
  if (ms < 0.1) return `${(ms * 1000).toFixed(1)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** The smallest of 1, 2, 5 times a power of ten that is not below `value`: where an axis ends. */
export function niceTop(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5]) if (step * power >= value) return step * power;
  return 10 * power;
}

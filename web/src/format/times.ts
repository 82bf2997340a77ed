// Times in the one zone that the page shows, UTC or the browser's. Times are milliseconds since 1970.
import { unknown } from "./numbers.ts";

export type Zone = "utc" | "local";

const two = (value: number): string => String(value).padStart(2, "0");

interface Parts {
  year: number;
  month: number;
  day: number;
  clock: string;
  millis: number;
}

function parts(ms: number, zone: Zone): Parts {
  const date = new Date(ms);
  const utc = zone === "utc";
  const clock = [
    utc ? date.getUTCHours() : date.getHours(),
    utc ? date.getUTCMinutes() : date.getMinutes(),
    utc ? date.getUTCSeconds() : date.getSeconds(),
  ].map(two).join(":");
  return {
    year: utc ? date.getUTCFullYear() : date.getFullYear(),
    month: (utc ? date.getUTCMonth() : date.getMonth()) + 1,
    day: utc ? date.getUTCDate() : date.getDate(),
    clock,
    millis: date.getUTCMilliseconds(),
  };
}

/** "12:03:04". */
export const clock = (ms: number | undefined, zone: Zone): string =>
  ms === undefined ? unknown : parts(ms, zone).clock;

/** "12:03:04.250". */
export function clockMillis(ms: number | undefined, zone: Zone): string {
  if (ms === undefined) return unknown;
  const told = parts(ms, zone);
  return `${told.clock}.${String(told.millis).padStart(3, "0")}`;
}

/** "2026-11-26 12:03:04". */
export function moment(ms: number | undefined, zone: Zone): string {
  if (ms === undefined) return unknown;
  const told = parts(ms, zone);
  return `${told.year}-${two(told.month)}-${two(told.day)} ${told.clock}`;
}

/** The zone as it is written beside times: "UTC", "UTC+2". */
export function zoneName(zone: Zone, now = new Date()): string {
  if (zone === "utc") return "UTC";
  const minutes = -now.getTimezoneOffset();
  if (minutes === 0) return "local (UTC)";
  const sign = minutes < 0 ? "-" : "+";
  const size = Math.abs(minutes);
  return `local (UTC${sign}${Math.floor(size / 60)}${size % 60 ? `:${two(size % 60)}` : ""})`;
}

/** How long ago in one unit: "now", "4 s", "3 m", "2 h", "5 d". */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 1) return "now";
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} m`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/** Milliseconds of "1000", "500ms", "1.5s". */
export function millisOf(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/u.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit ?? "ms"] ?? 1);
}

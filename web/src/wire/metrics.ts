// The counters at /metrics, for what only they tell: queues, outputs, the process.
import { inTurn, refusalOfResponse } from "./call.ts";
import { authorization } from "./credentials.ts";

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of a text in Prometheus' format; lines that are none are left out. */
export function samplesOf(text: string): Sample[] {
  const found: Sample[] = [];
  for (const line of text.split("\n")) {
    const [, name, inside = "", value = ""] = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/u.exec(line) ?? [];
    if (name === undefined) continue;
    const labels: Record<string, string> = {};
    for (const [, key = "", raw = ""] of inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/gu)) labels[key] = raw.replace(/\\(.)/gu, (_, one: string) => (one === "n" ? "\n" : one));
    found.push({ name, labels, value: Number(value) });
  }
  return found;
}

export const metrics = (signal: AbortSignal): Promise<Sample[]> =>
  inTurn(async () => {
    const response = await fetch("metrics", { headers: { Accept: "text/plain", ...authorization() }, signal, cache: "no-store" });
    if (!response.ok) throw await refusalOfResponse(response);
    return samplesOf(await response.text());
  });

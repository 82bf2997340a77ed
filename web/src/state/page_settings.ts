// What the sensor's settings say of the page: how often it gets figures, how long its lists are.
import { millisOf } from "../format/times.ts";
import { call } from "../wire/call.ts";
import { SensorService } from "../wire/gen/netscope/v1/sensor_pb.ts";
import { perfWanted } from "./perf.ts";

export const pageSettings = { tick_ms: perfWanted ? 100 : 1000, top_count: 50 };

const shortest_ms = 100; // of WatchStats
const longest_ms = 60_000;

/** Asks for them. Who may not see settings, or an older sensor, has the usual ones. */
export async function readPageSettings(): Promise<void> {
  try {
    const { settings } = await call(SensorService.method.getConfig, { prefix: "web." });
    const value = (key: string): string => settings.find((one) => one.key === key)?.values[0] ?? "";
    const tick = millisOf(value("web.tick_ms"));
    if (tick !== undefined && !perfWanted) pageSettings.tick_ms = Math.max(shortest_ms, Math.min(longest_ms, tick));
    const top = Number(value("web.top_n"));
    if (top >= 1) pageSettings.top_count = top;
  } catch {
    return; // the stream tells what is wrong, if something is
  }
}

// Which flows the table shows: what the address says, or what fits the run.
import { computed } from "@preact/signals";
import { place } from "./place.ts";
import { fileRead, status } from "./sensor.ts";
import { SensorState } from "../wire/gen/netscope/v1/sensor_pb.ts";
import type { Place } from "./url.ts";

/** undefined: the file was read, and its last figures are on their way. */
export const shownScope = computed<Exclude<Place["scope"], ""> | undefined>(() => {
  const told = place.value.scope;
  const isFile = status.answer.value.value?.live === false;
  if (told === "alive" || told === "records") return told;
  if (fileRead.value) return "all";
  return isFile && status.answer.value.value?.state === SensorState.READ ? undefined : "alive";
});

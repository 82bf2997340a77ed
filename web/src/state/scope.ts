// Which flows the table shows: what the address says, or what fits the run.
import { computed } from "@preact/signals";
import { place } from "./place.ts";
import { fileRead, reading, status } from "./sensor.ts";
import type { Place } from "./url.ts";

/** undefined: it is not known yet whether a file is still read. */
export const shownScope = computed<Exclude<Place["scope"], ""> | undefined>(() => {
  const told = place.value.scope;
  const isFile = status.answer.value.value?.live === false;
  if (told === "alive" || told === "records") return told;
  if (!isFile) return "alive";
  if (reading.value === "unknown") return undefined;
  return fileRead.value ? "all" : "alive";
});

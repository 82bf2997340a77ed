// What is on the screen, as a command of netscopectl.
import { shellWord } from "../format/names.ts";
import { readFilter } from "./filter.ts";
import { type Place, home } from "./url.ts";

function flows(place: Place, options: string[]): string[] {
  if (place.id !== "" && place.page) return ["flows", "--id", place.id, "-o", "wide"];
  if (place.scope === "records") return ["flows", "--follow", ...options];
  const order = place.order === home.order ? [] : ["--sort", place.order];
  return ["flows", ...order, ...(place.reverse ? ["--reverse"] : []), ...options];
}

const top_order = "rate"; // the order of netscopectl top

const severities = ["low", "medium", "high", "critical"];

function alerts(place: Place): string[] {
  if (place.id !== "") return ["alerts", "--id", place.id, "-o", "json"];
  const least = severities.indexOf(place.severity);
  const words = least < 0 ? [] : severities.slice(least).flatMap((word) => ["--severity", word]);
  return ["alerts", ...words, ...(place.live ? ["--follow", "--since", "1h"] : [])];
}

export function commandOf(place: Place): string {
  const { options } = readFilter(place.filter);
  const words: Record<Place["view"], () => string[]> = {
    overview: () => ["top", ...(place.order === top_order ? [] : ["--sort", place.order]), ...options],
    flows: () => flows(place, options),
    packets: () => ["capture", "-w", "-", "|", "tshark", "-r", "-"],
    alerts: () => alerts(place),
    health: () => ["status"],
  };
  const quoted = words[place.view]().map((word) => (word === "|" || options.includes(word) ? word : shellWord(word)));
  return ["netscopectl", ...quoted].join(" ");
}

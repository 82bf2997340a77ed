// What the page shows, as the hash of its address, and back: two pure functions.
import type { Zone } from "../format/times.ts";

export const views = ["overview", "flows", "packets", "alerts", "health"] as const;
export type View = (typeof views)[number];

export const orders = ["bytes", "packets", "last-seen", "first-seen", "duration", "retransmissions", "rtt", "rate"] as const;
export type Order = (typeof orders)[number];

export interface Place {
  view: View;
  id: string; // of the flow, alert or packet that is looked at
  filter: string;
  order: Order;
  reverse: boolean;
  scope: "" | "alive" | "records" | "all"; // flows in the table, records as they leave, or both; "" = what fits the run
  live: boolean;
  minutes: number; // of the charts
  zone: Zone;
  severity: string; // of alerts: the least that is shown
  page: boolean; // the flow has the whole page
}

export const home: Place = {
  view: "overview", id: "", filter: "", order: "bytes", reverse: false, scope: "", live: true, minutes: 5, zone: "utc",
  severity: "", page: false,
};

const pick = <T extends string>(all: readonly T[], text: string | null, fallback: T): T => all.find((one) => one === text) ?? fallback;

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/u, "").split("?", 2);
  const [view = "", id = ""] = path.split("/");
  const given = new URLSearchParams(query);
  const minutes = Number(given.get("minutes"));
  let decoded = "";
  try {
    decoded = decodeURIComponent(id);
  } catch {
    decoded = ""; // a broken link shows the view
  }
  return {
    view: pick(views, view, home.view),
    id: decoded,
    filter: given.get("filter") ?? "",
    order: pick(orders, given.get("order"), home.order),
    reverse: given.get("reverse") === "1",
    scope: pick(["", "alive", "records", "all"], given.get("scope"), home.scope),
    live: given.get("live") !== "0",
    minutes: minutes >= 1 && minutes <= 60 ? minutes : home.minutes,
    zone: pick(["utc", "local"], given.get("zone"), home.zone),
    severity: pick(["", "medium", "high", "critical"], given.get("severity"), ""),
    page: given.get("page") === "1",
  };
}

export function hashOf(place: Place): string {
  const given = new URLSearchParams();
  if (place.filter !== "") given.set("filter", place.filter);
  if (place.order !== home.order) given.set("order", place.order);
  if (place.reverse) given.set("reverse", "1");
  if (place.scope !== home.scope) given.set("scope", place.scope);
  if (!place.live) given.set("live", "0");
  if (place.minutes !== home.minutes) given.set("minutes", String(place.minutes));
  if (place.zone !== home.zone) given.set("zone", place.zone);
  if (place.severity !== "") given.set("severity", place.severity);
  if (place.page) given.set("page", "1");
  const query = given.toString();
  const id = place.id === "" ? "" : `/${encodeURIComponent(place.id)}`;
  return `#/${place.view}${id}${query === "" ? "" : `?${query}`}`;
}

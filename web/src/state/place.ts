// Where the page is: read by views, changed by `go`, written into the address once in 500 ms at most.
import { computed, signal } from "@preact/signals";
import { hashOf, type Place, placeOf } from "./url.ts";

export const place = signal<Place>(placeOf(location.hash));
export const view = computed(() => place.value.view);
export const zone = computed(() => place.value.zone);

const write_pause_ms = 500;
let timer: ReturnType<typeof setTimeout> | undefined;
let adds = false;

function write(): void {
  timer = undefined;
  const hash = hashOf(place.value);
  if (hash !== location.hash) {
    if (adds) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  }
  adds = false;
}

/** A user's act: shows something else. Another view or item is a step that "back" undoes. */
export function go(change: Partial<Place>): void {
  const before = place.value;
  const after = { ...before, ...change };
  if (hashOf(after) === hashOf(before)) return;
  if (after.view !== before.view || after.page !== before.page) {
    if (timer !== undefined) {
      clearTimeout(timer);
      write(); // where "back" leads to
    }
    adds = true;
  }
  place.value = after;
  timer ??= setTimeout(write, write_pause_ms);
}

/** The address of another place, for a link. */
export const linkTo = (change: Partial<Place>): string => hashOf({ ...place.value, id: "", filter: "", page: false, ...change });

export function followAddress(): void {
  addEventListener("hashchange", () => (place.value = placeOf(location.hash)));
  addEventListener("popstate", () => (place.value = placeOf(location.hash)));
}

// Every action is a row: menu, keys and help come from here. Views add rows of their own while they are shown.
import { signal } from "@preact/signals";
import { commandOf } from "./command.ts";
import { keysOn, nextTheme, setKeys } from "./look.ts";
import { go, place } from "./place.ts";
import { home, type View, views } from "./url.ts";

export interface Command {
  name: string;
  keys: string[]; // of KeyboardEvent
  run: () => void;
}

export const said = signal(""); // a sentence for the status region: "copied"
export const helpOpen = signal(false);

/** Puts text on the clipboard, and says so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    said.value = `copied ${what}`;
  } catch {
    said.value = `could not copy ${what}: the browser allows it on HTTPS and localhost only`;
  }
}

/** Another view: the filter stays where it means the same. */
export function show(view: View): void {
  go({ view, id: "", page: false, filter: view === "alerts" || view === "health" ? "" : place.peek().filter });
}

const names: Record<View, string> = { overview: "Overview", flows: "Flows", packets: "Packets", alerts: "Alerts", health: "Health" };
export const viewName = (view: View): string => names[view];

export const focusFilter = (): void => document.querySelector<HTMLInputElement>("#filter")?.focus();

const general: Command[] = [
  ...views.map((view, at) => ({ name: names[view], keys: [String(at + 1)], run: () => show(view) })),
  { name: "Filter", keys: ["/"], run: focusFilter },
  { name: "Copy as netscopectl", keys: ["n"], run: () => void copy(commandOf(place.peek()), "as netscopectl") },
  { name: "Times in UTC or local", keys: ["z"], run: () => go({ zone: place.peek().zone === "utc" ? "local" : "utc" }) },
  { name: "Dark, light or the system's", keys: ["t"], run: nextTheme },
  { name: "Clear the filter", keys: ["x"], run: () => go({ filter: home.filter }) },
  { name: "Keys and help", keys: ["?"], run: () => (helpOpen.value = !helpOpen.peek()) },
];

export const extra = signal<Command[]>([]);
export const commands = (): Command[] => [...general, ...extra.value];

/** Rows of a view, until the function that it gives is called. */
export function addCommands(rows: Command[]): () => void {
  extra.value = [...extra.peek(), ...rows];
  return () => (extra.value = extra.peek().filter((row) => !rows.includes(row)));
}

function inText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName));
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || inText(event.target)) return;
  if (event.key === "Escape" && helpOpen.peek()) {
    helpOpen.value = false;
    return;
  }
  if (!keysOn.peek()) return;
  if ((event.key === " " || event.key === "Enter") && event.target instanceof Element && event.target.closest("a, button, summary") !== null) return; // these act by them
  const row = [...extra.peek(), ...general].find(({ keys }) => keys.includes(event.key));
  if (row === undefined) return;
  event.preventDefault();
  row.run();
}

export const followKeys = (): void => addEventListener("keydown", onKey);
export const toggleKeys = (): void => setKeys(!keysOn.peek());

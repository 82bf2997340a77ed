// What this browser remembers of how the page looks: theme, and whether single keys act.
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "dark" | "light";

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`netscope.${key}`);
  } catch {
    return null; // storage is blocked: the page works without
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`netscope.${key}`, value);
  } catch {
    return;
  }
}

const themes: readonly Theme[] = ["auto", "dark", "light"];
export const theme = signal<Theme>(themes.find((one) => one === remembered("theme")) ?? "auto");
export const keysOn = signal(remembered("keys") !== "off");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
export const dark = signal(false);

export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "auto";
  remember("theme", theme.value);
}

export function setKeys(on: boolean): void {
  keysOn.value = on;
  remember("keys", on ? "on" : "off");
}

const system = signal(prefersDark.matches);
prefersDark.addEventListener("change", () => (system.value = prefersDark.matches));
effect(() => {
  dark.value = theme.value === "auto" ? system.value : theme.value === "dark";
  document.documentElement.dataset.theme = dark.value ? "dark" : "light";
});

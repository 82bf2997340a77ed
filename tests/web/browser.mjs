// Debian's Chromium with a fresh profile. Everything that a page complains about is kept: console, CSP, requests to elsewhere.
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./sensor.mjs";

const require = createRequire(join(root, "web/package.json"));
const { chromium } = require("playwright-core");
export const axeSource = () => require("axe-core").source;

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, env: { ...process.env, HOME: mkdtempSync(join(tmpdir(), "netscope-home-")) },
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A page of its own profile, with what it complained about in `complaints`. */
export async function openPage(browser, url, { width = 1280, height = 800, scheme = "dark", ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, timezoneId: "UTC", ...more });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/ERR_CONNECTION_REFUSED|WebSocket connection/u.test(message.text())) page.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.complaints.push(`thrown: ${error.stack}`));
  const { host } = new URL(url);
  page.asked = [];
  const ask = (asked) => {
    if (asked.startsWith("blob:")) return;
    page.asked.push(asked);
    if (new URL(asked).host !== host) page.complaints.push(`elsewhere: ${asked}`);
  };
  page.on("request", (request) => ask(request.url()));
  page.on("websocket", (socket) => ask(socket.url()));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
  });
  await page.goto(url);
  return page;
}

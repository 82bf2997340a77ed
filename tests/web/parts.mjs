// What the tests of the page ask of it again and again.
import assert from "node:assert/strict";
import { axeSource } from "./browser.mjs";
import { until } from "./sensor.mjs";

export const rows = (page) => page.locator("[role=grid] tbody tr[id]");
export const live = (page) => page.locator(".link.live").waitFor();
export const views = ["overview", "flows", "packets", "alerts", "health"];

/** The figures of the overview by their names. */
export const cards = (page) => page.locator(".card").evaluateAll((all) => Object.fromEntries(all.map((card) => [card.querySelector(".key").textContent, card.querySelector(".value").textContent.trim()])));

/** Nothing on the console, no violation of the policy, no request to elsewhere; `but` are answers that a test provokes. */
export const quiet = (page, but = /status of (404|403)/u) => assert.deepEqual(page.complaints.filter((one) => !but.test(one)), []);

/** The rows that are drawn, each by the titles of its columns. */
export async function columns(page) {
  await rows(page).first().waitFor();
  return page.locator("[role=grid]").evaluate((grid) => {
    const titles = [...grid.querySelectorAll("thead th")].map((cell) => cell.textContent.replace(/ [↓↑]$/u, ""));
    return [...grid.querySelectorAll("tbody tr[id]")].map((row) => Object.fromEntries([...row.cells].map((cell, at) => [titles[at], cell.textContent])));
  });
}

/** A page without serious faults of access. */
export async function accessible(page, what) {
  await page.evaluate(axeSource());
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id, nodes }) => [what, id, nodes[0].html, nodes[0].failureSummary]), []);
}

/** All packets that a sensor counted, as the overview tells it. */
export const counted = async (page) => Number((await page.locator(".card").nth(1).locator(".note").textContent()).replace(/\D/gu, ""));

export const awaitCounted = (page, packets) => until(async () => (await counted(page)) === packets, `${packets} packets are counted`);

// The page while the sensor captures live: tcpreplay sends a real capture over a veth pair, and what each view shows is what the
// sensor wrote into its files at the end. Runs in a namespace that test_page.py makes; NETSCOPE_SENDER names the other end's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openPage, startBrowser } from "./browser.mjs";
import { Feed, framesOf, tcp } from "./feed.mjs";
import { awaitCounted, cards, columns, counted, live, quiet, rows } from "./parts.mjs";
import { freePort, root, startSensor, until } from "./sensor.mjs";
import { load } from "./unit/load.mjs";

const sender = process.env.NETSCOPE_SENDER;
const capture = join(root, "tests/captures/browsing.pcap");
const frames = framesOf(capture);
const folder = mkdtempSync(join(tmpdir(), "netscope-web-"));
const numbers = await load("format/numbers.ts");

const replay = (file) => execFileSync("ip", ["netns", "exec", sender, "tcpreplay", "--pps=2000", "--intf1=out0", file], { stdio: "ignore" });

/** A capture file with what `write` sends into it. */
async function fileOf(name, write) {
  const path = join(folder, name);
  const feed = new Feed(path);
  write(feed);
  await feed.end();
  return { path, packets: feed.packets };
}

const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const lines = (name) => readFileSync(join(folder, name), "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));

describe("a live capture", { skip: sender === undefined && "it needs the namespaces of test_page.py (as root)" }, () => {
  let browser, sensor, port, url, scan, probe, sent = 0;
  const pages = {};
  const start = (...more) => startSensor(["-i", "in0"], port, "--web-role", "packets", "--anomalies", "--packets", "never", ...more);

  /** Sends a packet a second until one comes: a socket takes nothing for a moment after it is bound. Gives how many came. */
  async function begin(page) {
    const came = async () => (await counted(page)) > 0;
    await until(async () => {
      replay(probe.path);
      for (let at = 0; at < 40 && !(await came()); at++) await page.waitForTimeout(100);
      return came();
    }, "the capture has begun");
    for (let before = 0; before !== (await counted(page)); await page.waitForTimeout(2500)) before = await counted(page);
    return counted(page);
  }

  before(async () => {
    browser = await startBrowser();
    scan = await fileOf("scan.pcap", (feed) => feed.scan("10.66.0.9", "192.0.2.20"));
    probe = await fileOf("probe.pcap", (feed) => feed.send(tcp("192.0.2.1", 5000, "192.0.2.2", 80, 0x02)));
    port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    sensor = await start("--export-json", join(folder, "flows.json"), "--expired-flows-jsonl", join(folder, "ended.jsonl"),
      "--alerts-jsonl", join(folder, "alerts.jsonl"), "--summary-json", join(folder, "summary.json"));
    for (const view of ["overview", "packets", "alerts", "health"]) pages[view] = await openPage(browser, `${url}#/${view}`);
    pages.flows = await openPage(browser, `${url}#/flows?filter=-ip%3A10.66.0.9`, { width: 1700, height: 2600 });
    await Promise.all(Object.values(pages).map(live));
    await pages.packets.getByText("of the sample").waitFor();
    sent = await begin(pages.overview);
    replay(scan.path);
    replay(capture);
    sent += scan.packets + frames.length;
  });
  after(async () => { await browser?.close(); await sensor?.end(); });

  test("the overview counts what was sent", async () => {
    await awaitCounted(pages.overview, sent);
    assert.equal((await cards(pages.overview)).Lost, "0 packets");
    quiet(pages.overview);
  });

  test("the sample has each packet, byte for byte", async () => {
    const page = pages.packets;
    await until(async () => (await page.locator(".panel-head .muted").first().textContent()).startsWith(`${numbers.count(sent)} of the sample`), "all are in the sample");
    await page.locator("#filter").fill("port:53");
    await page.keyboard.press("Enter");
    await until(async () => (await rows(page).count()) > 5 && (await columns(page)).every(({ Summary }) => /:53\b/u.test(Summary)), "only DNS is shown");
    const rest = await columns(page);
    const row = rest.findIndex(({ Bytes }) => frames.some(({ wire, frame }) => wire === Number(Bytes.replace(",", "")) && frame.length < 290));
    await rows(page).nth(row).click();
    await page.locator(".octets").first().waitFor();
    const hex = (await page.locator(".octets span").allTextContents()).join("");
    assert.ok(frames.some(({ frame }) => frame.toString("hex") === hex), `no frame that was sent is ${hex}`);
    const field = page.locator("[role=treeitem]", { hasText: /Name/u }).last();
    await field.click();
    const name = await field.locator(".value").textContent();
    const marked = Buffer.from((await page.locator(".octets .marked").allTextContents()).join(""), "hex").toString("latin1");
    for (const label of name.split(".")) assert.ok(marked.includes(label), `${label} in ${JSON.stringify(marked)}`);
    quiet(page);
  });

  test("the scan is told, with what its file has", async () => {
    const page = pages.alerts;
    await rows(page).filter({ hasText: "10.66.0.9" }).first().click();
    const [told] = lines("alerts.jsonl").filter(({ kind }) => kind === "port_scan");
    const shown = (await page.locator("article").textContent()).replaceAll(",", "");
    for (const value of [told.description.replaceAll(",", ""), told.id, ...told.measures.flatMap((one) => [one.what.replaceAll(",", ""), String(one.observed), String(one.threshold)])]) assert.ok(shown.includes(value), `${value} in ${shown}`);
    quiet(page);
  });

  test("flows and health are those of the files at the end", async () => {
    const page = pages.flows;
    await until(async () => (await columns(page)).length > 40, "flows are listed");
    await page.getByRole("button", { name: "Follow" }).click();
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.waitForTimeout(1000);
    const told = await columns(page);
    const flowOf = {};
    const [top] = told;
    await rows(page).first().click();
    await page.locator("article .facts").first().waitFor();
    flowOf.text = (await page.locator("article").textContent()).replaceAll(",", "");
    const health = (selector) => pages.health.locator(selector).first().textContent();
    await until(async () => (await health(".ledger tfoot")).includes(numbers.count(sent)), "the ledger has all packets");
    await until(async () => new RegExp(`in0.*up.*${numbers.count(sent)}`, "u").test(await health("section[aria-label=Interfaces] tbody tr")), "so has the interface");
    quiet(page);
    await sensor.end();
    await page.locator(".link.disconnected").waitFor();
    assert.ok(await page.locator(".page.stale").count(), "the figures are shown as old ones");
    const exported = json("flows.json");
    const key = (one) => `${one.Client} ${one.Server} ${one.Proto}`;
    const side = ({ ip, port: at, name }) => `${name ?? (at !== 0 && ip.includes(":") ? `[${ip}]` : ip)}${at === 0 ? "" : `:${at}`}`;
    const wanted = new Map(exported.map((flow) => {
      const [client, server] = flow.client === "b_to_a" ? [flow.endpoint_b, flow.endpoint_a] : [flow.endpoint_a, flow.endpoint_b];
      return [`${side(client)} ${side(server)} ${flow.protocol}`, flow];
    }));
    for (const row of told) {
      const flow = wanted.get(key(row));
      assert.ok(flow, `${key(row)} is in the export`);
      assert.deepEqual([row.Packets, row.Bytes, row.App, row.State], [numbers.count(flow.packets_total), numbers.bytes(flow.bytes_total), flow.app ?? "", flow.tcp_state?.replaceAll("_", " ") ?? ""], key(row));
    }
    const listed = new Set(told.map(key));
    for (const [name, { reason }] of wanted) if (reason === "end" && !name.includes("10.66.0.9")) assert.ok(listed.has(name), `${name} was alive, and is listed`);
    const flow = wanted.get(key(top));
    for (const value of [flow.id, flow.community_id, flow.sni, flow.ja4, numbers.span(flow.handshake_rtt_ms), `${flow.packets_a_to_b}`, "in0"]) assert.ok(flowOf.text.includes(value), `${value} in ${flowOf.text}`);
    const { ledger: summed } = json("summary.json");
    assert.equal(summed.received, sent);
  });

  test("a new start of the sensor is taken up, and nothing of the old one is shown again", async () => {
    sensor = await start();
    await pages.overview.locator(".link.live").waitFor({ timeout: 25000 });
    await until(async () => (await counted(pages.overview)) === 0, "it begins to count anew");
    const probes = await begin(pages.overview);
    replay(scan.path);
    await awaitCounted(pages.overview, probes + scan.packets);
    await until(async () => (await rows(pages.alerts).filter({ hasText: "10.66.0.9" }).count()) === 1, "the scan is there once");
    await until(async () => (await cards(pages.overview)).Alerts.startsWith("1 "), "one alert is active");
    for (const page of Object.values(pages)) quiet(page, /status of (404|403|503)/u); // 503: it was about to end
  });
});

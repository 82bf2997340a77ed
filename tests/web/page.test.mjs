// The page in a real browser against a real sensor: node --test tests/web/page.test.mjs (web/dist has to be built).
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openPage, startBrowser } from "./browser.mjs";
import { Feed, framesOf, tcp } from "./feed.mjs";
import { accessible, cards, columns, live, quiet, rows, views } from "./parts.mjs";
import { binary, fifo, freePort, root, startSensor, until } from "./sensor.mjs";

const capture = join(root, "tests/captures/browsing.pcap");
const client = process.env.NETSCOPECTL_BINARY ?? join(root, "build/src/ctl/netscopectl");
const pictures = process.env.NETSCOPE_PICTURES;
let browser;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

describe("a file that was read", () => {
  let sensor, url, exported, summary;
  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "netscope-web-"));
    execFileSync(binary, ["-r", capture, "--report", "none", "--export-json", join(folder, "flows.json"), "--summary-json", join(folder, "summary.json")], { stdio: "ignore" });
    exported = JSON.parse(readFileSync(join(folder, "flows.json"), "utf8"));
    summary = JSON.parse(readFileSync(join(folder, "summary.json"), "utf8"));
    const port = await freePort();
    sensor = await startSensor(["-r", capture], port, "--anomalies", "--alerts-jsonl", join(mkdtempSync(join(tmpdir(), "netscope-web-")), "alerts.jsonl"));
    url = `http://127.0.0.1:${port}/`;
  });
  after(() => sensor.end());

  test("the overview shows the counters of the report", async () => {
    const page = await openPage(browser, url);
    await live(page);
    await until(async () => (await page.locator(".card").nth(1).textContent()).includes(`${summary.ledger.received} in all`), "all packets are counted");
    const told = await cards(page);
    assert.equal(told["Lost"], "0 packets");
    assert.equal(Number(told["Active flows"]), exported.filter((flow) => flow.reason === "end").length);
    assert.match(await page.locator(".notice").first().textContent(), /A file was read/u);
    const report = page.locator("section[aria-label=Report]");
    await accessible(page, "a file that was read");
    await report.getByText("Top talkers").waitFor();
    const text = (await report.textContent()).replaceAll(",", "");
    for (const value of [`Flows${exported.length}`, `TCP flows${exported.filter(({ protocol }) => protocol === "tcp").length}`, summary.talkers[0].ip, summary.first_packet_time.slice(0, 19).replace("T", " ")]) assert.ok(text.includes(value), `${value} in ${text}`);
    quiet(page);
    await page.context().close();
  });

  test("nothing that only goes on with packets is asked for any more", async () => {
    const page = await openPage(browser, url);
    const asked = [];
    page.on("request", (request) => asked.push(request.url().replace(/.*\//u, "")));
    const times = (method) => asked.filter((one) => one === method).length;
    await page.locator("section[aria-label=Report]").getByText("Top talkers").waitFor();
    await until(() => times("GetStatus") > 0, "the status is asked for again");
    asked.length = 0;
    await until(() => times("GetStatus") > 0, "and once more", 15_000);
    assert.equal(times("TopFlows") + times("FilterHints"), 0, asked.join());
    quiet(page);
    await page.context().close();
  });

  test("all flows of the file are listed, those that ended too", async () => {
    const page = await openPage(browser, `${url}#/flows`, { width: 1700, height: 2600 });
    await until(async () => (await rows(page).count()) === exported.length, `${exported.length} flows`);
    const told = await columns(page);
    assert.deepEqual(told.map(({ Packets }) => Packets).sort(), exported.map((flow) => String(flow.packets_total)).sort());
    await page.keyboard.press("/");
    await page.keyboard.type("app:dns\n");
    await until(async () => (await rows(page).count()) === exported.filter(({ app }) => app === "dns").length, "the filter holds for both");
    quiet(page);
    await page.context().close();
  });

  test("flows are those of the export, in their order and with their filter", async () => {
    const page = await openPage(browser, `${url}#/flows?scope=alive`, { width: 1700 });
    const alive = exported.filter((flow) => flow.reason === "end");
    const told = await columns(page);
    assert.equal(told.length, alive.length);
    assert.deepEqual(told.map(({ Packets }) => Packets).sort(), alive.map((flow) => String(flow.packets_total)).sort());
    await page.getByRole("button", { name: "Packets" }).click();
    await until(async () => { const all = (await columns(page)).map(({ Packets }) => Number(Packets)); return all.every((value, at) => at === 0 || all[at - 1] >= value); }, "ordered by packets");
    await until(() => page.url().includes("order=packets"), "the address has the order");
    await page.keyboard.press("/");
    await page.keyboard.type("protocol:udp -port:53\n");
    const want = alive.filter((flow) => flow.protocol === "udp" && ![flow.endpoint_a.port, flow.endpoint_b.port].includes(53)).length;
    await until(async () => (await rows(page).count()) === want, `${want} flows fit`);
    await until(() => page.url().includes("filter=protocol"), "the address has the filter");
    await page.reload();
    await until(async () => (await rows(page).count()) === want, "the address keeps the filter");
    quiet(page);
    await page.context().close();
  });

  test("a flow's own page has its figures", async () => {
    const flow = exported.filter(({ reason }) => reason === "end").sort((one, other) => other.bytes_total - one.bytes_total)[0];
    const page = await openPage(browser, `${url}#/flows/${flow.id}?page=1`);
    const text = async () => (await page.locator("article").textContent()).replaceAll(",", "");
    await until(async () => (await text()).includes(flow.community_id), "the flow is shown");
    const shown = await text();
    for (const value of [flow.id, flow.sni, flow.ja4, `${flow.packets_a_to_b}`, `${flow.packets_b_to_a}`, flow.interface]) assert.ok(shown.includes(value), `${value} in ${shown}`);
    assert.ok(shown.includes(`${flow.handshake_rtt_ms.toFixed(1)} ms`));
    quiet(page);
    await page.context().close();
  });

  test("packets of the file can be looked at, and saved as they are", async () => {
    const port = await freePort();
    const other = await startSensor(["-r", capture], port, "--web-role", "packets");
    const page = await openPage(browser, `http://127.0.0.1:${port}/#/packets?filter=port%3A53`, { acceptDownloads: true });
    const frames = framesOf(capture);
    await until(async () => (await rows(page).count()) > 10, "packets are listed");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as pcapng" }).click()]);
    const path = await download.path();
    const [shown] = /^[\d,]+/u.exec(await page.locator(".panel-head .muted").first().textContent());
    const saved = execFileSync("tcpdump", ["-nn", "-t", "-r", path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim().split("\n");
    assert.equal(saved.length, Number(shown));
    const again = execFileSync(binary, ["-r", path, "--report", "json"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    assert.equal(JSON.parse(again).packets, Number(shown));
    assert.ok(Number(shown) <= frames.length);
    quiet(page);
    await page.context().close();
    await other.end();
  });

  test("what is copied as netscopectl tells the same flows", async () => {
    const [port, grpc] = [await freePort(), await freePort()];
    const other = await startSensor(["-r", capture], port, "--grpc", "--grpc-port", String(grpc), "--grpc-socket", "");
    const page = await openPage(browser, `http://127.0.0.1:${port}/#/flows?scope=alive&order=packets&filter=${encodeURIComponent("-app:dns ip:10.0.0.0/8")}`, { permissions: ["clipboard-read", "clipboard-write"] });
    await rows(page).first().waitFor();
    await page.keyboard.press("n");
    await page.getByText("copied as netscopectl").first().waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const told = execFileSync("sh", ["-c", `${copied.replace(/^netscopectl/u, '"$NETSCOPECTL"')} -o json`],
      { encoding: "utf8", env: { ...process.env, NETSCOPECTL: client, NETSCOPE_SERVER: `127.0.0.1:${grpc}` } });
    assert.deepEqual(JSON.parse(told).map((flow) => String(flow.packets_total)), (await columns(page)).map(({ Packets }) => Packets), copied);
    quiet(page);
    await page.context().close();
    await other.end();
  });

  test("completion offers what the sensor has", async () => {
    const page = await openPage(browser, `${url}#/flows`);
    await page.locator("#filter").fill("app:");
    await page.getByRole("option").first().waitFor();
    assert.deepEqual((await page.getByRole("option").allTextContents()).map((text) => text.split(" ")[0]).sort(), ["dns", "tls"]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await until(async () => (await columns(page)).every(({ App }) => App === "tls"), "only TLS is shown");
    await page.locator("#filter").fill("port:99999");
    await page.keyboard.press("Escape");
    assert.match(await page.locator("#wrong").textContent(), /99999/u);
    quiet(page);
    await page.context().close();
  });

  test("who may not see packets is told why", async () => {
    const page = await openPage(browser, `${url}#/packets`);
    await page.locator(".problem").waitFor();
    assert.match(await page.locator(".problem").textContent(), /ROLE_TOO_LOW[^]*role packets/u);
    quiet(page);
    await page.context().close();
  });

  test("health: the sums close, and settings can be searched", async () => {
    const page = await openPage(browser, `${url}#/health`);
    await page.getByText("the sum closes").waitFor();
    assert.match(await page.locator(".ledger tfoot").textContent(), new RegExp(`${summary.ledger.received}`, "u"));
    await page.getByRole("searchbox").fill("flow.timeout_secs");
    assert.equal(await page.locator(".settings tbody tr").count(), 1);
    assert.match(await page.locator("section[aria-label=Inside]").textContent(), /dispatch.*Memory[\d.]+ MB/u);
    await page.locator("section[aria-label=Outputs]").getByText("alerts jsonl").waitFor();
    quiet(page);
    await page.context().close();
  });
});

describe("live traffic", () => {
  let sensor, url, feed, port, path;
  before(async () => {
    port = await freePort();
    path = fifo();
    feed = new Feed(path);
    feed.replay(framesOf(capture), 20);
    sensor = await startSensor(["-r", path], port, "--web-role", "packets", "--anomalies", "--web-packet-buffer", "20000"); // so that a held list stays whole
    url = `http://127.0.0.1:${port}/`;
  });
  after(async () => { await feed.end(); await sensor.end(); });

  test("figures move, and are those that were fed", async () => {
    const page = await openPage(browser, url);
    await live(page);
    await until(async () => /[1-9]/u.test((await cards(page))["Throughput"]), "a rate is shown");
    const counted = async () => Number((await page.locator(".card").nth(1).locator(".note").textContent()).replace(/\D/gu, ""));
    const least = feed.packets;
    await until(async () => (await counted()) >= least, "what was fed is counted");
    assert.ok((await counted()) <= feed.packets);
    quiet(page);
    await page.context().close();
  });

  test("a packet is taken apart, and its fields are marked in its bytes", async () => {
    const page = await openPage(browser, `${url}#/packets?filter=protocol%3Atcp`);
    await rows(page).nth(3).waitFor();
    await rows(page).nth(3).click();
    const field = page.locator("[role=treeitem]", { hasText: "Source port" });
    await field.click();
    const port = Number(await field.locator(".value").textContent());
    const marked = await page.locator(".octets .marked").allTextContents();
    assert.equal(parseInt(marked.join(""), 16), port);
    await page.locator(".octets span").nth(0).click();
    assert.match(await page.locator("[role=treeitem][aria-selected=true]").textContent(), /Destination/u);
    quiet(page);
    await page.context().close();
  });

  test("a recording is a file that tshark would read", async () => {
    const page = await openPage(browser, `${url}#/packets`);
    await rows(page).first().waitFor();
    await page.getByText("Record pcap").click();
    await page.getByLabel("BPF").fill("udp port 53");
    await page.getByRole("button", { name: "Record" }).click();
    await page.getByRole("button", { name: /Stop \([1-9.]+ k/u }).click({ timeout: 30000 });
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /Save/u }).click()]);
    const bytes = readFileSync(await download.path());
    assert.equal(bytes.readUInt32LE(0), 0x0a0d0d0a);
    for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) assert.equal(bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + bytes.readUInt32LE(at + 4) - 4));
    quiet(page);
    await page.context().close();
  });

  test("without frames nothing is drawn, and the next one catches up", async () => {
    const page = await openPage(browser, `${url}#/packets?filter=protocol%3Audp`);
    await rows(page).nth(5).waitFor();
    const first = async () => Number(await rows(page).first().locator("td").first().textContent());
    await page.evaluate(() => {
      globalThis.waiting = [];
      globalThis.drawNow = globalThis.requestAnimationFrame;
      globalThis.requestAnimationFrame = (draw) => globalThis.waiting.push(draw);
    });
    await page.waitForTimeout(300);
    const before = await first();
    await page.waitForTimeout(2500);
    assert.equal(await first(), before);
    assert.ok((await page.evaluate(() => globalThis.waiting.length)) <= 1);
    await page.evaluate(() => {
      globalThis.requestAnimationFrame = globalThis.drawNow;
      for (const draw of globalThis.waiting) draw(0);
    });
    await until(async () => (await first()) > before, "what came meanwhile is shown");
    quiet(page);
    await page.context().close();
  });

  test("an alert comes by itself, with its evidence", async () => {
    const page = await openPage(browser, `${url}#/alerts`);
    await live(page);
    feed.scan("10.66.0.9", "192.0.2.20");
    const row = rows(page).filter({ hasText: "10.66.0.9" });
    await row.waitFor();
    await row.click();
    const shown = page.locator("article");
    await shown.getByText("Silence just this").waitFor();
    const text = await shown.textContent();
    for (const part of ["60 different ports", "port_scan.unique_ports_threshold", "192.0.2.20", "10.66.0.9"]) assert.ok(text.includes(part), part);
    assert.match(await page.locator("[role=status]").textContent(), /connected|new alert/u);
    await page.getByRole("link", { name: "flow", exact: true }).first().click();
    await until(() => page.url().includes("community-id"), "a sample leads to its flow");
    quiet(page);
    await page.context().close();
  });

  test("records follow as flows leave, each once", async () => {
    const page = await openPage(browser, `${url}#/flows?scope=records&filter=ip%3A10.77.0.1`);
    await live(page);
    await page.getByText("No record has left yet").waitFor();
    for (let port = 1; port <= 5; port++) {
      feed.send(tcp("10.77.0.1", 5000 + port, "192.0.2.30", 80, 0x02));
      feed.send(tcp("192.0.2.30", 80, "10.77.0.1", 5000 + port, 0x14));
    }
    await until(async () => (await rows(page).count()) === 5, "five records");
    quiet(page);
    await page.context().close();
  });

  test("the order holds under the pointer, and goes on when it leaves", async () => {
    const page = await openPage(browser, `${url}#/flows?order=last-seen`);
    await rows(page).nth(2).waitFor();
    const first = await rows(page).first().textContent();
    await rows(page).first().hover();
    await page.locator(".held button").waitFor({ timeout: 15000 });
    assert.equal((await rows(page).first().textContent()).split(":")[0].replace(/^ended /u, ""), first.split(":")[0]);
    await page.mouse.move(5, 5);
    await page.locator(".held button").waitFor({ state: "hidden" });
    quiet(page);
    await page.context().close();
  });

  test("a restart of the sensor is a gap, and nothing is shown twice", async () => {
    const page = await openPage(browser, `${url}#/alerts`);
    await live(page);
    feed.scan("10.66.0.10", "192.0.2.21");
    await rows(page).filter({ hasText: "10.66.0.10" }).waitFor();
    await feed.end();
    await sensor.end();
    await page.locator(".link.disconnected").waitFor();
    assert.match(await page.locator(".link").textContent(), /disconnected.*old/u);
    await accessible(page, "disconnected");
    feed = new Feed(path);
    feed.replay(framesOf(capture), 20);
    sensor = await startSensor(["-r", path], port, "--web-role", "packets", "--anomalies", "--web-packet-buffer", "20000"); // so that a held list stays whole
    await page.locator(".link.live").waitFor({ timeout: 20000 });
    feed.scan("10.66.0.10", "192.0.2.21");
    await until(async () => (await rows(page).filter({ hasText: "10.66.0.10" }).count()) === 1, "the alert of the new start is there once");
    await page.goto(`${url}#/overview`);
    await until(async () => (await cards(page))["Alerts"] === "1 active", "one is active");
    quiet(page);
    await page.context().close();
  });

  test("keys alone are enough", async () => {
    const page = await openPage(browser, url);
    await live(page);
    await page.keyboard.press("2");
    await rows(page).nth(3).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await until(async () => (await page.locator("tr[aria-selected=true]").count()) === 1, "a row is selected");
    await page.keyboard.press("Enter");
    await page.locator("article.whole").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("article.whole").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.locator("dialog[open]").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await page.keyboard.press("5");
    await page.getByText("Ledger").first().waitFor();
    quiet(page);
    await page.context().close();
  });

  for (const width of [400, 2560])
    for (const scheme of ["dark", "light"])
      test(`no serious fault of access, and nothing beside the page: ${width} px, ${scheme}`, async () => {
        const page = await openPage(browser, url, { width, height: width === 2560 ? 1300 : 820, scheme });
        await live(page);
        for (const view of views) {
          await page.goto(`${url}#/${view}`);
          if (view !== "health" && view !== "alerts") await rows(page).first().waitFor();
          await page.waitForTimeout(pictures ? 1500 : 300);
          if (pictures) await page.screenshot({ path: join(pictures, `${view}-${width}-${scheme}.png`) });
          await accessible(page, view);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view} is wider than ${width} px`);
          if (view === "packets" || view === "flows") {
            await rows(page).first().click();
            await page.locator("article, .inspector-parts").waitFor({ timeout: 8000 }).catch(async (thrown) => { throw new Error(`${view} at ${page.url()}: ${(await page.locator("main").innerText()).slice(-900)}`, { cause: thrown }); });
            if (pictures) await page.screenshot({ path: join(pictures, `${view}-detail-${width}-${scheme}.png`) });
            await accessible(page, `${view}, one selected`);
          }
        }
        quiet(page);
        await page.context().close();
      });

  test("the overlay counts every tick", async () => {
    const page = await openPage(browser, `${url}?perf=1`);
    await live(page);
    await page.waitForTimeout(5000);
    const figures = JSON.parse(await page.locator(".perf").getAttribute("data-figures"));
    assert.ok(figures.ticks >= 20, JSON.stringify(figures));
    assert.ok(Math.abs(figures.offset_ms) < 1000);
    console.log("perf", JSON.stringify(figures));
    quiet(page);
    await page.context().close();
  });
});

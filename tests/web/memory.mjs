// Whether the page's memory stays flat: node tests/web/memory.mjs [MINUTES]. The heap after a collection, each half minute.
import { openPage, startBrowser } from "./browser.mjs";
import { Feed, framesOf } from "./feed.mjs";
import { fifo, freePort, root, startSensor } from "./sensor.mjs";

const minutes = Number(process.argv[2] ?? 10);
const path = fifo();
const feed = new Feed(path);
feed.replay(framesOf(`${root}/tests/captures/browsing.pcap`), 20);
const port = await freePort();
const sensor = await startSensor(["-r", path], port, "--web-role", "packets", "--anomalies");
const browser = await startBrowser();
const pages = {};
for (const view of ["overview", "flows", "packets"]) pages[view] = await openPage(browser, `http://127.0.0.1:${port}/#/${view}`);
for (let at = 0; at <= 2 * minutes; at++) {
  const told = [];
  for (const [view, page] of Object.entries(pages)) {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("HeapProfiler.collectGarbage");
    const { usedSize } = await cdp.send("Runtime.getHeapUsage");
    const { nodes } = await cdp.send("Memory.getDOMCounters");
    told.push(`${view} ${(usedSize / 1e6).toFixed(2)} MB ${nodes} nodes`);
    await cdp.detach();
  }
  console.log(`${(at / 2).toFixed(1)} min: ${told.join(", ")}`);
  await new Promise((done) => setTimeout(done, 30_000));
}
await browser.close();
await feed.end();
await sensor.end();

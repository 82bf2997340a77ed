// What `?perf=1` measures while SOMETHING feeds a FIFO: node tests/web/perf.mjs FIFO [SECONDS] [VIEW]; prints the figures each 5 s.
import { openPage, startBrowser } from "./browser.mjs";
import { freePort, startSensor } from "./sensor.mjs";

const [path, seconds = "30", view = "overview"] = process.argv.slice(2);
const port = await freePort();
const sensor = await startSensor(["-r", path], port, "--web-role", "packets");
const browser = await startBrowser();
const page = await openPage(browser, `http://127.0.0.1:${port}/?perf=1#/${view}`);
for (let at = 0; at < Number(seconds); at += 5) {
  await page.waitForTimeout(5000);
  const figures = JSON.parse((await page.locator(".perf").getAttribute("data-figures")) ?? "{}");
  console.log(await page.locator(".strip").innerText().then((text) => text.replaceAll("\n", " ")), JSON.stringify(figures));
}
console.log(page.complaints);
await browser.close();
await sensor.end("SIGKILL");

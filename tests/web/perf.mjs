// What `?perf=1` measures while tcpreplay sends as fast as asked: python3 tests/web/test_page.py tests/web/perf.mjs (as root).
// NETSCOPE_PPS (200000), NETSCOPE_SECONDS (40), NETSCOPE_VIEW (overview). Prints the figures each 5 s, and the first paint before.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { openPage, startBrowser } from "./browser.mjs";
import { freePort, root, startSensor } from "./sensor.mjs";

const { NETSCOPE_SENDER: sender, NETSCOPE_PPS: pps = "200000", NETSCOPE_SECONDS: seconds = "40", NETSCOPE_VIEW: view = "overview" } = process.env;
const port = await freePort();
const sensor = await startSensor(["-i", "in0"], port, "--web-role", "packets", "--packets", "never");
const browser = await startBrowser();
const cold = await openPage(browser, `http://127.0.0.1:${port}/`);
await cold.locator(".card").first().waitFor();
const painted = await cold.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
console.log(`first paint ${painted?.toFixed(0)} ms with a cold cache`);
await cold.context().close();
const traffic = spawn("ip", ["netns", "exec", sender, "tcpreplay", "--preload-pcap", `--pps=${pps}`, "--loop=0", "--unique-ip", "--intf1=out0", join(root, "tests/captures/browsing.pcap")], { stdio: "ignore" });
const page = await openPage(browser, `http://127.0.0.1:${port}/?perf=1#/${view}`);
for (let at = 0; at < Number(seconds); at += 5) {
  await page.waitForTimeout(5000);
  const figures = JSON.parse((await page.locator(".perf").getAttribute("data-figures")) ?? "{}");
  console.log(await page.locator(".strip").innerText().then((text) => text.replaceAll("\n", " ")), JSON.stringify(figures));
}
if (page.complaints.length > 0) console.log(page.complaints);
traffic.kill();
await browser.close();
await sensor.end("SIGKILL");

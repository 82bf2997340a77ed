// A sensor under live traffic with the page in front of it, until Ctrl-C: node tests/web/try.mjs [PORT]
import { Feed, framesOf } from "./feed.mjs";
import { fifo, freePort, root, startPage, startSensor } from "./sensor.mjs";

const port = Number(process.argv[2] ?? 8080);
const grpc = await freePort();
const path = fifo();
const feed = new Feed(path);
feed.replay(framesOf(`${root}/tests/captures/browsing.pcap`), Number(process.argv[3] ?? 1));
const sensor = await startSensor(path, grpc, "--grpc-role", "packets", "--anomalies");
const page = await startPage(grpc, port);
const attack = () => {
  feed.scan("10.66.0.9", "192.0.2.20");
  feed.flood("192.0.2.44", 443);
};
setTimeout(attack, 3000);
setInterval(attack, 240_000);
console.log(`http://127.0.0.1:${port}/ (grpc ${grpc})`);
process.on("SIGINT", async () => { await feed.end(); await page.end(); await sensor.end(); process.exit(0); });
process.on("SIGTERM", async () => { await feed.end(); await page.end(); await sensor.end(); process.exit(0); });

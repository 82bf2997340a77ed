// A sensor under live traffic that serves the page, until Ctrl-C: node tests/web/try.mjs [PORT] [SPEED]
import { Feed, framesOf } from "./feed.mjs";
import { fifo, root, startSensor } from "./sensor.mjs";

const port = Number(process.argv[2] ?? 8080);
const path = fifo();
const feed = new Feed(path);
feed.replay(framesOf(`${root}/tests/captures/browsing.pcap`), Number(process.argv[3] ?? 1));
const sensor = await startSensor(["-r", path], port, "--web-role", "packets", "--anomalies");
const attack = () => {
  feed.scan("10.66.0.9", "192.0.2.20");
  feed.flood("192.0.2.44", 443);
};
setTimeout(attack, 3000);
setInterval(attack, 240_000);
console.log(`http://127.0.0.1:${port}/`);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, async () => { await feed.end(); await sensor.end(); process.exit(0); });

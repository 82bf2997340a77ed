// The real sensor with the page that is built into it, for tests and for trying the page.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const binary = process.env.NETSCOPE_BINARY ?? join(root, "build/src/app/netscope");

export const freePort = () => new Promise((done) => {
  const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => done(port)); });
});

export async function until(holds, what, ms = 20000) {
  for (const end = Date.now() + ms; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${ms} ms passed: ${what}`);
}

export const listens = (port) => new Promise((done) => {
  const probe = connect(port, "127.0.0.1", () => { probe.destroy(); done(true); });
  probe.on("error", () => done(false));
});

/** A process whose output is kept; `end` ends it and waits. */
export class Process {
  constructor(command, args, folder = mkdtempSync(join(tmpdir(), "netscope-web-"))) {
    this.log = join(folder, "log");
    const log = openSync(this.log, "a");
    this.child = spawn(command, args, { stdio: ["ignore", log, log], env: { ...process.env, TZ: "UTC" } });
    this.ended = new Promise((done) => this.child.once("exit", done));
  }

  output() {
    return readFileSync(this.log, "utf8");
  }

  async end(signal = "SIGTERM") {
    this.child.kill(signal);
    await this.ended;
  }
}

/** A sensor that serves the page on this port of loopback. `input` is what it captures: ["-r", FILE] or ["-i", NAME]. */
export async function startSensor(input, port, ...more) {
  const sensor = new Process(binary, [...input, "--web", "--web-port", String(port), "--report", "none", ...more]);
  await until(async () => sensor.child.exitCode !== null || (await listens(port)), `the sensor listens: ${sensor.output()}`);
  if (sensor.child.exitCode !== null) throw new Error(sensor.output());
  return sensor;
}

export function fifo() {
  const path = join(mkdtempSync(join(tmpdir(), "netscope-web-")), "feed");
  execFileSync("mkfifo", [path]);
  return path;
}

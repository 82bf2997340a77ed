// A sensor and the development server in front of it, for tests and for trying the page.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = process.env.NETSCOPE_BINARY ?? join(root, "build/src/app/netscope");

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

const listens = (port) => new Promise((done) => {
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

export async function startSensor(capture, port, ...more) {
  const sensor = new Process(binary, ["-r", capture, "--grpc", "--grpc-port", String(port), "--grpc-socket", "", "--report", "none", ...more]);
  await until(async () => sensor.child.exitCode !== null || (await listens(port)), `the sensor listens: ${sensor.output()}`);
  if (sensor.child.exitCode !== null) throw new Error(sensor.output());
  return sensor;
}

export async function startPage(grpcPort, port, base = "/", ...more) {
  const page = new Process(process.execPath, [join(root, "web/tools/dev.mjs"), "--grpc", `127.0.0.1:${grpcPort}`, "--port", String(port), "--base", base, ...more]);
  await until(() => listens(port), `the page is served: ${page.output()}`);
  return page;
}

export function fifo() {
  const path = join(mkdtempSync(join(tmpdir(), "netscope-web-")), "feed");
  execFileSync("mkfifo", [path]);
  return path;
}

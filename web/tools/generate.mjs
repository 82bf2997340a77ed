// Makes src/wire/gen from ../proto. Needs protoc. The result is committed; tests/web/unit/rules.test.mjs compares.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const proto = join(web, "..", "proto");

export function generate(into) {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  const files = readdirSync(join(proto, "netscope/v1")).map((name) => `netscope/v1/${name}`);
  execFileSync("protoc", [
    "-I", proto,
    `--plugin=protoc-gen-es=${join(web, "node_modules/.bin/protoc-gen-es")}`,
    `--es_out=${into}`, "--es_opt=target=ts,import_extension=ts",
    ...files.sort(), "google/rpc/error_details.proto",
  ], { cwd: proto });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate(process.argv[2] ?? join(web, "src/wire/gen"));

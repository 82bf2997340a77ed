// What the sources keep to: floors, sizes, words that may not stand there, colours that can be read, messages of today's protos.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { sources, web } from "./load.mjs";

const floors = { format: 0, wire: 0, state: 1, parts: 2, views: 3 };
const folderOf = (path) => (path.includes("/") ? path.split("/")[0] : "views");

test("a folder imports from lower floors, or itself", () => {
  for (const [path, text] of sources())
    for (const [, from] of text.matchAll(/from "(\.[^"]+)"/gu)) {
      const target = folderOf(join(path, "..", from));
      const own = folderOf(path);
      assert.ok(target === own || floors[target] < floors[own], `${path} imports ${from}`);
    }
});

test("files are small, and without any, innerHTML, or a cast outside wire.ts", () => {
  for (const [path, text] of sources()) {
    assert.ok(text.split("\n").length <= 301, `${path} is longer than 300 lines`);
    const code = text.replace(/\/\/.*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|`[^`]*`/gu, "").replace(/>[^<>{}]*</gu, "><");
    assert.doesNotMatch(code, /\bany\b|innerHTML|dangerously|\beval\(/u, path);
    if (path !== "wire/wire.ts") assert.doesNotMatch(code.replace(/\bas const\b/gu, ""), /[\w)\]}] as [A-Za-z{]/u, path);
  }
});

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
const contrast = (one, other) => { const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b); return (high + 0.05) / (low + 0.05); };

test("colours can be read on every ground", () => {
  const css = readFileSync(join(web, "src/style/tokens.css"), "utf8");
  const themes = [...css.matchAll(/:root[^{]*\{([^}]*--bg[^}]*)\}/gu)].map(([, body]) => Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6})/gu)].map(([, name, value]) => [name, value])));
  assert.equal(themes.length, 2);
  const least = { 5: ["text", "muted", "accent", "ok", "loss", "medium", "high", "critical"], 3.9: ["series-1", "series-2", "series-3", "series-4"], 3.3: ["border"] };
  for (const theme of themes)
    for (const [bound, names] of Object.entries(least))
      for (const name of names)
        for (const ground of ["bg", "surface", "raised", "selected"])
          assert.ok(contrast(theme[name], theme[ground]) >= Number(bound), `${name} on ${ground}: ${contrast(theme[name], theme[ground]).toFixed(2)}`);
});

test("the lock file names no addresses, and dependencies have exact versions", () => {
  assert.doesNotMatch(readFileSync(join(web, "package-lock.json"), "utf8"), /"resolved"/u);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(web, "package.json"), "utf8"));
  const readme = readFileSync(join(web, "README.md"), "utf8");
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/u, name);
    assert.ok(readme.includes(`\`${name}\``), `${name} is not named in web/README.md`);
  }
});

test("the messages are those of the protos", (t) => {
  if (spawnSync("protoc", ["--version"]).error) return t.skip("protoc is missing");
  const fresh = mkdtempSync(join(tmpdir(), "netscope-gen-"));
  execFileSync(process.execPath, [join(web, "tools/generate.mjs"), fresh]);
  const told = spawnSync("diff", ["-r", fresh, join(web, "src/wire/gen")], { encoding: "utf8" });
  assert.equal(told.status, 0, `run npm run generate:\n${told.stdout.slice(0, 2000)}`);
});

test("the bundle stays under 150 kB, and asks nobody else", () => {
  execFileSync(process.execPath, [join(web, "tools/build.mjs")]);
  const dist = join(web, "dist");
  const files = readdirSync(dist);
  assert.ok(files.includes("index.html"));
  assert.ok(files.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name))).length, 0) < 150_000);
  const page = readFileSync(join(dist, "index.html"), "utf8");
  assert.doesNotMatch(page, /https?:|<style|<script>| style=| on\w+=|(?:src|href)="\//u);
  for (const [, name] of page.matchAll(/(?:src|href)="([^"]+)"/gu)) assert.match(name, /-[0-9a-f]{12}\.\w+$/u);
});

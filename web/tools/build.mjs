// Makes dist/: index.html and, under names with a hash of their content, script, style and icon. Nothing is fetched.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(web, "dist");

function named(stem, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const name = `${stem}-${hash}.${extension}`;
  writeFileSync(join(dist, name), content);
  return name;
}

async function bundle(entry) {
  const result = await build({
    entryPoints: [join(web, entry)], bundle: true, write: false, minify: true, format: "esm", target: ["es2022"],
    jsx: "automatic", jsxImportSource: "preact", legalComments: "none", charset: "utf8", logLevel: "warning",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return Buffer.from(result.outputFiles[0].contents);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const script = named("app", "js", await bundle("src/main.tsx"));
const style = named("app", "css", await bundle("src/style/app.css"));
const icon = named("icon", "svg", readFileSync(join(web, "src/style/icon.svg")));
const page = readFileSync(join(web, "src/index.html"), "utf8")
  .replace("{script}", script).replace("{style}", style).replace("{icon}", icon);
writeFileSync(join(dist, "index.html"), page);
const sizes = [script, style, icon, "index.html"].map((name) => [name, gzipSync(readFileSync(join(dist, name)), { level: 9 }).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [name, size] of sizes) console.log(`${name.padEnd(28)} ${(size / 1000).toFixed(1).padStart(6)} kB gzip`);
console.log(`${"total".padEnd(28)} ${(total / 1000).toFixed(1).padStart(6)} kB of 150`);
if (total > 150_000) {
  console.error("the bundle is larger than 150 kB compressed");
  process.exit(1);
}

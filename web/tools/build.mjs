// Makes dist/: index.html and, under names with a hash of their content, script, style and icon. Nothing is fetched.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    define: { LICENCES: JSON.stringify(notices), "process.env.NODE_ENV": '"production"' },
  });
  return Buffer.from(result.outputFiles[0].contents);
}

// The licences of what the bundle holds, which they want beside it.
function licences() {
  const { dependencies } = JSON.parse(readFileSync(join(web, "package.json"), "utf8"));
  const names = [...Object.keys(dependencies), "@preact/signals-core"].sort();
  return names.map((name) => {
    const folder = join(web, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = readFileSync(file ? join(folder, file) : join(web, "../proto/google/rpc/LICENSE"), "utf8"); // of Apache 2.0
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  }).join(`\n${"-".repeat(72)}\n\n`);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const notices = named("licences", "txt", licences());
const script = named("app", "js", await bundle("src/main.tsx"));
const style = named("app", "css", await bundle("src/style/app.css"));
const icon = named("icon", "svg", readFileSync(join(web, "src/style/icon.svg")));
const page = readFileSync(join(web, "src/index.html"), "utf8")
  .replace("{script}", script).replace("{style}", style).replace("{icon}", icon);
writeFileSync(join(dist, "index.html"), page);
const sizes = [script, style, icon, "index.html", notices].map((name) => [name, gzipSync(readFileSync(join(dist, name)), { level: 9 }).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [name, size] of sizes) console.log(`${name.padEnd(28)} ${(size / 1000).toFixed(1).padStart(6)} kB gzip`);
console.log(`${"total".padEnd(28)} ${(total / 1000).toFixed(1).padStart(6)} kB of 150`);
if (total > 150_000) {
  console.error("the bundle is larger than 150 kB compressed");
  process.exit(1);
}

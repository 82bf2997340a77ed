// A module of the page as Node can run it: bundled, since Node 18 reads no TypeScript.
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const web = join(dirname(fileURLToPath(import.meta.url)), "../../../web");
const { buildSync } = createRequire(join(web, "package.json"))("esbuild");

export async function load(name) {
  const result = buildSync({ entryPoints: [join(web, "src", name)], bundle: true, write: false, format: "esm", platform: "node",
    jsx: "automatic", jsxImportSource: "preact", logLevel: "error" });
  const path = join(mkdtempSync(join(tmpdir(), "netscope-web-")), "module.mjs");
  writeFileSync(path, result.outputFiles[0].contents);
  return import(pathToFileURL(path));
}

/** Our own sources: [path below src, text]. */
export function sources(folder = join(web, "src"), below = "") {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return path === "wire/gen" ? [] : sources(join(folder, entry.name), path);
    return /\.tsx?$/.test(entry.name) ? [[path, readFileSync(join(folder, entry.name), "utf8")]] : [];
  });
}

/** The plugin that writes `build.json` and the licences of what was bundled, beside the bundle. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

import type { Plugin } from "vite";

const ROOT = join(import.meta.dirname, "..");

/** What the bundle is made from, relative to `frontend/`. Folders are taken whole. */
const SOURCES = ["package-lock.json", "package.json", "src", "tools", "tsconfig.json", "vite.config.ts"];

function filesUnder(path: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const whole = join(path, entry.name);
    if (entry.isDirectory()) found.push(...filesUnder(whole));
    else found.push(whole);
  }
  return found;
}

/**
 * SHA-256 over names and bytes of all sources. tests/test_frontend_assets.py works it out the same way:
 * for every file, in the order of its name, the name, a zero byte, the SHA-256 of the bytes in hex, a line feed.
 */
export function digestOfSources(): string {
  const names = SOURCES.flatMap((name) => {
    const whole = join(ROOT, name);
    return name.includes(".") ? [whole] : filesUnder(whole);
  }).map((path) => relative(ROOT, path).split(sep).join("/"));
  const all = createHash("sha256");
  for (const name of names.sort()) {
    const bytes = createHash("sha256").update(readFileSync(join(ROOT, name))).digest("hex");
    all.update(`${name}\0${bytes}\n`);
  }
  return all.digest("hex");
}

/** The folder of the package that a bundled module belongs to, or null for our own. */
function packageOf(id: string): string | null {
  const at = id.lastIndexOf(`${sep}node_modules${sep}`);
  if (at < 0) return null;
  let folder = dirname(id.split("?")[0] ?? id);
  while (folder.length > at && !existsSync(join(folder, "package.json"))) folder = dirname(folder);
  while (folder.length > at) {
    const found = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: string; version?: string };
    if (found.name && found.version) return folder;
    folder = dirname(folder);
  }
  return null;
}

function licenceText(folder: string): string {
  const meta = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = readdirSync(folder).find((name) => /^licen[cs]e(\.|$)/i.test(name));
  if (!file) throw new Error(`${meta.name} ${meta.version} carries no licence text: it cannot be bundled`);
  const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
  return `${meta.name} ${meta.version}\nLicence: ${meta.license ?? "see below"}\n\n${text}\n`;
}

export function licences(ids: Iterable<string>): string {
  const folders = new Set<string>();
  for (const id of ids) {
    const folder = packageOf(id);
    if (folder) folders.add(folder);
  }
  const parts = [...folders].map(licenceText).sort();
  const line = "-".repeat(78);
  return [
    "The files beside this one contain code of the following libraries, under their own licences.",
    ...parts,
  ].join(`\n${line}\n\n`);
}

interface Entry {
  bytes: number;
  sha256: string;
}

const LICENCES = "THIRD-PARTY-LICENSES.txt";

function entry(content: Buffer): Entry {
  return { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
}

/**
 * `build.json` records what the files were made from and lists every file with its size and digest, so
 * that a test without Node notices what is stale.
 */
export function record(): Plugin {
  return {
    name: "regtech-record",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const source = licences(this.getModuleIds());
        this.emitFile({ type: "asset", fileName: LICENCES, source });
        const files: Record<string, Entry> = { [LICENCES]: entry(Buffer.from(source)) };
        for (const name of Object.keys(bundle).sort()) {
          const item = bundle[name];
          if (!item || name === LICENCES) continue;
          files[name] = entry(Buffer.from(item.type === "chunk" ? item.code : item.source));
        }
        const text = { sources: digestOfSources(), files };
        this.emitFile({
          type: "asset",
          fileName: "build.json",
          source: `${JSON.stringify(text, null, 2)}\n`,
        });
      },
    },
  };
}

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import { inject } from "vitest";
import type { PageAssets } from "../../src/report/page.ts";

/**
 * The page's script and style, built as by `npm run build`: in memory, by the first test file that needs
 * them.
 */
export async function builtAssets(): Promise<PageAssets> {
  const file = join(inject("genomes"), "page-assets.json");
  if (!existsSync(file)) {
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(await buildAssets()));
    renameSync(`${file}.${process.pid}`, file);
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

async function buildAssets(): Promise<PageAssets> {
  const built = await build({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    logLevel: "error",
    build: { write: false },
  });
  const { output } = ([built].flat() as Rolldown.RolldownOutput[])[0];
  const script = output.find((file) => file.fileName === "client.js");
  const style = output.find((file) => file.fileName === "client.css");
  if (script?.type !== "chunk" || style?.type !== "asset")
    throw new Error("vite made no client.js or client.css");
  return { script: script.code, style: String(style.source) };
}

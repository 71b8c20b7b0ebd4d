import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import type { PageAssets } from "../../src/report/page.ts";

/** The page's script and style, built in memory as by `npm run build`. */
export async function builtAssets(): Promise<PageAssets> {
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

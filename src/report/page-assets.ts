import { readPackageFile } from "../base/package.ts";
import type { PageAssets } from "./page.ts";

/** The page's script and style as the package ships them. */
export async function readPageAssets(): Promise<PageAssets> {
  const [script, style] = await Promise.all([
    readPackageFile("dist/report/client.js"),
    readPackageFile("dist/report/client.css"),
  ]);
  return { script, style };
}

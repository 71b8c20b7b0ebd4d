import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Opens a page from disk and records console errors and network requests. */
export async function openFromDisk(
  browser: Browser,
  folder: string,
  html: string,
  options: Parameters<Browser["newPage"]>[0] = {},
): Promise<{ opened: Page; complaints: string[] }> {
  const file = join(folder, `${createHash("sha1").update(html).digest("hex")}.html`);
  await writeFile(file, html);
  const opened = await browser.newPage(options);
  const complaints: string[] = [];
  opened.on("console", (message) => complaints.push(message.text()));
  opened.on("pageerror", (error) => complaints.push(error.message));
  opened.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href) complaints.push(`requested ${request.url()}`);
  });
  await opened.goto(pathToFileURL(file).href);
  return { opened, complaints };
}

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

export interface PageOptions {
  readonly javaScriptEnabled?: boolean;
  readonly bypassCSP?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: "light" | "dark";
}

/** Pages by the options that a page keeps for life; each new one starts processes of the browser. */
const pages = new WeakMap<Browser, Map<string, Page>>();

/**
 * Opens HTML from disk and records console errors and network requests. The page replaces the one opened
 * before it in the same browser.
 */
export async function openFromDisk(
  browser: Browser,
  folder: string,
  html: string,
  { viewport = { width: 1280, height: 720 }, colorScheme = "light", ...options }: PageOptions = {},
): Promise<{ opened: Page; complaints: string[] }> {
  const file = join(folder, `${createHash("sha1").update(html).digest("hex")}.html`);
  await writeFile(file, html);
  const kept = pages.get(browser) ?? new Map<string, Page>();
  pages.set(browser, kept);
  const key = JSON.stringify(options);
  const opened = kept.get(key) ?? (await browser.newPage(options));
  kept.set(key, opened);
  for (const event of ["console", "pageerror", "request"]) opened.removeAllListeners(event);
  await opened.goto("about:blank");
  await opened.setViewportSize(viewport);
  await opened.emulateMedia({ media: null, colorScheme });
  const complaints: string[] = [];
  opened.on("console", (message) => complaints.push(message.text()));
  opened.on("pageerror", (error) => complaints.push(error.message));
  opened.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href) complaints.push(`requested ${request.url()}`);
  });
  await opened.goto(pathToFileURL(file).href);
  return { opened, complaints };
}

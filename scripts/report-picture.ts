// Writes the README's picture: a screenshot of the top of the demo's report.
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { rejectArguments, scriptArguments } from "./arguments.ts";

const usage = "npx dart-eval demo && npx tsx scripts/report-picture.ts";
scriptArguments(usage, {});
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const report = at("dart-eval-demo/report.html");
if (!existsSync(report)) rejectArguments(`${report} does not exist`, usage);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage({ viewport: { width: 1360, height: 1120 }, colorScheme: "light" });
await page.goto(pathToFileURL(report).href);
await page.locator(".view.current").waitFor();
await page.screenshot({ path: at("docs/report.png") });
await browser.close();

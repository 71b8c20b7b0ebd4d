// Writes the README's picture: a screenshot of the top of the demo's report.
//   npx dart-eval demo && npx tsx scripts/report-picture.ts
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const page = await browser.newPage({ viewport: { width: 1360, height: 1120 }, colorScheme: "light" });
await page.goto(pathToFileURL(at("dart-eval-demo/report.html")).href);
await page.locator(".view.current").waitFor();
await page.screenshot({ path: at("docs/report.png") });
await browser.close();

import { expect, test } from "vitest";
import { anonymousMemory } from "../../src/base/process.ts";

test("anonymousMemory grows with written pages and is at most the resident set", async () => {
  const before = await anonymousMemory();
  const buffer = Buffer.alloc(64e6, 1);
  const after = await anonymousMemory();
  expect(after - before).toBeGreaterThan(48e6);
  expect(buffer[1000]).toBe(1);
  expect(after).toBeLessThanOrEqual(process.memoryUsage.rss() + 16e6);
});

import { homedir } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { cacheFolder } from "../../src/base/folder.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ["", "", `${homedir()}/.cache/dart-eval/digests`],
  ["", "/scratch/me", "/scratch/me/dart-eval/digests"],
  ["", "relative", `${homedir()}/.cache/dart-eval/digests`],
  ["/data/cache", "/scratch/me", "/data/cache/digests"],
])("DART_EVAL_CACHE=%j XDG_CACHE_HOME=%j", (own, xdg, folder) => {
  vi.stubEnv("DART_EVAL_CACHE", own);
  vi.stubEnv("XDG_CACHE_HOME", xdg);
  expect(cacheFolder("digests")).toBe(folder);
});

import { expect, test } from "vitest";
import { SETTINGS } from "../../src/evaluation/settings/catalogue.ts";
import { settingWords } from "../../src/report/setting-words.ts";

test.each(SETTINGS.map(({ name }) => name))("%s is told in words", (name) => {
  expect(settingWords(name)).toMatch(/^[A-Z].*\.$/);
});

test("a setting that is not known has no words", () => {
  expect(settingWords("another")).toBeUndefined();
  expect(settingWords("constructor")).toBeUndefined();
});

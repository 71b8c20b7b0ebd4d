import { expect, test } from "vitest";
import { SETTINGS } from "../../src/evaluation/settings/catalogue.ts";
import { settingDescription } from "../../src/report/panel-section.ts";

test.each(SETTINGS.map(({ name }) => name))("%s is told in words", (name) => {
  expect(settingDescription(name)).toMatch(/^[A-Z].*\.$/);
});

test("a setting that is not known has no words", () => {
  expect(settingDescription("another")).toBeUndefined();
  expect(settingDescription("constructor")).toBeUndefined();
});

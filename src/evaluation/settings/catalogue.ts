import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import type { NameOr } from "../tasks/catalogue.ts";
import { abInitio } from "./ab-initio.ts";
import { fineTuned } from "./fine-tuned.ts";
import { predicted } from "./predicted.ts";
import { probed } from "./probed.ts";
import type { Setting } from "./setting.ts";
import { zeroShot } from "./zero-shot.ts";
import { zeroShotEmbedding } from "./zero-shot-embedding.ts";

const CATALOGUE = [zeroShot, zeroShotEmbedding, probed, fineTuned, abInitio, predicted] as const;

/** Every setting, in the order in which they are listed. */
export const SETTINGS: readonly Setting[] = CATALOGUE;

/** Names of the catalogue's settings. */
export type SettingName = (typeof CATALOGUE)[number]["name"];

/**
 * A setting of the catalogue by its name.
 * @throws {InputError} with the known names
 */
export function settingNamed(name: NameOr<SettingName>): Setting {
  const found = SETTINGS.find((setting) => setting.name === name);
  if (found !== undefined) return found;
  throw new InputError(`there is no setting ${JSON.stringify(name)}`, {
    hint: namesHint(
      "settings",
      name,
      SETTINGS.map((setting) => setting.name),
    ),
  });
}

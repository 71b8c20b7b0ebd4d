import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import { abInitio } from "./ab-initio.ts";
import { fineTuned } from "./fine-tuned.ts";
import { predicted } from "./predicted.ts";
import { probed } from "./probed.ts";
import type { Setting } from "./setting.ts";
import { zeroShot } from "./zero-shot.ts";
import { zeroShotEmbedding } from "./zero-shot-embedding.ts";

/** Every setting, in the order in which they are listed. */
export const SETTINGS: readonly Setting[] = [
  zeroShot,
  zeroShotEmbedding,
  probed,
  fineTuned,
  abInitio,
  predicted,
];

/** Finds a setting by name. @throws {InputError} with the known names */
export function settingNamed(name: string): Setting {
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

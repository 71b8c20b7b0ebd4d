import type { PublicCheckpoint } from "../../models/language/card.ts";
import { SETTINGS } from "../settings/catalogue.ts";
import type { Setting } from "../settings/setting.ts";
import { TASKS } from "../tasks/catalogue.ts";
import { type Quirk, SHARED_QUIRKS } from "../tasks/quirks.ts";
import type { Task } from "../tasks/task.ts";

/**
 * Custom tasks, settings and model families. Names are looked up here first, then in the package's
 * catalogues.
 */
export interface CustomForms {
  readonly tasks?: readonly Task[];
  readonly settings?: readonly Setting[];
  readonly families?: readonly ModelFamily[];
}

/** Name and title of a model family in results. Cards of language models are families. */
export interface ModelFamily {
  readonly name: string;
  readonly title: string;
  readonly publishedAs?: string;
  readonly checkpoints?: readonly PublicCheckpoint[];
}

/** All tasks, custom ones first. */
export const allTasks = ({ tasks = [] }: CustomForms = {}): readonly Task[] => [...tasks, ...TASKS];

/** All settings, custom ones last: reports list them in this order. */
export const allSettings = ({ settings = [] }: CustomForms = {}): readonly Setting[] => [
  ...SETTINGS,
  ...settings,
];

/** All quirks by number, those of several tasks and each task's own: the contents of `docs/quirks.md`. */
export const allQuirks = (forms?: CustomForms): readonly Quirk[] =>
  [...SHARED_QUIRKS, ...allTasks(forms).flatMap(({ benchmark }) => benchmark?.quirks ?? [])].sort((a, b) =>
    a.label.localeCompare(b.label, "en", { numeric: true }),
  );

/** The task of this name; undefined for a task of another program. */
export const findTask = (name: string, forms?: CustomForms): Task | undefined =>
  allTasks(forms).find((task) => task.name === name);

/** The setting of this name; undefined for a setting of another program. */
export const findSetting = (name: string, { settings = [] }: CustomForms = {}): Setting | undefined =>
  [...settings, ...SETTINGS].find((setting) => setting.name === name);

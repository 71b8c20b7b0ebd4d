import type { Model } from "../../models/model.ts";
import type { Setting } from "../settings/setting.ts";
import type { Task, TaskSetting } from "../tasks/task.ts";

/** A model that a run evaluates as a control of its models. */
export interface ControlModel {
  readonly model: Model;
  /** Kind of control, noun phrase for plans and reports: "untrained twin of hyenadna-large-1m". */
  readonly control: string;
}

/**
 * Settings of a run with controls: the requested ones, and ab-initio, for its network alone, where another
 * setting trains.
 */
export function settingsWithControls(
  task: Task,
  requested: readonly Setting[],
  abInitio: Setting,
): readonly Setting[] {
  const trains = requested.some((setting) => setting.takesWeights === true);
  return !trains || requested.includes(abInitio) || task.settings[abInitio.name] === undefined
    ? requested
    : [...requested, abInitio];
}

/**
 * Controls of one setting of a task: without models that are evaluated anyway, and with the task's own
 * network.
 */
export function controlsFor(
  form: TaskSetting | undefined,
  controls: readonly ControlModel[],
  models: readonly Model[],
): readonly ControlModel[] {
  return controls.filter(({ model }) => {
    if (
      models.some(
        ({ name, identity }) =>
          name === model.name || (identity !== undefined && identity === model.identity),
      )
    ) {
      return false;
    }
    return model.network === undefined || form?.network === undefined || form.network === model.name;
  });
}

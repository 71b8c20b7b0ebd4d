import { CHROMOSOME_SPLIT } from "../../dna/genome/chromosome-split.ts";
import { NETWORKS } from "../../models/baselines/networks.ts";
import type { Model, OpenModelContext } from "../../models/model.ts";
import { openedModel, openModel } from "../../models/open-model.ts";
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

/** Options of `openControls`. */
export interface ControlsContext extends Omit<OpenModelContext, "trainChromosomes"> {
  /** Motifs in MEME format, for motif counts. */
  readonly motifs?: string | undefined;
  /** Seed of the twins' weights; default 0. */
  readonly seed?: number;
}

/** Order of the k-mer Markov model. */
const MARKOV_ORDER = 5;

/**
 * Opens the controls of models: a k-mer Markov model of order 5, fitted to the training chromosomes; motif
 * counts; the untrained networks of ab-initio; and for each model with `untrained` its twin, the same
 * architecture with initial weights. A run evaluates each where the setting supports it.
 *
 * @param models  of the run; those among them are not opened again
 * @returns       open models, which the caller closes, and notes on controls that are left out
 * @throws {InputError} as `openModel`
 */
export async function openControls(
  models: readonly Model[],
  { motifs, seed = 0, ...context }: ControlsContext,
): Promise<{ readonly controls: readonly ControlModel[]; readonly notes: readonly string[] }> {
  const controls: ControlModel[] = [];
  const notes: string[] = [];
  try {
    const { genome } = context;
    if (genome === undefined || !CHROMOSOME_SPLIT.train.some((name) => genome.chromosomes.has(name))) {
      notes.push("no k-mer Markov model as a control: it needs a genome with training chromosomes");
    } else {
      const model = await openModel(`kmer-markov:order=${MARKOV_ORDER}`, context);
      controls.push({ model, control: "k-mer Markov model" });
    }
    if (motifs === undefined) notes.push("no motif counts as a control: they need --motifs FILE");
    else
      controls.push({ model: await openModel(`motif-counts:${motifs}`, context), control: "motif counts" });
    for (const model of NETWORKS) controls.push({ model, control: "ab initio network" });
    for (const model of models) {
      if (model.untrained === undefined) continue;
      controls.push({
        model: openedModel(await model.untrained({ seed }), `${model.name}-untrained`),
        control: `untrained twin of ${model.name}, seed ${seed}`,
      });
    }
  } catch (error) {
    for (const { model } of controls) await model.close?.();
    throw error;
  }
  return { controls, notes };
}

import { counted } from "../../base/message-text.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import { benjaminiHochberg } from "../../metrics/false-discovery.ts";
import type { Estimate } from "../../metrics/intervals.ts";
import type { CustomForms } from "../runs/forms.ts";
import { mainEstimate } from "../tasks/intervals.ts";
import { finiteEstimate, finiteOrNull } from "../tasks/measurement.ts";
import { rowsDigest } from "../tasks/row-list.ts";
import type { MainStatistic } from "../tasks/task.ts";
import { comparedPairs, type JointModels, jointModels, tiersOf } from "./compared-pairs.ts";
import type {
  ComparedGroup,
  ComparedMetric,
  ComparedModel,
  ModelsCompared,
  SeparateModels,
} from "./comparison.ts";
import { rankingsOf } from "./rankings.ts";

/** A model of a group, before its rows are read. */
export interface Candidate {
  readonly name: string;
  /** Replaces the name where another candidate of the group has the same. */
  readonly longName: string;
  readonly family?: string;
  readonly identity: string;
  readonly folder: string;
  /** Number of evaluated rows. */
  readonly selected: number;
  /** The metric of all evaluated rows, where it is known; undefined: computed. */
  readonly result?: {
    readonly value: number | null;
    readonly why?: string;
    readonly estimate: Estimate | null;
  };
  /** Fields that a comparison lists where they differ, as text by dotted name. */
  readonly fields: ReadonlyMap<string, string>;
  /** Ascending numbers of the evaluated rows; the reason as text where they cannot be compared. */
  readonly rows: ArrayLike<number> | string;
  /** The main metric over blocks of some of the rows, ascending; the reason as text where it has none. */
  statisticOf(rows: ArrayLike<number>): Promise<MainStatistic | string>;
}

/** Task, data set, setting, protocol, data and metric that all models of a group share. */
export type GroupForm = Pick<
  ComparedGroup,
  "task" | "dataset" | "setting" | "protocol" | "data" | "metric"
> & {
  /** Seed of random draws, with the digest of the rows: text that identifies the group. */
  readonly key: string;
};

/** A group with the joint distribution of its models; undefined without two of them. */
export interface GroupDraft {
  readonly group: ComparedGroup;
  readonly joint: JointModels | undefined;
}

interface ModelDraft {
  readonly candidate: Candidate;
  readonly model: Omit<ComparedModel, "best" | "tier">;
  readonly statistic: MainStatistic | undefined;
}

/** Compares the models of a group on their common rows. */
export async function compareGroup(
  { key, ...form }: GroupForm,
  candidates: readonly Candidate[],
): Promise<GroupDraft> {
  const rows = rowsOfAll(candidates);
  const digest = rowsDigest(rows);
  const drafts: ModelDraft[] = [];
  for (const candidate of candidates) drafts.push(await draftModel(candidate, rows, form.metric, candidates));
  const worth = ({ model: { value } }: ModelDraft) => signedValue(value, form.metric);
  drafts.sort((a, b) => worth(b) - worth(a) || (a.model.label < b.model.label ? -1 : 1));
  const joint = jointModels(
    drafts.flatMap(({ model: { label, name }, statistic }) =>
      statistic === undefined ? [] : [{ label, name, statistic }],
    ),
    form.metric.better,
    new Pcg64(seedOf([key, digest])),
  );
  const pairs =
    joint === undefined ? [] : comparedPairs(joint, rows.length, new Pcg64(seedOf([key, digest, "pairs"])));
  const tiers = joint === undefined ? [] : tiersOf(joint, pairs);
  const shared = candidates.some(({ selected }) => selected !== rows.length);
  return {
    joint,
    group: {
      ...form,
      rows: {
        compared: rows.length,
        digest,
        ...(shared ? { shared } : {}),
        blocks: joint?.jackknife.blocks.sizes.length ?? 0,
      },
      models: drafts.map(({ model }) => {
        const place = joint?.labels.indexOf(model.label) ?? -1;
        return { ...model, best: joint?.best[place] ?? null, tier: tiers[place] ?? null };
      }),
      pairs,
      differing: differingFields(drafts),
      notes: shared
        ? [
            `Models were evaluated on different rows; they are compared on the ${counted(rows.length, "row")} that all of them share.`,
            `Fewest rows: ${fewestRows(candidates)}. To compare the others on more rows, give their cell folders.`,
          ]
        : [],
    },
  };
}

/** The comparison of groups, with false-discovery rates over all pairs and ranks over groups. */
export function comparisonOf(
  drafts: readonly GroupDraft[],
  separate: readonly SeparateModels[],
  forms?: CustomForms,
): ModelsCompared {
  const q = benjaminiHochberg(drafts.flatMap(({ group }) => group.pairs.map(({ p }) => p ?? Number.NaN)));
  let pair = 0;
  const groups = drafts.map(
    ({ group }): ComparedGroup => ({
      ...group,
      pairs: group.pairs.map((one) => ({ ...one, q: finiteOrNull(q[pair++]) })),
    }),
  );
  const joint = drafts.map((draft) => draft.joint);
  return {
    format: "dart-eval comparison",
    formatVersion: 1,
    groups,
    separate,
    rankings: rankingsOf(groups, joint, forms),
  };
}

/** The candidates with the fewest rows: `caduceus (4 rows)`. */
function fewestRows(candidates: readonly Candidate[]): string {
  const least = Math.min(...candidates.map(({ selected }) => selected));
  const names = candidates.filter(({ selected }) => selected === least).map(({ name }) => name);
  return `${names.join(", ")} (${counted(least, "row")})`;
}

/** Row numbers that all candidates have, ascending. */
function rowsOfAll(candidates: readonly Candidate[]): Uint32Array {
  const [first, ...others] = candidates.flatMap(({ rows }) => (typeof rows === "string" ? [] : [rows]));
  if (first === undefined) return new Uint32Array(0);
  const sets = others.map((rows) => new Set(Array.from(rows)));
  return Uint32Array.from(first).filter((row) => sets.every((rows) => rows.has(row)));
}

async function draftModel(
  candidate: Candidate,
  rows: Uint32Array,
  metric: ComparedMetric,
  candidates: readonly Candidate[],
): Promise<ModelDraft> {
  const { name, longName, family, identity, folder, selected, result } = candidate;
  const common = {
    label: candidates.filter((other) => other.name === name).length === 1 ? name : longName,
    name,
    ...(family === undefined ? {} : { family }),
    identity,
    folder,
    rows: selected,
  };
  const without = (why: string): ModelDraft => ({
    candidate,
    model: { ...common, value: result?.value ?? null, estimate: result?.estimate ?? null, why },
    statistic: undefined,
  });
  if (typeof candidate.rows === "string") return without(candidate.rows);
  if (metric.better === "neither") return without("the task does not rank models by its main metric");
  if (rows.length === 0) return without("it has no row in common with the other models");
  const statistic = await candidate.statisticOf(rows);
  if (typeof statistic === "string") return without(statistic);
  const estimate = mainEstimate(statistic);
  const value =
    result !== undefined && rows.length === selected ? result.value : finiteOrNull(estimate.value);
  if (value === null) return without(result?.why ?? "the metric is undefined on these rows");
  return { candidate, model: { ...common, value, estimate: finiteEstimate(estimate) }, statistic };
}

function signedValue(value: number | null, { better }: ComparedMetric): number {
  if (value === null) return -Number.MAX_VALUE;
  return better === "lower" ? -value : value;
}

/** Fields with more than one value, by label of the model. */
function differingFields(drafts: readonly ModelDraft[]): ComparedGroup["differing"] {
  const names = [...new Set(drafts.flatMap(({ candidate }) => [...candidate.fields.keys()]))];
  return names.flatMap((field) => {
    const values = drafts.map(({ candidate }) => candidate.fields.get(field) ?? "none");
    if (new Set(values).size < 2) return [];
    return [{ field, values: Object.fromEntries(drafts.map(({ model }, i) => [model.label, values[i]])) }];
  });
}

import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { stableStringify } from "../../base/json.ts";
import { type FileOrigin, fileOriginSchema } from "../../datasets/sources/origin.ts";
import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { Protocol } from "../../models/model.ts";
import { TRAINING_DEVICES, type TrainingKind } from "../../net/runtime/device.ts";
import { REDUCED_PRECISIONS, type ReducedPrecision } from "../../net/runtime/precision.ts";
import type { SettingName } from "../settings/catalogue.ts";
import type { NameOr, TaskName } from "../tasks/catalogue.ts";
import { type CustomForms, findTask } from "./forms.ts";

/** Version of the engine in identities; raised by changes of the engine that change results. */
export const IDENTITY_VERSION = 1;

/**
 * Task × model × setting with everything that changes the result. Batch size, number of shards and device of
 * inference are not part of a cell.
 */
export interface Cell {
  readonly identityVersion: number;
  readonly task: NameOr<TaskName>;
  readonly taskVersion: number;
  /** Name of the data set, for a task with several: a cell line, a study. */
  readonly dataset?: string;
  /** Bases per sequence, if they are more than the task's window. */
  readonly context?: number;
  readonly model: {
    readonly name: string;
    /** `Model.identity`; null for a model without one, which its name alone identifies. */
    readonly identity: string | null;
    /** `Model.scoreRounding`, if the model declares it. */
    readonly scoreRounding?: number;
  };
  readonly setting: NameOr<SettingName>;
  readonly protocol: Protocol;
  readonly seed: number;
  readonly split: Split;
  /** Maximum number of rows; null: all. */
  readonly limit: number | null;
  /** Maximum number of rows per stratum; absent: no strata. */
  readonly sample?: Readonly<Record<string, number>>;
  /** Half-width of the main metric's interval at which scoring ends; absent: all rows are scored. */
  readonly untilWidth?: number;
  readonly recipe: Readonly<Record<string, string | number | boolean | null>>;
  /** SHA-256 of the trained weights that the cell evaluates instead of training. */
  readonly weights?: string;
  /** Device of a cell that trains; absent: the CPU. */
  readonly trainedOn?: TrainingKind;
  /** Precision of the model's forward pass; absent: float32, or that of a model without a choice. */
  readonly precision?: ReducedPrecision;
  /** SHA-256 of every input, by input name. */
  readonly data: Readonly<Record<string, string>>;
}

/** Rows of a cell: known when the run is planned, checked when it is merged. */
export interface CellRows {
  /** Rows in the whole table, every chromosome. */
  readonly inTable: number;
  /** Rows that this cell scores. */
  readonly selected: number;
  /**
   * Rows of the plan, in a result whose scoring ended before at a narrow interval; absent: the selected ones.
   */
  readonly planned?: number;
  /** SHA-256 of the selected row numbers, ascending, one per line. */
  readonly digest: string;
}

/** Contents of cell.json. */
export interface CellRecord {
  readonly identity: string;
  readonly cell: Cell;
  readonly rows: CellRows;
  /** The model's family, if any. Not part of the identity. */
  readonly family?: string;
  /**
   * Kind of control, if the run evaluates the model as one: "k-mer Markov model". Not part of the identity.
   */
  readonly control?: string;
  /**
   * Path of the weights when the run was planned, shortened by `shortenPaths`. Not part of the identity,
   * which has their digest.
   */
  readonly weightsFile?: string;
  /** The model's published checkpoint; see `Model.checkpoint`. Not part of the identity. */
  readonly checkpoint?: string;
  /** Origins of the input files, by input name. Not part of the identity. */
  readonly origins?: Readonly<Record<string, FileOrigin>>;
}

/** SHA-256 of a cell: equal on every machine, different whenever the result may differ. */
export function cellIdentity(cell: Cell): string {
  return sha256Hex(stableStringify(cell));
}

/** Name of a cell's folder: the first eight hexadecimal digits of its identity. */
export function cellName(identity: string): string {
  return identity.slice(0, 8);
}

/** SHA-256 over the cells of a run, in any order: runs with the same identity share a folder. */
export function runIdentity(identities: readonly string[]): string {
  return sha256Hex([...identities].sort().join("\n"));
}

/** `chromatin-activity`, or with data set and context: `chromatin-activity K562 8192 bp`. */
export function taskTitle({ task, dataset, context }: Pick<Cell, "task" | "dataset" | "context">): string {
  return [task, dataset, contextText(context)].filter((part) => part !== undefined).join(" ");
}

/** `8192 bp`; undefined for the task's own window. */
export const contextText = (context: number | undefined): string | undefined =>
  context === undefined ? undefined : `${context} bp`;

/** `regulatory-elements × hyenadna × zero-shot`, followed by `in int8`, for messages. */
export function cellTitle(cell: Cell): string {
  const precision = cell.precision === undefined ? "" : ` in ${cell.precision}`;
  return `${taskTitle(cell)} × ${cell.model.name} × ${cell.setting}${precision}`;
}

/** Name in `Cell.data` of an input of another task, which the model was trained on. */
export const trainingData = (task: string, input: string) => `${task} ${input}`;

/**
 * Digests of the evaluated data: without annotations, and without the data that another task trained with.
 */
export function evaluatedData(
  { task, data }: Pick<Cell, "task" | "data">,
  forms?: CustomForms,
): Cell["data"] {
  const inputs = findTask(task, forms)?.inputs ?? [];
  const annotations = inputs.flatMap(({ name, annotation }) => (annotation ? [name] : []));
  return Object.fromEntries(
    Object.entries(data).filter(([name]) => !name.includes(" ") && !annotations.includes(name)),
  );
}

const digest = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");

export const cellRecordSchema = z.object({
  identity: digest,
  cell: z.object({
    identityVersion: z.int(),
    task: z.string(),
    taskVersion: z.int(),
    dataset: z.string().exactOptional(),
    context: z.int().positive().exactOptional(),
    model: z.object({
      name: z.string(),
      identity: z.string().nullable(),
      scoreRounding: z.number().nonnegative().exactOptional(),
    }),
    setting: z.string(),
    protocol: z.enum(["paper", "corrected"]),
    seed: z.int(),
    split: z.enum(["train", "val", "test", "all"]),
    limit: z.int().positive().nullable(),
    sample: z.record(z.string(), z.int().positive()).exactOptional(),
    untilWidth: z.number().positive().exactOptional(),
    recipe: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    weights: digest.exactOptional(),
    trainedOn: z.enum(TRAINING_DEVICES).exactOptional(),
    precision: z.enum(REDUCED_PRECISIONS).exactOptional(),
    data: z.record(z.string(), z.string()),
  }),
  rows: z.object({
    inTable: z.int().nonnegative(),
    selected: z.int().positive(),
    planned: z.int().positive().exactOptional(),
    digest,
  }),
  family: z.string().exactOptional(),
  control: z.string().exactOptional(),
  weightsFile: z.string().exactOptional(),
  checkpoint: z.string().exactOptional(),
  origins: z.record(z.string(), fileOriginSchema).exactOptional(),
});

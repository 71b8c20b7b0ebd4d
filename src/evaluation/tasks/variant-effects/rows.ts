import { basename } from "node:path";
import { cachedDigest } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import { kindOfPath } from "../../../base/folder.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import { AFRICAN_CAQTLS, YORUBAN_DSQTLS } from "../../../datasets/sources/catalogue.ts";
import { fileOrigin } from "../../../datasets/sources/origin.ts";
import { checkVariants, leftOutText, SCORE_COLUMN } from "../../../datasets/variants/check.ts";
import type { Finding } from "../../../datasets/variants/checks/finding.ts";
import { readExportedEffects, readVariants } from "../../../datasets/variants/read.ts";
import {
  isEvaluated,
  type VariantRow,
  type VariantTable,
  variantTable,
} from "../../../datasets/variants/table.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { modelSequenceOf, NO_BASE } from "../../../dna/sequence/encoding.ts";
import { alleleWindows, type ReferenceAllele, type Variant } from "../../../dna/sequence/variant.ts";
import { widened } from "../context.ts";
import { openGenomeTable, tableRows } from "../genome-table.ts";
import { isRows, missingInputError, numberedRows, textInput } from "../inputs.ts";
import { tableDigest } from "../table-rows.ts";
import type { OpenOptions, OpenTask, Task } from "../task.ts";
import type { Example } from "../task-rows.ts";
import { factsOf, type OriginalStatus, type StoredVariantFacts } from "./scores.ts";
import { openTraining, type TrainingInputs } from "./training.ts";

/** Inputs of Task 5. */
export type VariantEffectsInputs = TrainingInputs & {
  /** Path of the table, or rows. */
  readonly variants: string | readonly VariantRow[];
  /** Genome of the table's assembly. */
  readonly genome?: string | Genome | undefined;
  /** Name of the study. Default: from the file's origin or name. */
  readonly dataset?: string | undefined;
  /** Path of DART-Eval's data.h5 of this task, whose effect sizes replace the table's. */
  readonly effects?: string | undefined;
};

/**
 * Opens a table of variants and its genome, and checks them against each other; findings become the run's
 * notes.
 */
export async function openVariants(
  task: Task,
  inputs: VariantEffectsInputs,
  { context }: Pick<OpenOptions, "context">,
): Promise<OpenTask<StoredVariantFacts>> {
  const { effects, dataset, "cell-line": cellLine } = inputs;
  const variants = await withExportedEffects(await readTable(task, inputs.variants), effects);
  const surroundings = new SurroundingsOfRows();
  const table = await openGenomeTable({
    task,
    genome: inputs.genome,
    read: async () => tableRows(variants.rows),
    digest: () => ({ variants: variantsDigest(variants) }),
    place: ({ position, line }: VariantRow) => ({
      start: position,
      end: position + 1,
      name: "the variant",
      at: { file: variants.path, line },
    }),
    exampleOf(row, chromosome, bases) {
      const pair = alleleCodes(chromosome, row, context);
      if (bases) return exampleOf(row, variants, pair, pair);
      surroundings.keep(row, pair);
      return exampleOf(row, variants, pair);
    },
    knownExample(row) {
      const known = surroundings.of(row);
      return known && exampleOf(row, variants, known);
    },
  });
  try {
    const { findings } = await checkVariants(variants, table.genome);
    const training = await openTraining(inputs, table.genome, context);
    return {
      ...widened(task, context),
      digests: {
        ...table.digests,
        ...(effects === undefined ? {} : { effects: await cachedDigest(effects) }),
      },
      dataset: dataset === undefined ? await nameOf(variants) : textInput(task, "dataset", dataset),
      ...(cellLine === undefined ? {} : { cellLine: textInput(task, "cell-line", cellLine) }),
      notes: [...leftOutNotes(variants), ...findings.map((found) => noteOf(variants, found))],
      ...(training === undefined ? {} : { training }),
      select: table.select,
      stratumOf: (row) => stratumOf(table.rows.rowsOf(Uint32Array.of(row))[0]),
      examples: table.examples,
      async close() {
        await training?.close();
        await table.close();
      },
    };
  } catch (error) {
    await table.close();
    throw error;
  }
}

async function readTable(task: Task, variants: VariantEffectsInputs["variants"]): Promise<VariantTable> {
  if (isRows(variants)) return variantTable("variants", numberedRows("variants", variants));
  if (typeof variants !== "string") throw missingInputError(task, "variants");
  if (await isProcessedFile(variants)) throw exportedVariants(variants);
  return readVariants(variants, { extra: SCORE_COLUMN });
}

async function withExportedEffects(table: VariantTable, effects: string | undefined): Promise<VariantTable> {
  if (effects === undefined) return table;
  const sizes = await readExportedEffects(effects, table);
  return { ...table, rows: table.rows.map((row) => ({ ...row, allele2Effect: sizes[row.index] })) };
}

/** Quirks Q23 and Q41: DART-Eval's export of this task lacks what an evaluation needs. */
function exportedVariants(file: string): InputError {
  return new InputError(
    "this is DART-Eval's data.h5, which cannot be evaluated: its is_causal states which variants are used and not which are significant, its effect sizes differ from the tables', and it has no positions",
    {
      place: { file },
      hint: "give the table itself, Afr.CaQTLS.tsv or yoruban.dsqtls.benchmarking.tsv, and its genome: dart-eval data fetch --task 5; data.h5 joins the first as effects",
    },
  );
}

/**
 * The study's name if the digest identifies its file, else the file's name: any table may have the study's
 * columns.
 */
async function nameOf({ path }: VariantTable): Promise<string> {
  const { source } = (await kindOfPath(path)) === "file" ? await fileOrigin(path) : {};
  if (source === "african-caqtls") return AFRICAN_CAQTLS;
  if (source === "yoruban-dsqtls") return YORUBAN_DSQTLS;
  const name = basename(path).replace(/\.(tsv|txt|vcf|gz|bgz)(?=\.|$)/g, "");
  return name.replace(/[^\p{L}\p{N} ._+()-]/gu, "_").slice(0, 60) || "variants";
}

const leftOutNotes = ({ path, leftOut }: VariantTable) =>
  leftOut === 0 ? [] : [`${basename(path)}: ${leftOutText(leftOut)}.`];

const noteOf = ({ path }: VariantTable, { kind, level, what, examples, fix }: Finding) =>
  `${basename(path)}: ${what} (${level}, ${kind}; ${examples.map(({ line, text }) => `line ${line} ${text}`).join(", ")}). ${sentence(fix)}`;

const sentence = (text: string) => `${text[0].toUpperCase()}${text.slice(1)}.`;

const variantsDigest = ({ rows, form, favours }: VariantTable) =>
  tableDigest(
    rows,
    (row) => [
      row.index,
      row.chrom,
      row.position,
      row.allele1,
      row.allele2,
      row.significant,
      row.used,
      row.inPeaks,
      row.effect,
      row.p,
    ],
    [`${form} ${favours}`],
  );

function stratumOf(row: VariantRow): string | undefined {
  if (!isEvaluated(row) || row.significant === undefined) return undefined;
  return row.significant ? "significant" : "control";
}

/** Facts of a variant that depend on the genome. */
type Surroundings = Pick<AlleleCodes, "reference" | "original" | "unknown">;

/**
 * Surroundings by row, for models that read no bases and evaluate the same rows repeatedly. Few of them
 * differ.
 */
class SurroundingsOfRows {
  private readonly known = new Map<number, Surroundings>();
  private readonly distinct = new Map<string, Surroundings>();

  of({ index }: VariantRow): Surroundings | undefined {
    return this.known.get(index);
  }

  keep({ index }: VariantRow, { reference, original, unknown }: Surroundings): void {
    const key = `${reference} ${original} ${unknown}`;
    const shared = this.distinct.get(key) ?? { reference, original, unknown };
    this.distinct.set(key, shared);
    this.known.set(index, shared);
  }
}

const NO_LETTERS = ["", ""] as const;

/** @param pair  the alleles' windows; without them sequences are empty */
function exampleOf(
  row: VariantRow,
  { form, favours }: VariantTable,
  { reference, original, unknown }: Surroundings,
  pair?: AlleleCodes,
): Example<StoredVariantFacts> {
  const { chrom, position, allele1, allele2, significant, used, inPeaks, effect, allele2Effect, p } = row;
  return {
    row: row.index,
    sequences:
      pair === undefined ? NO_LETTERS : [modelSequenceOf(pair.allele1), modelSequenceOf(pair.allele2)],
    ...(pair !== undefined && unknown > 0 ? { codes: [pair.allele1, pair.allele2] } : {}),
    ...(allele1.length === allele2.length ? {} : { aligned: false }),
    facts: factsOf({
      chrom,
      start: position,
      end: position + 1,
      allele1,
      allele2,
      reference,
      original,
      form,
      favours,
      significant,
      used,
      inPeaks,
      effect,
      allele2Effect,
      p,
      unknown,
    }),
  };
}

/** Bases of a window. */
export const VARIANT_WINDOW = 2114;

/** 0-based position of the variant in its window. */
const VARIANT_AT = VARIANT_WINDOW / 2;

/**
 * Windows of a variant's alleles as base codes (0 A, 1 C, 2 G, 3 T, 4 no base), and its facts from the
 * genome.
 */
export interface AlleleCodes {
  readonly allele1: Uint8Array;
  readonly allele2: Uint8Array;
  readonly reference: ReferenceAllele;
  readonly original: OriginalStatus;
  /** Positions of the window with allele 1 without a base: N, or off the chromosome. */
  readonly unknown: number;
}

/**
 * Windows around a variant with either allele: the original's for single bases; `alleleWindows` documents
 * those of longer alleles.
 *
 * @param chromosome  upper-case ASCII
 * @param width       bases of a window
 */
export function alleleCodes(
  chromosome: Uint8Array,
  variant: Variant,
  width: number = VARIANT_WINDOW,
): AlleleCodes {
  const { first, second, reference } = alleleWindows(chromosome, variant, width);
  let unknown = 0;
  for (const code of first) if (code === NO_BASE) unknown++;
  return {
    allele1: first,
    allele2: second,
    reference,
    original: originalStatus(chromosome, variant),
    unknown,
  };
}

function originalStatus(chromosome: Uint8Array, { position, allele1, allele2 }: Variant): OriginalStatus {
  if (position < VARIANT_AT || position >= chromosome.length) return "refused";
  if (allele1.length !== 1 || allele2.length !== 1) return "refused";
  const letter = String.fromCharCode(chromosome[position]);
  return letter === allele1 || letter === allele2 ? "ok" : "neither";
}

import { basename } from "node:path";
import { cachedDigest } from "../../../base/cached-digest.ts";
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
import { isInSplit } from "../../../dna/genome/chromosome-split.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../../dna/genome/interval.ts";
import { modelLettersOf, NO_BASE } from "../../../dna/sequence/encoding.ts";
import { alleleWindows, type ReferenceAllele, type Variant } from "../../../dna/sequence/variant.ts";
import { genomeInput, missingInputError, textInput } from "../inputs.ts";
import { numbersOf, pickRows, rowsByNumber, rowsPerChromosome, tableDigest } from "../table-rows.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task, TaskInputs } from "../task.ts";
import { factsOf } from "./scores.ts";
import { openTraining } from "./training.ts";

/** Opens a table of variants and its genome, and checks one against the other: what is found stands in the run's notes. */
export async function openVariants(task: Task, inputs: TaskInputs): Promise<OpenTask> {
  const { effects } = inputs;
  const table = await withExportedEffects(await tableOf(task, inputs), effects);
  const given = await genomeInput(task, inputs);
  const { genome } = given;
  try {
    const { findings } = await checkVariants(table, genome);
    const training = await openTraining(inputs, genome);
    const rowsOf = rowsByNumber(table.rows);
    const examples = new VariantExamples(table, genome);
    return {
      task,
      digests: {
        variants: variantsDigest(table),
        genome: await genome.digest(),
        ...(typeof effects === "string" ? { effects: await cachedDigest(effects) } : {}),
      },
      dataset: inputs.dataset === undefined ? await nameOf(table) : textInput(task, inputs, "dataset"),
      ...(inputs["cell-line"] === undefined ? {} : { cellLine: textInput(task, inputs, "cell-line") }),
      notes: [...leftOutNotes(table), ...findings.map((found) => noteOf(table, found))],
      ...(training === undefined ? {} : { training }),
      select: (selection) => select(table, genome, selection),
      stratumOf: (row) => stratumOf(rowsOf(Uint32Array.of(row))[0]),
      examples: (rows, { letters } = { letters: true }) => examples.of(rowsOf(rows), letters),
      async close() {
        await training?.close();
        await given.close();
      },
    };
  } catch (error) {
    await given.close();
    throw error;
  }
}

async function tableOf(task: Task, { variants }: TaskInputs): Promise<VariantTable> {
  if (typeof variants === "string") {
    if (await isProcessedFile(variants)) throw exportedVariants(variants);
    return readVariants(variants, { extra: SCORE_COLUMN });
  }
  if (!Array.isArray(variants)) throw missingInputError(task, "variants");
  const rows = variants as readonly VariantRow[];
  rows.forEach(({ index }, i) => {
    if (Number.isSafeInteger(index) && index > (rows[i - 1]?.index ?? -1)) return;
    throw new InputError(`entry ${i} of the variants has the index ${String(index)}`, {
      hint: "`index` is the row's number in the whole table: whole, not negative, and rising",
    });
  });
  return variantTable("variants", rows);
}

async function withExportedEffects(table: VariantTable, effects: TaskInputs[string]): Promise<VariantTable> {
  if (typeof effects !== "string") return table;
  const sizes = await readExportedEffects(effects, table);
  return { ...table, rows: table.rows.map((row) => ({ ...row, allele2Effect: sizes[row.index] })) };
}

/** Quirks Q23 and Q41: what DART-Eval exported for this task cannot be evaluated. */
function exportedVariants(file: string): InputError {
  return new InputError(
    "this is DART-Eval's data.h5, which cannot be evaluated: it does not say which variants are significant (its is_causal says which are used), its effect sizes differ from those of the tables, and it has no positions",
    {
      place: { file },
      hint: "give the table itself, Afr.CaQTLS.tsv or yoruban.dsqtls.benchmarking.tsv, and its genome: dart-eval data fetch --task 5; data.h5 joins the first as effects",
    },
  );
}

/** The study's name where the digest shows that the file is the study's, else the file's: any table may have its columns. */
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

function select({ rows, path }: VariantTable, genome: Genome, { split, limit }: Selection): SelectedRows {
  const numbers = pickRows(numbersOf(rows.filter(({ chrom }) => isInSplit(chrom, split))), limit);
  const selected = rowsByNumber(rows)(numbers);
  for (const row of selected) checkPlace(row, path, genome);
  const lengths = selected.map(({ chrom }) => genome.chromosomes.get(chrom)!);
  // The genome keeps one chromosome while it fetches the next.
  const memory = 2 * lengths.reduce((most, length) => Math.max(most, length), 0);
  return { rows: numbers, inTable: rows.length, perChromosome: rowsPerChromosome(rows), memory };
}

function stratumOf(row: VariantRow): string | undefined {
  if (!isEvaluated(row) || row.significant === undefined) return undefined;
  return row.significant ? "significant" : "control";
}

function checkPlace({ chrom, position, line }: VariantRow, path: string, genome: Genome) {
  const length = genome.chromosomes.get(chrom);
  const place = { file: path, line };
  if (length === undefined) throw missingChromosomeError(chrom, genome.chromosomes.keys(), place);
  if (position < length) return;
  throw new InputError(
    `position ${position + 1} lies beyond the end of ${chrom}, which has ${length} bases in ${genome.path}`,
    { place, hint: "was the table made for another version of the genome? Try dart-eval check variants" },
  );
}

/** What the genome makes of a variant. */
type Surroundings = Pick<AlleleCodes, "reference" | "original" | "unknown">;

/** Examples in the order given, made chromosome by chromosome, since a genome keeps the last one asked for. */
class VariantExamples {
  /** By the row's number; few differ. Models that read no letters ask for the same rows again and again. */
  private readonly known = new Map<number, Surroundings>();
  private readonly distinct = new Map<string, Surroundings>();

  constructor(
    private readonly table: VariantTable,
    private readonly genome: Genome,
  ) {}

  async of(rows: readonly VariantRow[], letters: boolean): Promise<readonly Example[]> {
    const examples = new Array<Example>(rows.length);
    const places = new Map<string, number[]>();
    rows.forEach((row, i) => {
      const known = letters ? undefined : this.known.get(row.index);
      if (known !== undefined) examples[i] = exampleOf(row, this.table, known);
      else if (places.has(row.chrom)) places.get(row.chrom)!.push(i);
      else places.set(row.chrom, [i]);
    });
    for (const [chrom, here] of places) {
      const chromosome = await this.genome.chromosome(chrom);
      for (const i of here) {
        const pair = alleleCodes(chromosome, rows[i]);
        if (!letters) this.remember(rows[i].index, pair);
        examples[i] = exampleOf(rows[i], this.table, pair, letters ? pair : undefined);
      }
    }
    return examples;
  }

  private remember(row: number, { reference, original, unknown }: Surroundings): void {
    const key = `${reference} ${original} ${unknown}`;
    if (!this.distinct.has(key)) this.distinct.set(key, { reference, original, unknown });
    this.known.set(row, this.distinct.get(key)!);
  }
}

const NO_LETTERS = ["", ""] as const;

/** @param pair  the alleles' windows; without them the sequences are empty texts */
function exampleOf(
  row: VariantRow,
  { form, favours }: VariantTable,
  { reference, original, unknown }: Surroundings,
  pair?: AlleleCodes,
): Example {
  const { chrom, position, allele1, allele2, significant, used, inPeaks, effect, allele2Effect, p } = row;
  return {
    row: row.index,
    sequences: pair === undefined ? NO_LETTERS : [modelLettersOf(pair.allele1), modelLettersOf(pair.allele2)],
    ...(pair !== undefined && unknown > 0 ? { codes: [pair.allele1, pair.allele2] } : {}),
    ...(allele1.length === allele2.length ? {} : { aligned: false }),
    facts: factsOf({
      ...{ chrom, start: position, end: position + 1, allele1, allele2, reference, original },
      ...{ form, favours, significant, used, inPeaks, effect, allele2Effect, p, unknown },
    }),
  };
}

/** Letters of a window, and where the variant stands in it. */
export const VARIANT_WINDOW = 2114;
const VARIANT_AT = VARIANT_WINDOW / 2;

/**
 * What the original makes of a variant. "ok"; "neither": neither allele is the reference, and both are put in its place
 * (quirk Q21; alleles in lower case count as other letters there); "refused": it stops with an error, since an allele has more
 * than one base (quirk Q20) or the window begins before the chromosome (quirk Q19).
 */
export type OriginalStatus = "ok" | "neither" | "refused";

/** A variant's two windows as base codes (0 A, 1 C, 2 G, 3 T, 4 no base), and what is to be known of them. */
export interface AlleleCodes {
  readonly allele1: Uint8Array;
  readonly allele2: Uint8Array;
  readonly reference: ReferenceAllele;
  readonly original: OriginalStatus;
  /** Bases of the window with allele 1 that are none: N, or off the chromosome. */
  readonly unknown: number;
}

/**
 * The 2,114 bases around a variant with either allele. For single bases these are the original's windows; those of longer
 * alleles are told at `alleleWindows`.
 *
 * @param chromosome  upper-case ASCII letters
 */
export function alleleCodes(chromosome: Uint8Array, variant: Variant): AlleleCodes {
  const { first, second, reference } = alleleWindows(chromosome, variant, VARIANT_WINDOW);
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

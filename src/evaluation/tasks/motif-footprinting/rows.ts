import { sha256Hex } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import { counted } from "../../../base/message-text.ts";
import { readExportedFootprints } from "../../../datasets/motif-footprinting/exported-footprints.ts";
import {
  type Footprints,
  footprintsOf,
  readFootprints,
  STRANDS,
} from "../../../datasets/motif-footprinting/footprint-file.ts";
import type { FootprintLine } from "../../../datasets/motif-footprinting/footprints.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import { readMotifFamilies } from "../../../dna/motifs/motif.ts";
import { isRows, missingInputError } from "../inputs.ts";
import { rowListOf } from "../row-list.ts";
import { pickRows } from "../table-rows.ts";
import type { OpenTask, Task } from "../task.ts";
import type { Example, SelectedRows, Selection, SequenceFile } from "../task-rows.ts";

/** Inputs of Task 2. */
export type MotifFootprintingInputs = {
  /** Path of the sequences or of DART-Eval's data.h5, or lines. */
  readonly footprints: string | readonly FootprintLine[];
  /** Path of an annotation of the motifs. */
  readonly families?: string | undefined;
  /** Path of the motifs of data.h5, which does not name them. */
  readonly motifs?: string | undefined;
};

/** Facts of a row of Task 2. */
export type FootprintFacts = {
  readonly background: number;
  readonly motif: string;
  readonly strand: string;
  /** Family of the transcription factor, if annotated. */
  readonly family?: string;
};

/** Descriptions of the facts. */
export const FOOTPRINT_FACTS = {
  motif: "transcription factor motif",
  family: "family of the transcription factor",
  strand: "strand",
  background: "0-based number of the background sequence",
};

/** @throws {InputError} when an input is missing, cannot be read, or does not fit the others */
export async function openMotifFootprinting(
  task: Task,
  { footprints: given, families: annotation, motifs }: MotifFootprintingInputs,
): Promise<OpenTask<FootprintFacts>> {
  const footprints = await footprintsInput(task, given, motifs);
  const families = annotation === undefined ? undefined : await readMotifFamilies(annotation);
  if (annotation !== undefined && families !== undefined) checkFamilies(annotation, families, footprints);
  return {
    task,
    digests: {
      footprints: footprints.digest,
      ...(families === undefined ? {} : { families: familiesDigest(footprints.motifs, families) }),
    },
    select: (selection) => select(task, footprints, selection),
    examples: async (rows) => Array.from(rows, (row) => exampleOf(task, row, footprints, families)),
    sequenceFile: sequenceFileOf(footprints),
    async close() {},
  };
}

async function footprintsInput(
  task: Task,
  input: MotifFootprintingInputs["footprints"],
  motifs: string | undefined,
): Promise<Footprints> {
  if (typeof input === "string" && (await isProcessedFile(input))) {
    return readExportedFootprints(input, motifs);
  }
  if (motifs !== undefined) {
    throw new InputError("motifs are given, but the footprints already name theirs", {
      hint: "leave the motifs out: only data.h5 needs them",
    });
  }
  if (typeof input === "string") return readFootprints(input);
  if (isRows(input)) return footprintsOf(input);
  throw missingInputError(task, "footprints");
}

/**
 * Refuses an annotation that covers none of the motifs, such as another collection's or another version's.
 */
function checkFamilies(file: string, families: ReadonlyMap<string, string>, { motifs }: Footprints): void {
  if (motifs.some((motif) => families.has(motif))) return;
  const [known] = families.keys();
  throw new InputError(`the annotation covers none of the ${counted(motifs.length, "motif")}`, {
    place: { file },
    hint: `it has ${known}, the footprints have ${motifs[0]}: are they of one collection? Motifs of data.h5 need "motifs" for their names`,
  });
}

/** Digest of the families of the footprints' motifs. */
function familiesDigest(motifs: readonly string[], families: ReadonlyMap<string, string>): string {
  return sha256Hex(motifs.map((motif) => `${motif}\t${families.get(motif) ?? ""}`).join("\n"));
}

function select(task: Task, { backgrounds, motifs }: Footprints, { split, limit }: Selection): SelectedRows {
  if (split !== "all") {
    throw new InputError(`${task.name} has no ${split} split: its backgrounds have no positions`, {
      hint: "leave the split out, or choose all",
    });
  }
  const inTable = backgrounds * motifs.length * STRANDS.length;
  const rows = rowListOf(inTable, (start, end) =>
    Uint32Array.from({ length: end - start }, (_, i) => start + i),
  );
  return { rows: pickRows(rows, limit), inTable, perChromosome: new Map(), memory: 0 };
}

/** Background, motif and strand of a row; rows are ordered by background, then motif, then strand. */
function placeOf(row: number, { motifs }: Footprints) {
  const perBackground = STRANDS.length * motifs.length;
  return {
    background: Math.floor(row / perBackground),
    motif: Math.floor((row % perBackground) / STRANDS.length),
    strand: row % STRANDS.length,
  };
}

function exampleOf(
  task: Task,
  row: number,
  footprints: Footprints,
  families: ReadonlyMap<string, string> | undefined,
): Example<FootprintFacts> {
  const { background, motif, strand } = placeOf(row, footprints);
  const name = footprints.motifs[motif];
  const family = families?.get(name);
  return {
    row,
    sequences: task.members.map((_, member) => footprints.sequence(lineOf(row, member, footprints))),
    facts: {
      background,
      motif: name,
      strand: STRANDS[strand],
      ...(family === undefined ? {} : { family }),
    },
  };
}

/** Lines of a background: its two strands, then four for each motif. */
const linesOf = ({ motifs }: Footprints) => 2 + 4 * motifs.length;

function lineOf(row: number, member: number, footprints: Footprints): number {
  const { background, motif, strand } = placeOf(row, footprints);
  const first = background * linesOf(footprints);
  return member === 0 ? first + strand : first + 2 + 4 * motif + 2 * strand + member - 1;
}

/** The file's lines, which the original embeds in their order. */
function sequenceFileOf(footprints: Footprints): SequenceFile {
  const { lines, motifs } = footprints;
  return {
    lines,
    lineOf: (row, member) => lineOf(row, member, footprints),
    at: async (wanted) =>
      wanted.map((line) => {
        const first = Math.floor(line / linesOf(footprints)) * STRANDS.length * motifs.length;
        const place = line % linesOf(footprints);
        const bases = footprints.sequence(line);
        // All motifs share a background; the first represents them.
        if (place < 2) return { bases, row: first + place, member: 0 };
        return { bases, row: first + Math.floor((place - 2) / 2), member: 1 + (place % 2) };
      }),
  };
}

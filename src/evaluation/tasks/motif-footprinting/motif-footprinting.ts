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
import { missingInputError } from "../inputs.ts";
import { asKind } from "../prediction.ts";
import { pickRows } from "../table-rows.ts";
import type { Example, OpenTask, SelectedRows, Selection, SequenceFile, Task, TaskInputs } from "../task.ts";
import { FOOTPRINTS_BENCHMARK } from "./benchmark.ts";
import { publishedMotifs } from "./breakdowns.ts";
import { measureFootprintDistances, measureFootprintScores } from "./measure.ts";

const publishedTable = { name: "motifs.tsv", text: publishedMotifs };

/**
 * Task 2: neutral sequences with a transcription factor's motif in their middle, against the same with the motif's letters
 * in another order. A row is a background, a motif and a strand.
 *
 * Inputs: `footprints`, a file's path, lines, or DART-Eval's data.h5; `families`, an annotation of the motifs, which is
 * optional; `motifs`, which names those of data.h5.
 */
export const motifFootprinting: Task = {
  name: "motif-footprinting",
  number: 2,
  version: 1,
  title: "Motif footprinting",
  asks: "Is a transcription factor's motif told from the same letters in another order?",
  source:
    "DART-Eval task 2 (Patel et al. 2024, arXiv:2412.05430): HOCOMOCO v12 CORE in dinucleotide-shuffled backgrounds",
  window: 350,
  members: ["background", "true", "shuffled"],
  inputs: [
    {
      name: "footprints",
      what: "motifs and their shuffles in neutral backgrounds (dart-eval build motif-footprinting), or DART-Eval's data.h5",
    },
    {
      name: "families",
      what: "an annotation with the columns Motif and TF family, such as HOCOMOCO's H12CORE_motifs.tsv",
      optional: true,
      annotation: true,
    },
    {
      name: "motifs",
      what: "with data.h5, which does not name its motifs: the file in MEME's format that they come from; they are numbered without it",
      optional: true,
    },
  ],
  settings: {
    "zero-shot": { recipe: { score: "log-likelihood" }, defaultSplit: "all", publishedTable },
    "zero-shot-embedding": {
      recipe: {
        answer: "distance",
        pooling: "bases",
        extractionBatchSize: 64,
        order: "file",
        bothOrders: false,
      },
      byProtocol: { paper: { order: "text", bothOrders: true } },
      byFamily: { "nucleotide-transformer": { extractionBatchSize: 32 } },
      defaultSplit: "all",
      measure: measureFootprintDistances,
      scores: {
        columns: ["idx", "true_distance", "shuffled_distance"],
        line(prediction) {
          const { row, values } = asKind("distance", prediction);
          return [row, ...values];
        },
      },
      publishedTable,
    },
  },
  open: openMotifFootprinting,
  measure: measureFootprintScores,
  scores: {
    columns: ["idx", "background_score", "true_score", "shuffled_score"],
    line(prediction) {
      const { row, values } = asKind("likelihood", prediction);
      return [row, ...values];
    },
  },
  benchmark: FOOTPRINTS_BENCHMARK,
};

async function openMotifFootprinting({
  footprints: given,
  families: annotation,
  motifs,
}: TaskInputs): Promise<OpenTask> {
  const footprints = await footprintsInput(given, motifs);
  const families = typeof annotation === "string" ? await readMotifFamilies(annotation) : undefined;
  if (annotation !== undefined && families === undefined)
    throw missingInputError(motifFootprinting, "families");
  if (families !== undefined) checkFamilies(String(annotation), families, footprints);
  const digests = {
    footprints: footprints.digest,
    ...(families === undefined ? {} : { families: familiesDigest(footprints.motifs, families) }),
  };
  const sequenceFile = sequenceFileOf(footprints);
  return {
    task: motifFootprinting,
    digests,
    select: (selection) => select(footprints, selection),
    examples: async (rows) => Array.from(rows, (row) => exampleOf(row, footprints, families)),
    sequenceFile,
    async close() {},
  };
}

async function footprintsInput(input: TaskInputs[string], motifs: TaskInputs[string]): Promise<Footprints> {
  if (motifs !== undefined && typeof motifs !== "string")
    throw missingInputError(motifFootprinting, "motifs");
  const exported = typeof input === "string" && (await isProcessedFile(input));
  if (exported) return readExportedFootprints(input, motifs);
  if (motifs !== undefined) {
    throw new InputError("motifs are given, and the footprints name theirs already", {
      hint: "leave the motifs out: only data.h5 needs them",
    });
  }
  if (typeof input === "string") return readFootprints(input);
  if (Array.isArray(input)) return footprintsOf(input as readonly FootprintLine[]);
  throw missingInputError(motifFootprinting, "footprints");
}

/** An annotation of another collection, or another version of it, would be left unused without a word. */
function checkFamilies(file: string, families: ReadonlyMap<string, string>, { motifs }: Footprints): void {
  if (motifs.some((motif) => families.has(motif))) return;
  const [known] = families.keys();
  throw new InputError(`the annotation has a family of none of the ${counted(motifs.length, "motif")}`, {
    place: { file },
    hint: `it has ${known}, and the footprints have ${motifs[0]}: are they of one collection? Motifs of data.h5 have names only with "motifs" beside it`,
  });
}

/** Digest of what is said of the motifs that there are. */
function familiesDigest(motifs: readonly string[], families: ReadonlyMap<string, string>): string {
  return sha256Hex(motifs.map((motif) => `${motif}\t${families.get(motif) ?? ""}`).join("\n"));
}

function select({ backgrounds, motifs }: Footprints, { split, limit }: Selection): SelectedRows {
  if (split !== "all") {
    throw new InputError(
      `the task ${motifFootprinting.name} has no ${split} split: its backgrounds lie on no chromosome`,
      {
        hint: "leave the split out, or choose all",
      },
    );
  }
  const inTable = backgrounds * motifs.length * STRANDS.length;
  const rows = Uint32Array.from({ length: inTable }, (_, row) => row);
  return { rows: pickRows(rows, limit), inTable, perChromosome: new Map(), memory: 0 };
}

/** What a row is: background by background, in each motif by motif, of each both strands. */
function placeOf(row: number, { motifs }: Footprints) {
  const perBackground = STRANDS.length * motifs.length;
  return {
    background: Math.floor(row / perBackground),
    motif: Math.floor((row % perBackground) / STRANDS.length),
    strand: row % STRANDS.length,
  };
}

function exampleOf(
  row: number,
  footprints: Footprints,
  families: ReadonlyMap<string, string> | undefined,
): Example {
  const { background, motif, strand } = placeOf(row, footprints);
  const name = footprints.motifs[motif];
  const family = families?.get(name);
  return {
    row,
    sequences: motifFootprinting.members.map((_, member) =>
      footprints.sequence(lineOf(row, member, footprints)),
    ),
    facts: {
      background,
      motif: name,
      strand: STRANDS[strand],
      ...(family === undefined ? {} : { family }),
    },
  };
}

/** Lines of a background: both strands as they are, then four for each motif. */
const linesOf = ({ motifs }: Footprints) => 2 + 4 * motifs.length;

function lineOf(row: number, member: number, footprints: Footprints): number {
  const { background, motif, strand } = placeOf(row, footprints);
  const first = background * linesOf(footprints);
  return member === 0 ? first + strand : first + 2 + 4 * motif + 2 * strand + member - 1;
}

/** The file is what the original embedded, line after line. */
function sequenceFileOf(footprints: Footprints): SequenceFile {
  const { lines, motifs } = footprints;
  return {
    lines,
    lineOf: (row, member) => lineOf(row, member, footprints),
    at: async (wanted) =>
      wanted.map((line) => {
        const first = Math.floor(line / linesOf(footprints)) * STRANDS.length * motifs.length;
        const place = line % linesOf(footprints);
        const letters = footprints.sequence(line);
        // A background belongs to every motif; the first stands for them.
        if (place < 2) return { letters, row: first + place, member: 0 };
        return { letters, row: first + Math.floor((place - 2) / 2), member: 1 + (place % 2) };
      }),
  };
}

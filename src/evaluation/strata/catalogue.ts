import { InputError } from "../../base/errors.ts";
import { namesHint } from "../../base/message-text.ts";
import { type Genome, openGenome } from "../../dna/genome/genome.ts";
import { readMotifs } from "../../dna/motifs/meme.ts";
import type { FactStratification, TaskStratification } from "../tasks/stratification.ts";
import { stratificationName } from "../tasks/stratification.ts";
import type { Task } from "../tasks/task.ts";
import { bedColumn, ccreClass, tfFamily, tssDistance } from "./annotation-values.ts";
import { gcContent, inMotif, repeats } from "./genome-values.ts";
import { type OpenStratification, withoutPositions } from "./rows.ts";
import { tableColumn } from "./table-column.ts";

/** Files that stratifications read, by the names of the options of `dart-eval strata`. */
export interface StrataFiles {
  /** FASTA or 2bit: the genome of the run. */
  readonly genome?: string;
  /** GTF, GFF3 or BED with transcription start sites. */
  readonly tss?: string;
  /** ENCODE's candidate cis-regulatory elements in BED. */
  readonly ccres?: string;
  /** Motifs in MEME format. */
  readonly motifs?: string;
  /** Annotation of motifs with the columns Motif and TF family. */
  readonly families?: string;
}

/** Names of the options for these files. */
export type StrataFile = keyof StrataFiles;

interface CatalogueEntry {
  readonly name: string;
  /** Noun phrase for help texts. */
  readonly description: string;
  readonly needs: readonly StrataFile[];
  open(sources: StrataSources, over?: "window"): Promise<OpenStratification>;
}

/** Properties of genomic rows and of motifs, by name. */
export const STRATIFICATIONS: readonly CatalogueEntry[] = [
  { name: "chromosome", description: "chromosome", needs: [], open: async () => chromosome },
  {
    name: "gc",
    description: "GC content, in quartiles",
    needs: ["genome"],
    open: async (sources, over) => gcContent(await sources.genome(), over),
  },
  {
    name: "repeats",
    description: "share of soft-masked bases",
    needs: ["genome"],
    open: async (sources, over) => repeats(await sources.genome(), over),
  },
  {
    name: "tss",
    description: "distance to the nearest transcription start site",
    needs: ["tss"],
    open: ({ files }) => tssDistance(given(files, "tss")),
  },
  {
    name: "ccre-class",
    description: "ENCODE class: promoter-like, enhancer-like, CTCF only",
    needs: ["ccres"],
    open: ({ files }) => ccreClass(given(files, "ccres")),
  },
  {
    name: "in-motif",
    description: "variants in a motif, with either allele, and outside",
    needs: ["genome", "motifs"],
    async open(sources) {
      const path = given(sources.files, "motifs");
      const { motifs } = await readMotifs(path);
      return inMotif(await sources.genome(), motifs, path);
    },
  },
  {
    name: "tf-family",
    description: "family of the transcription factor of a motif",
    needs: [],
    open: ({ files }) => tfFamily(files.families),
  },
];

const chromosome: OpenStratification = {
  name: "chromosome",
  title: "chromosome",
  refuses: withoutPositions,
  async valuesOf({ predictions }) {
    const chrom = predictions.factReader("chrom");
    return { values: Array.from({ length: predictions.length }, (_, i) => String(chrom(i))) };
  },
};

/** Opens files once for all stratifications. */
export class StrataSources implements AsyncDisposable {
  private opened: Promise<Genome> | undefined;

  constructor(readonly files: StrataFiles) {}

  /** @throws {InputError} when no genome is given, or as `openGenome` */
  genome(): Promise<Genome> {
    this.opened ??= openGenome(given(this.files, "genome"));
    return this.opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A genome that could not be opened has thrown in `genome`.
    const [opened] = await Promise.allSettled([this.opened]);
    if (opened.status === "fulfilled") await opened.value?.close();
  }
}

function given(files: StrataFiles, name: StrataFile): string {
  const path = files[name];
  if (path !== undefined) return path;
  throw new InputError(`a file is missing: --${name}`);
}

/** A requested stratification that is not open yet. */
export interface RequestedStratification {
  readonly name: string;
  /** Files that are not given. */
  readonly missing: readonly StrataFile[];
  /** Undefined for a stratification that does not apply to rows of this task. */
  open(task: Task, sources: StrataSources): Promise<OpenStratification | undefined>;
}

/** Names that a task's stratifications have in addition to the catalogue's. */
const ownName = (task: Task, name: string): TaskStratification | undefined =>
  task.stratifications?.find((form) => stratificationName(form) === name);

/** A path of a table with a column: `peaks.bed`, `peaks.bed:4`, `table.tsv:MAF`. */
const TABLE = /^(.+\.(bed|narrowpeak|broadpeak|tsv|txt)(?:\.b?gz)?)(?::([^:]+))?$/i;

/**
 * Finds a stratification by the text that a user writes: a name of the catalogue or of a task, `file.bed`,
 * `file.bed:COLUMN` with a 1-based column, or `table.tsv:COLUMN` with a column's name.
 *
 * @param tasks  tasks of the run
 * @throws {InputError} when the text has another form or an unknown name; lists the known names
 */
export function requestedStratification(
  text: string,
  tasks: readonly Task[],
  files: StrataFiles,
): RequestedStratification {
  const entry = STRATIFICATIONS.find(({ name }) => name === text);
  if (entry !== undefined) {
    return {
      name: text,
      missing: entry.needs.filter((name) => files[name] === undefined),
      async open(task, sources) {
        const own = ownName(task, text);
        return entry.open(sources, own !== undefined && "use" in own ? own.over : undefined);
      },
    };
  }
  const ofTasks = tasks.map((task) => ownName(task, text)).find((form) => form !== undefined);
  if (ofTasks !== undefined) {
    return {
      name: text,
      missing: [],
      async open(task) {
        const own = ownName(task, text);
        return own === undefined || "use" in own ? undefined : ofFacts(own);
      },
    };
  }
  const table = tableStratification(text);
  if (table !== undefined) return table;
  const known = [
    ...STRATIFICATIONS.map(({ name }) => name),
    ...tasks.flatMap((task) => (task.stratifications ?? []).map(stratificationName)),
  ];
  throw new InputError(`there is no stratification ${JSON.stringify(text)}`, {
    hint: `${namesHint("names", text, [...new Set(known)])}; or file.bed:COLUMN, table.tsv:COLUMN`,
  });
}

function tableStratification(text: string): RequestedStratification | undefined {
  const [, path, ending, column] = TABLE.exec(text) ?? [];
  if (path === undefined) return undefined;
  if (/^(tsv|txt)$/i.test(ending)) {
    if (column === undefined) {
      throw new InputError(`${text} does not name a column`, { hint: "write table.tsv:COLUMN" });
    }
    return { name: text, missing: [], open: once(() => tableColumn(path, column)) };
  }
  const number = column === undefined ? undefined : Number(column);
  if (number !== undefined && !(Number.isSafeInteger(number) && number >= 4)) {
    throw new InputError(`${text}: the column is ${JSON.stringify(column)}`, {
      hint: "columns of a BED file are numbered from 1, and the first three are the interval: file.bed:4",
    });
  }
  return { name: text, missing: [], open: once(() => bedColumn(path, number)) };
}

/** A function that computes its result once. */
function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return () => {
    known ??= compute();
    return known;
  };
}

function ofFacts(form: FactStratification): OpenStratification {
  const { name, title, edges } = form;
  return {
    name,
    title,
    edges,
    refuses: () => undefined,
    async valuesOf({ predictions }) {
      const values = Array.from({ length: predictions.length }, (_, i) =>
        form.valueOf(predictions.factsAt(i)),
      );
      return { values };
    },
    ...(form.inEveryStratum === undefined
      ? {}
      : { inEveryStratum: (facts) => form.inEveryStratum?.(facts) === true }),
  };
}

import { InvalidArgumentError } from "commander";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { findTask } from "../../evaluation/runs/forms.ts";
import { runFolders } from "../../evaluation/runs/run-folder.ts";
import { runResults } from "../../evaluation/runs/stored-results.ts";
import { STRATIFICATIONS } from "../../evaluation/strata/catalogue.ts";
import { type StratifiedRun, stratifyRun } from "../../evaluation/strata/stratify.ts";
import { panelsOf, panelTitle } from "../../report/panels.ts";
import { strataTables } from "../../report/strata-tables.ts";
import { plainTable } from "../../report/table.ts";
import { type Context, type DefineCommand, examples, shellWord, wholeNumberOption } from "../command.ts";
import { showRunProgress } from "../run-progress.ts";

interface StrataOptions {
  readonly by?: readonly string[];
  readonly genome?: string;
  readonly tss?: string;
  readonly ccres?: string;
  readonly motifs?: string;
  readonly families?: string;
  readonly bins?: number;
  readonly edges: readonly (readonly [name: string, edges: readonly number[]])[];
  readonly json?: boolean;
}

const NAMES = STRATIFICATIONS.map(({ name, description }) =>
  name === description ? name : `${name} (${description})`,
).join(", ");

export const defineStrata: DefineCommand = (command, context) => {
  command
    .description(
      "Splits the main metric of merged runs by properties of their rows, from stored scores. Writes strata.json and strata.tsv to the folder of each cell.",
    )
    .argument("<folder...>", "merged run folders")
    .option(
      "--by <names...>",
      `properties of rows: ${NAMES}, a property of the task, file.bed:COLUMN, table.tsv:COLUMN (default: those of each task whose files are given)`,
    )
    .option("--genome <file>", "genome of the run, for gc, repeats and in-motif")
    .option("--tss <file>", "transcription start sites: GTF, GFF3, or BED with strands")
    .option("--ccres <file>", "ENCODE's candidate cis-regulatory elements in BED")
    .option("--motifs <file>", "motifs in MEME format, for in-motif")
    .option("--families <file>", "annotation of motifs with the columns Motif and TF family")
    .option("--bins <n>", "quantile bins of numbers (default: 4)", wholeNumberOption(2))
    .option(
      "--edges <name=numbers...>",
      "edges of the bins of a property instead of quantiles: gc=0.4,0.5,0.6",
      edgesOption,
      [],
    )
    .option("--json", "print the strata as JSON")
    .addHelpText(
      "after",
      examples({
        "every property that needs the genome alone": "dart-eval strata runs/markov --genome hg38.fa",
        "distance to genes and GC content":
          "dart-eval strata runs/markov --by gc,tss --genome hg38.fa --tss gencode.gtf.gz",
        "a column of a table of the same variants":
          "dart-eval strata runs/variants --by variants.tsv:MAF --edges variants.tsv:MAF=0.01,0.05",
      }),
    )
    .action((folders: string[], options: StrataOptions) => run(folders, options, context));
};

/** Parses `gc=0.4,0.5`; the last `=` separates, since paths may have one. */
function edgesOption(text: string, before: StrataOptions["edges"] = []): StrataOptions["edges"] {
  const at = text.lastIndexOf("=");
  const numbers = text
    .slice(at + 1)
    .split(",")
    .map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (at < 1 || !numbers.every(Number.isFinite)) {
    throw new InvalidArgumentError("Expected a name and ascending numbers: gc=0.4,0.5,0.6.");
  }
  return [...before, [text.slice(0, at), numbers]];
}

/** Names separated by commas, such as `gc,tss`; a path may contain commas. */
const namesOf = (text: string) => (/^[\w-]+(,[\w-]+)+$/.test(text) ? text.split(",") : [text]);

async function run(paths: readonly string[], options: StrataOptions, { terminal, signal }: Context) {
  const { by, bins, edges, json, genome, tss, ccres, motifs, families } = options;
  const files = Object.fromEntries(
    Object.entries({ genome, tss, ccres, motifs, families }).flatMap(([name, path]) =>
      path === undefined ? [] : [[name, path] as const],
    ),
  );
  for (const file of Object.values(files)) {
    const kind = await kindOfPath(file);
    if (kind === undefined) throw new InputError("no such file", { place: { file } });
    if (kind === "folder") throw new InputError("this is a folder; expected a file", { place: { file } });
  }
  const folders = (await Promise.all(paths.map(runFolders))).flat();
  const found: StratifiedRun["cells"][number][] = [];
  const notes = new Set<string>();
  using progress = showRunProgress(terminal);
  for (const folder of folders) {
    const stratified = await stratifyRun(folder, {
      ...(by === undefined ? {} : { by: by.flatMap(namesOf) }),
      files,
      ...(bins === undefined ? {} : { bins }),
      edges: Object.fromEntries(edges),
      signal,
      onProgress: progress.onProgress,
    });
    found.push(...stratified.cells);
    for (const note of stratified.notes) notes.add(note);
  }
  progress.stop();
  for (const note of notes) terminal.say(`note: ${note}`);
  if (found.length === 0) {
    throw new InputError("no property of the rows is known", {
      hint: "give a file: --genome, --tss, --ccres, --motifs, or name a property with --by",
    });
  }
  if (json)
    return terminal.print(
      JSON.stringify(
        found.map(({ strata }) => strata),
        null,
        2,
      ),
    );
  const strataOf = new Map(found.map(({ record, strata }) => [record.identity, strata]));
  const tables = panelsOf(await runResults(folders)).flatMap((panel) =>
    strataTables(panel, strataOf).map((table) => {
      const title = panelTitle(findTask(panel.task)?.title ?? panel.task, panel);
      return plainTable({ ...table, caption: `${title}: ${table.caption}` });
    }),
  );
  terminal.print(tables.join("\n\n"));
  terminal.say(`next: dart-eval report ${paths.map((path) => shellWord(path)).join(" ")} --out report.html`);
}

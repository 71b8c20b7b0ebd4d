import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { digestOfTexts, type ScaleInputs, writeElements, writeVariants } from "./inputs.ts";
import { measuredCommand, type ProcessCost } from "./measured-command.ts";

export interface ScaleSize {
  readonly rows: number;
  /** Bases of the genome. */
  readonly bases: number;
}

export interface ScalePart {
  readonly name: string;
  /** As published; the genome is a tenth of hg38, so that the files are written in a minute. */
  readonly published: ScaleSize;
  /** For tests, with the SHA-256 over the `scores.tsv` of all cells. */
  readonly short: ScaleSize & { readonly digest: string };
  /** Bounds at the published size. */
  readonly bounds: ScaleBounds;
  write(folder: string, size: ScaleSize): Promise<ScaleInputs>;
  /** Arguments of `dart-eval run`. */
  words(inputs: ScaleInputs): readonly string[];
}

interface ScaleBounds extends ProcessCost {
  /** Bytes of the run's folder per byte of its `scores.tsv`. */
  readonly diskRatio: number;
}

export const SCALE_PARTS: readonly ScalePart[] = [
  {
    name: "regulatory-elements, one score table",
    published: { rows: 2_350_000, bases: 309e6 },
    short: {
      rows: 5_000,
      bases: 2e6,
      digest: "02f80b5db579af5ea790d9b8048702cd9ec6cf5e1036f244567825f9b856c4e7",
    },
    bounds: { cpuSeconds: 60, peakMemory: 600e6, diskRatio: 2 },
    write: (folder, { rows, bases }) => writeElements(folder, rows, bases),
    words: ({ genome, table, scores }) => [
      ...["run", "--task", "regulatory-elements", "--split", "all"],
      ...["--model", ...scores, "--genome", genome, "--data", table],
    ],
  },
  {
    name: "variant-effects, six score tables",
    published: { rows: 219_382, bases: 309e6 },
    short: {
      rows: 2_000,
      bases: 2e6,
      digest: "35276d1f1c167e86b1183ffb7097356ef90418d8e70a6e440cf23ed95ae86845",
    },
    bounds: { cpuSeconds: 120, peakMemory: 600e6, diskRatio: 2 },
    write: (folder, { rows, bases }) => writeVariants(folder, rows, bases, 6),
    words: ({ genome, table, scores }) => [
      ...["run", "--task", "variant-effects"],
      ...["--model", ...scores, "--genome", genome, "--data", table],
    ],
  },
];

/** Result of a part. */
export interface ScaleOutcome extends ProcessCost {
  readonly rows: number;
  /** Bytes of the run's folder, and of the `scores.tsv` in it. */
  readonly disk: number;
  readonly scores: number;
  /** Bytes of the stored rows. */
  readonly rowBytes: number;
  /** SHA-256 over the `scores.tsv` of all cells, in the order of the models. */
  readonly digest: string;
  /** One sentence for each unexpected result. */
  readonly wrong: readonly string[];
}

/**
 * Writes the inputs of a part, runs and merges it in one process, and compares each main metric with the
 * generator's.
 *
 * @param program  arguments of `node` that start dart-eval
 */
export async function runPart(
  part: ScalePart,
  size: ScaleSize,
  { program, root }: { readonly program: readonly string[]; readonly root: string },
): Promise<ScaleOutcome> {
  const folder = join(root, part.name.replaceAll(/\W+/g, "-"));
  await mkdir(folder, { recursive: true });
  const inputs = await part.write(folder, size);
  const out = join(folder, "run");
  const cost = await measuredCommand([...program, ...part.words(inputs), "--out", out], folder);
  const plan = JSON.parse(await readFile(join(out, "plan.json"), "utf8")) as {
    cells: { identity: string; cell: { model: { name: string } } }[];
  };
  const wrong: string[] = [];
  const tables: Uint8Array[] = [];
  let rowBytes = 0;
  for (const [i, { identity, cell }] of plan.cells.entries()) {
    const place = join(out, identity.slice(0, 8));
    const { metrics } = JSON.parse(await readFile(join(place, "result.json"), "utf8")) as {
      metrics: { name: string; value: number }[];
    };
    const { name, value } = metrics[0];
    const expected = inputs.expected[i];
    if (!(Math.abs(value - expected) < 1e-12)) {
      wrong.push(`${name} of ${cell.model.name} is ${value}, expected ${expected}`);
    }
    tables.push(await readFile(join(place, "scores.tsv")));
    rowBytes += await bytesBelow(join(place, "rows"));
  }
  return {
    ...cost,
    rows: size.rows,
    disk: await bytesBelow(out),
    scores: tables.reduce((sum, { length }) => sum + length, 0),
    rowBytes,
    digest: digestOfTexts(tables),
    wrong,
  };
}

/** Violated bounds, one phrase each. */
export function broken(
  { cpuSeconds, peakMemory, disk, scores }: ScaleOutcome,
  bounds: ScaleBounds,
): readonly string[] {
  const broken: string[] = [];
  if (cpuSeconds > bounds.cpuSeconds) broken.push(`more than ${bounds.cpuSeconds} CPU s`);
  if (peakMemory > bounds.peakMemory) broken.push(`more than ${bounds.peakMemory / 1e6} MB of memory`);
  if (disk > bounds.diskRatio * scores) broken.push(`more than ${bounds.diskRatio} × scores.tsv on disk`);
  return broken;
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

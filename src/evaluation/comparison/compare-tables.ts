import { basename } from "node:path";
import { digestFile } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import { forEachTableRow, parseFiniteNumber, parseWholeNumber, readHeader } from "../../base/table.ts";
import { blocksBy, type GenomicRow, genomicBlocks, singleRows } from "../../metrics/blocks.ts";
import { type EstimatedMetric, metricOver } from "../../metrics/estimate.ts";
import { type Candidate, compareGroup, comparisonOf } from "./compare-group.ts";
import type { ComparedMetric, ModelsCompared } from "./comparison.ts";

/** Metrics of score tables, with their titles. */
export const TABLE_METRICS: Readonly<Record<EstimatedMetric, Pick<ComparedMetric, "title" | "better">>> = {
  auroc: { title: "AUROC", better: "higher" },
  "mann-whitney-u": { title: "Mann–Whitney U", better: "higher" },
  "average-precision": { title: "average precision", better: "higher" },
  accuracy: { title: "accuracy", better: "higher" },
  matthews: { title: "Matthews correlation", better: "higher" },
  "paired-accuracy": { title: "paired accuracy", better: "higher" },
  pearson: { title: "Pearson r", better: "higher" },
  spearman: { title: "Spearman ρ", better: "higher" },
  "mean-squared-error": { title: "mean squared error", better: "lower" },
  "adjusted-mutual-information": { title: "adjusted mutual information", better: "higher" },
};

/** Pairs of columns with scores and their targets, the first pair that a table has. */
const SCORES = [
  ["score", "label"],
  ["seq_score", "ctrl_score"],
  ["prediction", "log1p_counts"],
] as const;

/**
 * Compares models by tables of their scores: tab-separated with a header, plain or compressed, one line per
 * row.
 *
 * | columns | content |
 * | :--- | :--- |
 * | `score`, `label` | a score, and a class (0 or 1) or a measured number |
 * | `seq_score`, `ctrl_score` | scores of an element and its control, as in `scores.tsv` of Task 1 |
 * | `idx` or `id` | identifies the row; absent: its line |
 * | `chrom`, `start`, `end` | position, 0-based and half-open; absent: rows are taken as independent |
 * | `block` | any name of a group of rows that depend on each other, in place of a position |
 *
 * Tables with different rows are compared on those that all of them have.
 *
 * @param metric  default: `paired-accuracy` for pairs, `auroc` for labels of 0 and 1, else `spearman`
 * @throws {InputError} when a table has other columns, a row occurs twice, or labels or positions of a row
 *         differ
 */
export async function compareTables(
  paths: readonly string[],
  metric?: EstimatedMetric,
): Promise<ModelsCompared> {
  const tables: ScoreTable[] = [];
  for (const path of paths) tables.push(await readScores(path));
  const [first, ...others] = tables;
  if (first === undefined) throw new InputError("no table of scores is given");
  for (const table of others) checkSameRows(first, table);
  const chosen = metric ?? defaultMetric(tables);
  const numberOf = new Map<string, number>();
  for (const { keys } of tables)
    for (const key of keys) if (!numberOf.has(key)) numberOf.set(key, numberOf.size);
  const form = {
    key: `scores ${chosen}`,
    task: "score tables",
    setting: "scores",
    protocol: "corrected",
    data: {},
    metric: { name: chosen, ...TABLE_METRICS[chosen] },
  } as const;
  const candidates = tables.map((table) => candidateOf(table, chosen, numberOf));
  const names = candidates.map(({ longName }) => longName);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InputError("the same table is given twice", { place: { file: twice } });
  return comparisonOf([await compareGroup(form, candidates)], []);
}

/** Scores of one model. */
interface ScoreTable {
  readonly path: string;
  readonly sha256: string;
  readonly columns: (typeof SCORES)[number];
  /** Identity of each row. */
  readonly keys: readonly string[];
  readonly lineOf: ReadonlyMap<string, number>;
  readonly scores: Float64Array;
  readonly targets: Float64Array;
  readonly blocks: readonly string[] | undefined;
  readonly positions: readonly GenomicRow[] | undefined;
}

async function readScores(path: string): Promise<ScoreTable> {
  const header = await readHeader(path);
  const columns = SCORES.find((pair) => pair.every((name) => header.includes(name)));
  if (columns === undefined) {
    throw new FormatError(
      { file: path, line: 1 },
      `the header is ${header.slice(0, 20).join(", ").slice(0, 300)}`,
      "expected the columns score and label, or seq_score and ctrl_score",
    );
  }
  const key = ["idx", "id"].find((name) => header.includes(name));
  const placed = ["chrom", "start", "end"].every((name) => header.includes(name));
  const grouped = header.includes("block");
  const wanted = [
    ...columns,
    ...(key === undefined ? [] : [key]),
    ...(placed ? ["chrom", "start", "end"] : grouped ? ["block"] : []),
  ];
  const keys: string[] = [];
  const lineOf = new Map<string, number>();
  const scores: number[] = [];
  const targets: number[] = [];
  const positions: GenomicRow[] = [];
  const blocks: string[] = [];
  await forEachTableRow(path, wanted, ({ fields, line }) => {
    const place = { file: path, line };
    const own = key === undefined ? String(keys.length) : fields[2];
    const earlier = lineOf.get(own);
    if (earlier !== undefined) {
      throw new FormatError(place, `${key} ${JSON.stringify(own.slice(0, 40))} is also on line ${earlier}`);
    }
    lineOf.set(own, line);
    keys.push(own);
    scores.push(parseFiniteNumber(fields[0], columns[0], place));
    targets.push(parseFiniteNumber(fields[1], columns[1], place));
    const rest = fields.slice(key === undefined ? 2 : 3);
    if (placed) {
      const start = parseWholeNumber(rest[1], "start", place);
      positions.push({ chrom: rest[0], start, end: parseWholeNumber(rest[2], "end", place, start) });
    } else if (grouped) blocks.push(rest[0]);
  });
  return {
    path,
    sha256: await digestFile(path),
    columns,
    keys,
    lineOf,
    scores: Float64Array.from(scores),
    targets: Float64Array.from(targets),
    positions: placed ? positions : undefined,
    blocks: grouped && !placed ? blocks : undefined,
  };
}

/** Checks that rows of two tables with the same identity are the same rows. */
function checkSameRows(first: ScoreTable, second: ScoreTable): void {
  const refuse = (what: string, hint: string) => new InputError(what, { place: { file: second.path }, hint });
  if (first.columns !== second.columns) {
    throw refuse(
      `the table has ${second.columns.join(" and ")}; ${first.path} has ${first.columns.join(" and ")}`,
      "compare tables with the same columns",
    );
  }
  if (
    (first.positions === undefined) !== (second.positions === undefined) ||
    (first.blocks === undefined) !== (second.blocks === undefined)
  ) {
    throw refuse(
      `one of this table and ${first.path} has positions or blocks of rows, the other has none`,
      "give both the columns chrom, start and end, or block",
    );
  }
  const placeOf = new Map(first.keys.map((key, i) => [key, i]));
  let shared = 0;
  second.keys.forEach((key, i) => {
    const at = placeOf.get(key);
    if (at === undefined) return;
    shared++;
    const place = { file: second.path, line: second.lineOf.get(key) ?? 1 };
    const there = `line ${first.lineOf.get(key)} of ${first.path}`;
    // The second column of a pair is a score as well.
    if (second.columns[1] !== "ctrl_score" && second.targets[i] !== first.targets[at]) {
      throw new FormatError(
        place,
        `the ${second.columns[1]} is ${second.targets[i]}, but ${first.targets[at]} on ${there}`,
        "the tables are not of the same data, or rows need a column idx or id",
      );
    }
    const [a, b] = [first, second].map(({ positions, blocks }, table) => {
      const row = [at, i][table];
      const position = positions?.[row];
      return position === undefined ? blocks?.[row] : `${position.chrom}:${position.start}-${position.end}`;
    });
    if (a !== b) throw new FormatError(place, `the row is at ${b}, but at ${a} on ${there}`);
  });
  if (shared === 0) {
    throw refuse(`the table has no row in common with ${first.path}`, "rows are identified by idx or id");
  }
}

function defaultMetric(tables: readonly ScoreTable[]): EstimatedMetric {
  if (tables[0].columns[1] === "ctrl_score") return "paired-accuracy";
  const classes = tables.every(({ targets }) => targets.every((target) => target === 0 || target === 1));
  return classes ? "auroc" : "spearman";
}

function candidateOf(
  { path, sha256, keys, scores, targets, positions, blocks }: ScoreTable,
  metric: EstimatedMetric,
  numberOf: ReadonlyMap<string, number>,
): Candidate {
  const numbers = Float64Array.from(keys, (key) => valueAt(numberOf, key));
  const order = Array.from(numbers.keys()).sort((a, b) => numbers[a] - numbers[b]);
  const placeOf = new Map(order.map((place) => [numbers[place], place]));
  return {
    name: basename(path).replace(/\.tsv(\.gz)?$/, ""),
    longName: path,
    identity: sha256,
    folder: path,
    selected: keys.length,
    fields: new Map([["rows", String(keys.length)]]),
    rows: Float64Array.from(order, (place) => numbers[place]),
    statisticOf: async (rows) => {
      const places = Int32Array.from(rows, (row) => valueAt(placeOf, row));
      const pick = (values: Float64Array) => Float64Array.from(places, (place) => values[place]);
      const over =
        positions !== undefined
          ? genomicBlocks(Array.from(places, (place) => positions[place]))
          : blocks !== undefined
            ? blocksBy(
                Array.from(places, (place) => blocks[place]),
                "block",
              )
            : singleRows(places.length);
      return { metric, blocks: over, ...metricOver(metric, pick(scores), pick(targets), over) };
    },
  };
}

import { join } from "node:path";
import { FormatError } from "../../base/errors.ts";
import { forEachTableRow, parseWholeNumber } from "../../base/table.ts";
import { asType, type Numbers } from "../../base/typed-numbers.ts";
import type { StoredResult } from "../../evaluation/runs/stored-results.ts";
import { readStrata } from "../../evaluation/strata/strata-file.ts";
import type { PredictionColumn } from "../../evaluation/tasks/column.ts";
import { PredictionColumns } from "../../evaluation/tasks/prediction-columns.ts";
import type { Field, FieldValue } from "./field-table.ts";

/** A fact of all rows of a table. */
interface Fact {
  /** Number of each row, or code of its text from 1; NaN or 0 without. */
  values: Numbers;
  /** Undefined for numbers. */
  readonly texts: TextCodes | undefined;
  /** Cells store different values, so the fact depends on the cell. */
  differs: boolean;
}

const isMissing = ({ texts }: Fact, value: number) =>
  texts === undefined ? Number.isNaN(value) : value === 0;

/** Row numbers and facts of the rows that any of several cells has. */
export class FactColumns {
  /** Ascending. */
  rows: Numbers = new Uint32Array(0);
  private readonly facts = new Map<string, Fact>();

  /** Adds the rows and facts of a cell. @param predictions  in row order */
  add(predictions: PredictionColumns): void {
    const places = this.addRows(predictions.rows);
    for (const column of predictions.columns) if (column.of === "fact") this.addFact(column, places);
  }

  /** Fields of the facts on which all cells agree. */
  get fields(): readonly Field[] {
    return [...this.facts].flatMap(([name, { values, texts, differs }]) =>
      differs ? [] : [{ name, type: texts === undefined ? factType(values) : "text" }],
    );
  }

  /** A function that reads a fact of the rows at the places [start, end); undefined without the fact. */
  reader(name: string): ((start: number, end: number) => FieldValue[]) | undefined {
    const fact = this.facts.get(name);
    if (fact === undefined) return undefined;
    const texts = fact.texts?.texts;
    return (start, end) => Array.from(fact.values.subarray(start, end), (value) => factValue(value, texts));
  }

  /** True for a fact that differs between cells. */
  differs(name: string): boolean {
    return this.facts.get(name)?.differs ?? false;
  }

  /** @returns  the place of each row; undefined if the rows are those of the table */
  private addRows(rows: Numbers): Uint32Array | undefined {
    if (sameNumbers(this.rows, rows)) return undefined;
    if (this.rows.length === 0) {
      this.rows = rows;
      return undefined;
    }
    const all = merged(this.rows, rows);
    if (all.length > this.rows.length) {
      const before = placesOf(this.rows, all);
      for (const fact of this.facts.values()) {
        const moved = emptyValues(fact.texts !== undefined, all.length);
        before.forEach((to, from) => {
          moved[to] = fact.values[from];
        });
        fact.values = moved;
      }
      this.rows = all;
    }
    return sameNumbers(this.rows, rows) ? undefined : placesOf(rows, this.rows);
  }

  private addFact({ name, data, texts }: PredictionColumn, places: Uint32Array | undefined): void {
    const fact = this.facts.get(name);
    if (fact === undefined && places === undefined) {
      // The first cell's typed numbers, without a copy; writing to them widens their type.
      this.facts.set(name, { values: data, texts: texts && new TextCodes(texts), differs: false });
      return;
    }
    const known: Fact = fact ?? {
      values: emptyValues(texts !== undefined, this.rows.length),
      texts: texts && new TextCodes([]),
      differs: false,
    };
    this.facts.set(name, known);
    const { texts: knownTexts } = known;
    if ((knownTexts === undefined) !== (texts === undefined)) {
      known.differs = true;
      return;
    }
    const codes = knownTexts && texts && [0, ...texts.map((text) => knownTexts.codeOf(text))];
    for (let i = 0; i < data.length; i++) {
      const value = codes === undefined ? data[i] : codes[data[i]];
      if (!isMissing(known, value)) setValue(known, places === undefined ? i : places[i], value);
    }
  }
}

/** Sets the value of a row, or notes that it has another one. */
function setValue(fact: Fact, at: number, value: number): void {
  if (fact.values[at] === value) return;
  if (!isMissing(fact, fact.values[at])) {
    fact.differs = true;
    return;
  }
  fact.values = asType(fact.values, fact.texts === undefined ? "float64" : "uint32");
  fact.values[at] = value;
}

/** Texts with codes from 1. */
class TextCodes {
  readonly texts: string[];
  private readonly codes: Map<string, number>;

  constructor(texts: readonly string[]) {
    this.texts = [...texts];
    this.codes = new Map(texts.map((text, i) => [text, i + 1]));
  }

  codeOf(text: string): number {
    const known = this.codes.get(text);
    if (known !== undefined) return known;
    this.codes.set(text, this.texts.push(text));
    return this.texts.length;
  }
}

const emptyValues = (isText: boolean, length: number): Numbers =>
  isText ? new Uint32Array(length) : new Float64Array(length).fill(Number.NaN);

/** A fact as a field's value: a number, or the text of a code. */
export function factValue(value: number, texts: readonly string[] | undefined): FieldValue {
  if (texts === undefined) return Number.isNaN(value) ? null : value;
  return value === 0 ? null : texts[value - 1];
}

/** Type of a field of numbers. */
export function factType(values: ArrayLike<number>): "integer" | "number" {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const isInteger = Number.isInteger(value) && !Object.is(value, -0) && Math.abs(value) < 2 ** 31;
    if (!isInteger && !Number.isNaN(value)) return "number";
  }
  return "integer";
}

export function sameNumbers(a: Numbers, b: Numbers): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** All row numbers of two ascending lists, ascending. */
function merged(a: Numbers, b: Numbers): Uint32Array<ArrayBuffer> {
  const both = new Uint32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  both.sort();
  return both.filter((row, i) => row !== both[i - 1]);
}

/** Places of ascending rows in an ascending list that contains them. */
function placesOf(rows: Numbers, all: Numbers): Uint32Array {
  let at = 0;
  return Uint32Array.from(rows, (row) => {
    while (all[at] < row) at++;
    return at;
  });
}

/** Beginning of the names of strata among the facts. */
const STRATA_PREFIX = "strata.";

/**
 * Predictions with the strata of `dart-eval strata` as further facts, `strata.gc`; unchanged without them.
 * @throws {FormatError} when strata.tsv is missing, or has other rows than the result
 */
export async function withStrata(
  stored: StoredResult,
  predictions: PredictionColumns,
): Promise<PredictionColumns> {
  const strata = await readStrata(stored);
  if (strata === undefined) return predictions;
  const file = join(stored.folder, "strata.tsv");
  const columns = strata.stratifications.map(({ name }) => ({
    name,
    codes: new Map<string, number>(),
    data: new Uint32Array(predictions.length),
  }));
  let at = 0;
  await forEachTableRow(file, ["idx", ...columns.map(({ name }) => name)], ({ fields, line }) => {
    const row = parseWholeNumber(fields[0], "idx", { file, line });
    if (row !== predictions.rows[at]) throw otherRows(file, line);
    for (const [c, { codes, data }] of columns.entries()) {
      const text = fields[c + 1];
      if (text === "") continue;
      const code = codes.get(text) ?? codes.size + 1;
      codes.set(text, code);
      data[at] = code;
    }
    at++;
  });
  if (at !== predictions.length) throw otherRows(file, at + 1);
  return new PredictionColumns(predictions.kind, predictions.length, [
    ...predictions.columns,
    ...columns.map(({ name, codes, data }) => ({
      name: `${STRATA_PREFIX}${name}`,
      of: "fact" as const,
      type: "uint32" as const,
      width: 1,
      texts: [...codes.keys()],
      data,
    })),
  ]);
}

const otherRows = (file: string, line: number) =>
  new FormatError({ file, line }, "these are not the rows of the result", "run dart-eval strata again");

/** Description of a fact. @param described  descriptions of the task's facts */
export function factDescription(name: string, described: Readonly<Record<string, string>>): string {
  if (name.startsWith(STRATA_PREFIX)) {
    return `stratum by ${name.slice(STRATA_PREFIX.length)}; * for a row in every stratum`;
  }
  return Object.hasOwn(described, name) ? described[name] : "fact of the task";
}

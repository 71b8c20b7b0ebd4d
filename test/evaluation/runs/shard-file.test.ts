import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { FormatError } from "../../../src/base/errors.ts";
import {
  type BatchForm,
  batchLine,
  headerLine,
  readShardFile,
} from "../../../src/evaluation/runs/shard-file.ts";
import type { Prediction } from "../../../src/evaluation/tasks/prediction.ts";
import { type ColumnsLayout, PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const base64 = (...numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");

/** Two batches of each kind; the optional fields of the second are those absent from the first. */
const KINDS: Readonly<Record<Prediction["kind"], readonly (readonly Prediction[])[]>> = {
  likelihood: [
    [
      {
        kind: "likelihood",
        row: 70_000,
        values: [-1.5, -0.1],
        facts: { chrom: "chr1", start: 5, p: 1e-300 },
      },
      {
        kind: "likelihood",
        row: 3,
        values: [0, -7],
        tokens: [4, 5],
        facts: { start: 2 ** 31, chrom: "chrX" },
      },
    ],
    [{ kind: "likelihood", row: 4, values: [1, 2], facts: { chrom: "chr1", strand: "-", unknown: 300 } }],
  ],
  activity: [
    [{ kind: "activity", row: 0, values: [1.25], facts: {} }],
    [{ kind: "activity", row: 1, values: [1 / 3], facts: { set: "peaks" } }],
  ],
  logits: [
    [{ kind: "logits", row: 0, logits: [[1, 2, 3], [-1, 0.1, 0]], facts: { label: "K562" } }], // biome-ignore format: one row
    [{ kind: "logits", row: 1, logits: [[1, 2, 4], [-1, 0, 0]], facts: { label: "H1ESC" } }], // biome-ignore format: one row
  ],
  distance: [
    [{ kind: "distance", row: 0, values: [0.5], byVariant: { float32: [0.25] }, facts: {} }],
    [{ kind: "distance", row: 1, values: [0.1], facts: { motif: "" } }],
  ],
  vector: [
    [{ kind: "vector", row: 0, vectors: [base64(1, -2.5, 3)], facts: {} }],
    [
      {
        kind: "vector",
        row: 9,
        vectors: [base64(0.1, 0, 1e-40)],
        byVariant: { "text-order": [base64(1, 2, 3)] },
        facts: {},
      },
    ],
  ],
};

let file: string;
beforeEach(() => {
  file = join(temporaryFolder(), "001-of-001.jsonl");
});

async function write(batches: readonly (readonly Prediction[])[]) {
  const rows = batches.flat().length;
  await writeFile(file, headerLine({ cell: "c", shard: { index: 1, count: 1 }, rows, batchSize: 2 }));
  let last: BatchForm | undefined;
  for (const [i, batch] of batches.entries()) {
    const next = batchLine(i, PredictionColumns.of(batch), "0.1.0+first", last);
    await appendFile(file, next.line);
    last = next.form;
  }
}

async function read(): Promise<readonly Prediction[]> {
  const found: Prediction[] = [];
  await readShardFile(file, (batch) => found.push(...batch));
  return found;
}

test.each(Object.entries(KINDS))("%s predictions round-trip", async (_, batches) => {
  await write(batches);
  expect(await read()).toEqual(batches.flat());
  expect(await readShardFile(file)).toMatchObject({ rows: batches.flat().length, batches: 2, torn: 0 });
});

test("repeats the layout only where it changes", async () => {
  const [first] = KINDS.activity;
  await write([first, [{ ...first[0], row: 1 }], [{ ...first[0], row: 300 }], [{ ...first[0], row: 2 }]]);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n").slice(1);
  expect(lines.map((line) => line.includes('"layout"'))).toEqual([true, false, true, false]);
});

describe("refuses", () => {
  /** Edits the line of a batch and recomputes its checksum. */
  async function changed(change: (batch: { rows: number; layout: ColumnsLayout; data: string }) => unknown) {
    await write(KINDS.likelihood);
    const lines = (await readFile(file, "utf8")).split("\n");
    const { batch, sha256: _, ...body } = JSON.parse(lines[1]);
    const text = JSON.stringify(change(body)).slice(1, -1);
    const line = `{"batch":${batch},"sha256":"${sha256Hex(text).slice(0, 16)}",${text}}`;
    await writeFile(file, lines.with(1, line).join("\n"));
    return read().catch((error) => error);
  }

  test("a file of format version 1, with a remedy", async () => {
    const header = { format: "dart-eval rows", formatVersion: 1, cell: "c", shard: { index: 1, count: 1 } };
    await writeFile(file, `${JSON.stringify({ ...header, rows: 1, batchSize: 1 })}\n{"batch":0}\n`);
    const error = await read().catch((error) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.describe()).toMatch(/jsonl:1: the rows have format version 1; .* reads 2\n.*new folder/);
  });

  test.each([
    ["fewer rows than its data", (body: object) => ({ ...body, rows: 1 }), "do not match their layout"],
    [
      "more rows than the shard",
      (body: object) => ({ ...body, rows: 9 }),
      "more rows than the 3 of the shard",
    ],
    [
      "no layout",
      ({ data }: { data: string }) => ({ rows: 2, data }),
      "the first batch has no layout or no program",
    ],
    [
      "data that are not deflated",
      (body: object) => ({ ...body, data: "AAAA" }),
      "do not match their layout",
    ],
    [
      "another kind",
      (body: { layout: object }) => ({ ...body, layout: { ...body.layout, kind: "x" } }),
      "layout.kind",
    ],
    [
      "codes without texts",
      (body: { layout: ColumnsLayout }) => ({
        ...body,
        layout: {
          ...body.layout,
          columns: body.layout.columns.map((column) =>
            "texts" in column ? { ...column, texts: [] } : column,
          ),
        },
      }),
      "do not match their layout",
    ],
  ])("a batch with %s", async (_, change, message) => {
    const error = await changed(change);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.describe()).toContain("jsonl:2: ");
    expect(error.describe()).toContain(message);
  });
});

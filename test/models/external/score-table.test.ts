import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { FormatError, InputError } from "../../../src/base/errors.ts";
import { openScoreTable } from "../../../src/models/external/score-table.ts";
import type { ExpectedRows } from "../../../src/models/model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const expected: ExpectedRows = {
  task: "regulatory-elements",
  columns: ["idx", "seq_score", "ctrl_score"],
  rows: Uint32Array.of(0, 2, 3),
  inTable: 5,
};
const header = "idx\tseq_score\tctrl_score";

function write(text: string | Uint8Array, name = "scores.tsv"): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}
const tableOf = (...lines: string[]) => openScoreTable(write(`${[header, ...lines].join("\n")}\n`));

async function refusal(doing: Promise<unknown> | unknown): Promise<string> {
  const error: unknown = await Promise.resolve(doing).catch((error) => error);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).describe();
}

describe("a table by rows", () => {
  const origins = [
    [3, 1],
    [0, 0],
    [2, 0],
  ].map(([row, member]) => ({ task: "regulatory-elements", row, member }));

  test("looks scores up by row and member, independently of the bases", async () => {
    const model = await tableOf("0\t-1.5\t-2", "2\t-3e0\t-4", "3\t-5\t-6.25");
    await model.expectRows!(expected);
    const values = await model.logLikelihood!(["A", "A", "C"], { protocol: "corrected", origins });
    expect([...Array.from(values)]).toEqual([-6.25, -1.5, -3]);
    expect(model).toMatchObject({ name: "scores", identity: expect.stringMatching(/^scores [0-9a-f]{64}$/) });
  });

  test("may be compressed, in another order, with other columns and with rows that are not evaluated", async () => {
    const text = `extra\tctrl_score\tidx\tseq_score\r\nx\t-6\t3\t-5\r\ny\t-2\t0\t-1\r\n\t-8\t4\t-7\r\n\t-4\t2\t-3\r\n`;
    const model = await openScoreTable(write(gzipSync(text), "mine.tsv.gz"));
    await model.expectRows!(expected);
    const values = await model.logLikelihood!(["A", "A", "A"], { protocol: "corrected", origins });
    expect([...Array.from(values)]).toEqual([-6, -1, -3]);
    expect(model.name).toBe("mine");
  });

  test("keeps the rows of two tasks apart", async () => {
    const model = await openScoreTable(write("idx\ta\tb\n0\t1\t2\n"));
    for (const [task, column] of [
      ["one", "a"],
      ["two", "b"],
    ] as const) {
      await model.expectRows!({ task, columns: ["idx", column], rows: Uint32Array.of(0), inTable: 1 });
    }
    const of = (task: string) => ({ protocol: "corrected" as const, origins: [{ task, row: 0, member: 0 }] });
    expect((await model.logLikelihood!(["A"], of("one")))[0]).toBe(1);
    expect((await model.logLikelihood!(["A"], of("two")))[0]).toBe(2);
  });

  test("lists all missing, duplicate, unknown and non-numeric rows at once", async () => {
    const model = await tableOf(
      "0\t-1\t-2",
      "0\t-1\t-2",
      "5\t-1\t-1",
      "-1\t-1\t-1",
      "x\t-1\t-1",
      "3\tnan\t-1",
      "4\t\tinf",
    );
    const error = await Promise.resolve(model.expectRows!(expected)).catch((error) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toBe(
      [
        'rows outside regulatory-elements (0 to 4), 3: "5" (line 4), "-1" (line 5), "x" (line 6)',
        "duplicate rows, 1: 0 (lines 2 and 3)",
        'scores that are not numbers, 2: seq_score "nan" of 3 (line 7), seq_score "" of 4 (line 8)',
        "rows missing, 1 of 3: 2",
      ].join("\n"),
    );
  });

  test("lists the first ten rows and their number", async () => {
    const model = await tableOf();
    const rows = Uint32Array.from({ length: 25 }, (_, i) => i);
    expect(await refusal(model.expectRows!({ ...expected, rows, inTable: 25 }))).toMatch(
      /rows missing, 25 of 25: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 15 more\n.*idx numbers the rows/,
    );
  });

  test("of another task's columns is refused", async () => {
    const model = await openScoreTable(write("idx\tscore\n0\t1\n"));
    expect(await refusal(model.expectRows!(expected))).toMatch(
      /no column "seq_score"; the header names idx, score/,
    );
  });

  test("scores only the rows of a planned run", async () => {
    const model = await tableOf("0\t-1\t-2");
    expect(() => model.logLikelihood!(["A"], { protocol: "corrected" })).toThrow(/of a planned run/);
  });
});

describe("a table of sequences", () => {
  const of = (...lines: string[]) => openScoreTable(write(["sequence\tlog_likelihood", ...lines].join("\n")));

  test("looks scores up by sequence, in any case", async () => {
    const model = await of("ACGT\t-5.5", "acg\t-4", "ACGT\t-5.5");
    const values = await model.logLikelihood!(["ACG", "ACGT"], { protocol: "corrected" });
    expect([...Array.from(values)]).toEqual([-4, -5.5]);
    expect(() => model.logLikelihood!(["ACG", "T", "C"], { protocol: "corrected" })).toThrow(
      /2 of 3 sequences have no score, the first is T/,
    );
  });

  test.each([
    ["ACN\t-1", /scores\.tsv:2: "N" at position 2/],
    ["ACG\tnan", /scores\.tsv:2: log_likelihood "nan" is not a number/],
    ["ACG\t-1\nacg\t-2", /scores\.tsv:3: the sequence has the score -2 here, but -1 on an earlier line/],
  ])("%j is refused", async (lines, message) => {
    expect(await refusal(of(lines))).toMatch(message);
  });
});

describe("scores declared as activities of a family", () => {
  test("answer predictActivity alone, and carry the family", async () => {
    const path = write("idx\tseq_score\tctrl_score\n0\t1.5\t2.5\n");
    const model = await openScoreTable(`scores:answers=activity,family=chrombpnet,${path}`);
    expect([model.family, model.logLikelihood, model.name]).toEqual(["chrombpnet", undefined, "scores"]);
    await model.expectRows!({ ...expected, rows: Uint32Array.of(0), inTable: 1 });
    const origins = [0, 1].map((member) => ({ task: expected.task, row: 0, member }));
    expect(await model.predictActivity!(["A", "C"], { protocol: "paper", origins })).toEqual(
      Float64Array.of(1.5, 2.5),
    );
    const plain = await openScoreTable(`scores:${path}`);
    expect([plain.family, plain.predictActivity]).toEqual([undefined, undefined]);
    expect(plain.identity).not.toBe(model.identity);
  });

  test.each([
    ["scores:family=chrombnet,a.tsv", /family of .* is "chrombnet"/],
    ["scores:answers=counts,a.tsv", /answers of .* is "counts"/],
    ["scores:answers=activity,", /does not name a file/],
  ])("%s is an error", async (spec, message) => {
    expect(await refusal(openScoreTable(spec))).toMatch(message);
  });

  test("not by sequences", async () => {
    const path = write("sequence\tlog_likelihood\nACGT\t-1\n");
    expect(await refusal(openScoreTable(`scores:answers=activity,${path}`))).toMatch(/not activities/);
  });
});

test.each([
  ["", /the table is empty/],
  ["chrom\tscore\n", /scores\.tsv:1: the header is chrom, score\n.*idx and, for Task 1, seq_score/],
])("what is neither is refused: %j", async (text, message) => {
  expect(await refusal(openScoreTable(write(text)))).toMatch(message);
});

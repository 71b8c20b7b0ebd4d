import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { SOURCES } from "../../../src/datasets/sources/catalogue.ts";
import { commandsFor, sourcesOfSuite } from "../../../src/evaluation/suites/inputs.ts";
import { type OpenSuiteOptions, openSuite } from "../../../src/evaluation/suites/open-suite.ts";
import { readSuite, suiteFile } from "../../../src/evaluation/suites/read-suite.ts";
import { wholeSuite } from "../../../src/evaluation/suites/suite.ts";
import { TASKS, taskNamed } from "../../../src/evaluation/tasks/catalogue.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const suites = [await readSuite("dart-eval"), await readSuite("mini"), await readSuite("mini:0.1")];

describe.each(suites)("$name", ({ rows }) => {
  test("names inputs, settings and recipe values of the tasks", () => {
    for (const { task: name, inputs, optional = [], settings } of rows) {
      const task = taskNamed(name);
      const names = task.inputs.map((input) => input.name);
      const required = task.inputs.filter((input) => !input.optional).map((input) => input.name);
      expect(names).toEqual(expect.arrayContaining(Object.keys(inputs)));
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining([...required, ...optional]));
      for (const [setting, { recipe = {}, sample }] of Object.entries(settings)) {
        const form = task.settings[setting];
        expect(form, `${name} × ${setting}`).toBeDefined();
        for (const value of Object.keys(recipe)) expect(form.recipe).toHaveProperty(value);
        for (const stratum of Object.keys(sample ?? {})) expect(task.strata).toContain(stratum);
      }
    }
  });

  test("has a command for every file", () => {
    for (const { task, inputs, fallback = {} } of rows) {
      for (const [name, place] of [...Object.entries(inputs), ...Object.entries(fallback)]) {
        if (taskNamed(task).inputs.find((input) => input.name === name)!.kind === "text") continue;
        expect(commandsFor(place, "F"), place).not.toEqual([]);
      }
    }
  });
});

test("dart-eval has all tasks and all cell lines", () => {
  expect(new Set(wholeSuite().rows.map(({ task }) => task))).toEqual(new Set(TASKS.map(({ name }) => name)));
  expect(
    wholeSuite()
      .rows.filter(({ task }) => task === "chromatin-activity")
      .map(({ inputs }) => inputs["cell-line"]),
  ).toEqual([...["GM12878", "H1ESC", "HEPG2", "IMR90", "K562"]]);
});

test("lists the sources of a suite's files, or those they are built from", () => {
  const names = sourcesOfSuite(suites[1]).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(["hg38", "hg19", "ccres", "motifs", "cell-type-peaks", "task-4-data"]),
  );
  expect(names.length).toBe(2 + 1 + 2 + 2 + 1 + 2);
  expect(names).not.toContain("k562-dnase-signal");
});

test("a suite round-trips through a file", async () => {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "suite.json");
  writeFileSync(file, JSON.stringify(suiteFile(suites[1])));
  expect(await readSuite(file)).toEqual(suites[1]);
  writeFileSync(
    file,
    JSON.stringify({
      ...suiteFile(suites[1]),
      rows: [{ task: "x", inputs: {}, settings: { probed: { limit: 0 } } }],
    }),
  );
  await expect(readSuite(file)).rejects.toThrow(/rows\.0\.settings\.probed\.limit/);
  await expect(readSuite("maxi")).rejects.toThrow('there is no suite and no file "maxi"');
});

describe("before anything starts", () => {
  test("lists every missing file once, with its command", async () => {
    const folder = temporaryFolder();
    const error = (await openSuite(suites[0], { data: folder }).catch(
      (error: unknown) => error,
    )) as InputError;
    expect(error).toBeInstanceOf(InputError);
    const text = error.describe();
    const files = new Set(
      suites[0].rows.flatMap(({ task, inputs, fallback = inputs, optional = [] }) =>
        Object.entries(fallback).flatMap(([name, place]) => {
          const isText = taskNamed(task).inputs.find((input) => input.name === name)!.kind === "text";
          return isText || optional.includes(name) ? [] : [place];
        }),
      ),
    );
    expect(text).toContain(`${files.size} files are missing in ${folder}`);
    for (const file of files) expect(text.split(`- ${file}\n`).length, file).toBe(2);
    expect(text).toContain(`dart-eval data fetch hg19 --data ${folder}`);
    expect(text).toContain(`dart-eval data fetch task-4-data --data ${folder}`);
    expect(text).not.toContain("dnase");
    expect(text).toContain("dart-eval build regulatory-elements --ccres");
    for (const [, name] of text.matchAll(/data fetch (\S+)/g)) {
      expect(SOURCES.map((source) => source.name)).toContain(name);
    }
  });

  test("restricts a suite to tasks and settings, with a limit", async () => {
    const folder = temporaryFolder();
    const place = "task_2_footprinting/processed_data/footprint_dataset_350_v1.txt";
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    writeFileSync(join(folder, place), "");
    const suite = await openSuite(suites[1], {
      data: folder,
      only: { tasks: ["motif-footprinting"], settings: ["zero-shot"] },
      limit: 5,
    });
    const model = { name: "m" };
    const [asked, ...others] = suite.tasksFor([model]);
    expect([asked.settings, asked.bySetting, asked.models, others]).toEqual([
      ["zero-shot"],
      { "zero-shot": { limit: 5 } },
      [model],
      [],
    ]);
    expect(suite.notes).toEqual([
      expect.stringContaining("runs without task_2_footprinting/input_data/H12CORE_motifs.tsv"),
    ]);
    await expect(openSuite(suites[1], { data: folder, only: { settings: ["guessed"] } })).rejects.toThrow(
      'the suite mini has no setting "guessed"',
    );
  });

  test("leaves out models by their tokens unless task and setting are named", async () => {
    const folder = temporaryFolder();
    for (const name of ["variants.tsv", "genome.fa"]) writeFileSync(join(folder, name), ">chr1\nA\n");
    const inputs = { variants: "variants.tsv", genome: "genome.fa" };
    const suite = { name: "x", title: "x", rows: [{ ...wholeSuite().rows.at(-2)!, inputs }] };
    const settingsOf = async (more: Partial<OpenSuiteOptions>) => {
      const open = await openSuite(suite, { data: folder, ...more });
      const [asked] = open.tasksFor([{ name: "m" }]);
      await open.close();
      return asked.bySetting!["zero-shot"];
    };
    expect(await settingsOf({})).toEqual({ except: { tokens: "bpe", because: expect.any(String) } });
    expect(await settingsOf({ only: { settings: ["zero-shot"] } })).toHaveProperty("except");
    const only = { settings: ["zero-shot"], tasks: ["variant-effects"] };
    expect(await settingsOf({ only, limit: 3 })).toEqual({ limit: 3 });
  });

  test("refuses paths outside of the data folder", async () => {
    const row = {
      task: "regulatory-elements",
      inputs: { elements: "../../etc/passwd" },
      settings: { "zero-shot": {} },
    };
    const suite = { name: "x", title: "x", rows: [row] };
    await expect(openSuite(suite, { data: temporaryFolder() })).rejects.toThrow("../../etc/passwd");
    const wrong = { ...suite, rows: [{ ...row, inputs: { peaks: "a" } }] };
    await expect(openSuite(wrong, { data: temporaryFolder() })).rejects.toThrow('no input "peaks"');
  });
});

import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { importFailure, importModel } from "../../../src/models/external/module-model.ts";
import { program } from "../../compiled.ts";
import { repository } from "../../source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

async function importing(code: string) {
  const file = join(temporaryFolder(), "mine.mjs");
  await writeFile(file, code);
  return importModel(file);
}

test("loads the model that a module exports", async () => {
  const model = await importing(
    'export const model = { name: "mine", logLikelihood: (s) => s.map(() => -1) };',
  );
  expect(model.name).toBe("mine");
});

const options = { protocol: "corrected" } as const;

test("an error thrown by a method names the model and keeps its cause", async () => {
  for (const body of ['{ throw new RangeError("boom"); }', 'Promise.reject(new RangeError("boom"))']) {
    const model = await importing(`export default { name: "mine", logLikelihood: () => ${body} };`);
    const error = await (async () => model.logLikelihood!(["A"], options))().catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).describe()).toMatch(
      /mine\.mjs: the model mine failed in logLikelihood: boom\n {2}--verbose prints the stack$/,
    );
    expect((error as InputError).cause).toBeInstanceOf(RangeError);
  }
});

test("input errors and abort reasons of a model are rethrown unchanged", async () => {
  const model = await importing(`export default Object.freeze({
    name: "mine",
    logLikelihood: (_, { signal }) => { signal.throwIfAborted(); return [1]; },
    tokenCount(sequence) { return this.name.length + sequence.length; },
  });`);
  const reason = new Error("stop");
  const signal = AbortSignal.abort(reason);
  expect(() => model.logLikelihood!(["A"], { ...options, signal })).toThrow(reason);
  expect(model.tokenCount!("ACG")).toBe(7);
  expect(model.logLikelihood!(["A"], { ...options, signal: new AbortController().signal })).toEqual([1]);
});

test.each([
  ["logLikelihood", "export default { name: 'mine', logLikelihood: () => new Promise(() => {}) };"],
  ["loaded", "await new Promise(() => {}); export default { name: 'mine', logLikelihood: () => [] };"],
])(
  "a promise that never settles ends the command with an error: %s",
  async (what, code) => {
    const folder = temporaryFolder();
    const file = join(folder, "mine.mjs");
    await writeFile(file, code);
    await writeFile(join(folder, "genome.fa"), `>chr5\n${"ACGTTGCA".repeat(100)}\n`);
    await writeFile(
      join(folder, "elements.tsv"),
      "chr\tinput_start\tinput_end\tccre_start\tccre_end\tccre_relative_start\tccre_relative_end\treverse_complement\nchr5\t100\t450\t200\t300\t100\t200\tFalse\n",
    );
    const [executable, ...words] = program("src/cli/main.ts");
    words.push("run", "--task", "regulatory-elements", "--model", file);
    words.push(
      "--genome",
      join(folder, "genome.fa"),
      "--data",
      join(folder, "elements.tsv"),
      "--out",
      join(folder, "out"),
    );
    const { status, stderr } = spawnSync(executable, words, {
      encoding: "utf8",
      cwd: repository,
      env: { ...process.env, DART_EVAL_CACHE: join(folder, "cache") },
    });
    expect(stderr).toMatch(
      what === "loaded"
        ? /error: .*mine\.mjs cannot be loaded: it awaits a promise that never settles/
        : /mine\.mjs: the model mine returned nothing: the promise of its logLikelihood never settles/,
    );
    expect(status).toBe(2);
  },
  120_000,
);

test("a module that cannot be loaded or exports no model is an input error", async () => {
  for (const [code, says] of [
    ["this is no code", /mine\.mjs cannot be loaded: /],
    ['throw new Error("boom");', /mine\.mjs cannot be loaded: Error: boom/],
    ["export default {};", /exports no model/],
  ] as const) {
    const error = await importing(code).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(says);
  }
});

test("a TypeScript module is loaded where the runtime can", async () => {
  const file = join(temporaryFolder(), "mine.ts");
  await writeFile(file, 'const name: string = "typed"; export default { name, logLikelihood: () => [0] };');
  expect((await importModel(file)).name).toBe("typed");
});

test("the error for TypeScript in an older Node names the remedy", () => {
  const cause = Object.assign(new TypeError('Unknown file extension ".ts"'), {
    code: "ERR_UNKNOWN_FILE_EXTENSION",
  });
  expect(importFailure("my.ts", cause).describe()).toBe(
    `my.ts cannot be loaded: Node ${process.versions.node} does not run TypeScript\n` +
      "  use Node 22.18 or newer, or compile the file to JavaScript",
  );
});

test("the error for syntax that Node does not remove names what it allows", () => {
  const cause = Object.assign(new SyntaxError("TypeScript enum is not supported in strip-only mode"), {
    code: "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  });
  expect(importFailure("my.ts", cause).describe()).toBe(
    "my.ts cannot be loaded: TypeScript enum is not supported in strip-only mode\n" +
      "  Node only removes types: write it without enum, namespace and parameter properties, or compile it to JavaScript",
  );
});

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { create, extract } from "tar";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SETTINGS } from "../../src/evaluation/settings/catalogue.ts";
import { TASKS } from "../../src/evaluation/tasks/catalogue.ts";
import { repository } from "../source-files.ts";
import { compileAsUser, writeUserProject } from "./compile-as-user.ts";

const TASK_NAMES = TASKS.map(({ name }) => name);
const SETTING_NAMES = SETTINGS.map(({ name }) => name);

const execute = promisify(execFile);
/** Offline, npx fails instead of requesting a package of that name from the registry. */
const offline = { ...process.env, npm_config_offline: "true" };

let folder: string;
let packed: readonly string[];

/**
 * Packs the package as it would be published, and installs it and TypeScript 5 into an empty folder. Its
 * dependencies, and no other packages, are links to those of the repository.
 */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-package-"));
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout } = await execute("npm", pack, { cwd: repository });
  packed = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  const names = Object.keys(
    JSON.parse(await readFile(join(repository, "package.json"), "utf8")).dependencies,
  );
  const dependencies = Object.fromEntries(
    names.map((name) => [name, `file:${join(repository, "node_modules", name)}`]),
  );
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies }),
  );
  const packages = [`./${beginning(tarball)}`, "typescript@5.9.3"];
  const install = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", ...packages];
  await execute("npm", install, { cwd: folder });
  const installed = join(folder, "node_modules/dart-eval");
  extract({ file: join(folder, tarball), cwd: installed, strip: 1, keep: true, sync: true });
  const files = await readdir(installed, { recursive: true, withFileTypes: true });
  expect(files.filter((file) => file.isFile())).toHaveLength(packed.length);
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * A tarball of the files of the package that npm itself reads: its description and the command. npm extracts
 * a tarball twice, which for all files takes five times as long as the rest of the installation.
 */
function beginning(tarball: string): string {
  const files = ["package/package.json", "package/dist/cli/main.js"];
  extract({ file: join(folder, tarball), cwd: folder, sync: true }, files);
  create({ file: join(folder, "beginning.tgz"), cwd: folder, gzip: true, sync: true }, files);
  return "beginning.tgz";
}

test("the package contains the needed files and no others", () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "README.md",
      "package.json",
      "dist/index.js",
      "dist/index.d.ts",
      "docs/adapters.md",
      "workflows/snakemake/Snakefile",
    ]),
  );
  expect(
    packed.filter(
      (path) =>
        !/^(dist\/.*\.(js|css|d\.ts)|toys\/[^/]+\/[^/]+\.(json|txt|safetensors|h5)|data\/.*|docs\/(.*\.(md|ipynb)|report\.png)|examples\/.*\.(ts|py)|python\/.*\.(md|toml|py)|scripts\/deseq2\.R|(workflows|containers)\/.*|(toys\/)?[A-Z]+\.md|LICENSE|package\.json)$/.test(
          path,
        ),
    ),
  ).toEqual([]);
});

test("links of the packed documents lead to packed files", async () => {
  const missing: string[] = [];
  for (const file of packed.filter((path) => path.endsWith(".md"))) {
    const text = await readFile(join(repository, file), "utf8");
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
      const path = join(file, "..", link).replace(/\/$/, "");
      if (!packed.some((each) => each === path || each.startsWith(`${path}/`)))
        missing.push(`${file}: ${link}`);
    }
  }
  expect(missing).toEqual([]);
});

/** Commands of the README's `sh` blocks, in order. Other blocks need data or models that are not here. */
const commandsOf = (readme: string) =>
  [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap(([, block]) => block.replaceAll(/\\\n\s*/g, "").split("\n"))
    .filter((line) => line.startsWith("npx dart-eval "));

test("the README's commands run in order; the demo prints the table that it shows, and all else on stderr", async () => {
  const readme = await readFile(join(repository, "README.md"), "utf8");
  const lines = commandsOf(readme);
  expect(lines.length).toBeGreaterThanOrEqual(8);
  const [demo, ...others] = lines;
  const { stdout, stderr } = await execute("sh", ["-c", demo], { cwd: folder, env: offline });
  await runInOneProcess(others);
  const [, shown] = /^```text\n(Regulatory elements, zero-shot\n[\s\S]*?)^```$/m.exec(readme)!;
  const table = shown.trimEnd().split("\n");
  expect(stdout.split("\n").slice(0, table.length)).toEqual(table);
  // A Markov model of order 1 cannot distinguish an element from its dinucleotide shuffle.
  expect(stdout).toMatch(/kmer-markov-1 +corrected +0\.500 .* 372 +372 /);
  expect(stdout).toMatch(/hyenadna-toy +paper +0\.\d{3} \[/);
  const [, page] = /^report: (.+)$/m.exec(stderr)!;
  expect(page).toBe("dart-eval-demo/quick-report.html");
  expect(await readFile(join(folder, page), "utf8")).toContain("</html>");
  const comparison = JSON.parse(await readFile(join(folder, "comparison.json"), "utf8"));
  expect(Object.keys(comparison)).not.toEqual([]);
});

/**
 * Runs command lines with the installed package, in one process since the start of one takes longer than
 * most of them. A redirection with `>` is the only syntax of the shell that they may have.
 */
async function runInOneProcess(lines: readonly string[]): Promise<void> {
  const commands = lines.map((line) => {
    const [command, ...files] = line.split(" > ");
    expect(line).not.toMatch(/["'$`\\|&;<(){}*?~#]|>.*>/);
    return { words: command.trim().split(/\s+/).slice(2), file: files[0] };
  });
  await writeFile(
    join(folder, "commands.js"),
    `import { writeFileSync } from "node:fs";
     for (const [i, { words, file }] of ${JSON.stringify(commands)}.entries()) {
       const printed = [];
       process.stdout.write = (text) => printed.push(text);
       process.argv.splice(2, Infinity, ...words);
       await import("./node_modules/dart-eval/dist/cli/main.js?" + i);
       if (process.exitCode !== 0) throw new Error(words.join(" ") + " exited with " + process.exitCode);
       if (file !== undefined) writeFileSync(file, printed.join(""));
     }`,
  );
  await execute(process.execPath, ["commands.js"], { cwd: folder });
}

test("npx finds the command in a clone", async () => {
  const { stdout } = await execute("npx", ["dart-eval", "--version"], {
    cwd: repository,
    // The first npx in a clone links the package and would build it while other tests read `dist`.
    env: { ...offline, npm_config_ignore_scripts: "true" },
  });
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
});

test("every entry point imports without a native library", async () => {
  const doors = Object.keys(JSON.parse(await readFile(join(repository, "package.json"), "utf8")).exports);
  const names = doors.map((door) => door.replace(/^\./, "dart-eval"));
  await writeFile(
    join(folder, "doors.js"),
    `for (const name of ${JSON.stringify(names)}) {
       const names = Object.keys(await import(name));
       if (names.length === 0) throw new Error(name + " gives nothing");
     }
     const native = process.report.getReport().sharedObjects.filter((path) => path.includes("onnxruntime"));
     console.log(native.length);`,
  );
  expect((await execute(process.execPath, ["doors.js"], { cwd: folder })).stdout.trim()).toBe("0");
});

/** Calls with omitted options, and wrong ones that the types reject. */
const CALLS = `import { evaluate, openModel, type Model, type OpenedModel, type Task } from "dart-eval";
     import * as metrics from "dart-eval/metrics";
     import { openGenome, type Genome } from "dart-eval/dna";
     import { planRun } from "dart-eval/evaluation";
     import { estimate } from "dart-eval/metrics";
     const model: Model = { name: "m", logLikelihood: (sequences) => sequences.map(() => 0) };
     export async function accuracy(genome: Genome | string): Promise<number | null> {
       const open = typeof genome === "string" ? await openGenome(genome) : genome;
       const inputs = { genome: open, elements: "elements.tsv" };
       const { metrics } = await evaluate({ task: "regulatory-elements", inputs, model });
       return metrics[0]?.value ?? null;
     }
     export const opened: Promise<OpenedModel> = openModel("toy:hyenadna");
     export const first = async (): Promise<number> => (await (await opened).logLikelihood(["ACGT"]))[0];
     export const same: typeof estimate = metrics.estimate;
     export type Name = Task["name"];
     // @ts-expect-error a model has a name
     export const nameless: Model = { logLikelihood: () => [] };
     // @ts-expect-error the task needs elements as well
     export const incomplete = evaluate({ task: "regulatory-elements", inputs: { genome: "hg38.fa" }, model });
     const rows = [{ task: "regulatory-elements", inputs: { genome: "hg38.fa" } }] as const;
     // @ts-expect-error a run's task needs them too
     export const plan = planRun({ tasks: rows, models: [model] });
     // @ts-expect-error no such metric
     export const wrong = metrics.estimate("auc", [1], [1]);`;

/**
 * Under the configuration of a user's project, by TypeScript's language service: names that an editor offers
 * at `|`, most relevant first, and the messages of a compilation of the project's own programs.
 */
const LANGUAGE_SERVICE = `import ts from "typescript";
     const [configuration, cases] = JSON.parse(process.argv[2]);
     const read = ts.readConfigFile(configuration, ts.sys.readFile).config;
     const { options, fileNames, errors } = ts.parseJsonConfigFileContent(read, ts.sys, ".");
     const paths = cases.map((_, i) => ts.sys.resolvePath("programs/case" + i + ".mts"));
     const textOf = (path) => cases[paths.indexOf(path)]?.replace("|", "") ?? ts.sys.readFile(path);
     const service = ts.createLanguageService({
       ...ts.sys,
       useCaseSensitiveFileNames: () => true,
       getScriptFileNames: () => [...fileNames, ...paths],
       getScriptVersion: () => "1",
       getScriptSnapshot: (path) => {
         const text = textOf(path);
         return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
       },
       getCompilationSettings: () => options,
       getDefaultLibFileName: ts.getDefaultLibFilePath,
     });
     const offered = paths.map((path, i) => {
       const found = service.getCompletionsAtPosition(path, cases[i].indexOf("|"), {});
       return found?.entries.filter(({ sortText }) => sortText < "15").map(({ name }) => name) ?? [];
     });
     const found = [...errors, ...ts.getPreEmitDiagnostics(service.getProgram())];
     const messages = found
       .filter(({ file }) => !paths.includes(file?.fileName))
       .map(({ file, messageText }) => [file?.fileName, ts.flattenDiagnosticMessageText(messageText, " ")]);
     console.log(JSON.stringify({ version: ts.version, programs: fileNames.length, offered, messages }));`;

test("TypeScript 5 compiles programs under bundler resolution, and completes names of the benchmark", async () => {
  const task = 'task: "regulatory-elements"';
  const call = `evaluate({ ${task}, inputs: { genome: "", elements: "" }, model`;
  const evaluated = 'import { evaluate, type Model } from "dart-eval"; declare const model: Model;';
  const run = 'import { planRun, readResults, readSuite } from "dart-eval/evaluation";';
  const cases: readonly (readonly [code: string, ...names: string[]])[] = [
    [`${evaluated} evaluate({ task: "|" })`, ...TASK_NAMES],
    [`${evaluated} evaluate({ ${task}, model, inputs: { | } })`, "elements", "genome"],
    [`${evaluated} ${call}, setting: "|" })`, ...SETTING_NAMES],
    [`${evaluated} ${call}, split: "|" })`, "all", "train", "val", "test"],
    [`${evaluated} (await ${call} })).metrics.find(({ name }) => name === "|")`, "paired-accuracy", "auroc"],
    [`${evaluated} const [row] = (await ${call} })).predictions; row.facts.|`, "chrom", "start", "end"],
    [`${run} planRun({ tasks: [{ task: "|" }] })`, ...TASK_NAMES],
    [`${run} planRun({ models: [], tasks: [{ ${task}, inputs: { | } }] })`, "elements", "genome"],
    [`${run} const [{ result }] = await readResults(""); result.cell.task === "|"`, ...TASK_NAMES],
    [`${run} const [{ result }] = await readResults(""); result.cell.setting === "|"`, ...SETTING_NAMES],
    [`${run} const [{ result }] = await readResults(""); result.metrics[0].name === "|"`, "auroc"],
    [`${run} readSuite("|")`, "dart-eval", "mini"],
    ['import { estimate } from "dart-eval/metrics"; estimate("|")', "auroc", "spearman"],
    ['import { openModel } from "dart-eval"; openModel("", { device: "|" })', "cpu", "webgpu", "cuda"],
    ['import { openModel } from "dart-eval"; openModel("", { precision: "|" })', "f32", "int8"],
    ['import { writeReport } from "dart-eval"; writeReport("", "", { format: "|" })', "html", "latex"],
  ];
  await writeFile(join(folder, "service.js"), LANGUAGE_SERVICE);
  const configuration = await writeUserProject(folder, "bundler", { "calls.ts": CALLS });
  const words = ["service.js", JSON.stringify([configuration, cases.map(([code]) => code)])];
  const { stdout } = await execute(process.execPath, words, { cwd: folder });
  const { version, programs, offered, messages } = JSON.parse(stdout) as {
    readonly version: string;
    readonly programs: number;
    readonly offered: readonly (readonly string[])[];
    readonly messages: readonly unknown[];
  };
  const missing = cases.map(([code, ...names], i) => [
    code,
    ...names.filter((name) => !offered[i].includes(name)),
  ]);
  expect(missing).toEqual(cases.map(([code]) => [code]));
  expect(offered[0]).toHaveLength(TASK_NAMES.length);
  for (const [i, [code]] of cases.entries()) {
    if (code.includes("inputs: { | }")) expect([...offered[i]].sort()).toEqual(["elements", "genome"]);
  }
  expect(version).toMatch(/^5\./);
  // The calls, the README's programs and more than eight examples.
  expect(programs).toBeGreaterThan(10);
  expect(messages).toEqual([]);
});

test.each(["node16", "nodenext"] as const)(
  "examples, README and calls that the types reject compile in strict mode under %s resolution, TypeScript 7",
  async (mode) => expect(await compileAsUser(folder, mode, { programs: { "calls.ts": CALLS } })).toBe(""),
);

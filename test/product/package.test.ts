import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../source-files.ts";
import { compileAsUser } from "./compile-as-user.ts";

const execute = promisify(execFile);
/** ONNX Runtime's optional CUDA files come from elsewhere than the registry. */
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };

let folder: string;
let packed: readonly string[];

/**
 * Packs the package as it would be published, and installs it into an empty folder, from npm's cache where it
 * can.
 */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-package-"));
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout } = await execute("npm", pack, { cwd: repository, env });
  packed = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path);
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`];
  await execute("npm", install, { cwd: folder, env });
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test("the package contains the needed files and no others", () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "README.md",
      "package.json",
      "dist/index.js",
      "dist/index.d.ts",
      "docs/adapters.md",
    ]),
  );
  expect(
    packed.filter(
      (path) =>
        !/^(dist\/.*\.(js|css|d\.ts)|toys\/[^/]+\/[^/]+\.(json|txt|safetensors|h5)|data\/.*|docs\/.*\.(md|ipynb)|scripts\/deseq2\.R|(toys\/)?[A-Z]+\.md|LICENSE|package\.json)$/.test(
          path,
        ),
    ),
  ).toEqual([]);
});

test("the demo runs in an empty folder", async () => {
  const { stdout, stderr } = await execute("npx", ["--no-install", "dart-eval", "demo", "--quick"], {
    cwd: folder,
    env,
  });
  expect(stdout).toMatch(/kmer-markov-5 +corrected +0\.\d{3} \[/);
  expect(stdout).toMatch(/hyenadna-toy +paper +0\.\d{3} \[/);
  const [, page] = /^report: (.+)$/m.exec(stderr)!;
  expect(await readFile(join(folder, page!), "utf8")).toContain("</html>");
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

test.each(["bundler", "node16", "nodenext"] as const)(
  "examples and README compile in strict mode under %s resolution",
  async (mode) => {
    expect(await compileAsUser(folder, mode)).toBe("");
  },
);

test("types reject wrong calls and accept omitted options", async () => {
  await mkdir(join(folder, "programs"), { recursive: true });
  await writeFile(
    join(folder, "programs", "types.ts"),
    `import { evaluate, metrics, openModel, type Model, type OpenedModel, type Task } from "dart-eval";
     import { openGenome, type Genome } from "dart-eval/dna";
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
     // @ts-expect-error no such metric
     export const wrong = metrics.estimate("auc", [1], [1]);`,
  );
  expect(await compileAsUser(folder, "nodenext")).toBe("");
});

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../source-files.ts";

const execute = promisify(execFile);
/** ONNX Runtime's optional CUDA files come from elsewhere than the registry. */
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };

let folder: string;
let packed: readonly string[];

/** Packs the package as it would be published, and installs it into an empty folder, from npm's cache where it can. */
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

test("what is packed is what is needed", () => {
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
        !/^(dist\/.*\.(js|css|d\.ts)|toys\/[^/]+\/[^/]+\.(json|txt|safetensors|h5)|data\/.*|docs\/.*\.md|scripts\/deseq2\.R|(toys\/)?[A-Z]+\.md|LICENSE|package\.json)$/.test(
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

test("every door opens, and the light ones load no native library", async () => {
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

test("its types hold in a strict program that is not ours", async () => {
  await writeFile(
    join(folder, "consumer.ts"),
    `import { evaluate, type Model } from "dart-eval";
     import { openGenome, type Genome } from "dart-eval/dna";
     const model: Model = { name: "m", logLikelihood: (sequences) => sequences.map(() => 0) };
     export async function accuracy(genome: Genome | string): Promise<number | null> {
       const open = typeof genome === "string" ? await openGenome(genome) : genome;
       const { metrics } = await evaluate({ task: "regulatory-elements", inputs: { genome: open }, model });
       return metrics[0]?.value ?? null;
     }
     // @ts-expect-error a model has a name
     export const nameless: Model = { logLikelihood: () => [] };`,
  );
  const tsc = join(repository, "node_modules/.bin/tsc");
  expect(existsSync(tsc)).toBe(true);
  const options = [
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--skipLibCheck",
    "--lib",
  ];
  const { stdout } = await execute(
    tsc,
    [...options, "es2023,esnext.disposable", "--types", "", "consumer.ts"],
    {
      cwd: folder,
    },
  ).catch((error: { stdout: string }) => error);
  expect(stdout).toBe("");
});

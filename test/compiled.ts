import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./source-files.ts";

/** Programs that tests start, and modules that their scripts import in another process. */
const PROGRAMS = [
  "scripts/fuzz/parse-child.ts",
  "scripts/kernels.ts",
  "src/base/child-program.ts",
  "src/base/file-lock.ts",
  "src/base/in-use.ts",
  "src/base/write-file.ts",
  "src/cli/main.ts",
  "src/net/runtime/onnx-runtime.ts",
  "test/evaluation/runs/killed-run.ts",
  "test/evaluation/settings/killed-training.ts",
  "test/models/webgpu-child.ts",
  "test/models/webgpu-placement-child.ts",
  "test/net/train/killed-fit.ts",
] as const;

/** Folder of the programs, bundled as JavaScript, which Node loads in a fraction of the time of `tsx`. */
const COMPILED = join(repository, "node_modules", ".cache", "dart-eval-compiled");
const STAMP = join(COMPILED, "digest");
const SOURCES = ["src", "scripts", "test"];

/** Path of the JavaScript compiled from a TypeScript file of the repository. */
export const compiled = (path: (typeof PROGRAMS)[number]): string =>
  join(COMPILED, path.replace(/\.ts$/, ".js"));

/** Words that start a TypeScript program of the repository in another process. */
export const program = (path: (typeof PROGRAMS)[number]): readonly string[] => [
  process.execPath,
  compiled(path),
];

/** Setup of the tests: compiles the programs if the sources have changed. */
export default async function compile(): Promise<void> {
  const digest = digestOfSources();
  if (stamp() === digest) return;
  rmSync(COMPILED, { recursive: true, force: true });
  mkdirSync(COMPILED, { recursive: true });
  const { build } = await import("vite");
  await build({
    root: repository,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    ssr: { noExternal: ["zod", "@bufbuild/protobuf"] },
    build: {
      outDir: COMPILED,
      target: "es2023",
      minify: false,
      ssr: true,
      rollupOptions: {
        input: Object.fromEntries(PROGRAMS.map((path) => [path.replace(/\.ts$/, ""), path])),
        output: { entryFileNames: "[name].js", chunkFileNames: "src/chunks/[name]-[hash].js" },
      },
    },
  });
  // The program finds its data next to its folder.
  for (const folder of ["data", "dist", "docs", "examples", "toys", "package.json"]) {
    symlinkSync(join(repository, folder), join(COMPILED, folder));
  }
  writeFileSync(STAMP, digest);
}

function stamp(): string | undefined {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return undefined;
  }
}

function digestOfSources(): string {
  const hash = createHash("sha256").update(readFileSync(join(repository, "package-lock.json")));
  for (const folder of SOURCES) {
    const names = readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" });
    for (const name of names.filter((name) => name.endsWith(".ts")).sort()) {
      hash.update(`${folder}/${name}\n`).update(readFileSync(join(repository, folder, name)));
    }
  }
  return hash.digest("hex");
}

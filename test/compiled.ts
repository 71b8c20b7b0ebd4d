import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./source-files.ts";

/**
 * `src`, `scripts` and the programs of the tests as JavaScript, for child processes: Node loads it in a
 * quarter of the time that `tsx` takes.
 */
const COMPILED = join(repository, "node_modules", ".cache", "dart-eval-compiled");
const STAMP = join(COMPILED, "digest");
const SOURCES = ["src", "scripts", "test"];

/** Path of the JavaScript compiled from a TypeScript file of the repository. */
export const compiled = (path: string): string => join(COMPILED, path.replace(/\.ts$/, ".js"));

/** Words that start a TypeScript program of the repository in another process. */
export const program = (path: string): readonly string[] => [process.execPath, compiled(path)];

/** Setup of the tests: compiles the sources if they have changed. */
export default function compile(): void {
  const digest = digestOfSources();
  if (stamp() === digest) return;
  mkdirSync(COMPILED, { recursive: true });
  const configuration = join(COMPILED, "tsconfig.json");
  writeFileSync(
    configuration,
    JSON.stringify({
      extends: join(repository, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        noCheck: true,
        incremental: true,
        rootDir: repository,
        outDir: COMPILED,
      },
      include: [...["src", "scripts"], "test/**/killed-*.ts", "test/**/*-child.ts"].map((path) =>
        join(repository, path),
      ),
      exclude: [join(repository, "src/report/client")],
    }),
  );
  execFileSync(process.execPath, [
    join(repository, "node_modules/typescript/lib/tsc.js"),
    "-p",
    configuration,
  ]);
  // The program finds its data next to its folder.
  for (const folder of ["data", "dist", "docs", "examples", "toys", "package.json"]) {
    const link = join(COMPILED, folder);
    rmSync(link, { force: true });
    symlinkSync(join(repository, folder), link);
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

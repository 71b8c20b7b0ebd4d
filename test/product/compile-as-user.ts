import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { repository } from "../source-files.ts";

const MODES = {
  bundler: { module: "preserve", moduleResolution: "bundler" },
  node16: { module: "node16", moduleResolution: "node16" },
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
} as const;

interface UserPrograms {
  /** Programs besides the examples and the README's, by file name. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly emit?: boolean;
}

/**
 * Compiles the examples and the README's programs in strict mode, in a folder that has the package installed.
 *
 * @param mode  module resolution of the user's project
 * @returns     messages of the compiler; empty without errors. Programs are in `built/` on request
 */
export async function compileAsUser(
  folder: string,
  mode: keyof typeof MODES,
  { programs = {}, emit = false }: UserPrograms = {},
): Promise<string> {
  const configuration = await writeUserProject(folder, mode, programs, emit);
  const tsc = join(repository, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", configuration], {
    cwd: folder,
  }).catch((error: { stdout: string }) => error);
  return stdout;
}

/** Writes the programs and the configuration of a user's project. Returns the name of the configuration. */
export async function writeUserProject(
  folder: string,
  mode: keyof typeof MODES,
  programs: Readonly<Record<string, string>>,
  emit = false,
): Promise<string> {
  const source = join(folder, "programs");
  await mkdir(source, { recursive: true });
  const examples = join(repository, "examples");
  for (const name of await readdir(examples)) {
    if (name.endsWith(".ts")) await cp(join(examples, name), join(source, name));
  }
  for (const [i, program] of (await readmePrograms()).entries()) {
    await writeFile(join(source, `readme-${i}.ts`), program);
  }
  for (const [name, program] of Object.entries(programs)) await writeFile(join(source, name), program);
  const config = {
    compilerOptions: {
      ...MODES[mode],
      strict: true,
      target: "es2023",
      lib: ["es2023", "esnext.disposable"],
      types: ["node"],
      typeRoots: [join(repository, "node_modules/@types")],
      skipLibCheck: true,
      rootDir: "programs",
      ...(emit ? { outDir: "built" } : { noEmit: true }),
    },
    include: ["programs"],
  };
  const name = `tsconfig.${mode}.json`;
  await writeFile(join(folder, name), JSON.stringify(config));
  return name;
}

/** The README's `ts` blocks, each a program of its own. */
async function readmePrograms(): Promise<readonly string[]> {
  const readme = await readFile(join(repository, "README.md"), "utf8");
  const programs = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program]) => program);
  if (programs.length === 0) throw new Error("README.md has no ts block");
  return programs;
}

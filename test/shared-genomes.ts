import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { filesIn, type SyntheticFiles } from "../src/demo/synthetic/files.ts";
import { type SyntheticOptions, writeSyntheticGenome } from "../src/demo/synthetic/write.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the synthetic genomes that test files share. */
    readonly genomes: string;
  }
}

/** Setup of the tests: a folder for shared genomes, removed after the last test. */
export default async function shareGenomes(project: TestProject): Promise<() => Promise<void>> {
  const genomes = await mkdtemp(join(project.config.env.TMPDIR ?? tmpdir(), "dart-eval-genomes-"));
  project.provide("genomes", genomes);
  return () => rm(genomes, { recursive: true, force: true });
}

/** Files of a synthetic genome, written by the first test file that needs it. Tests only read them. */
export async function sharedGenome({ seed, scale }: SyntheticOptions): Promise<SyntheticFiles> {
  const genomes = inject("genomes");
  const folder = join(genomes, `${seed}-${scale}`);
  if (!existsSync(folder)) {
    const made = await mkdtemp(join(genomes, "made-"));
    await writeSyntheticGenome(made, { seed, scale });
    await rename(made, folder).catch((error: unknown) => {
      // Another process has written it first.
      if (!existsSync(folder)) throw error;
    });
  }
  return filesIn(folder);
}

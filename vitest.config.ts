import { existsSync, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { defineConfig } from "vitest/config";

/** Tests that replace modules, print, or measure the process: each gets a process of its own. */
const ISOLATED = [
  "test/cli/terminal.test.ts",
  "test/base/{child-program,download,file-lock,folder,process,temporary-files}.test.ts",
  "test/datasets/cell-type-elements/read-counts.test.ts",
  "test/evaluation/runs/disk-full.test.ts",
  "test/evaluation/settings/embedding-storage.test.ts",
];

/** Waits for minutes for leases and time limits: `npm run cluster`, not a part of `npm test`. */
const CLUSTER = ["test/product/slurm.test.ts"];

/** Folder of temporary files: in memory where Linux has room for files, programs among them. */
function temporaryFiles(): string {
  const memory = "/dev/shm";
  if (process.env.TMPDIR !== undefined || !existsSync(memory)) return tmpdir();
  const mount = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .find((line) => line.split(" ")[1] === memory);
  if (mount === undefined || mount.includes("noexec")) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 4e9 ? memory : tmpdir();
}

export default defineConfig({
  test: {
    env: { TMPDIR: temporaryFiles() },
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 3,
    pool: "forks",
    reporters: ["default", "./test/closing-line.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "source",
          globalSetup: ["test/compiled.ts", "test/shared-genomes.ts"],
          setupFiles: ["test/one-thread.ts", "test/typed-array-equality.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/product/**", ...ISOLATED],
          // Starting a process and loading the program takes as long as most files' tests.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "isolated",
          include: ISOLATED,
          globalSetup: ["test/compiled.ts", "test/shared-genomes.ts"],
          setupFiles: ["test/one-thread.ts", "test/typed-array-equality.ts"],
        },
      },
      {
        extends: true,
        test: {
          // What is shipped, run as its users run it: built first, once.
          name: "product",
          include: ["test/product/**/*.test.ts"],
          exclude: CLUSTER,
          globalSetup: ["test/product/build.ts", "test/shared-genomes.ts"],
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: "cluster",
          include: CLUSTER,
          globalSetup: "test/product/build.ts",
          testTimeout: 480_000,
        },
      },
    ],
  },
});

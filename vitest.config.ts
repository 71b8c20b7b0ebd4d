import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    pool: "forks",
    reporters: ["default", "./test/closing-line.ts"],
    projects: [
      {
        extends: true,
        test: { name: "source", include: ["test/**/*.test.ts"], exclude: ["test/product/**"] },
      },
      {
        extends: true,
        test: {
          // What is shipped, run as its users run it: built first, once.
          name: "product",
          include: ["test/product/**/*.test.ts"],
          globalSetup: "test/product/build.ts",
          testTimeout: 300_000,
        },
      },
    ],
  },
});

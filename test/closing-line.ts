import type { Reporter, TestModule } from "vitest/node";

/** Closes a run with one line that a machine can read: how many tests passed, failed and were skipped. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]) {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const count = (state: string) => states.filter((found) => found === state).length;
    // A file that could not be loaded has no tests: it counts as one that failed.
    const unloaded = modules.filter(
      (module) => module.state() === "failed" && module.children.size === 0,
    ).length;
    process.stdout.write(
      `${count("passed")} passed, ${count("failed") + unloaded} failed, ${count("skipped")} skipped\n`,
    );
  }
}

import type { Reporter, TestCase, TestModule } from "vitest/node";

/**
 * Closes a run with one line per reason for which tests were skipped, and one line that a machine can read: how
 * many tests passed, failed and were skipped.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    // A file that could not be loaded has no tests: it counts as one that failed.
    const unloaded = modules.filter(
      (module) => module.state() === "failed" && module.children.size === 0,
    ).length;
    const skipped = new Map<string, number>();
    for (const test of inState("skipped")) {
      const reason = reasonOf(test);
      skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    }
    for (const [reason, number] of skipped) process.stdout.write(`skipped, ${reason}: ${number}\n`);
    process.stdout.write(
      `${inState("passed").length} passed, ${inState("failed").length + unloaded} failed, ${inState("skipped").length} skipped\n`,
    );
  }
}

/** The note of `skip(condition, note)`, or the end of a title: "… [needs zsh]"; details follow a colon. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  return note ?? /\[(needs [^\]:]+)[^\]]*\]/.exec(test.fullName)?.[1] ?? "not selected, or without a reason";
}

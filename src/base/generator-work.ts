/*
 * Long work written as a generator, which yields now and then: whoever runs it decides whether others have their turn there.
 */

/**
 * Does the work with a pause wherever it yields.
 * @param pause  what it throws ends the work
 */
export async function runWithPauses<T>(work: Generator<void, T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await pause();
  }
}

// Long computations are generators that yield at intervals. The caller decides whether to pause at each
// yield.

/**
 * Runs a generator to its end and awaits `pause` at each yield.
 * @param pause  an error it throws ends the computation
 */
export async function runWithPauses<T>(work: Generator<void, T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await pause();
  }
}

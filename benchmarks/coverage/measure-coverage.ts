import { Pcg64 } from "../../src/base/pcg64.ts";
import { type Design, designTitle } from "./designs.ts";
import { productInterval } from "./product-interval.ts";
import { draw, truthOf } from "./simulate.ts";

/** Coverage of one design's intervals. */
export interface Coverage {
  readonly title: string;
  /** Intervals without a warning. */
  readonly given: number;
  readonly replicates: number;
  /** Share of these intervals that contain the true value; NaN without any. */
  readonly covered: number;
  /** Shares of these intervals above and below the true value. */
  readonly above: number;
  readonly below: number;
  /** Mean length of these intervals. */
  readonly width: number;
  /** Length of the blocks in most replicates; undefined without positions. */
  readonly blocks: string | undefined;
}

/** Simulates one design. The draws depend on the design and the seed alone. */
export function measureCoverage(design: Design, replicates: number, seed: number): Coverage {
  const title = designTitle(design);
  const rng = new Pcg64(Uint32Array.from([...Array.from(title, (letter) => letter.charCodeAt(0)), seed]));
  const truth = truthOf(design.target);
  const lengths = new Map<string, number>();
  let [given, above, below, width] = [0, 0, 0, 0];
  for (let replicate = 0; replicate < replicates; replicate++) {
    const { low, high, basis } = productInterval(design, draw(design, rng));
    if (basis?.length !== undefined) lengths.set(basis.length, (lengths.get(basis.length) ?? 0) + 1);
    if (!(Number.isFinite(low) && Number.isFinite(high)) || basis?.unreliable !== undefined) continue;
    given++;
    if (truth < low) above++;
    if (truth > high) below++;
    width += high - low;
  }
  return {
    title,
    given,
    replicates,
    covered: (given - above - below) / given,
    above: above / given,
    below: below / given,
    width: width / given,
    blocks: [...lengths].sort((a, b) => b[1] - a[1])[0]?.[0],
  };
}

import {
  add,
  cast,
  div,
  exp,
  floor,
  greater,
  less,
  log,
  mul,
  reduceMax,
  reduceSum,
  scalar,
  sub,
} from "./build.ts";
import type { Op, OpAttributes, Sym } from "./sym.ts";

/**
 * Ops in other ops, for programs that run on a GPU. WebGPU has no kernel for `LogSoftmax`, `Sign` and `Or`,
 * which would run on the CPU between two copies, and its `Sin` and `Cos` have the precision of the driver.
 */
export const gpuForms: {
  readonly [K in Op]?: (inputs: readonly Sym[], attributes: OpAttributes[K]) => Sym;
} = {
  Sin: ([x]) => {
    const turns = floor(add(mul(x, 1 / Math.PI), 0.5));
    return mul(sineNear(x, turns), sub(1, mul(parity(turns), 2)));
  },
  // cos((k + ½)π + r) = −(−1)^k·sin(r)
  Cos: ([x]) => {
    const turns = floor(mul(x, 1 / Math.PI));
    return mul(sineNear(x, add(turns, 0.5)), sub(mul(parity(turns), 2), 1));
  },
  LogSoftmax: ([x], { axis }) => {
    const keep = { keepDims: true };
    const shifted = sub(x, reduceMax(x, [axis], keep));
    return sub(shifted, log(reduceSum(exp(shifted), [axis], keep)));
  },
  Sign: ([x]) => sub(cast(greater(x, 0), x.dtype), cast(less(x, 0), x.dtype)),
  Or: ([a, b]) => greater(add(cast(a, "float32"), cast(b, "float32")), 0),
};

/**
 * π as a sum of numbers of few bits, so that their products with the number of half turns are exact up to
 * 2¹³ (Cody & Waite 1980, as in Cephes' sinf).
 */
const PI_PARTS = [3.140625, 0.0009675025939941406, 1.509957990978376e-7];

/**
 * Minimax polynomial of (sin r − r) / r³ in r² for |r| ≤ π/2; the error of sin r is 5e-9. With float32's
 * rounding, errors are at most 1.2e-7 for |x| up to 5,000.
 */
const SINE = [-0.16666657096463866, 0.008333017290775341, -0.00019806615154344657, 2.600054679090282e-6];

/** sin(x − turns·π), for x within half a turn of turns·π. */
function sineNear(x: Sym, turns: Sym): Sym {
  const r = PI_PARTS.reduce((rest, part) => sub(rest, mul(turns, part)), x);
  const square = mul(r, r);
  const [last, ...higher] = [...SINE].reverse();
  const series = higher.reduce((sum, c) => add(mul(sum, square), c), scalar(last, x.dtype));
  return add(r, mul(mul(r, square), series));
}

/** 0 for an even number, 1 for an odd one. */
const parity = (k: Sym) => sub(k, mul(floor(div(k, 2)), 2));

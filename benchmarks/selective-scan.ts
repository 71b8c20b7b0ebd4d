import { Pcg64 } from "../src/base/pcg64.ts";
import { uniform } from "../src/base/random.ts";
import { add, exp, fill, input, matMul, mul, reshape, scan, unsqueeze } from "../src/net/graph/build.ts";
import type { Sym } from "../src/net/graph/sym.ts";
import type { SelectiveInput } from "../src/net/nn/selective-scan.ts";
import { selectiveScan, selectiveStep } from "../src/net/nn/selective-scan.ts";
import { openProgram } from "../src/net/runtime/program.ts";

/** One form of the scan of a Mamba block, on one core. */
export interface ScanSpeed {
  readonly form: string;
  /** CPU milliseconds, median of interleaved rounds. */
  readonly milliseconds: number;
  /** Time of the plain loop in the same rounds divided by this one. */
  readonly plainLoopTakesTimes: number;
}

/** Caduceus' inner width and states; a batch of windows. */
const [CHANNELS, STATES, TOKENS, ROWS] = [512, 16, 350, 32];
const ROUNDS = 5;

/** Row-major: A [n, e]; x and step [t, b, e]; B and C [t, b, n]. */
type Arrays = Readonly<Record<"A" | keyof SelectiveInput, Float32Array>>;
type Form = (A: Sym, given: SelectiveInput) => Sym;

/** The forms of the selective scan against the recurrence written as a plain loop. */
export async function benchmark(): Promise<readonly ScanSpeed[]> {
  const arrays = randomArrays();
  const forms = [
    { form: "plain loop in JavaScript", run: async () => void plainLoop(arrays) },
    { form: "loop, decays of all tokens made before it", run: await opened(byWideLoop, arrays) },
    { form: "loop, decays made in it", run: await opened(byLoop, arrays) },
    {
      form: "passes over chunks of tokens, for devices without loops",
      run: await opened(selectiveScan, arrays),
    },
  ];
  const times = forms.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, { run }] of forms.entries()) {
      const start = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times[i].push((user + system) / 1e3); // the first round warms up
    }
  }
  const medians = times.map((of) => of.sort((a, b) => a - b)[ROUNDS >> 1]);
  return forms.map(({ form }, i) => ({
    form,
    milliseconds: medians[i],
    plainLoopTakesTimes: medians[0] / medians[i],
  }));
}

function randomArrays(): Arrays {
  const rng = new Pcg64(1);
  const draw = (count: number, low: number, high: number) =>
    Float32Array.from({ length: count }, () => uniform(rng, low, high));
  return {
    A: draw(STATES * CHANNELS, -STATES, -1),
    x: draw(TOKENS * ROWS * CHANNELS, -1, 1),
    step: draw(TOKENS * ROWS * CHANNELS, 0.001, 0.1),
    B: draw(TOKENS * ROWS * STATES, -1, 1),
    C: draw(TOKENS * ROWS * STATES, -1, 1),
  };
}

const byLoop: Form = (A, { x, step, B, C }) =>
  scan([noState()], [x, step, B, C], ([h], [x, step, B, C]) => {
    const { state, y } = selectiveStep(A, h!, { x: x!, step: step!, B: B!, C: C! });
    return { states: [state], emit: [y] };
  }).emitted[0];

/** As in reference codes: exp(Δ·A) and B·Δ·x of all tokens, [t, b, n, e] each, then the recurrence. */
const byWideLoop: Form = (A, { x, step, B, C }) => {
  const decays = exp(mul(unsqueeze(step, 2), A));
  const driven = mul(unsqueeze(B, 3), unsqueeze(mul(step, x), 2));
  const { emitted } = scan([noState()], [decays, driven, C], ([h], [decay, input, C]) => {
    const state = add(mul(decay!, h!), input!);
    return { states: [state], emit: [matMul(unsqueeze(C!, 1), state)] };
  });
  return reshape(emitted[0], [TOKENS, ROWS, CHANNELS]);
};

const noState = () => fill([ROWS, STATES, CHANNELS], 0);

async function opened(form: Form, arrays: Arrays): Promise<() => Promise<unknown>> {
  const shapes: Readonly<Record<keyof Arrays, readonly number[]>> = {
    A: [STATES, CHANNELS],
    x: [TOKENS, ROWS, CHANNELS],
    step: [TOKENS, ROWS, CHANNELS],
    B: [TOKENS, ROWS, STATES],
    C: [TOKENS, ROWS, STATES],
  };
  const of = (name: keyof Arrays) => input(name, "float32", shapes[name]);
  const y = form(of("A"), { x: of("x"), step: of("step"), B: of("B"), C: of("C") });
  const program = await openProgram({ y }, new Map(), { threads: 1 });
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const data = arrays[name as keyof Arrays];
      return [name, { dtype: "float32" as const, shape, data }];
    }),
  );
  return () => program.run(feeds);
}

/** h ← exp(Δ·A)·h + B·Δ·x; y = C·h, channel by channel. */
function plainLoop({ A, x, step, B, C }: Arrays): Float32Array {
  const y = new Float32Array(x.length);
  const h = new Float32Array(STATES);
  for (let row = 0; row < ROWS; row++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      h.fill(0);
      for (let token = 0; token < TOKENS; token++) {
        const place = token * ROWS + row;
        const delta = step[place * CHANNELS + channel];
        const driven = delta * x[place * CHANNELS + channel];
        let sum = 0;
        for (let n = 0; n < STATES; n++) {
          const next = Math.exp(delta * A[n * CHANNELS + channel]) * h[n] + B[place * STATES + n] * driven;
          h[n] = next;
          sum += C[place * STATES + n] * next;
        }
        y[place * CHANNELS + channel] = sum;
      }
    }
  }
  return y;
}

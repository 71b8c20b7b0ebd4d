import { Pcg64 } from "../src/base/pcg64.ts";
import { uniform } from "../src/base/random.ts";
import {
  add,
  concat,
  exp,
  fill,
  input,
  matMul,
  mul,
  pad,
  reduceSum,
  reshape,
  scan,
  slice,
  transpose,
  unsqueeze,
} from "../src/net/graph/build.ts";
import { gradientsOf } from "../src/net/graph/reverse.ts";
import type { Sym } from "../src/net/graph/sym.ts";
import type { SelectiveInput } from "../src/net/nn/selective-scan.ts";
import { selectiveScan, selectiveStep } from "../src/net/nn/selective-scan.ts";
import { type ConcreteDevice, runsLoopsWell } from "../src/net/runtime/device.ts";
import { openProgram, workingDevice } from "../src/net/runtime/program.ts";

/** One form of the scan of a Mamba block on one device, on one core. */
export interface ScanSpeed {
  readonly device: string;
  readonly form: string;
  /** Median of interleaved rounds: CPU milliseconds, on other devices elapsed ones. */
  readonly milliseconds: number;
  /** Time of the passes over chunks on the same device in the same rounds divided by this one. */
  readonly passesTakeTimes: number;
}

/** Caduceus' inner width and states; a window. */
const [CHANNELS, STATES, TOKENS] = [512, 16, 350];
const ROUNDS = 3;

/** Row-major: A [n, e]; x and step [t, b, e]; B and C [t, b, n]. */
type Arrays = Readonly<Record<"A" | keyof SelectiveInput, Float32Array>>;
type Form = (A: Sym, given: SelectiveInput) => Sym;

/** The forms of the selective scan, and of its gradients, on the CPU and on a GPU if there is one. */
export async function benchmark(): Promise<readonly ScanSpeed[]> {
  const gpu = await workingDevice("auto");
  const cpu = await speeds("cpu", 8);
  return gpu === "cpu" ? cpu : [...cpu, ...(await speeds(gpu, 1))];
}

/** @param rows  windows of a batch */
async function speeds(device: ConcreteDevice, rows: number): Promise<readonly ScanSpeed[]> {
  const arrays = randomArrays(rows);
  const form = async (title: string, build: Form, gradients = false) => ({
    form: title,
    run: await opened(build, arrays, rows, { device, gradients }),
  });
  const forms = [
    await form("passes over chunks of tokens", byPasses),
    await form("linear attention", byAttention),
    await form("gradients by passes", byPasses, true),
    await form("gradients by linear attention", byAttention, true),
  ];
  if (runsLoopsWell(device)) {
    forms.push(
      await form("loop, decays of all tokens made before it", byWideLoop),
      await form("loop, decays made in it", byLoop),
      await form("gradients by the loop, decays made in it", byLoop, true),
      { form: "plain loop in JavaScript", run: async () => void plainLoop(arrays, rows) },
    );
  }
  const times = forms.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, { run }] of forms.entries()) {
      const used = process.cpuUsage();
      const began = performance.now();
      await run();
      const elapsed = performance.now() - began;
      const { user, system } = process.cpuUsage(used);
      if (round >= 0) times[i].push(device === "cpu" ? (user + system) / 1e3 : elapsed); // the first round warms up
    }
  }
  const medians = times.map((of) => of.sort((a, b) => a - b)[ROUNDS >> 1]);
  return forms.map(({ form }, i) => ({
    device,
    form,
    milliseconds: medians[i],
    passesTakeTimes: medians[form.startsWith("gradients") ? 2 : 0] / medians[i],
  }));
}

function randomArrays(rows: number): Arrays {
  const rng = new Pcg64(1);
  const draw = (count: number, low: number, high: number) =>
    Float32Array.from({ length: count }, () => uniform(rng, low, high));
  return {
    A: draw(STATES * CHANNELS, -STATES, -1),
    x: draw(TOKENS * rows * CHANNELS, -1, 1),
    step: draw(TOKENS * rows * CHANNELS, 0.001, 0.1),
    B: draw(TOKENS * rows * STATES, -1, 1),
    C: draw(TOKENS * rows * STATES, -1, 1),
  };
}

const byLoop: Form = (A, { x, step, B, C }) =>
  scan([noState(x)], [x, step, B, C], ([h], [x, step, B, C]) => {
    const { state, y } = selectiveStep(A, h, { x, step, B, C });
    return { states: [state], emit: [y] };
  }).emitted[0];

/** As in reference codes: exp(Δ·A) and B·Δ·x of all tokens, [t, b, n, e] each, then the recurrence. */
const byWideLoop: Form = (A, { x, step, B, C }) => {
  const decays = exp(mul(unsqueeze(step, 2), A));
  const driven = mul(unsqueeze(B, 3), unsqueeze(mul(step, x), 2));
  const { emitted } = scan([noState(x)], [decays, driven, C], ([h], [decay, input, C]) => {
    const state = add(mul(decay, h), input);
    return { states: [state], emit: [matMul(unsqueeze(C, 1), state)] };
  });
  return reshape(emitted[0], x.shape);
};

const noState = (x: Sym) => fill([x.shape[1], STATES, CHANNELS], 0);

const rowsFirst = (x: Sym) => transpose(x, [1, 0, 2]);
const byAttention: Form = (A, { x, step, B, C }) =>
  rowsFirst(selectiveScan(A, { x: rowsFirst(x), step: rowsFirst(step), B: rowsFirst(B), C: rowsFirst(C) }));

/** Tokens whose states are in memory at once. */
const CHUNK = 128;

/**
 * Chunk after chunk; within a chunk the steps h ← α·h + β are composed in ⌈log₂ chunk⌉ passes, (α₁, β₁) then
 * (α₂, β₂) being (α₁α₂, α₂β₁ + β₂).
 */
const byPasses: Form = (A, { x, step, B, C }) => {
  const driven = mul(step, x);
  const outputs: Sym[] = [];
  let before: Sym | undefined; // [1, b, n, e]
  for (let start = 0; start < TOKENS; start += CHUNK) {
    const size = Math.min(CHUNK, TOKENS - start);
    const part = (of: Sym, axis: number) => unsqueeze(slice(of, 0, start, start + size), axis);
    let alpha = exp(mul(part(step, 2), A)); // [t, b, n, e]
    let beta = mul(part(B, 3), part(driven, 2));
    if (before !== undefined) {
      const first = add(mul(slice(alpha, 0, 0, 1), before), slice(beta, 0, 0, 1));
      beta = concat([first, slice(beta, 0, 1)], 0);
    }
    for (let span = 1; span < size; span *= 2) {
      const earlier = (of: Sym, none: number) => pad(slice(of, 0, 0, size - span), 0, span, 0, none);
      beta = add(mul(alpha, earlier(beta, 0)), beta);
      if (2 * span < size) alpha = mul(alpha, earlier(alpha, 1));
    }
    outputs.push(reshape(matMul(part(C, 2), beta), [size, x.shape[1], CHANNELS]));
    before = slice(beta, 0, -1);
  }
  return concat(outputs, 0);
};

async function opened(
  form: Form,
  arrays: Arrays,
  rows: number,
  { device, gradients }: { readonly device: ConcreteDevice; readonly gradients: boolean },
): Promise<() => Promise<unknown>> {
  const shapes: Readonly<Record<keyof Arrays, readonly number[]>> = {
    A: [STATES, CHANNELS],
    x: [TOKENS, rows, CHANNELS],
    step: [TOKENS, rows, CHANNELS],
    B: [TOKENS, rows, STATES],
    C: [TOKENS, rows, STATES],
  };
  const of = (name: keyof Arrays) => input(name, "float32", shapes[name]);
  const [A, x, step, B, C] = [of("A"), of("x"), of("step"), of("B"), of("C")];
  const y = form(A, { x, step, B, C });
  const flows = gradientsOf(reduceSum(mul(y, y), [0, 1, 2]), [A, x, step, B, C]);
  const outputs = gradients ? Object.fromEntries(flows.map((flow, i) => [`d${i}`, flow])) : { y };
  const program = await openProgram(outputs, new Map(), { device, threads: 1 });
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const data = arrays[name as keyof Arrays];
      return [name, { dtype: "float32" as const, shape, data }];
    }),
  );
  return () => program.run(feeds);
}

/** h ← exp(Δ·A)·h + B·Δ·x; y = C·h, channel by channel. */
function plainLoop({ A, x, step, B, C }: Arrays, rows: number): Float32Array {
  const y = new Float32Array(x.length);
  const h = new Float32Array(STATES);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      h.fill(0);
      for (let token = 0; token < TOKENS; token++) {
        const place = token * rows + row;
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

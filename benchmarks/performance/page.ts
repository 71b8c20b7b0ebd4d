import { fileURLToPath } from "node:url";
import type { TrainingDevice } from "../../src/net/runtime/device.ts";
import { markdownTable, type TableCell } from "../../src/report/table.ts";
import type { Measured, Results } from "./results.ts";

export const pagePath = fileURLToPath(new URL("../../docs/performance.md", import.meta.url));

/** The least of some times. */
export const bestOf = (times: readonly number[]): number => Math.min(...times);

/** PyTorch's least time divided by ours, and the range of this ratio over the rounds: `1.20 [1.15, 1.31]`. */
export function ratioText({ ours, pytorch }: Pick<Measured, "ours" | "pytorch">): string {
  if (pytorch === undefined) return "";
  const ratios = pytorch.map((time, round) => time / ours[round]);
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  return `${(bestOf(pytorch) / bestOf(ours)).toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

const HEADINGS = [
  ...["model", "work", "batch", "ours, ms", "PyTorch, ms", "PyTorch's time / ours", "share of product rate"],
  ...["our memory, GB", "PyTorch's memory, GB", "largest difference"],
];

/** float32 TFLOP/s without tensor cores, by the data sheets. */
const GPUS = { "NVIDIA H200": 67, "NVIDIA A100": 19.5, "NVIDIA L4": 30.3 };

const SUMMARY = "Forward passes, likelihoods, embeddings and training steps of dart-eval and of PyTorch";

const METHOD = `Both sides have the same random weights and run in turn in their own processes, with the same number of threads. The time is that of the call alone: no tokenization, no reading of
weights. A time is the least of all rounds. A ratio above 1 means that PyTorch takes longer; in brackets is its range over the rounds.

| work | computes | PyTorch |
| :--- | :--- | :--- |
| forward | logits of every token | the same |
| masked likelihood | log-probability of the masked token of each copy of a row | logits of every token, then the log-probability, as in DART-Eval |
| causal likelihood | log-probability of every token | the same |
| embedding | last hidden state of every token | the same |
| LoRA step | forward, backward and AdamW over rank-8 factors of every dense, embedding and convolution weight, with the recipe's dropout | each adapted weight is computed at every access, as in minLoRA |
| probing step | forward, backward and Adam of DART-Eval's probing head on stored embeddings of 350 bp | tokens repeated over their bases, as in DART-Eval |
| training step | forward, backward and Adam of a network of DART-Eval | the same |

PyTorch runs eagerly in float32, with its fused attention: the classes of Transformers and of the package gpn for Mistral-DNA and the architectures, and functions written from the papers for the other
families and for LoRA on Mistral-DNA (\`benchmarks/peers/models/\`): Caduceus' scan is a loop, as in the published code without a CUDA kernel. Mamba and Mamba-2 are the classes of Transformers without CUDA kernels, StripedHyena the authors' packages
stripedhyena and vtx. Before timing, the outputs of both sides are compared, or the losses of three
training steps without dropout: the last column has the largest difference, relative to the largest value. A token of a mixture of experts whose router's two best logits are nearly equal may go to another expert on the other side.
Mamba's random weights amplify rounding: PyTorch's hidden states in float32 differ by 1.2e-4 from its own in float64, and ours by 1.8e-4.

The share of the product rate is the time that the matrix products and convolutions of our graph would take at the rate of one large product of the model's width in ONNX Runtime, divided by our time.
Products in loops are not counted. Memory is the resident memory of the process at its peak, libraries and weights included.

\`npm run bench -- performance --python PYTHON --write\` measures the table on an idle machine, where \`PYTHON\` has the packages of \`benchmarks/peers/requirements.txt\`. \`--only gpn\` measures selected
rows again, \`--resume\` continues after an interruption, \`--weights FOLDER\` keeps the random weights.`;

const GPU_SECTION = `**No GPU was measured.** The same table is measured on a GPU by

    npm run bench -- performance --device cuda --python PYTHON --write

which writes \`benchmarks/performance/results-cuda.md\`. \`--device webgpu\` measures WebGPU, without PyTorch, which does not support it. \`--tiny\` instead of \`--write\` tries the command on toys; so far it has run on SwiftShader, WebGPU in software.
\`npx tsx scripts/device-gradients.ts --device cuda\` compares the gradients of all training recipes with the CPU ([gradients](gradients.md)), and \`DART_EVAL_TEST_GPU=1 npx vitest run test/models/webgpu.test.ts\` runs the WebGPU
tests on the GPU instead of SwiftShader.

A measurement can be held against the arithmetic of the forward pass: thousands of tokens per second if all matrix products and convolutions ran at the full float32 rate of the data sheet, without tensor cores or TF32.
Recurrences (Caduceus, Mamba) and other work are not counted, so for these families it is a distant bound.`;

/** Most tokens per second that each GPU can compute, by model. */
function gpuTable(rows: readonly Measured[]): string {
  const forward = rows.filter(({ work }) => work === "forward");
  const names = Object.entries(GPUS).map(([name, rate]) => `${name}, ${rate} TFLOP/s`);
  const table = markdownTable({
    caption: "",
    columns: ["model", "GFLOP per token", ...names].map((heading, i) => ({
      heading,
      align: i === 0 ? "left" : "right",
    })),
    rows: forward.map(({ subject, data, gflop }) => {
      const [sequences, tokens] = data.match(/\d+/g)!.map(Number);
      const perToken = gflop / (sequences * tokens);
      const most = Object.values(GPUS).map((rate) => Math.round(rate / perToken).toLocaleString("en"));
      return [subject, perToken.toPrecision(2), ...most];
    }),
  });
  return table.split("\n").slice(2).join("\n");
}

/** The page of a device's measurements: of the CPU, docs/performance.md. */
export function performancePage(
  { machine, versions, rows }: Results,
  device: TrainingDevice = "cpu",
): string {
  const counts = rows.map(({ ours }) => ours.length);
  const rounds = [...new Set([Math.min(...counts), Math.max(...counts)])].join(" to ");
  const table = markdownTable({
    caption: "",
    columns: HEADINGS.map((heading, i) => ({ heading, align: i < 3 ? "left" : "right" })),
    rows: rows.map(cellsOf),
  });
  return `${[
    `# Performance${device === "cpu" ? "" : ` on ${device}`}`,
    ...(device === "cpu"
      ? ["<!-- Generated by `npm run docs` from benchmarks/performance/results.json. -->"]
      : []),
    device === "cpu" ? `${SUMMARY}, on the CPU. [No GPU was measured](#gpus).` : `${SUMMARY}, on ${device}.`,
    METHOD,
    "## Results",
    rows.length === 0 ? "Not measured yet." : `${machine}; ${versions.join(", ")}; ${rounds} rounds.`,
    table.split("\n").slice(2).join("\n"),
    ...(device === "cpu" ? ["## GPUs", GPU_SECTION, gpuTable(rows)] : []),
  ].join("\n\n")}\n`;
}

function cellsOf(row: Measured): TableCell[] {
  const { subject, work, data, ours, pytorch, gflop, productRates, ourPeak, pytorchPeak, difference } = row;
  const expected = (1000 * gflop) / Math.max(...productRates);
  const gigabytes = (bytes: number | undefined) => (bytes === undefined ? "" : (bytes / 1e9).toFixed(2));
  return [
    ...[subject, work, data, milliseconds(bestOf(ours))],
    pytorch === undefined ? "" : milliseconds(bestOf(pytorch)),
    row.missing === undefined ? ratioText(row) : `no peer: ${row.missing}`,
    (expected / bestOf(ours)).toFixed(2),
    ...[gigabytes(ourPeak), gigabytes(pytorchPeak)],
    difference === undefined ? "" : difference.toExponential(1),
  ];
}

const milliseconds = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);

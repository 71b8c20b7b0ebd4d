import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { publicCheckpoint } from "../../src/models/language/catalogue.ts";
import type { Race, Round } from "./race.ts";
import { race } from "./race.ts";

// Forward passes of untrained models at their real sizes, ours and PyTorch's interleaved; see README.md here.

const DEFAULT = [
  "hyenadna/large-1m",
  "dnabert2/117m",
  "nucleotide-transformer/v2-500m-multi-species",
  "gena-lm/large-t2t",
  "caduceus/ps-1k-d256", // a quarter of the layers of ps-131k, which takes PyTorch minutes
  "mistral-dna/422m",
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: process.env.PYTORCH_PYTHON ?? "python3" },
    rounds: { type: "string", default: "7" },
    threads: { type: "string", default: String(availableParallelism()) },
    weights: { type: "string" },
  },
});
const { python } = options;
const [rounds, threads] = [Number(options.rounds), Number(options.threads)];
const weights = options.weights ?? mkdtempSync(join(tmpdir(), "dart-eval-peers-"));
const print = (...cells: readonly string[]) => process.stdout.write(`| ${cells.join(" | ")} |\n`);

try {
  const heading = [
    ...["model", "rows x tokens", "ours, tokens/s", "PyTorch, tokens/s", "PyTorch's time over ours"],
    ...["the same of processor time", "largest difference of a state, a logit"],
  ];
  for (const [i, name] of (positionals.length > 0 ? positionals : DEFAULT).entries()) {
    const found = publicCheckpoint(name);
    if (found === undefined) throw new Error(`there is no public checkpoint ${name}`);
    const { card, checkpoint } = found;
    const result = await race(card, checkpoint.preset, { python, rounds, threads, weights });
    if (i === 0) {
      const processor = cpus()[0]?.model ?? "unknown processor";
      process.stdout.write(
        `${processor}, ${threads} threads, Node ${process.versions.node}, torch ${result.torch}, ${rounds} rounds\n\n`,
      );
      print(...heading);
      print(...heading.map(() => "---"));
    }
    print(name, ...cellsOf(result));
    if (options.weights === undefined)
      rmSync(join(weights, `${card.name}-${checkpoint.preset}`), { recursive: true });
  }
} finally {
  if (options.weights === undefined) rmSync(weights, { recursive: true });
}

function cellsOf({ rows, tokensPerRow, rounds: times, agreement }: Race): readonly string[] {
  const sorted = (of: (round: Round) => number) => times.map(of).sort((a, b) => a - b);
  const median = (values: readonly number[]) => values[values.length >> 1];
  const rate = (of: (round: Round) => number) => ((rows * tokensPerRow) / median(sorted(of))).toFixed(0);
  const spread = (of: (round: Round) => number) => {
    const ratios = sorted(of);
    return `${median(ratios).toFixed(2)} [${ratios[0].toFixed(2)}, ${ratios.at(-1)!.toFixed(2)}]`;
  };
  const { states, logits, far, tokens } = agreement;
  const exceptions = far === 0 ? "" : `; ${far} of ${tokens} tokens far apart`;
  return [
    `${rows} x ${tokensPerRow}`,
    rate((round) => round.ours),
    rate((round) => round.theirs),
    spread((round) => round.theirs / round.ours),
    spread((round) => round.theirsProcessor / round.oursProcessor),
    `${states.toExponential(1)}, ${logits.toExponential(1)}${exceptions}`,
  ];
}

import type { SequenceEmbedding } from "../../model.ts";
import { type Check, fault, holds } from "../check.ts";
import { randomLetters, shownSequence } from "../probes.ts";

/** Ordinary ones, and those on which means, variances and logarithms are known to break. */
const sequences = [
  randomLetters(100, 2),
  "A".repeat(100),
  "G".repeat(100),
  "CG".repeat(50),
  "AT".repeat(30),
  "ACG".repeat(7),
  randomLetters(13, 3),
];

/** Numbers are finite, on repeats too, and in batches whose rows are of different lengths. */
export const finite: Check = {
  name: "finite",
  asks: "Every number is finite, on repeats too, and in batches of different lengths.",
  fault: "NaN or infinite numbers",
  restsOn: ["answers"],
  async ofLikelihoods(asker) {
    const alone = await asker.scoresUnpadded(sequences);
    const together = await asker.scores(sequences);
    return judged([...alone].map(Number.isFinite), [...together].map(Number.isFinite));
  },
  async ofEmbeddings(asker) {
    const sound = ({ states }: SequenceEmbedding) => states.every(Number.isFinite);
    const alone = await asker.embeddingsUnpadded(sequences);
    const together = await asker.embeddings(sequences);
    return judged(alone.map(sound), together.map(sound));
  },
};

function judged(alone: readonly boolean[], together: readonly boolean[]) {
  const place = alone.indexOf(false);
  if (place >= 0) return fault(`${shownSequence(sequences[place]!)} does not get a finite number`);
  const beside = together.indexOf(false);
  if (beside < 0) return holds(`on ${sequences.length} sequences, alone and together`);
  return fault(
    `${shownSequence(sequences[beside]!)} gets a finite number alone, and none in a batch with longer sequences`,
  );
}

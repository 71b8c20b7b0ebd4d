import { type Asker, baseTokens } from "../asker.ts";
import { type Check, fault, holds, undecided, type Verdict } from "../check.ts";
import { otherLetters, randomLetters } from "../probes.ts";
import { unreadLetters } from "../unread-letters.ts";

/** Windows of the benchmark, letters. Of a masked model a likelihood takes a run per token, so long ones are left out. */
const WINDOWS = { quick: [350, 500, 2114], slow: [350] };

/** Long sequences are read to their end, or refused. */
export const truncation: Check = {
  name: "truncation",
  asks: "A sequence as long as the benchmark's windows is read from its first letter to its last, or refused.",
  fault: "long sequences are cut",
  restsOn: ["k-mer-offset"],
  ofLikelihoods: (asker) =>
    overLengths(asker, asker.model.kind === "causal" ? WINDOWS.quick : WINDOWS.slow, async (sequence) => {
      const [score] = await asker.scores([sequence]);
      if (!Number.isFinite(score)) return `${sequence.length} letters have the score ${score}`;
      const [unread] = await unreadLetters(asker, sequence, score!, [0, -1]);
      if (unread !== undefined) {
        return `the score of ${sequence.length} letters does not change with the ${named(unread)}`;
      }
      return undefined;
    }),
  ofEmbeddings: (asker) =>
    overLengths(asker, WINDOWS.quick, async (sequence) => {
      const [embedding] = await asker.embeddings([sequence]);
      const tokens = baseTokens(embedding!);
      const end = Math.max(0, ...tokens.map((token) => token.end));
      const [start] = tokens.map((token) => token.start);
      if (start !== 0 || end !== sequence.length) {
        return `of ${sequence.length} letters the tokens stand for ${(start ?? 0) + 1} to ${end}`;
      }
      for (const place of [0, -1]) {
        const [other] = await asker.embeddings([otherLetters(sequence, place)[0]]);
        if (asker.sameTokens(tokens, baseTokens(other!))) {
          return `the states of ${sequence.length} letters do not change with the ${named(place)}`;
        }
      }
      return undefined;
    }),
};

const named = (place: number) => (place === 0 ? "first letter" : "last letter");

/** @param lookAt  what is wrong at a length, or nothing */
async function overLengths(
  asker: Asker,
  windows: readonly number[],
  lookAt: (sequence: string) => Promise<string | undefined>,
): Promise<Verdict> {
  const lengths = new Set([...windows, ...(asker.longest === undefined ? [] : [asker.longest])]);
  const read: number[] = [];
  for (const length of [...lengths].sort((a, b) => a - b)) {
    const sequence = randomLetters(length, 13);
    let refused = true;
    const trouble = await asker.unlessRefused(
      lookAt(sequence).then((found) => {
        refused = false;
        return found;
      }),
    );
    if (refused) {
      return read.length === 0
        ? undecided(`${length} letters, the benchmark's shortest window, are refused`)
        : holds(`${read.join(" and ")} letters are read to the end, ${length} refused`);
    }
    if (trouble !== undefined) return fault(trouble);
    read.push(length);
  }
  return holds(`${read.join(", ")} letters are read to the end`);
}

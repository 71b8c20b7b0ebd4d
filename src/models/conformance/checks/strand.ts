import { changesOf, share } from "../changed-places.ts";
import { type Check, fault, holds, undecided } from "../check.ts";
import { endSums, slack } from "../continuations.ts";
import { randomLetters } from "../probes.ts";

/** Even, so that no letter is its own mirror image. */
const sequence = randomLetters(60, 11);

/** Letters put in front have about the same probability after every context: then that is where it reads on. */
const EVEN = 0.8;
/** A share of places that is no chance. */
const MOST = 0.6;

/** Letters are read as they are given, from the first to the last. */
export const strand: Check = {
  name: "strand",
  asks: "The strand that is given is the one that is read, from its first letter to its last.",
  fault: "the strand is flipped",
  restsOn: ["special-tokens", "k-mer-offset"],
  async ofLikelihoods(asker) {
    const { kind, tokens } = asker.model;
    if (kind !== "causal" || tokens !== "one-letter") {
      return undecided(
        "in likelihoods it shows of causal models of single letters alone; is the model one, and says so?",
      );
    }
    const { appended, prepended } = await endSums(asker);
    const limit = 1 + slack(asker);
    const most = Math.max(...prepended);
    if (Math.max(...appended) > limit && most <= limit && Math.min(...prepended) > EVEN * most) {
      return fault(
        `the four letters put in front of a sequence have ${most.toPrecision(4)} of probability, those put behind it up to ${Math.max(...appended).toPrecision(4)}: it is read from its end`,
      );
    }
    return holds("letters put behind a sequence continue it");
  },
  async ofEmbeddings(asker) {
    const { places, found, fromTheEnd } = await changesOf(asker, sequence);
    if (places.length < sequence.length / 4) {
      return undecided("too few changes of a letter change the states and keep the tokens");
    }
    if (fromTheEnd) return fault("a state depends on the letters behind it, and not on those before");
    const mirrored = share(places, (place) => found(place) === place.opposite);
    const own = share(places, (place) => found(place) === place.own);
    return mirrored >= MOST && own < mirrored / 2
      ? fault(
          "a changed letter changes the token as far from the other end: the states are those of the other strand",
        )
      : holds("a changed letter changes the token on its own side");
  },
};

import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { CHECK_NAMES } from "../../../src/models/conformance/check.ts";
import { CHECKS, conform } from "../../../src/models/conformance/conform.ts";
import type { Model } from "../../../src/models/model.ts";
import {
  causal,
  causalFaults,
  type EmbeddingToy,
  embedding,
  embeddingFaults,
  masked,
  scoring,
  scoringFaults,
} from "./toy-models.ts";

/** The checks that found a fault, with what they say. */
async function faults(model: Model) {
  const results = await conform(model);
  return results.filter(({ verdict }) => verdict === "fault").map(({ name }) => name);
}

const verdicts = async (model: Model) =>
  Object.fromEntries((await conform(model)).map(({ name, verdict }) => [name, verdict]));

describe("the list of checks", () => {
  test("has each name once, in order, and each check rests on earlier ones", () => {
    expect(CHECKS.map(({ name }) => name)).toEqual(CHECK_NAMES);
    for (const [i, { restsOn }] of CHECKS.entries()) {
      for (const other of restsOn) expect(CHECK_NAMES.indexOf(other)).toBeLessThan(i);
    }
  });

  test("has a planted fault for each of them", () => {
    const planted = new Set([
      ...scoringFaults("causal", causal).map(([, check]) => check),
      ...causalFaults.map(([, check]) => check),
    ]);
    expect([...planted].sort()).toEqual([...CHECK_NAMES].sort());
  });
});

describe("a sound model passes", () => {
  const scored = CHECKS.filter(({ ofLikelihoods }) => ofLikelihoods !== undefined).map(({ name }) => name);

  test("causal", async () => {
    const found = await verdicts(scoring("causal", (all) => all.map(causal)));
    expect(found).toEqual(Object.fromEntries(scored.map((name) => [name, "holds"])));
  });

  test("causal, with no prediction of the first letter", async () => {
    const model = scoring("causal", (all) => all.map((s) => (s === "" ? 0 : causal(s) - causal(s[0]))));
    expect(await faults(model)).toEqual([]);
  });

  test("causal, with as much probability for other tokens as for letters", async () => {
    const model = scoring("causal", (all) => all.map((s) => causal(s) + s.length * Math.log(0.25)));
    expect(await faults(model)).toEqual([]);
  });

  test("masked, whose likelihoods show neither shift nor strand", async () => {
    const found = await verdicts(scoring("masked", (all) => all.map(masked)));
    expect(found).toEqual(
      Object.fromEntries(
        scored.map((name) => [name, ["causal-shift", "strand"].includes(name) ? "undecided" : "holds"]),
      ),
    );
  });

  test("one that only counts letters", async () => {
    const model = scoring("causal", (all) =>
      all.map((s) => [...s].reduce((sum, letter) => sum + Math.log("CG".includes(letter) ? 0.2 : 0.3), 0)),
    );
    expect(await faults(model)).toEqual([]);
  });

  test("one that refuses N, short and long sequences, and says nothing of itself", async () => {
    const model: Model = {
      name: "particular",
      logLikelihood(sequences) {
        if (sequences.some((s) => s.length < 10 || s.length > 1000 || s.includes("N"))) throw new Error("no");
        return sequences.map(masked);
      },
    };
    const found = await verdicts(model);
    expect(found).toMatchObject({
      "special-tokens": "undecided",
      "unknown-letters": "holds",
      truncation: "holds",
    });
    expect(Object.values(found)).not.toContain("fault");
  });

  test.each<EmbeddingToy>([
    { kind: "masked", k: 1 },
    { kind: "causal", k: 1 },
    { kind: "masked", k: 6 },
    { kind: "masked", k: 4 },
  ])("states of $kind tokens of $k letters", async (toy) => {
    const found = await verdicts(embedding(toy));
    const asked = CHECKS.filter(({ ofEmbeddings }) => ofEmbeddings !== undefined).map(({ name }) => name);
    expect(found).toEqual(Object.fromEntries(asked.map((name) => [name, "holds"])));
  });
});

describe("a planted fault is named by exactly the right check", () => {
  test.each(scoringFaults("causal", causal))("causal: %s → %s", async (_, check, model) => {
    expect(await faults(model)).toEqual([check]);
  });

  test.each(causalFaults)("causal: %s → %s", async (_, check, model) => {
    expect(await faults(model)).toEqual([check]);
  });

  test.each(scoringFaults("masked", masked))("masked: %s → %s", async (_, check, model) => {
    expect(await faults(model)).toEqual([check]);
  });

  describe.each<EmbeddingToy>([
    { kind: "masked", k: 1 },
    { kind: "causal", k: 1 },
    { kind: "masked", k: 6 },
  ])("states of $kind tokens of $k letters", (toy) => {
    test.each(embeddingFaults(toy))("%s → %s", async (_, check, model) => {
      expect(await faults(model)).toEqual([check]);
    });
  });
});

describe("the kit", () => {
  test("looks at both questions of a model that answers both, and says what it sees as it goes", async () => {
    const seen: string[] = [];
    const model = {
      ...scoring("causal", (all) => all.map(causal)),
      embed: embedding({ kind: "causal", k: 1 }).embed!,
    };
    await conform(model, { onResult: ({ of, name }) => void seen.push(`${of} ${name}`) });
    expect(seen.slice(0, 2)).toEqual(["log-likelihood answers", "log-likelihood finite"]);
    expect(seen.at(-1)).toBe("embeddings truncation");
  });

  test("leaves out what rests on a check that found a fault, and says so", async () => {
    const [, , noisy] = scoringFaults("causal", causal).find(([, check]) => check === "repeatable")!;
    const left = (await conform(noisy)).filter(({ detail }) => detail.startsWith("not looked at"));
    expect(left.map(({ name }) => name)).toEqual(CHECK_NAMES.slice(3));
    expect(left[0].detail).toBe("not looked at, since repeatable does not hold");
  });

  test("asks for a length of one's own", async () => {
    const model = scoring("causal", (all) => all.map((s) => causal(s.slice(0, 3000))));
    expect(await faults(model)).toEqual([]);
    const results = await conform(model, { longest: 4000 });
    expect(results.find(({ name }) => name === "truncation")).toMatchObject({
      verdict: "fault",
      detail: "the score of 4000 letters does not change with the last letter",
    });
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    const asked = conform(
      scoring("causal", (all) => all.map(causal)),
      {
        signal: stop.signal,
        onResult: () => stop.abort(new Error("enough")),
      },
    );
    await expect(asked).rejects.toThrow("enough");
  });

  test("refuses a model that answers nothing", async () => {
    await expect(conform({ name: "mute" })).rejects.toThrow(InputError);
  });
});

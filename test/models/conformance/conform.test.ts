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

/** Names of the checks that find a fault. */
async function faults(model: Model) {
  const results = await conform(model);
  return results.filter(({ verdict }) => verdict === "fault").map(({ name }) => name);
}

const verdicts = async (model: Model) =>
  Object.fromEntries((await conform(model)).map(({ name, verdict }) => [name, verdict]));

describe("the list of checks", () => {
  test("has each name once, in order, and each check depends on earlier ones", () => {
    expect(CHECKS.map(({ name }) => name)).toEqual(CHECK_NAMES);
    for (const [i, { prerequisites }] of CHECKS.entries()) {
      for (const other of prerequisites) expect(CHECK_NAMES.indexOf(other)).toBeLessThan(i);
    }
  });

  test("every check has a planted fault", () => {
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

  test("causal, without a prediction of the first base", async () => {
    const model = scoring("causal", (all) => all.map((s) => (s === "" ? 0 : causal(s) - causal(s[0]))));
    expect(await faults(model)).toEqual([]);
  });

  test("causal, with as much probability for other tokens as for bases", async () => {
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

  test("one that only counts bases", async () => {
    const model = scoring("causal", (all) =>
      all.map((s) => [...s].reduce((sum, letter) => sum + Math.log("CG".includes(letter) ? 0.2 : 0.3), 0)),
    );
    expect(await faults(model)).toEqual([]);
  });

  test("one that rejects N, short and long sequences, without kind and tokens", async () => {
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
  ])("states of $kind tokens of $k bases", async (toy) => {
    const found = await verdicts(embedding(toy));
    const applicable = CHECKS.filter(({ ofEmbeddings }) => ofEmbeddings !== undefined).map(
      ({ name }) => name,
    );
    expect(found).toEqual(Object.fromEntries(applicable.map((name) => [name, "holds"])));
  });
});

describe("exactly the right check finds a planted fault", () => {
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
  ])("states of $kind tokens of $k bases", (toy) => {
    test.each(embeddingFaults(toy))("%s → %s", async (_, check, model) => {
      expect(await faults(model)).toEqual([check]);
    });
  });
});

describe("conform", () => {
  test("checks likelihoods and embeddings, and reports each result at once", async () => {
    const seen: string[] = [];
    const model = {
      ...scoring("causal", (all) => all.map(causal)),
      embed: embedding({ kind: "causal", k: 1 }).embed!,
    };
    await conform(model, { onResult: ({ of, name }) => void seen.push(`${of} ${name}`) });
    expect(seen.slice(0, 2)).toEqual(["log-likelihood answers", "log-likelihood finite"]);
    expect(seen.at(-1)).toBe("embeddings truncation");
  });

  test("skips checks whose prerequisite found a fault", async () => {
    const [, , noisy] = scoringFaults("causal", causal).find(([, check]) => check === "repeatable")!;
    const left = (await conform(noisy)).filter(({ detail }) => detail.startsWith("skipped"));
    expect(left.map(({ name }) => name)).toEqual(CHECK_NAMES.slice(3));
    expect(left[0].detail).toBe("skipped, since repeatable does not hold");
  });

  test("tests sequences of a given length", async () => {
    const model = scoring("causal", (all) => all.map((s) => causal(s.slice(0, 3000))));
    expect(await faults(model)).toEqual([]);
    const results = await conform(model, { longest: 4000 });
    expect(results.find(({ name }) => name === "truncation")).toMatchObject({
      verdict: "fault",
      detail: "the score of 4000 bases does not change with the last base",
    });
  });

  test("an interrupted model is not reported as faulty", async () => {
    const stop = new AbortController();
    const logLikelihood = () => {
      stop.abort(new Error("enough"));
      throw stop.signal.reason;
    };
    const checked = conform({ name: "interrupted", logLikelihood }, { signal: stop.signal });
    await expect(checked).rejects.toThrow("enough");
  });

  test("stops when the signal aborts", async () => {
    const stop = new AbortController();
    const running = conform(
      scoring("causal", (all) => all.map(causal)),
      {
        signal: stop.signal,
        onResult: () => stop.abort(new Error("enough")),
      },
    );
    await expect(running).rejects.toThrow("enough");
  });

  test("throws for a model without likelihoods and embeddings", async () => {
    await expect(conform({ name: "mute" })).rejects.toThrow(InputError);
  });
});

import { expect, test } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { checkpointName, checkpointWithWeights } from "../../src/models/language/card.ts";
import { LANGUAGE_MODELS, languageModelCard } from "../../src/models/language/catalogue.ts";

test("a model is the public checkpoint whose weights it has, by repository and revision", () => {
  const card = languageModelCard("hyenadna");
  const [, digest] = Object.entries(card.checkpoints.find(({ preset }) => preset === "large-1m")!.sha256!)[0];
  const found = checkpointWithWeights(card, `hyenadna config 01 weights ${digest}`);
  expect(checkpointName(found!)).toBe(
    "LongSafari/hyenadna-large-1m-seqlen-hf@0a629abf9c7f85b4ec9aa6a1aefa3adcf1907446",
  );
  expect(checkpointWithWeights(card, `hyenadna config 01 weights ${sha256Hex("others")}`)).toBeUndefined();
});

test("weights of several shards are known by the digest of their list", () => {
  const sha256 = { "model-00002-of-00002.bin": "b".repeat(64), "model-00001-of-00002.bin": "a".repeat(64) };
  const list = `${"a".repeat(64)}  model-00001-of-00002.bin\n${"b".repeat(64)}  model-00002-of-00002.bin\n`;
  const checkpoint = { preset: "two", repo: "a/b", revision: "main", config: {}, sha256 };
  expect(checkpointWithWeights({ checkpoints: [checkpoint] }, `x weights ${sha256Hex(list)}`)).toBe(
    checkpoint,
  );
});

test("one checkpoint of each family of the benchmark is the benchmark's", () => {
  const families = LANGUAGE_MODELS.filter(({ publishedAs }) => publishedAs !== undefined);
  expect(families).toHaveLength(6);
  for (const { name, checkpoints } of families) {
    expect(
      checkpoints.filter(({ usedByDartEval }) => usedByDartEval),
      name,
    ).toHaveLength(1);
  }
});

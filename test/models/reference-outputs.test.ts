import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { compareWithReference } from "../../src/models/verify.ts";
import { testWithSharedData } from "../shared-data.ts";

interface Vector {
  readonly checkpoint: string;
  readonly revision: string;
  readonly checkpoint_sha256: string;
  readonly token_ids: readonly number[];
  readonly file: string;
}

testWithSharedData(
  "reference outputs of the cards equal the official code's outputs",
  "checkpoint-vectors/index.json",
  (index) => {
    const { vectors } = JSON.parse(readFileSync(index, "utf8")) as { vectors: readonly Vector[] };
    for (const vector of vectors) {
      const { values } = JSON.parse(readFileSync(join(dirname(index), vector.file), "utf8"));
      const card = LANGUAGE_MODELS.find(({ checkpoints }) =>
        checkpoints.some(({ repo }) => repo === vector.checkpoint),
      )!;
      const checkpoint = card.checkpoints.find(({ repo }) => repo === vector.checkpoint)!;
      expect(checkpoint.revision).toBe(vector.revision);
      expect(Object.values(checkpoint.sha256 ?? {})).toContain(vector.checkpoint_sha256);
      const reference = card.referenceOutputs.find(
        ({ preset, ids }) => preset === checkpoint.preset && String(ids) === String(vector.token_ids),
      )!;
      // only the state of the first token is absent from the vectors
      const { firstToken: _, ...stated } = reference;
      expect(compareWithReference(stated, Float64Array.from(values)).deviation).toBeLessThan(1e-6);
    }
    expect(vectors.length).toBeGreaterThanOrEqual(8);
  },
);

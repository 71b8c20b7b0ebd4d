import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { FormatError } from "../../../src/base/errors.ts";
import { codesOf } from "../../../src/dna/sequence/encoding.ts";
import { Chrombpnet } from "../../../src/models/chrombpnet/chrombpnet.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { repository } from "../../source-files.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const golden = join(repository, "test", "golden", "chrombpnet");
interface Predicted {
  readonly outputLength: number;
  /** One per sequence. */
  readonly counts: readonly number[];
  /** Every 97th position of each sequence. */
  readonly logits: readonly (readonly number[])[];
}
const expected: {
  readonly sequences: readonly string[];
  readonly lite: Predicted;
  readonly "lite-accessibility": Predicted;
} = JSON.parse(readFileSync(join(golden, "lite.json"), "utf8"));

describe("a state dict of bpnet-lite", () => {
  test.each([
    ["lite", "combined"],
    ["lite-accessibility", "no-bias"],
  ] as const)("predicts what bpnet-lite predicts: %s", async (name, contents) => {
    const model = await Chrombpnet.open(join(golden, `${name}.pt`));
    onTestFinished(() => model.close());
    const { outputLength, counts, logits } = expected[name];
    expect(model).toMatchObject({ name, contents, inputLength: 2114, outputLength });
    const predictions = await model.predict(expected.sequences.map(codesOf));
    predictions.forEach((prediction, row) => {
      expect(prediction.logCounts).toBeCloseTo(counts[row], 5);
      const some = prediction.logits.filter((_, at) => at % 97 === 0);
      expect([...some]).toEqual(logits[row].map((value) => expect.closeTo(value, 5)));
    });
  });

  test("is a model of activity, and its folds are averaged", async () => {
    const folder = temporaryFolder();
    const bytes = readFileSync(join(golden, "lite.pt"));
    for (const fold of [0, 1]) writeFileSync(join(folder, `K562.fold_${fold}.pt`), bytes);
    const model = await openModel(`chrombpnet:${join(folder, "K562.pt")}`);
    onTestFinished(() => model.close());
    expect(model).toMatchObject({ family: "chrombpnet", inputLength: 2114 });
    const values = [...(await model.predictActivity(expected.sequences))];
    expect(values).toEqual(expected.lite.counts.map((value) => expect.closeTo(value, 5)));
  });

  test("is refused with the tensors of another model", async () => {
    const file = join(repository, "toys", "hyenadna", "model.safetensors");
    const error: unknown = await Chrombpnet.open(file).catch((error) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).describe()).toMatch(
      /the file has no convolution iconv.weight[\s\S]*torch.save\(model.state_dict\(\)/,
    );
  });
});

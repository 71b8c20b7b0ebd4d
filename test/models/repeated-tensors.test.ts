import { join } from "node:path";
import { expect, test } from "vitest";
import { checkRepeatedTensors } from "../../src/models/checkpoints/checkpoint-folder.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const declared = [{ name: "words", shape: [5, 2], aliases: ["decoder"] }];
const values = Float32Array.from({ length: 10 }, (_, i) => i / 4 - 1);

async function check(decoder: Float32Array | undefined, shape = [5, 2]) {
  const file = join(temporaryFolder(), "model.safetensors");
  const words = { name: "words", dtype: "float32", shape: [5, 2], data: values } as const;
  const second = { name: "decoder", dtype: "float32", shape, data: decoder! } as const;
  await writeSafetensors(file, decoder === undefined ? [words] : [words, second]);
  await using checkpoint = await openCheckpoint(file);
  await checkRepeatedTensors(declared, checkpoint);
}

test("one tensor under two names is accepted when the values are equal", async () => {
  await check(values.slice());
  await check(undefined);
});

test("the error for different values names the row", async () => {
  await expect(check(values.with(7, 9))).rejects.toMatchObject({
    message: expect.stringContaining("differs from words in row 3"),
    place: { tensor: "decoder" },
  });
  await expect(check(values, [2, 5])).rejects.toThrow(/differs from words in shape/);
});

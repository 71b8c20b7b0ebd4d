import { expect, test } from "vitest";
import { input } from "../../../src/net/graph/build.ts";
import { stableSoftplus } from "../../../src/net/nn/selective-scan.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

test("softplus keeps float32's relative precision from e^-80 to 1000", async () => {
  const program = await openProgram({ y: stableSoftplus(input("x", "float32", ["n"])) });
  const data = Float32Array.from({ length: 20_001 }, (_, i) => -80 + 0.01 * i).map((x) =>
    x > 100 ? 10 * (x - 20) : x,
  );
  const { y } = await program.run({ x: { dtype: "float32", shape: [data.length], data } });
  await program.close();
  let worst = 0;
  (y!.data as Float32Array).forEach((value, i) => {
    const exact = Math.max(data[i], 0) + Math.log1p(Math.exp(-Math.abs(data[i])));
    worst = Math.max(worst, Math.abs(value / exact - 1));
  });
  expect(worst).toBeLessThan(4e-7);
});

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DeviceRow } from "../../scripts/devices/compare.ts";
import { program } from "../compiled.ts";

// Debian's chromium includes SwiftShader, a Vulkan device in software, and a Vulkan loader: WebGPU without a
// GPU. Shaders take seconds to compile: `scripts/device-gradients.ts` compares the larger recipes.
const chromium = "/usr/lib/chromium";
const swiftshader = join(chromium, "vk_swiftshader_icd.json");
const RECIPES = ["probing head, single bases"];
const [executable, ...words] = program("test/models/webgpu-training-child.ts");

interface Trained {
  readonly losses: readonly number[];
  readonly failure: unknown;
  readonly again: number;
  readonly trained: readonly number[];
  readonly unchanged: boolean;
}

test.skipIf(!existsSync(swiftshader))(
  "training on WebGPU: gradients of the CPU, and a state that stays on the device",
  () => {
    const { status, stdout, stderr } = spawnSync(executable!, [...words, ...RECIPES], {
      encoding: "utf8",
      env: { ...process.env, VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: chromium },
    });
    expect(status, stderr).toBe(0);
    const { gradients, cpu, webgpu } = JSON.parse(stdout) as Readonly<Record<"cpu" | "webgpu", Trained>> & {
      readonly gradients: readonly DeviceRow[];
    };
    expect(gradients.map(({ recipe }) => recipe)).toEqual(RECIPES);
    for (const { recipe, error, gradient, loss, onDevice } of gradients) {
      expect(error, recipe).toBeUndefined();
      expect(gradient, recipe).toBeLessThan(5e-6);
      expect(loss, recipe).toBeLessThan(1e-6);
      expect(onDevice, recipe).toBeGreaterThan(50);
    }
    expect(webgpu.losses.at(-1)!).toBeLessThan(webgpu.losses[0]);
    webgpu.losses.forEach((loss, i) => {
      expect(Math.abs(loss - cpu.losses[i])).toBeLessThan(1e-5);
    });
    webgpu.trained.forEach((value, i) => {
      expect(Math.abs(value - cpu.trained[i])).toBeLessThan(1e-4);
    });
    for (const { failure, unchanged, again, losses } of [cpu, webgpu]) {
      expect(failure).toBe("the loss of this batch is NaN");
      expect(unchanged).toBe(true);
      expect(again).toBe(losses.at(-1));
    }
  },
  240_000,
);

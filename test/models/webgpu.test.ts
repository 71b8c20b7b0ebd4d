import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { program } from "../compiled.ts";
import type { WebGpuResults } from "./webgpu-child.ts";

// Debian's chromium includes SwiftShader, a Vulkan device in software, and a Vulkan loader: WebGPU without a
// GPU. Shaders take seconds to compile: `scripts/device-gradients.ts` compares the larger recipes. With
// DART_EVAL_TEST_GPU=1, the tests run on the GPU of the machine.
const onGpu = process.env.DART_EVAL_TEST_GPU === "1";
const chromium = "/usr/lib/chromium";
const swiftshader = join(chromium, "vk_swiftshader_icd.json");
const [executable, ...words] = program("test/models/webgpu-child.ts");

describe.skipIf(!onGpu && !existsSync(swiftshader))("WebGPU [needs Chromium]", () => {
  let results: WebGpuResults;
  beforeAll(() => {
    const { status, stdout, stderr } = spawnSync(executable, words, {
      encoding: "utf8",
      env: onGpu ? process.env : { ...process.env, VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: chromium },
    });
    expect(status, stderr).toBe(0);
    results = JSON.parse(stdout);
  }, 240_000);

  test("agrees with the CPU, op by op and over a whole HyenaDNA", () => {
    const { device, deviations } = results.operations;
    expect(device).toBe("webgpu");
    expect(Object.keys(deviations).length).toBeGreaterThan(10);
    for (const [name, deviation] of Object.entries(deviations)) expect(deviation, name).toBeLessThan(2e-5);
  });

  test("runs Caduceus without loops, in agreement with the CPU", () => {
    const { forms, deviations } = results.caduceus;
    expect(forms).toEqual({ webgpu: "attention", cpu: "loops" });
    expect(Object.keys(deviations).length).toBe(4);
    for (const [name, deviation] of Object.entries(deviations)) expect(deviation, name).toBeLessThan(1e-5);
  });

  test("refuses f16 without the feature shader-f16", () => {
    expect(results.half).toEqual({
      name: "InputError",
      message: "the device webgpu does not compute in float16 (it lacks the WebGPU feature shader-f16)",
    });
  });

  test("trains with the gradients of the CPU, and a state that stays on the device", () => {
    const { gradients, cpu, webgpu } = results.training;
    expect(gradients.map(({ recipe }) => recipe)).toEqual(["probing head, single bases"]);
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
  });
});

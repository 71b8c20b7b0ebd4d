import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program } from "../../compiled.ts";

// Debian's chromium includes SwiftShader, a Vulkan device in software, and a Vulkan loader: WebGPU without a
// GPU.
const chromium = "/usr/lib/chromium";
const swiftshader = join(chromium, "vk_swiftshader_icd.json");
const [executable, ...words] = program("test/models/language/caduceus-webgpu-child.ts");

test.skipIf(!existsSync(swiftshader))(
  "Caduceus on WebGPU, without loops, agrees with the CPU",
  () => {
    const { status, stdout, stderr } = spawnSync(executable!, words, {
      encoding: "utf8",
      env: { ...process.env, VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: chromium },
    });
    expect(status, stderr).toBe(0);
    const { forms, deviations } = JSON.parse(stdout) as {
      forms: Record<string, string>;
      deviations: Record<string, number>;
    };
    expect(forms).toEqual({ webgpu: "attention", cpu: "loops" });
    expect(Object.keys(deviations).length).toBe(4);
    for (const [name, deviation] of Object.entries(deviations)) expect(deviation, name).toBeLessThan(1e-5);
  },
  240_000,
);

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program } from "../../compiled.ts";

// Debian's chromium brings SwiftShader, a Vulkan device in software, and a Vulkan loader: WebGPU without a
// GPU.
const chromium = "/usr/lib/chromium";
const swiftshader = join(chromium, "vk_swiftshader_icd.json");
const [executable, ...words] = program("test/net/runtime/webgpu-child.ts");

test.skipIf(!existsSync(swiftshader))(
  "WebGPU agrees with the processor, op by op and over a whole HyenaDNA",
  () => {
    const { status, stdout, stderr } = spawnSync(executable!, words, {
      encoding: "utf8",
      env: { ...process.env, VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: chromium },
    });
    expect(status, stderr).toBe(0);
    const { device, deviations } = JSON.parse(stdout) as {
      device: string;
      deviations: Record<string, number>;
    };
    expect(device).toBe("webgpu");
    expect(Object.keys(deviations).length).toBeGreaterThan(10);
    for (const [name, deviation] of Object.entries(deviations)) expect(deviation, name).toBeLessThan(2e-5);
  },
  120_000,
);

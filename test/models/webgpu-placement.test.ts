import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program } from "../compiled.ts";
import { temporaryFolder } from "../temporary-folder.ts";

// Debian's chromium includes SwiftShader, a Vulkan device in software, and a Vulkan loader: WebGPU without a
// GPU.
const chromium = "/usr/lib/chromium";
const swiftshader = join(chromium, "vk_swiftshader_icd.json");
const [executable, ...words] = program("test/models/webgpu-placement-child.ts");

/** Ops that compute shapes and indices: ONNX Runtime keeps them on the CPU on every device. */
const SHAPES_AND_INDICES = [
  "Add",
  "Cast",
  "Concat",
  "Div",
  "Expand",
  "Mul",
  "Range",
  "Reshape",
  "Shape",
  "Slice",
  "Squeeze",
  "Sub",
];
/** Each expert selects its slots: the number of tokens of an expert determines shapes. */
const ROUTING = ["Compress", "Equal"];

/** Ops without a kernel on WebGPU: sizes that depend on values, loops, and integers of 64 and 8 bits. */
const WITHOUT_KERNEL = ["Compress", "MatMulIntegerToFloat", "Mod", "QuantizeLinear", "Scan", "Transpose"];

interface Placement {
  readonly graph: string;
  readonly onGpu: number;
  /** Types of the ops on the CPU. */
  readonly onCpu: readonly string[];
}

/** Placement of the ops of each graph, from ONNX Runtime's log. */
function placements(log: string): readonly Placement[] {
  const [, ...parts] = log.split(/^graph: /m);
  return parts.map((part) => {
    const [graph, ...lines] = part.split("\n");
    const onCpu = new Set<string>();
    let onGpu = 0;
    let provider = "";
    for (const line of lines) {
      const header = / placed on \[(\w+)\]\. Number of nodes: (\d+)/.exec(line);
      if (header !== null) {
        provider = header[1];
        if (provider === "WebGpuExecutionProvider") onGpu = Number(header[2]);
      }
      const op = /VerifyEachNodeIsAssignedToAnEp\] +(\w+) \(/.exec(line)?.[1];
      if (op !== undefined && provider === "CPUExecutionProvider") onCpu.add(op);
    }
    const computed = [...onCpu].filter((op) => !SHAPES_AND_INDICES.includes(op));
    return { graph, onGpu, onCpu: computed.sort() };
  });
}

test.skipIf(!existsSync(swiftshader))(
  "on WebGPU, only shapes, indices and the routing of experts are computed on the CPU [needs Chromium]",
  () => {
    const path = join(temporaryFolder(), "log");
    // A file: the library loses lines when a pipe is full.
    const file = openSync(path, "w");
    const { status } = spawnSync(executable, words, {
      stdio: ["ignore", "ignore", file],
      env: { ...process.env, VK_ICD_FILENAMES: swiftshader, LD_LIBRARY_PATH: chromium },
    });
    closeSync(file);
    const log = readFileSync(path, "utf8");
    expect(status, log.slice(-2000)).toBe(0);
    const [everyOp, ...graphs] = placements(log);
    expect(everyOp.onCpu).toEqual(WITHOUT_KERNEL);
    expect(graphs.filter(({ graph }) => graph.startsWith("forward")).length).toBeGreaterThan(5);
    expect(graphs.filter(({ graph }) => graph.startsWith("gradients")).length).toBeGreaterThan(10);
    for (const { graph, onCpu, onGpu } of graphs) {
      expect(onGpu, graph).toBeGreaterThan(50);
      expect(onCpu, graph).toEqual(graph.endsWith("mistral-dna") ? ROUTING : []);
    }
  },
  240_000,
);

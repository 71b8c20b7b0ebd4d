import { parseArgs } from "node:util";
import { parseDevice, trainingDevice } from "../src/net/runtime/device.ts";
import { compareDevices, type DeviceRow } from "./devices/compare.ts";

// Prints, for every training recipe on a tiny model, the largest deviation of a gradient on a device from the
// CPU's, and the ops that ran on the CPU instead of the device:
//
//     npx tsx scripts/device-gradients.ts [--device webgpu] [--only LoRA] [--json]

const { values } = parseArgs({
  options: {
    device: { type: "string", default: "webgpu" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const device = trainingDevice(parseDevice(values.device) ?? "cpu");
if (device !== values.device) throw new Error(`${values.device} does not train: webgpu, cuda or cpu`);
const print = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(" | ")} |\n`);
if (!values.json) {
  const head = ["recipe", "largest gradient deviation", "loss", "ops on the device", "on the CPU"];
  print(head);
  print(head.map(() => "---"));
}
for await (const row of compareDevices(device, values.only)) {
  if (values.json) process.stdout.write(`${JSON.stringify(row)}\n`);
  else print(cellsOf(row));
}

function cellsOf({ recipe, error, gradient, parameter, loss, onDevice, onCpu = {} }: DeviceRow) {
  if (error !== undefined) return [recipe, `fails: ${error.split("\n")[0]}`, "", "", ""];
  const ops = Object.entries(onCpu).map(([op, count]) => `${op} ${count}`);
  return [
    recipe,
    `${gradient!.toExponential(1)} (${parameter})`,
    loss!.toExponential(1),
    String(onDevice),
    ops.join(", ") || "none",
  ];
}

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
const rows = await compareDevices(device, values.only);
process.stdout.write(values.json ? `${JSON.stringify(rows)}\n` : table(rows));

function table(rows: readonly DeviceRow[]): string {
  const head = ["recipe", "largest gradient deviation", "loss", "ops on the device", "on the CPU"];
  const lines = rows.map(({ recipe, error, gradient, parameter, loss, onDevice, onCpu = {} }) =>
    error === undefined
      ? [
          recipe,
          `${gradient!.toExponential(1)} (${parameter})`,
          loss!.toExponential(1),
          String(onDevice),
          Object.entries(onCpu)
            .map(([op, count]) => `${op} ${count}`)
            .join(", ") || "none",
        ]
      : [recipe, `fails: ${error.split("\n")[0]}`, "", "", ""],
  );
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return row(head) + row(head.map(() => "---")) + lines.map(row).join("");
}

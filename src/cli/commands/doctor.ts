import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from "node:os";
import { Option } from "commander";
import { cacheFolder } from "../../base/folder.ts";
import { version } from "../../base/package.ts";
import { DEVICES, type Device } from "../../net/runtime/device.ts";
import { devicesHere, onnxRuntimeVersion } from "../../net/runtime/onnx-runtime.ts";
import { bytes } from "../../report/numbers.ts";
import { type Context, type DefineCommand, examples } from "../command.ts";
import { type Finding, selfCheck } from "../self-check.ts";

interface DoctorOptions {
  readonly device: Device;
  readonly json?: boolean;
}

export const define: DefineCommand = (command, context) => {
  command
    .description(
      "Says what this machine has, and checks in a few seconds that it computes what others compute.",
    )
    .addOption(
      new Option("--device <device>", "where the check computes; auto takes the fastest there is")
        .choices(DEVICES)
        .default("auto"),
    )
    .option("--json", "print the findings as JSON")
    .addHelpText(
      "after",
      examples({
        "before a long run": "dart-eval doctor",
        "does the GPU work": "dart-eval doctor --device webgpu",
      }),
    )
    .action((options: DoctorOptions) => examine(options, context));
};

async function examine({ device, json }: DoctorOptions, context: Context): Promise<void> {
  const { terminal, signal } = context;
  const say = (text: string) => {
    if (!json) terminal.print(text);
  };
  const machine = await machineFacts();
  const providers = await devicesHere();
  const width = Math.max(...Object.keys(machine).map((name) => name.length));
  for (const [name, value] of Object.entries(machine)) say(`${name.padEnd(width)}  ${value}`);
  say("\ndevices");
  for (const { device: name, present, advice } of providers) {
    say(`  ${name.padEnd(7)} ${present ? "installed" : `not installed: ${advice}`}`);
  }
  say("\nself-check");
  const findings: Finding[] = [];
  for await (const finding of selfCheck(device, signal)) {
    findings.push(finding);
    say(`  ${finding.ok ? "ok    " : "FAILED"} ${finding.check}: ${finding.detail}`);
  }
  if (json) terminal.print(JSON.stringify({ machine, devices: providers, findings }, null, 2));
  if (findings.every(({ ok }) => ok)) return;
  context.exitCode = 1;
  terminal.say("This machine does not compute what it should; results from it cannot be trusted.");
}

async function machineFacts(): Promise<Record<string, string>> {
  const models = [...new Set(cpus().map(({ model }) => model.trim()))].filter(Boolean).join(", ");
  return {
    "dart-eval": version,
    "Node.js": process.versions.node,
    "ONNX Runtime": await onnxRuntimeVersion(),
    system: `${platform()} ${release()} ${arch()}`,
    processor: `${models || "unknown"}, ${availableParallelism()} threads`,
    memory: `${bytes(totalmem())}, ${bytes(freemem())} free`,
    cache: cacheFolder(),
  };
}

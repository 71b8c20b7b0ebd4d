import { type Command, InvalidArgumentError, Option } from "commander";
import type { ChildProgram } from "../base/child-program.ts";
import {
  DEVICES,
  type Device,
  parseDevice,
  TRAINING_DEVICES,
  type TrainingDevice,
  trainingDevice,
} from "../net/runtime/device.ts";
import type { Job } from "./job.ts";
import type { Terminal } from "./terminal.ts";

export interface Context {
  readonly terminal: Terminal;
  /** Aborts when the user asks to stop. */
  readonly signal: AbortSignal;
  /** The command line as a shell takes it. */
  readonly commandLine: string;
  /** Present if another process runs this one as one of its jobs. */
  readonly job?: Job | undefined;
  /** Starts a job with this number of threads; default: this command line in another process. */
  readonly startJob?: ((threads: number) => ChildProgram) | undefined;
  /** Text after an interruption: how to resume. A resumable command sets it before it starts. */
  resume: string | undefined;
  /** Exit code when nothing is thrown: 1 where a command found errors in its input. */
  exitCode: number;
}

/** The export of a file in `commands/`: adds options, help and action to a command. */
export type DefineCommand = (command: Command, context: Context) => void;

/** Option that names an output file; a command refuses one that is also an input. */
export class OutputFileOption extends Option {}

/** Examples below a command's help: command lines by description. */
export function examples(lines: Readonly<Record<string, string>>): string {
  const rows = Object.entries(lines).map(([description, line]) => `  # ${description}\n  $ ${line}`);
  return `\nExamples:\n${rows.join("\n\n")}\n`;
}

/**
 * Parses an option's value: a whole number of at least `least`, in digits. Commander prints the error with
 * the option's name and value.
 */
export function wholeNumberOption(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number, ${least} or more.`);
    }
    return value;
  };
}

/** `--device` of a command, "auto" by default; `cuda:1` is the second GPU. */
export const deviceOption = (description: string): Option =>
  optionOf(description, DEVICES, parseDevice).default("auto");

/** `--device` of a command that only trains, the CPU by default. */
export const trainingDeviceOption = (description: string): Option =>
  optionOf(description, TRAINING_DEVICES, (text): TrainingDevice | undefined => {
    const device = parseDevice(text);
    return device !== undefined && trainingDevice(device) === device ? device : undefined;
  }).default("cpu");

/** Parses `cuda:0,cuda:1`: at least two devices, separated by commas. */
export function deviceListOption(text: string): readonly Device[] {
  const devices = text.split(",").map((each) => parseDevice(each));
  const known = devices.filter((device) => device !== undefined && device !== "auto");
  if (known.length === devices.length && known.length > 1) return known;
  throw new InvalidArgumentError("Expected two or more devices, such as cuda:0,cuda:1.");
}

function optionOf(
  description: string,
  choices: readonly Device[],
  parse: (text: string) => Device | undefined,
): Option {
  return new Option("--device <device>", description).choices(choices).argParser((text: string) => {
    const device = parse(text);
    if (device !== undefined) return device;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}, cuda:1.`);
  });
}

/** Adds `--data`, the option of all `data` commands. */
export function dataFolderOption(command: Command): Command {
  return command.option(
    "--data <folder>",
    "the data folder, in the layout of the benchmark's work directory",
    process.env.DART_WORK_DIR || "dart-eval-data",
  );
}

/** Name of the hidden command that completion scripts call with the words typed so far. */
export const COMPLETE = "__complete";

const PLAIN = /^[\p{L}\p{N}_./:=@%+,~-]+$/u;
const PLAIN_ON_WINDOWS = /^[\p{L}\p{N}_./\\:=@+,~-]+$/u;

/**
 * Quotes a word for a shell, if it has special characters: single quotes for POSIX shells, double quotes on
 * Windows, which cmd and PowerShell accept and no file name contains.
 */
export function shellWord(text: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return PLAIN_ON_WINDOWS.test(text) ? text : `"${text}"`;
  if (PLAIN.test(text) && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

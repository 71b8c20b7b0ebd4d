#!/usr/bin/env node
import { fileError } from "../base/errors.ts";
import { dispatch } from "./dispatch.ts";
import { failureOf } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { processTerminal } from "./terminal.ts";

// A closed pipe, such as `| head`, is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  const failure = failureOf(fileError("standard output", error));
  process.stderr.write(`${failure.text}\n`);
  process.exit(failure.exitCode);
});
// A run continues after its terminal is closed.
process.stderr.on("error", () => {});

process.exitCode = await interruptible((signal) =>
  dispatch(process.argv.slice(2), processTerminal(), signal),
);

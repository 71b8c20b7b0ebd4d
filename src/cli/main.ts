#!/usr/bin/env node
import { dispatch } from "./dispatch.ts";
import { interruptible } from "./interrupt.ts";
import { processTerminal } from "./terminal.ts";

// A reader that leaves early, such as `| head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await interruptible((signal) =>
  dispatch(process.argv.slice(2), processTerminal(), signal),
);

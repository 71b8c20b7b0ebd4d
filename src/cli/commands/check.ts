import type { DefineCommand } from "../command.ts";
import { define as defineVariants } from "./check-variants.ts";

export const define: DefineCommand = (command, context) => {
  command.description("Checks a table for errors before scoring.");
  defineVariants(command.command("variants").summary("check a table of variants"), context);
};

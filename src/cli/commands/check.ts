import type { DefineCommand } from "../command.ts";
import { define as defineVariants } from "./check-variants.ts";

export const define: DefineCommand = (command, context) => {
  command.description("Looks for faults of a table before anything is scored with it.");
  defineVariants(
    command.command("variants").summary("alleles, positions, assembly, order, labels of variants"),
    context,
  );
};

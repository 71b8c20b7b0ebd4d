import type { DefineCommand } from "../command.ts";
import { define as definePredict } from "./chrombpnet-predict.ts";
import { define as defineTrain } from "./chrombpnet-train.ts";

export const define: DefineCommand = (command, context) => {
  command.description(
    "Trains ChromBPNet, the model of accessibility at base resolution whose enzyme's bias is factored out, and predicts with it.",
  );
  defineTrain(command.command("train").summary("train one from a bigWig, peaks and non-peaks"), context);
  definePredict(command.command("predict").summary("the signal that one predicts in some regions"), context);
};

import type { DefineCommand } from "../command.ts";
import { define as definePredict } from "./chrombpnet-predict.ts";
import { define as defineTrain } from "./chrombpnet-train.ts";

export const define: DefineCommand = (command, context) => {
  command.description(
    "Trains ChromBPNet, a bias-factorized model of chromatin accessibility at base resolution, and predicts with it.",
  );
  defineTrain(command.command("train").summary("train a model from a bigWig, peaks and non-peaks"), context);
  definePredict(command.command("predict").summary("predict the signal in regions"), context);
};

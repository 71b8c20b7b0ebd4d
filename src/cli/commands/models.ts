import type { DefineCommand } from "../command.ts";
import { define as defineConform } from "./models/conform.ts";
import { define as defineFetch } from "./models/fetch.ts";
import { define as defineInit } from "./models/init.ts";
import { define as defineList } from "./models/list.ts";
import { define as defineVerify } from "./models/verify.ts";

export const define: DefineCommand = (command, context) => {
  command.description(
    "Lists the models, makes, fetches and verifies their checkpoints, and looks for faults of adapters.",
  );
  defineList(
    command.command("list").summary("the families of models, and which checkpoints are here"),
    context,
  );
  defineInit(command.command("init").summary("write an untrained checkpoint"), context);
  defineFetch(
    command.command("fetch").summary("download a published checkpoint and verify its files"),
    context,
  );
  defineVerify(
    command.command("verify").summary("compare a checkpoint with the official code's output"),
    context,
  );
  defineConform(
    command.command("conform").summary("look for the classic faults of a model's adapter"),
    context,
  );
};

import type { DefineCommand } from "../command.ts";
import { define as defineConform } from "./models/conform.ts";
import { define as defineFetch } from "./models/fetch.ts";
import { define as defineInit } from "./models/init.ts";
import { define as defineList } from "./models/list.ts";
import { define as defineVerify } from "./models/verify.ts";

export const define: DefineCommand = (command, context) => {
  command.description("Lists model families; creates, fetches and verifies checkpoints; tests adapters.");
  defineList(command.command("list").summary("list model families and local checkpoints"), context);
  defineInit(command.command("init").summary("write an untrained checkpoint"), context);
  defineFetch(command.command("fetch").summary("download a pinned checkpoint and verify it"), context);
  defineVerify(
    command.command("verify").summary("compare a checkpoint with the official code's output"),
    context,
  );
  defineConform(command.command("conform").summary("test a model or adapter for common errors"), context);
};

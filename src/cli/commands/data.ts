import type { DefineCommand } from "../command.ts";
import { define as defineBundle } from "./data/bundle.ts";
import { define as defineFetch } from "./data/fetch.ts";
import { define as defineList } from "./data/list.ts";
import { define as defineUnpack } from "./data/unpack.ts";
import { define as defineVerify } from "./data/verify.ts";

export const define: DefineCommand = (command, context) => {
  command.description(
    "Brings the benchmark's files into one folder, checks them, and carries them to a machine without a network.",
  );
  defineList(
    command.command("list").summary("every file, where it comes from, and whether it is here"),
    context,
  );
  defineFetch(
    command.command("fetch").summary("download files, each checked; a stopped download goes on"),
    context,
  );
  defineVerify(command.command("verify").summary("check sizes, digests and counts of what is here"), context);
  defineBundle(command.command("bundle").summary("write the folder as one archive"), context);
  defineUnpack(command.command("unpack").summary("unpack such an archive, checking every file"), context);
};

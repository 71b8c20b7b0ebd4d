import type { DefineCommand } from "../command.ts";
import { define as defineBundle } from "./data/bundle.ts";
import { define as defineFetch } from "./data/fetch.ts";
import { define as defineList } from "./data/list.ts";
import { define as defineUnpack } from "./data/unpack.ts";
import { define as defineVerify } from "./data/verify.ts";

export const define: DefineCommand = (command, context) => {
  command.description(
    "Downloads the benchmark's files to a data folder, verifies them, and transfers them to machines without a network.",
  );
  defineList(
    command.command("list").summary("list the files, their sources and whether they are present"),
    context,
  );
  defineFetch(
    command.command("fetch").summary("download and verify files; interrupted downloads resume"),
    context,
  );
  defineVerify(
    command.command("verify").summary("check sizes, digests and row counts of present files"),
    context,
  );
  defineBundle(command.command("bundle").summary("pack the folder into one archive"), context);
  defineUnpack(command.command("unpack").summary("unpack an archive, verifying every file"), context);
};

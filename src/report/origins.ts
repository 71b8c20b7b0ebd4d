import { SOURCES } from "../datasets/sources/catalogue.ts";
import { addressText } from "../datasets/sources/locate.ts";
import type { FileOrigin } from "../datasets/sources/origin.ts";
import { evaluatedData } from "../evaluation/runs/cell.ts";
import type { Entry } from "./panels.ts";

/** `built from ENCODE ENCFF420VPZ (…)`, or `custom data: my.fa`: what an input is, by its digest. */
export function originText(origin: FileOrigin | undefined): string {
  if (origin === undefined) return "custom data given in memory";
  const source = SOURCES.find(({ name }) => name === origin.source);
  if (source === undefined) return `custom data: ${origin.file}`;
  const address = source.addresses[0];
  const from = address === undefined || address.kind === "web" ? source.name : addressText(address);
  return `${origin.built ? "built from " : ""}${from} (${source.what})`;
}

/** The data that a panel's entries were evaluated on; files of several names may hold the same data. */
export function dataText(entries: readonly Pick<Entry, "result">[]): string {
  const texts = entries.flatMap(({ result: { cell, origins } }) =>
    Object.keys(evaluatedData(cell)).map((input) => {
      const text = origins === undefined ? "origin not recorded" : originText(origins[input]);
      return `${input}: ${text}`;
    }),
  );
  return `Data: ${[...new Set(texts)].join("; ")}.`;
}

import { counted } from "../base/message-text.ts";
import { bytes, count, duration } from "./numbers.ts";
import { originText } from "./origins.ts";
import type { Entry } from "./panels.ts";

/** A name and what it is, for a list of facts. */
export type Fact = readonly [name: string, value: string];

/** `test split`, or `every split`. */
export const splitWords = (split: string): string => (split === "all" ? "every split" : `${split} split`);

/** Where a result comes from and what it would take to get it again: all that goes into its identity, and how it ran. */
export function provenanceFacts({ stored, result }: Entry): Fact[] {
  const { cell, rows, identity } = result;
  const recipe = Object.entries(cell.recipe).map(([key, value]) => `${key} ${value}`);
  const timing = stored.timing;
  const seconds = timing.reduce((sum, shard) => sum + shard.seconds, 0);
  const scored = timing.reduce((sum, shard) => sum + shard.timedRows, 0);
  const peak = Math.max(...timing.map((shard) => shard.peakMemory));
  const each = (of: (shard: (typeof timing)[number]) => string) => [...new Set(timing.map(of))].join(", ");
  return [
    ["cell", `${identity} (task version ${cell.taskVersion}, identity version ${cell.identityVersion})`],
    [
      "model",
      cell.model.identity ?? `${cell.model.name}, which gives no identity of its own: the name stands alone`,
    ],
    ...(result.checkpoint === undefined ? [] : ([["checkpoint", result.checkpoint]] satisfies Fact[])),
    ...(cell.dataset === undefined ? [] : ([["data set", cell.dataset]] satisfies Fact[])),
    ["protocol", cell.protocol],
    ["recipe", recipe.join(", ") || "nothing to set"],
    ...(cell.weights === undefined
      ? []
      : ([["weights", `not trained here: ${result.weightsFile}, SHA-256 ${cell.weights}`]] satisfies Fact[])),
    ["seed", String(cell.seed)],
    [
      "rows",
      `${count(rows.selected)} of ${count(rows.inTable)}: ${splitWords(cell.split)}` +
        `${cell.limit === null ? "" : `, at most ${count(cell.limit)}`}; SHA-256 of their numbers ${rows.digest}`,
    ],
    ...Object.entries(result.origins ?? {}).map(
      ([name, origin]): Fact => [`file of ${name}`, originText(origin)],
    ),
    ...Object.entries(cell.data).map(([name, digest]): Fact => [name, `SHA-256 ${digest}`]),
    ...(timing.length === 0
      ? []
      : ([
          [
            "time",
            scored === 0
              ? "none: the answers were there already, such as those of the other protocol"
              : `${duration(seconds)} for ${counted(scored, "row")}${seconds > 0 ? `, ${count(scored / seconds)} rows/s` : ""}`,
          ],
          ["shards", `${timing.length}, batch size ${each((shard) => String(shard.batchSize))}`],
          ["peak memory", bytes(peak)],
          ["device", each((shard) => shard.device ?? "the model's own")],
          ["machine", each((shard) => shard.host)],
          ["software", `dart-eval ${each((shard) => shard.toolkit)}`],
        ] satisfies Fact[])),
  ];
}

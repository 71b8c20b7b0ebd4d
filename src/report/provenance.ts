import { counted, shortenPaths } from "../base/message-text.ts";
import { SOURCES } from "../datasets/sources/catalogue.ts";
import { addressText } from "../datasets/sources/locate.ts";
import type { FileOrigin } from "../datasets/sources/origin.ts";
import { cellName, evaluatedData } from "../evaluation/runs/cell.ts";
import type { CustomForms } from "../evaluation/runs/forms.ts";
import { precisionText } from "../evaluation/runs/precision-record.ts";
import type { ShardTiming } from "../evaluation/runs/shard-store.ts";
import { programsOf } from "../evaluation/runs/stored-results.ts";
import { type Html, html, htmlTable } from "./html.ts";
import { bytes, count, duration, UNDEFINED } from "./numbers.ts";
import { type Entry, panelTitle } from "./panels.ts";
import type { Report } from "./report.ts";
import type { Table } from "./table.ts";

/** Name and value in a list of facts. */
export type Fact = readonly [name: string, value: string];

/** `test split`, or `every split`. */
const splitText = (split: string): string => (split === "all" ? "every split" : `${split} split`);

/** Everything needed to reproduce a result: the parts of its identity, and the conditions of its run. */
export function provenanceFacts({ stored, result }: Entry): Fact[] {
  const { cell, rows, identity } = result;
  const recipe = Object.entries(cell.recipe).map(([key, value]) => `${key} ${value}`);
  const timing = stored.timing;
  const seconds = timing.reduce((sum, shard) => sum + shard.seconds, 0);
  const scored = timing.reduce((sum, shard) => sum + shard.timedRows, 0);
  const peak = Math.max(...timing.map((shard) => shard.peakMemory));
  const each = (of: (shard: ShardTiming) => string) => [...new Set(timing.map(of))];
  const dates = datesText(timing);
  return [
    ["cell", `${identity} (task version ${cell.taskVersion}, identity version ${cell.identityVersion})`],
    [
      "model",
      cell.model.identity ??
        `${cell.model.name} (the model states no identity, so only its name is recorded)`,
    ],
    ...(result.checkpoint === undefined ? [] : ([["checkpoint", result.checkpoint]] satisfies Fact[])),
    ...(cell.dataset === undefined ? [] : ([["data set", cell.dataset]] satisfies Fact[])),
    ...(cell.context === undefined
      ? []
      : ([["context", `${count(cell.context)} bases per sequence`]] satisfies Fact[])),
    ["protocol", cell.protocol],
    ["recipe", recipe.join(", ") || "no parameters"],
    ...(cell.weights === undefined
      ? []
      : ([
          ["weights", `not trained here: ${shortenPaths(result.weightsFile ?? "")}, SHA-256 ${cell.weights}`],
        ] satisfies Fact[])),
    ...(result.precisionCheck === undefined
      ? []
      : ([["precision", precisionText(result.precisionCheck)]] satisfies Fact[])),
    ["seed", String(cell.seed)],
    [
      "rows",
      `${count(rows.selected)} of ${count(rows.inTable)}: ${splitText(cell.split)}` +
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
              ? "none: predictions were reused, such as those of the other protocol"
              : `${duration(seconds)} for ${counted(scored, "row")}${seconds > 0 ? `, ${speed(scored / seconds)} rows/s` : ""}`,
          ],
          ...each((shard) => shard.command ?? "")
            .filter((command) => command !== "")
            .map((command): Fact => ["command", shortenPaths(command)]),
          ...(dates === undefined ? [] : ([["date", dates]] satisfies Fact[])),
          ["shards", `${timing.length}, batch size ${each((shard) => String(shard.batchSize)).join(", ")}`],
          ["peak memory", bytes(peak)],
          ["device", each((shard) => shard.device ?? "chosen by the model").join(", ")],
          ["machine", each((shard) => shard.host).join(", ")],
          ["software", `dart-eval ${programsOf(timing).join(", ")}`],
        ] satisfies Fact[])),
  ];
}

/** Rows per second, with two digits below 10. */
const speed = (value: number): string => (value < 9.95 ? String(Number(value.toPrecision(2))) : count(value));

/** Minutes from the first start to the last end of the shards: `2026-05-04 09:12 to 10:40 UTC`. */
function datesText(timing: readonly ShardTiming[]): string | undefined {
  const shown = (time: string) => time.slice(0, 16).replace("T", " ");
  const first = timing.flatMap(({ started }) => started ?? []).toSorted()[0];
  const last = timing
    .flatMap(({ finished }) => finished ?? [])
    .toSorted()
    .at(-1);
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = [shown(first), shown(last)];
  if (from === to) return `${from} UTC`;
  return `${from} to ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to} UTC`;
}

/** Section with the provenance of every cell, collapsed by default. */
export function provenanceSection({ panels }: Report): Html {
  return html`<section class="view" id="provenance" aria-labelledby="provenance-title">
<h1 id="provenance-title">Provenance</h1>
<p>A cell is one task in one setting, evaluated for one model. Its identity is a digest of everything that can change the
result; batch size, number of shards and the device of inference are not part of it. In commands, <code>~</code> stands for the
user's home folder and <code>…</code> for other folders; files are identified by their digests.</p>
${htmlTable(cellsTable(panels))}
${panels.map(
  (panel) => html`<h2>${panelTitle(panel.heading.title, panel)}</h2>
${panel.entries.map(
  (entry) => html`<details>
<summary>${entry.label}, ${entry.protocol} protocol</summary>
<dl class="facts-list">${provenanceFacts(entry).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
</details>
`,
)}`,
)}</section>`;
}

/** All cells with their rows and the versions that scored them. */
function cellsTable(panels: Report["panels"]): Table {
  return {
    caption: "Cells, by the first digits of their identities",
    columns: [
      ...["cell", "panel", "model", "protocol"].map((heading) => ({ heading, align: "left" as const })),
      ...["rows", "rows/s", "peak memory"].map((heading) => ({ heading, align: "right" as const })),
      { heading: "dart-eval", align: "left" },
    ],
    notes: [
      "peak memory: of the process that evaluated the cell, since its start; cells of one process include those before them.",
    ],
    rows: panels.flatMap((panel) =>
      panel.entries.map(({ label, protocol, stored: { timing }, result }) => {
        const seconds = timing.reduce((sum, shard) => sum + shard.seconds, 0);
        const scored = timing.reduce((sum, shard) => sum + shard.timedRows, 0);
        return [
          cellName(result.identity),
          panelTitle(panel.heading.title, panel),
          label,
          protocol,
          count(result.rows.selected),
          scored > 0 && seconds > 0 ? speed(scored / seconds) : UNDEFINED,
          timing.length === 0 ? UNDEFINED : bytes(Math.max(...timing.map((shard) => shard.peakMemory))),
          programsOf(timing).join(", ") || UNDEFINED,
        ];
      }),
    ),
  };
}

/** Origin of an input by its digest: `built from ENCODE ENCFF420VPZ (…)`, or `custom data my.fa`. */
function originText(origin: FileOrigin | undefined): string {
  if (origin === undefined) return "custom data given in memory";
  const source = SOURCES.find(({ name }) => name === origin.source);
  if (source === undefined) return `custom data ${origin.file}`;
  const address = source.addresses[0];
  const from = address === undefined || address.kind === "web" ? source.name : addressText(address);
  return `${origin.built ? "built from " : ""}${from} (${source.what})`;
}

/** Data that a panel's entries were evaluated on. The same data may have several file names. */
export function dataText(entries: readonly Pick<Entry, "result">[], forms?: CustomForms): string {
  const texts = entries.flatMap(({ result: { cell, origins } }) =>
    Object.keys(evaluatedData(cell, forms)).map((input) => {
      if (origins === undefined) return `${input} of unrecorded origin`;
      const text = originText(origins[input]);
      return text.startsWith("built from") ? `${input} ${text}` : `${input} from ${text}`;
    }),
  );
  return `Data: ${[...new Set(texts)].join("; ")}.`;
}

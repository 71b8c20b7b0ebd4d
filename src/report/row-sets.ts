import { deflateSync } from "node:zlib";
import { counted } from "../base/message-text.ts";
import type { FactColumn, RowView } from "../evaluation/tasks/row-view.ts";
import { firstProtocol } from "./chapters.ts";
import { type Html, html } from "./html.ts";
import { count } from "./numbers.ts";
import { type Entry, panelId, panelTitle } from "./panels.ts";
import type { ReportPanel } from "./report.ts";
import { type ColumnForm, encodeRows, type RowSet, type TrackedRow } from "./row-format.ts";

/**
 * Maximum number of scores (rows × models) in a page, about 3 bytes each. Further panels list their best and
 * worst rows only.
 */
const MAX_SCORES = 1_600_000;
/** Best and worst rows of each model in a panel that is not listed whole. */
const EXTREMES = 500;

/** Rows of a panel with their compressed columns in base64. */
export interface PackedRows {
  readonly set: RowSet;
  readonly base64: string;
  /** Scores of bases as compressed JSON, `TrackedRow[]`, in base64. */
  readonly tracks?: string;
}

interface ViewedEntry {
  readonly entry: Entry;
  readonly view: RowView;
}

/** Rows of every panel whose rows are stored, by its id; panels in page order. */
export function packRows(panels: readonly ReportPanel[]): ReadonlyMap<string, PackedRows> {
  const sets = new Map<string, PackedRows>();
  let left = MAX_SCORES;
  for (const panel of panels) {
    const viewed = firstProtocol(panel).flatMap((entry): ViewedEntry[] => {
      const view = panel.views.get(entry.result.identity);
      return view === undefined ? [] : [{ entry, view }];
    });
    if (viewed.length === 0) continue;
    const scores = viewed.length * viewed[0].view.rows.length;
    const places = scores <= left ? undefined : extremeRows(viewed);
    left -= places === undefined ? scores : places.length * viewed.length;
    sets.set(panelId(panel), packPanel(panel, viewed, places));
  }
  return sets;
}

/** Positions of the rows with the highest and lowest scores of each model, ascending. */
function extremeRows(viewed: readonly ViewedEntry[]): Uint32Array {
  const chosen = new Set<number>();
  for (const { view } of viewed) {
    const { values } = view.score;
    const order = Uint32Array.from({ length: values.length }, (_, i) => i).sort(
      (a, b) => values[a] - values[b],
    );
    for (const place of [...order.subarray(0, EXTREMES), ...order.subarray(-EXTREMES)]) chosen.add(place);
  }
  return Uint32Array.from(chosen).sort();
}

function packPanel(
  panel: ReportPanel,
  viewed: readonly ViewedEntry[],
  places: Uint32Array | undefined,
): PackedRows {
  const [{ entry, view }] = viewed;
  const { loci, facts, merit } = view;
  const columns: { readonly form: ColumnForm; readonly values: ArrayLike<number> }[] = [
    { form: { kind: "integer", title: "row" }, values: view.rows },
  ];
  if (loci !== undefined) {
    const { chromosomes, starts, ends } = loci;
    columns.push(
      { form: { kind: "text", title: "chromosome", texts: chromosomes.texts }, values: chromosomes.codes },
      { form: { kind: "integer", title: "start" }, values: starts },
      {
        form: { kind: "integer", title: "length" },
        values: Float64Array.from(ends, (end, i) => end - starts[i]),
      },
    );
  }
  const firstFact = columns.length;
  for (const fact of facts) columns.push(factColumn(fact));
  for (const one of viewed) {
    const { score } = one.view;
    columns.push({
      form: { kind: "number", title: one.entry.label, model: one.entry.label },
      values: score.values,
    });
  }
  const pick = (values: ArrayLike<number>) =>
    places === undefined ? values : Float64Array.from(places, (place) => values[place]);
  const rows = places?.length ?? view.rows.length;
  const forms = columns.map(({ form }) => form);
  const bytes = encodeRows(
    forms,
    columns.map(({ values }) => pick(values)),
    rows,
  );
  const tracked = trackedRows(panel, viewed);
  const source = entry.result.origins?.genome?.source;
  const texts = merit?.kind === "class" ? facts[merit.fact] : undefined;
  return {
    set: {
      id: `rows-${panelId(panel)}`,
      title: panelTitle(panel.heading.title, panel),
      rows,
      evaluated: view.rows.length,
      columns: forms,
      hasLoci: loci !== undefined,
      score: view.score.title,
      ...(tracked.length === 0 ? {} : { tracked: tracked.map(({ row }) => row) }),
      ...(source === undefined ? {} : { assembly: source }),
      ...(merit === undefined
        ? {}
        : {
            merit:
              merit.kind === "score"
                ? merit
                : merit.kind === "error"
                  ? { kind: "error", column: firstFact + merit.fact }
                  : {
                      kind: "class",
                      column: firstFact + merit.fact,
                      positive:
                        texts !== undefined && "texts" in texts ? texts.texts.indexOf(merit.positive) + 1 : 0,
                    },
          }),
    },
    base64: packed(bytes),
    ...(tracked.length === 0 ? {} : { tracks: packed(JSON.stringify(tracked)) }),
  };
}

const packed = (bytes: Uint8Array | string) => deflateSync(bytes, { level: 9 }).toString("base64");

/** Rows with scores of their bases, ascending. */
function trackedRows({ positions }: ReportPanel, viewed: readonly ViewedEntry[]): readonly TrackedRow[] {
  const rows = new Map<number, TrackedRow["models"][number][]>();
  for (const { entry } of viewed) {
    for (const { row, sequences } of positions.get(entry.result.identity)?.rows ?? []) {
      const models = rows.get(row) ?? [];
      models.push({ label: entry.label, tracks: sequences });
      rows.set(row, models);
    }
  }
  return [...rows].map(([row, models]) => ({ row, models })).sort((a, b) => a.row - b.row);
}

function factColumn(fact: FactColumn): { readonly form: ColumnForm; readonly values: ArrayLike<number> } {
  const { title } = fact;
  return "codes" in fact
    ? { form: { kind: "text", title, texts: fact.texts }, values: fact.codes }
    : { form: { kind: "number", title }, values: fact.values };
}

/** View with the rows of all panels, one at a time; undefined without stored rows. */
export function rowsSection(sets: ReadonlyMap<string, PackedRows>): Html | undefined {
  if (sets.size === 0) return undefined;
  return html`<section class="view" id="rows" aria-labelledby="rows-title">
<h1 id="rows-title">Rows</h1>
<p class="lead">Every row with its scores, to three significant digits. Sort by a heading, or list the best and worst rows of a model.</p>
${[...sets.values()].map(({ set: { id } }) => html`<span class="row-set" id="${id}"></span>`)}
<details class="row-sets"><summary>${counted(sets.size, "table")} of rows</summary>
<ul>${[...sets.values()].map(
    ({ set: { id, title, rows, evaluated } }) =>
      html`<li><a href="#${id}">${title}</a> <span class="detail">${count(rows)} rows${
        rows < evaluated ? `: the best and worst ${EXTREMES} of each model, of ${count(evaluated)}` : ""
      }</span></li>
`,
  )}</ul>
</details>
<div id="explorer"><p class="quiet">The table of rows needs JavaScript.</p></div>
</section>
${[...sets.values()].map(
  ({
    set,
    base64,
    tracks,
  }) => html`<script type="application/octet-stream" id="${set.id}-data">${base64}</script>
${
  tracks === undefined
    ? undefined
    : html`<script type="application/octet-stream" id="${set.id}-tracks">${tracks}</script>
`
}`,
)}`;
}

import { type CompareOptions, compareResults } from "../evaluation/comparison/compare-results.ts";
import type { ComparedGroup, ComparedModel, ComparedPair } from "../evaluation/comparison/comparison.ts";
import { differenceText } from "../evaluation/comparison/verdict.ts";
import { type CustomForms, findTask } from "../evaluation/runs/forms.ts";
import type { StoredResult } from "../evaluation/runs/stored-results.ts";
import { type Html, html } from "./html.ts";
import { fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { Entry, Panel } from "./panels.ts";

/** Comparison of the models of a panel under each of its protocols. */
export type PanelComparison = readonly ComparedGroup[];

/**
 * Compares the models of results by the stored scores of their rows. Results of another version of a task are
 * not compared.
 *
 * @throws {InputError} when rows were changed after the run
 */
export async function compareModels(
  results: readonly StoredResult[],
  forms: CustomForms | undefined,
  predictionsOf?: CompareOptions["predictionsOf"],
): Promise<PanelComparison> {
  const comparable = results.filter(
    ({ result: { cell } }) => findTask(cell.task, forms)?.version === cell.taskVersion,
  );
  const reading = predictionsOf === undefined ? {} : { predictionsOf };
  return (await compareResults(comparable, { ...forms, ...reading })).groups;
}

/** Groups of models of a panel. */
export function panelComparison(
  groups: PanelComparison,
  { entries }: Pick<Panel, "entries">,
): PanelComparison {
  const identities = new Set(entries.map(({ result }) => result.identity));
  return groups.filter(({ models }) => models.some(({ identity }) => identities.has(identity)));
}

/** An entry's rank and differences in its comparison. */
export interface EntryComparison {
  readonly model: ComparedModel;
  /** The best model minus this one; undefined for the best, or without comparison. */
  readonly toBest: ComparedPair | undefined;
}

/** The comparison of an entry with the others of its protocol; undefined if it is in no pair. */
export function entryComparison(groups: PanelComparison, { result }: Entry): EntryComparison | undefined {
  for (const group of groups) {
    const model = group.models.find(({ identity }) => identity === result.identity);
    if (model === undefined || model.tier === null) continue;
    const best = group.models[0]?.label;
    const toBest = group.pairs.find(({ first, second }) => first === best && second === model.label);
    return { model, toBest };
  }
  return undefined;
}

/** Meaning of bold models in a legend. */
export const BEST = "best of the models on the same rows, or not significantly worse";

/** True for the models that hold the best of a panel with a probability of at least 95 %. */
export const isBest = (groups: PanelComparison, entry: Entry): boolean =>
  entryComparison(groups, entry)?.model.tier === 1;

/** Largest p-value, by Holm, of a pair that is marked as different. */
const LEVEL = 0.05;

/**
 * Matrix of the differences of a group's models, row minus column, with Holm's p-values; undefined with fewer
 * than two comparable models.
 */
export function pairMatrix({ models, pairs, metric, rows }: ComparedGroup): Html | undefined {
  const labels = models.filter(({ tier }) => tier !== null).map(({ label }) => label);
  if (labels.length < 2) return undefined;
  const largest = Math.max(...pairs.map(({ value }) => Math.abs(value))) || 1;
  const cell = (row: string, column: string): Html => {
    const forward = pairs.find(({ first, second }) => first === row && second === column);
    const pair = forward ?? pairs.find(({ first, second }) => first === column && second === row);
    if (pair === undefined) return html`<td></td>`;
    const value = forward === undefined ? -pair.value : pair.value;
    const isDifferent = pair.pHolm !== null && pair.pHolm < LEVEL;
    return html`<td class="number cell-of-pair${value < 0 ? " below" : ""}" style="--heat:${isDifferent ? (100 * (Math.abs(value) / largest)).toFixed(0) : 0}%" title="${row} − ${column}: ${differenceText(pair)}">${fixed(value)}<span class="detail">${pair.pHolm === null ? UNDEFINED : pValue(pair.pHolm)}</span></td>`;
  };
  return html`<div class="scroll" role="region" aria-label="Pairs of models" tabindex="0">
<table class="pairs">
<caption>Difference in ${metric.title}, row minus column, with Holm's p-value below; coloured where it is less than ${LEVEL}. Paired over ${rows.blocks} blocks of ${rows.compared} rows.</caption>
<thead><tr><td></td>${labels.map((label) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead>
<tbody>${labels.map(
    (row) =>
      html`<tr data-model="${row}"><th scope="row">${row}</th>${labels.map((column) => cell(row, column))}</tr>\n`,
  )}</tbody>
</table>
</div>`;
}

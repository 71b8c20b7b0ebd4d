import { counted } from "../base/message-text.ts";
import type { TrainingRecord } from "../evaluation/settings/training-record.ts";
import { type Html, html } from "./html.ts";
import type { Entry, Panel } from "./panels.ts";

/** Size of a chart and its margins, in units of its view box. */
const WIDTH = 300;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;
const RIGHT = 10;

/** Loss curves of a panel's trained models, one chart each; undefined without training. */
export function lossCurves({ entries }: Panel): Html | undefined {
  const trained = entries.flatMap((entry) =>
    entry.result.training === undefined ? [] : [{ entry, training: entry.result.training }],
  );
  if (trained.length === 0) return undefined;
  return html`<h3>Training</h3>
<p>Loss after each epoch. The model of the epoch with the smallest validation loss, marked by a dot, is evaluated.</p>
<figure>
<div class="multiples">${trained.map(({ entry, training }) => chart(entry, training))}</div>
<figcaption>Solid: validation loss, with its smallest and largest value at the axis. Dashed: mean training loss during the epoch,
summed over the sequences of a row, on a separate scale.${entries.some(({ protocol }) => protocol === "paper") ? " Under the paper protocol the validation loss has the original's divisor." : undefined}</figcaption>
</figure>`;
}

function chart(
  { label, protocol }: Entry,
  { epochs, best, trainRows, valRows, parameters }: TrainingRecord,
): Html {
  const validation = epochs.map((epoch) => epoch.validation.val_loss ?? Number.NaN);
  const training = epochs.map(({ trainLoss }) => trainLoss);
  const chosen = epochs.findIndex(({ epoch }) => epoch === best);
  const [low, high] = [Math.min(...validation), Math.max(...validation)];
  const shown = shownBetween(low, high);
  const description = `${label}, ${protocol} protocol: validation loss from ${shown(validation[0])} to ${shown(validation[chosen])} in epoch ${chosen + 1} of ${epochs.length}`;
  return html`<div><h4>${label}, ${protocol}</h4>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${description}" fill="none" stroke="currentColor">
<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" stroke-width="0.75"/>
<polyline points="${points(training)}" stroke-width="1" stroke-dasharray="4 3" opacity="0.6"/>
<polyline points="${points(validation)}" stroke-width="1.75"/>
<circle cx="${xOf(chosen, epochs.length)}" cy="${yOf(validation[chosen], low, high)}" r="3" fill="currentColor"/>
<g fill="currentColor" stroke="none" font-size="10">
<text x="${LEFT - 4}" y="${TOP + 8}" text-anchor="end">${shown(high)}</text>
<text x="${LEFT - 4}" y="${HEIGHT - BOTTOM}" text-anchor="end">${shown(low)}</text>
<text x="${LEFT}" y="${HEIGHT - 8}">epoch 1</text>
<text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${epochs.length}</text>
</g>
</svg>
<p class="quiet">${counted(trainRows, "training row")}, ${counted(valRows, "validation row")}, ${counted(parameters, "trained parameter")}</p></div>`;
}

/** Format of losses: three significant digits, or as many as distinguish two different losses, up to six. */
function shownBetween(low: number, high: number): (loss: number) => string {
  let digits = 3;
  while (low !== high && digits < 6 && low.toPrecision(digits) === high.toPrecision(digits)) digits++;
  return (loss) => loss.toPrecision(digits);
}

const round = (x: number) => Math.round(10 * x) / 10;

/** x position of an epoch, 0-based; the middle for a single epoch. */
function xOf(epoch: number, epochs: number): number {
  const share = epochs === 1 ? 0.5 : epoch / (epochs - 1);
  return round(LEFT + share * (WIDTH - LEFT - RIGHT));
}

/** y position of a loss; the middle if all are equal. */
function yOf(loss: number, low: number, high: number): number {
  const share = high === low ? 0.5 : (loss - low) / (high - low);
  return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP));
}

function points(losses: readonly number[]): string {
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  return losses.map((loss, i) => `${xOf(i, losses.length)},${yOf(loss, low, high)}`).join(" ");
}

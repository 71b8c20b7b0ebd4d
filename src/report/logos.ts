import { consensus, type Motif } from "../dna/motifs/motif.ts";
import { BASES } from "../dna/sequence/encoding.ts";
import { type Html, html } from "./html.ts";
import { extremeNames, motifAccuracy, oneProtocol } from "./motifs.ts";
import { fixed, UNDEFINED } from "./numbers.ts";
import type { ReportPanel } from "./report.ts";

/** Best and worst motifs of each model that have logos. */
const NAMED = 5;
/** Width of a position and height of two bits in pixels. */
const [STEP, HEIGHT] = [13, 40];
/** Height in pixels below which a base is left out. */
const MIN_HEIGHT = 0.4;

/** Outlines of the bases in a square of 100. */
const OUTLINES: Readonly<Record<string, string>> = {
  A: "M0 100 38 0H62L100 100H77L69 77H31L23 100ZM37 60H63L50 22Z",
  C: "M100 33C95 12 77 0 53 0 20 0 0 20 0 50S20 100 53 100C77 100 95 88 100 67L79 62C76 76 67 83 53 83 33 83 22 71 22 50S33 17 53 17C66 17 75 24 79 37Z",
  G: "M100 33C95 12 77 0 53 0 20 0 0 20 0 50S20 100 53 100C75 100 92 92 100 82V46H54V63H79V74C73 80 65 83 54 83 33 83 22 71 22 50S33 17 53 17C66 17 75 24 79 37Z",
  T: "M0 0H100V17H60V100H40V17H0Z",
};

/** Outlines that the logos of a page refer to. */
export const logoSymbols: Html = html`<svg class="visually-hidden" aria-hidden="true">${Object.entries(
  OUTLINES,
).map(
  ([base, path]) =>
    html`<symbol id="base-${base}" viewBox="0 0 100 100" preserveAspectRatio="none"><path d="${path}" fill-rule="evenodd" fill="var(--base-${base.toLowerCase()})"/></symbol>`,
)}</svg>`;

/**
 * Heights of the bases of a motif in bits, [width, 4]: the information of each position, 2 − entropy, divided
 * by the probabilities (Schneider and Stephens 1990), without a correction for the number of sites.
 */
export function logoHeights({ width, probabilities }: Motif): Float64Array {
  const heights = new Float64Array(4 * width);
  for (let i = 0; i < width; i++) {
    const row = probabilities.subarray(4 * i, 4 * i + 4);
    const sum = row.reduce((total, p) => total + p, 0);
    const shares = row.map((p) => p / sum);
    const entropy = shares.reduce((total, p) => (p > 0 ? total - p * Math.log2(p) : total), 0);
    for (let base = 0; base < 4; base++) heights[4 * i + base] = shares[base] * Math.max(0, 2 - entropy);
  }
  return heights;
}

/** Sequence logo of a motif, two bits high. Refers to `logoSymbols`. */
function motifLogo(motif: Motif): Html {
  const { name, width } = motif;
  const bits = logoHeights(motif);
  const uses: Html[] = [];
  for (let i = 0; i < width; i++) {
    let y = HEIGHT;
    const order = [0, 1, 2, 3].toSorted((a, b) => bits[4 * i + a] - bits[4 * i + b]);
    for (const base of order) {
      const height = (HEIGHT / 2) * bits[4 * i + base];
      y -= height;
      if (height < MIN_HEIGHT) continue;
      uses.push(
        html`<use href="#base-${BASES[base]}" x="${STEP * i}" y="${y.toFixed(1)}" width="${STEP - 1}" height="${height.toFixed(1)}"/>`,
      );
    }
  }
  return html`<svg class="logo" role="img" aria-label="${name}: ${consensus(motif)}" width="${STEP * width}" height="${HEIGHT}" viewBox="0 0 ${STEP * width} ${HEIGHT}">${uses}</svg>`;
}

/**
 * Logos of the motifs that a model of the panel distinguishes best or worst, with the accuracy of each model;
 * undefined without matrices of such motifs.
 */
export function logoTable(panel: ReportPanel): Html | undefined {
  const entries = oneProtocol(panel);
  const names = new Set(entries.flatMap((entry) => extremeNames(entry)));
  const accuracies = new Map(entries.map((entry) => [entry, motifAccuracy(entry)]));
  const best = (name: string) => Math.max(...entries.map((entry) => accuracies.get(entry)?.get(name) ?? 0));
  const shown = [...names]
    .toSorted((a, b) => best(b) - best(a) || (a < b ? -1 : 1))
    .flatMap((name) => panel.motifs?.get(name) ?? []);
  if (shown.length === 0) return undefined;
  const caption = `Logos of the ${NAMED} motifs with the highest and the lowest accuracy of each model`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
<table>
<caption>${caption}</caption>
<thead><tr><th scope="col" class="word">motif</th><th scope="col" class="word" data-sort="none">logo, 2 bits high</th>${entries.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}</tr></thead>
<tbody>
${shown.map(
  (motif) =>
    html`<tr><th scope="row">${motif.name}</th><td class="word">${motifLogo(motif)}</td>${entries.map(
      (entry) => {
        const value = accuracies.get(entry)?.get(motif.name);
        return html`<td class="number">${value === undefined ? UNDEFINED : fixed(value)}</td>`;
      },
    )}</tr>\n`,
)}</tbody>
</table>
</div>`;
}

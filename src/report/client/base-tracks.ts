import type { BaseTrack, TrackedRow } from "../row-format.ts";
import { element } from "./row-filter-form.ts";

/** Width of a base, and height of one bit, in CSS pixels. */
const [STEP, BIT] = [9, 18];
/** Maximum information of a base relative to uniform bases, in bits. */
const MAX_BITS = 2;
/** Minimum that is drawn, in bits; lower letters are cut. */
const MIN_BITS = -4;
/** Bases between two labels of the axis. */
const TICK = 20;
/** Width of the axis in CSS pixels. */
const AXIS = 46;
/** Sequences that differ in at most this many bases have them marked. */
const MARKED = 20;

/** One base of a track. */
interface ScoredBase {
  readonly base: string;
  /** Log-probability, nats; an equal part of that of its token. */
  readonly score: number;
  /** The token begins with this base. */
  readonly first: boolean;
}

/** The bases of a track in order. */
function basesOf({ bases, spans, scores }: BaseTrack): readonly ScoredBase[] {
  let at = 0;
  return scores.flatMap((score, i) => {
    const span = spans?.[i] ?? 1;
    const letters = bases.slice(at, at + span);
    at += span;
    return [...letters].map((base, k) => ({ base, score: score / span, first: k === 0 }));
  });
}

/** log₂ of a base's probability relative to 1/4, in bits. */
const bitsOf = (score: number) => score / Math.LN2 + 2;

/** Indices in the sequence at which the tracks of a row differ; none where they differ in many. */
function differing(tracks: readonly BaseTrack[]): ReadonlySet<number> {
  const [first, ...others] = tracks;
  const found = new Set<number>();
  if (first === undefined) return found;
  for (let i = 0; i < first.bases.length; i++) {
    const at = first.from + i;
    if (others.some(({ bases, from }) => at >= from && bases[at - from] !== first.bases[i])) found.add(at);
  }
  return found.size > MARKED ? new Set() : found;
}

/** Headings, drawings and numbers of the bases of one row, by model. `isShown` leaves out models. */
export function baseTracks({ models }: TrackedRow, isShown: (model: string) => boolean): HTMLElement[] {
  return models
    .filter(({ label }) => isShown(label))
    .map(({ label, tracks }) => {
      const part = element("div", { className: "base-model" });
      const marked = differing(tracks);
      part.append(element("h4", { textContent: label }));
      const scroll = element("div", { className: "base-scroll", tabIndex: 0 });
      scroll.setAttribute("role", "region");
      scroll.setAttribute("aria-label", `Bases scored by ${label}`);
      const start = Math.min(...tracks.map(({ from }) => from));
      for (const track of tracks) scroll.append(trackFigure(track, marked, start));
      part.append(scroll, numbersOf(label, tracks));
      // The middle of the marked bases is visible at first.
      const [at] = marked;
      if (at !== undefined) {
        requestAnimationFrame(() => {
          scroll.scrollLeft = AXIS + STEP * (at - start) - scroll.clientWidth / 2;
        });
      }
      return part;
    });
}

/** `element: 350 bases, −455.20 nats, 0.12 bits per base above uniform bases` */
function summary({ member, bases, scores }: BaseTrack): string {
  const total = scores.reduce((sum, score) => sum + score, 0);
  const bits = bitsOf(total / Math.max(bases.length, 1));
  const against = `${Math.abs(bits).toFixed(2)} bits per base ${bits < 0 ? "below" : "above"} uniform bases`;
  return `${member}: ${bases.length} bases, ${total.toFixed(2).replace("-", "−")} nats, ${against}`;
}

function trackFigure(track: BaseTrack, marked: ReadonlySet<number>, start: number): HTMLElement {
  const figure = element("figure", { className: "base-track" });
  const all = basesOf(track);
  const lowest = Math.max(MIN_BITS, Math.min(0, ...all.map(({ score }) => bitsOf(score))));
  const zero = BIT * MAX_BITS;
  const height = zero - BIT * lowest + 16;
  const offset = AXIS + STEP * (track.from - start);
  const drawing = svg("svg", { width: offset + STEP * all.length + 40, height, role: "img" });
  drawing.setAttribute("aria-label", summary(track));
  all.forEach(({ base, score, first }, i) => {
    const at = track.from + i;
    const x = offset + STEP * i;
    const bits = Math.max(bitsOf(score), MIN_BITS);
    if (marked.has(at)) drawing.append(svg("rect", { x, y: 0, width: STEP, height, class: "marked" }));
    if (track.spans !== undefined && first && i > 0) {
      drawing.append(svg("line", { x1: x, x2: x, y1: 0, y2: height - 14, class: "token" }));
    }
    const size = BIT * Math.abs(bits);
    const y = bits < 0 ? zero : zero - size;
    const letter = svg("use", { href: `#base-${base}`, x, y, width: STEP - 1, height: size });
    if (bits < 0) letter.setAttribute("class", "unlikely");
    drawing.append(letter);
    if ((at + 1) % TICK === 0) {
      const label = svg("text", { x: x + STEP / 2, y: height - 3 });
      label.textContent = String(at + 1);
      drawing.append(label);
    }
  });
  for (const bits of [MAX_BITS, 0, Math.ceil(lowest)].filter((one, i) => i < 2 || one < 0)) {
    const y = zero - BIT * bits;
    const label = svg("text", { x: offset - 6, y: bits === MAX_BITS ? y + 9 : y + 3, class: "axis" });
    label.textContent = `${bits > 0 ? "+" : bits < 0 ? "−" : ""}${Math.abs(bits)}${bits === MAX_BITS ? " bits" : ""}`;
    drawing.append(label, svg("line", { x1: offset - 4, x2: offset, y1: y, y2: y }));
  }
  drawing.append(svg("line", { x1: offset, x2: offset + STEP * all.length, y1: zero, y2: zero }));
  figure.append(element("figcaption", { textContent: summary(track) }), drawing);
  return figure;
}

/** The log-likelihoods as a folded table. */
function numbersOf(label: string, tracks: readonly BaseTrack[]): HTMLElement {
  const fold = element("details", {});
  fold.append(element("summary", { textContent: "Numbers" }));
  // Hundreds of lines, made when they are opened.
  fold.addEventListener("toggle", () => fold.append(numberTable(label, tracks)), { once: true });
  return fold;
}

function numberTable(label: string, tracks: readonly BaseTrack[]): HTMLElement {
  const table = element("table", { className: "base-numbers" });
  table.createCaption().textContent = `Log-likelihood of each base by ${label}, nats${
    tracks.some(({ spans }) => spans !== undefined) ? "; tokens of several bases divide theirs equally" : ""
  }`;
  const head = table.createTHead().insertRow();
  for (const text of ["position", ...tracks.flatMap(({ member }) => [`${member}`, "nats"])]) {
    head.append(element("th", { scope: "col", textContent: text }));
  }
  const body = table.createTBody();
  const columns = tracks.map((track) => ({ from: track.from, bases: basesOf(track) }));
  const first = Math.min(...columns.map(({ from }) => from));
  const end = Math.max(...columns.map(({ from, bases }) => from + bases.length));
  for (let at = first; at < end; at++) {
    const line = body.insertRow();
    line.append(element("th", { scope: "row", textContent: String(at + 1) }));
    for (const { from, bases } of columns) {
      const one = bases[at - from];
      line.insertCell().textContent = one?.base ?? "";
      line.insertCell().textContent = one === undefined ? "" : one.score.toFixed(3).replace("-", "−");
    }
  }
  const scroll = element("div", { className: "base-table", tabIndex: 0 });
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `Numbers of ${label}`);
  scroll.append(table);
  return scroll;
}

/** An SVG element with attributes. */
function svg(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

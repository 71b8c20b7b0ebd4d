import { Pcg64 } from "../src/base/pcg64.ts";
import { integerBelow, seedOf } from "../src/base/random.ts";
import { codesOf, modelSequenceOf, sequenceOf, windowCodes } from "../src/dna/sequence/encoding.ts";
import {
  elementAndControl,
  elementAndControlCodes,
  type PairRow,
} from "../src/evaluation/tasks/regulatory-elements/rows.ts";
import { bestRate, type Figure } from "./measure.ts";

const WINDOW = 350;
const CHROMOSOME = 4_000_000;
const ROWS = 20_000;

/** Windows of a chromosome in memory, and the controls of task 1, on one core. */
export async function benchmark(): Promise<readonly Figure[]> {
  const rng = new Pcg64(1);
  const codes = Uint8Array.from({ length: CHROMOSOME }, () => integerBelow(rng, 4));
  const chromosome = new TextEncoder().encode(sequenceOf(codes));
  const rows = Array.from({ length: ROWS }, () => randomRow(rng));
  const row = (call: number) => rows[call % ROWS];

  const window = new Uint8Array(WINDOW);
  const pair = { element: new Uint8Array(WINDOW), control: new Uint8Array(WINDOW) };
  const windows = `${WINDOW} bp at random places of ${CHROMOSOME / 1e6} Mb`;
  // Lengths of ENCODE's elements.
  const elements = `elements of 150-350 bp in windows of ${windows}, half of them reverse-complemented`;
  return [
    {
      name: "windows as base codes",
      value: bestRate((call) => windowCodes(chromosome, row(call).inputStart, row(call).inputEnd, window)),
      unit: "windows/s",
      target: 1_000_000,
      data: `${windows}; into one buffer`,
    },
    {
      name: "windows as text",
      value: bestRate((call) => {
        windowCodes(chromosome, row(call).inputStart, row(call).inputEnd, window);
        modelSequenceOf(window);
      }),
      unit: "windows/s",
      data: windows,
    },
    {
      name: "seeds",
      value: bestRate((call) => seedOf([0, "chr1", row(call).elementStart, row(call).elementEnd])),
      unit: "seeds/s",
      data: "SHA-256 of (0, 'chr1', start, end)",
    },
    {
      name: "pairs of element and shuffled control as base codes",
      value: bestRate((call) => elementAndControlCodes(chromosome, row(call), 0, pair)),
      unit: "pairs/s",
      target: 100_000,
      data: `${elements}; into one pair of buffers`,
    },
    {
      name: "pairs of element and shuffled control as text",
      value: bestRate((call) => elementAndControl(chromosome, row(call), 0)),
      unit: "pairs/s",
      data: elements,
    },
    {
      name: "text to base codes",
      value: (WINDOW * bestRate(textToCodes(chromosome))) / 1e6,
      unit: "million bases/s",
      data: `strings of ${WINDOW} bases`,
    },
  ];
}

function randomRow(rng: Pcg64): PairRow {
  const inputStart = integerBelow(rng, CHROMOSOME - WINDOW);
  const length = 150 + integerBelow(rng, 201);
  const elementStart = inputStart + Math.floor((WINDOW - length) / 2);
  return {
    chrom: "chr1",
    inputStart,
    inputEnd: inputStart + WINDOW,
    elementStart,
    elementEnd: elementStart + length,
    reverseComplement: integerBelow(rng, 2) === 0,
  };
}

function textToCodes(chromosome: Uint8Array): (call: number) => void {
  const decoder = new TextDecoder();
  const texts = Array.from({ length: 1000 }, (_, i) =>
    decoder.decode(chromosome.subarray(i * WINDOW, (i + 1) * WINDOW)),
  );
  return (call) => codesOf(texts[call % texts.length]);
}

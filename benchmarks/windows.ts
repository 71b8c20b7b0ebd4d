import { Pcg64 } from "../src/base/pcg64.ts";
import { integerBelow } from "../src/base/sample.ts";
import { seedOf } from "../src/base/seed.ts";
import { codesOf, lettersOf, modelLettersOf, windowCodes } from "../src/dna/sequence/letters.ts";
import {
  elementAndControl,
  elementAndControlCodes,
  type PairRow,
} from "../src/evaluation/tasks/regulatory-elements-pair.ts";
import { bestRate, type Speed } from "./measure.ts";

const WINDOW = 350;
const CHROMOSOME = 4_000_000;
const ROWS = 20_000;

/** Windows of a chromosome in memory, and the controls of task 1, on one core. */
export async function benchmark(): Promise<readonly Speed[]> {
  const rng = new Pcg64(1);
  const codes = Uint8Array.from({ length: CHROMOSOME }, () => integerBelow(rng, 4));
  const chromosome = new TextEncoder().encode(lettersOf(codes));
  const rows = Array.from({ length: ROWS }, () => randomRow(rng));
  const row = (call: number) => rows[call % ROWS]!;

  const window = new Uint8Array(WINDOW);
  const pair = { element: new Uint8Array(WINDOW), control: new Uint8Array(WINDOW) };
  const windows = `${WINDOW} bp at random places of ${CHROMOSOME / 1e6} Mb`;
  // Lengths as ENCODE's elements have.
  const elements = `elements of 150-350 bp in windows of ${windows}, half of them reverse-complemented`;
  return [
    {
      what: "windows as base codes",
      perSecond: bestRate((call) =>
        windowCodes(chromosome, row(call).inputStart, row(call).inputEnd, window),
      ),
      wanted: 1_000_000,
      data: `${windows}; into one buffer`,
    },
    {
      what: "windows as text",
      perSecond: bestRate((call) => {
        windowCodes(chromosome, row(call).inputStart, row(call).inputEnd, window);
        modelLettersOf(window);
      }),
      data: windows,
    },
    {
      what: "seeds",
      perSecond: bestRate((call) => seedOf([0, "chr1", row(call).elementStart, row(call).elementEnd])),
      data: "SHA-256 of (0, 'chr1', start, end)",
    },
    {
      what: "pairs of element and shuffled control as base codes",
      perSecond: bestRate((call) => elementAndControlCodes(chromosome, row(call), 0, pair)),
      wanted: 100_000,
      data: `${elements}; into one pair of buffers`,
    },
    {
      what: "pairs of element and shuffled control as text",
      perSecond: bestRate((call) => elementAndControl(chromosome, row(call), 0)),
      data: elements,
    },
    {
      what: "letters of text to base codes",
      perSecond: WINDOW * bestRate(textToCodes(chromosome)),
      data: `strings of ${WINDOW} letters`,
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
  return (call) => codesOf(texts[call % texts.length]!);
}

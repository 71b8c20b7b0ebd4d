import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { testWithSharedData } from "../shared-data.ts";

interface Golden {
  readonly name: string;
  readonly seed: string;
  readonly pool: readonly string[];
  readonly state64: readonly string[];
  readonly state: string;
  readonly inc: string;
  readonly raw64: readonly string[];
  readonly permutations_in_one_stream: readonly { readonly n: number; readonly p: readonly number[] }[];
}

/** 32-bit words of a seed, least significant first. */
function wordsOf(seed: bigint): bigint[] {
  const words = [seed & 0xffffffffn];
  for (let rest = seed >> 32n; rest > 0n; rest >>= 32n) words.push(rest & 0xffffffffn);
  return words;
}

/** The generator of the paper with BigInt. */
class PlainPcg64 {
  readonly pool: readonly bigint[];
  /** Output of the pool: halves of the initial state and sequence number. */
  readonly words: readonly bigint[];
  state: bigint;
  readonly increment: bigint;

  constructor(words: readonly bigint[]) {
    const mask = 0xffffffffn;
    const pool: bigint[] = [];
    let constant = 0x43b0d7e5n;
    const hash = (word: bigint) => {
      let value = word ^ constant;
      constant = (constant * 0x931e8875n) & mask;
      value = (value * constant) & mask;
      return value ^ (value >> 16n);
    };
    const mix = (x: bigint, y: bigint) => {
      const value = (0xca01f9ddn * x - 0x4973f715n * y) & mask;
      return value ^ (value >> 16n);
    };
    for (let i = 0; i < 4; i++) pool.push(hash(words[i] ?? 0n));
    for (let s = 0; s < 4; s++)
      for (let d = 0; d < 4; d++) if (s !== d) pool[d] = mix(pool[d], hash(pool[s]));
    for (const word of words.slice(4)) for (let d = 0; d < 4; d++) pool[d] = mix(pool[d], hash(word));
    let key = 0x8b51f9ddn;
    const out: bigint[] = [];
    for (let i = 0; i < 8; i++) {
      let value = pool[i % 4] ^ key;
      key = (key * 0x58f38dedn) & mask;
      value = (value * key) & mask;
      out.push(value ^ (value >> 16n));
    }
    const q = [0, 2, 4, 6].map((i) => out[i] | (out[i + 1] << 32n));
    this.pool = pool;
    this.words = q;
    this.increment = BigInt.asUintN(128, (((q[2] << 64n) | q[3]) << 1n) | 1n);
    this.state = BigInt.asUintN(128, this.increment + ((q[0] << 64n) | q[1]));
    this.#step();
  }

  #step() {
    this.state = BigInt.asUintN(128, this.state * 0x2360ed051fc65da44385df649fccf645n + this.increment);
  }

  next(): bigint {
    this.#step();
    const x = (this.state >> 64n) ^ BigInt.asUintN(64, this.state);
    const turn = this.state >> 122n;
    return BigInt.asUintN(64, (x >> turn) | (x << (64n - turn)));
  }
}

testWithSharedData("streams equal NumPy's bit for bit", "task1/rng.golden.json", (file) => {
  const { pcg64 } = JSON.parse(readFileSync(file, "utf8")) as { readonly pcg64: readonly Golden[] };
  let outputs = 0;
  let permuted = 0;
  for (const golden of pcg64) {
    const plain = new PlainPcg64(wordsOf(BigInt(golden.seed)));
    expect(plain.pool, golden.name).toEqual(golden.pool.map(BigInt));
    expect(plain.words, golden.name).toEqual(golden.state64.map(BigInt));
    expect([plain.state, plain.increment], golden.name).toEqual([BigInt(golden.state), BigInt(golden.inc)]);
    const raw = new Pcg64(BigInt(golden.seed));
    for (const output of golden.raw64) {
      expect(raw.nextUint64(), golden.name).toBe(BigInt(output));
      outputs++;
    }
    const stream = new Pcg64(BigInt(golden.seed));
    for (const { n, p } of golden.permutations_in_one_stream) {
      expect([...stream.permutation(n)], `${golden.name}, n = ${n}`).toEqual(p);
      permuted++;
    }
  }
  expect([pcg64.length, outputs, permuted]).toEqual([12, 72, 204]);
});

test("reproduces DART-Eval's example seed: outputs and a permutation (NumPy 1.26)", () => {
  const seed = 71911952265442175612494684024196082546n;
  const rng = new Pcg64(seed);
  expect([rng.nextUint64(), rng.nextUint64(), rng.nextUint64()]).toEqual([
    0x2e540dcc08e4a8adn,
    0x819b0924c6df2a07n,
    0x2072e47443071ee3n,
  ]);
  expect([...new Pcg64(seed).permutation(10)]).toEqual([9, 1, 5, 6, 0, 2, 8, 3, 4, 7]);
  expect([...new Pcg64(0).permutation(10)]).toEqual([4, 6, 2, 7, 3, 5, 9, 0, 8, 1]);
});

test("equals a BigInt implementation over long streams and for seeds beyond 128 bits", () => {
  for (const words of [[7n], [1n, 2n, 3n, 4n], [0xffffffffn, 0n, 0n, 1n, 5n], [9n, 8n, 7n, 6n, 5n, 4n, 3n]]) {
    const plain = new PlainPcg64(words);
    const rng = new Pcg64(words.reduceRight((seed, word) => (seed << 32n) | word, 0n));
    const sameWords = new Pcg64(Uint32Array.from(words, Number));
    for (let i = 0; i < 5_000; i++) {
      const expected = plain.next();
      expect(rng.nextUint64()).toBe(expected);
      expect(sameWords.nextUint64()).toBe(expected);
    }
  }
});

test("32-bit draws use the low half first and buffer the high half; 64-bit draws and doubles skip the buffer", () => {
  const whole = new Pcg64(3);
  const [first, second, third] = [whole.nextUint64(), whole.nextUint64(), whole.nextUint64()];
  const rng = new Pcg64(3);
  expect(BigInt(rng.nextUint32())).toBe(first & 0xffffffffn);
  expect(rng.nextUint64()).toBe(second);
  expect(rng.nextFloat64()).toBe(Number(third >> 11n) / 2 ** 53);
  expect(BigInt(rng.nextUint32())).toBe(first >> 32n);
});

test("reseed equals a new generator", () => {
  const rng = new Pcg64(1);
  rng.nextUint32();
  rng.reseed(5);
  expect(rng.nextUint32()).toBe(new Pcg64(5).nextUint32());
});

test("a seed must be a non-negative integer", () => {
  expect(() => new Pcg64(-1)).toThrow(InputError);
  expect(() => new Pcg64(-1n)).toThrow("seed -1 is not a non-negative integer");
  expect(() => new Pcg64(0.5)).toThrow(InputError);
  expect(() => new Pcg64(Number.NaN)).toThrow(InputError);
  expect(() => new Pcg64(2 ** 60)).toThrow(InputError);
});

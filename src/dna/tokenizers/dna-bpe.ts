import { InternalError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import { BASES } from "../sequence/encoding.ts";

/** Time of a merge that does not exist, later than all others. */
const NEVER = 0x7fffffff;
/** Maximum nodes of the trie; larger vocabularies are not supported. */
const MAX_NODES = 2 ** 22;
/** 0 to 3 for A, C, G, T by character code; -1 for other ASCII characters. */
const BASE_OF_CHARACTER = Int8Array.from({ length: 128 }, (_, code) =>
  BASES.indexOf(String.fromCharCode(code)),
);

/** Entries per trie node: the token that ends here (or -1), then the child nodes for A, C, G, T (or 0). */
const NODE = 5;

/**
 * Byte-pair encoding of words over A, C, G and T in linear time, with the same tokens as iterative merging.
 *
 * Iterative merging repeatedly merges the adjacent pair with the earliest merge, the leftmost on ties, until
 * no pair is in the list. The tokens of a span depend on its neighbours only through merges across its
 * borders. A token sequence is therefore the encoding of a word if and only if each token is the encoding of
 * its own bases and the border of each pair of neighbours survives (`#survives`). There is exactly one such
 * sequence. A search from the left that tries the longest token first finds it. The same holds for every
 * prefix of the word, so each position is reached by one sequence only and abandoned at most once.
 *
 * Tokens are numbered by merge: 0 to 3 are the bases, 4 + k results from merge k. The number is also a time:
 * smaller numbers are merged earlier. This requires every merge to join tokens of earlier merges, and no two
 * merges to give the same token. `of` returns undefined for other lists.
 */
export class DnaBpe {
  /** Ids of the tokens of the last word, and the ends of their spans relative to its start. */
  ids = new Int32Array(1024);
  ends = new Int32Array(1024);

  readonly #idOf: Int32Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #length: Int32Array;
  /** The longest token that is a proper prefix of this one, or -1. */
  readonly #shorter: Int32Array;
  readonly #pairs: PairTable;
  #trie = new Int32Array(NODE * 64).fill(-1, 0, 1);
  #nodes = 1;

  #tokens = new Int32Array(1024);
  #codes = new Uint8Array(1024);

  /**
   * @param vocabulary  text of a token → its id
   * @param merges      earliest first; both parts and the result of each are in the vocabulary
   * @returns           undefined when the order of the merges does not allow this algorithm, or A, C, G or T
   *                    is not in the vocabulary
   */
  static of(
    vocabulary: ReadonlyMap<string, number>,
    merges: readonly (readonly [string, string])[],
  ): DnaBpe | undefined {
    const numberOf = new Map([...BASES].map((letter, i) => [letter, i]));
    if (![...BASES].every((letter) => vocabulary.has(letter))) return undefined;
    const made: { readonly text: string; readonly left: number; readonly right: number }[] = [];
    let nodes = 1;
    for (const [a, b] of merges) {
      const text = a + b;
      if (!/^[ACGT]+$/.test(text)) continue;
      const left = numberOf.get(a);
      const right = numberOf.get(b);
      if (left === undefined || right === undefined || numberOf.has(text)) return undefined;
      numberOf.set(text, BASES.length + made.length);
      made.push({ text, left, right });
      nodes += text.length;
      if (nodes > MAX_NODES) return undefined;
    }
    return new DnaBpe(vocabulary, made);
  }

  private constructor(
    vocabulary: ReadonlyMap<string, number>,
    made: readonly { readonly text: string; readonly left: number; readonly right: number }[],
  ) {
    const texts = [...BASES, ...made.map(({ text }) => text)];
    this.#idOf = Int32Array.from(texts, (text) => valueAt(vocabulary, text));
    this.#length = Int32Array.from(texts, (text) => text.length);
    this.#left = Int32Array.from([-1, -1, -1, -1, ...made.map(({ left }) => left)]);
    this.#right = Int32Array.from([-1, -1, -1, -1, ...made.map(({ right }) => right)]);
    this.#shorter = new Int32Array(texts.length).fill(-1);
    this.#pairs = new PairTable(this.#left, this.#right);

    // A token whose own bases encode differently is unreachable and is left out of the trie.
    const reachable = new Uint8Array(texts.length).fill(1);
    for (let token = BASES.length; token < texts.length; token++) {
      const left = this.#left[token];
      const right = this.#right[token];
      reachable[token] = reachable[left] & reachable[right] & Number(this.#survives(left, right, token));
    }
    const shortestFirst = [...texts.keys()].sort((a, b) => this.#length[a] - this.#length[b]);
    for (const token of shortestFirst) if (reachable[token] === 1) this.#insert(token, texts[token]);
  }

  /**
   * Encodes a text into `ids` and `ends`, valid until the next call.
   * @returns number of tokens; -1 if a character is not A, C, G or T
   */
  encode(text: string): number {
    const n = text.length;
    if (n > this.#codes.length) this.#grow(n);
    if (!this.#readBases(text)) return -1;

    const tokens = this.#tokens;
    let count = 0;
    let at = 0;
    let token = n > 0 ? this.#longest(0, n) : -1;
    while (at < n) {
      const last = count > 0 ? tokens[count - 1] : -1;
      while (token >= 0 && last >= 0 && !this.#survives(last, token, -1)) token = this.#shorter[token];
      if (token >= 0) {
        tokens[count++] = token;
        at += this.#length[token];
        if (at < n) token = this.#longest(at, n);
      } else {
        if (count === 0) throw new InternalError("a word of A, C, G and T has no byte-pair encoding");
        const undone = tokens[--count];
        at -= this.#length[undone];
        token = this.#shorter[undone];
      }
    }

    let reached = 0;
    for (let i = 0; i < count; i++) {
      reached += this.#length[tokens[i]];
      this.ids[i] = this.#idOf[tokens[i]];
      this.ends[i] = reached;
    }
    return count;
  }

  /** Stores the codes of a text's bases. False if a character is not A, C, G or T. */
  #readBases(text: string): boolean {
    const codes = this.#codes;
    for (let i = 0; i < text.length; i++) {
      const base = BASE_OF_CHARACTER[text.charCodeAt(i)] ?? -1;
      if (base < 0) return false;
      codes[i] = base;
    }
    return true;
  }

  /**
   * True if the border between neighbours a and b survives until both are complete. Going back in time,
   * splits the later of the two tokens at the border until both are bases. While u and v are adjacent, u is
   * consumed at time `uGone` by a merge to its left and v at `vGone` by a merge to its right; an earlier
   * merge of (u, v) destroys the border. Equal times are the same merge at two positions, of which the left
   * one comes first.
   *
   * @param whole  merge to ignore: the one that joins a and b into the token under test; -1 for none
   */
  #survives(a: number, b: number, whole: number): boolean {
    let u = a;
    let v = b;
    let uGone = NEVER;
    let vGone = NEVER;
    while (true) {
      const merged = this.#pairs.merged(u, v);
      if (merged < uGone && merged <= vGone && merged !== whole) return false;
      if (u > v && u >= BASES.length) {
        uGone = u;
        u = this.#right[u];
      } else if (v >= BASES.length) {
        vGone = v;
        v = this.#left[v];
      } else return true;
    }
  }

  /** The longest token at a position. There is always one, because every base is a token. */
  #longest(at: number, n: number): number {
    const trie = this.#trie;
    const codes = this.#codes;
    let token = -1;
    let node = 0;
    for (let i = at; i < n; i++) {
      node = trie[node + 1 + codes[i]];
      if (node === 0) break;
      const ending = trie[node];
      if (ending >= 0) token = ending;
    }
    return token;
  }

  /**
   * Adds a token to the trie. Insertion by length keeps the frequently visited nodes near the root adjacent
   * in memory.
   */
  #insert(token: number, text: string) {
    let node = 0;
    for (const letter of text) {
      const prefix = this.#trie[node];
      if (prefix >= 0) this.#shorter[token] = prefix;
      const branch = node + 1 + BASES.indexOf(letter);
      if (this.#trie[branch] === 0) {
        const grown = this.#newNode(); // first, because it may reallocate the trie
        this.#trie[branch] = grown;
      }
      node = this.#trie[branch];
    }
    this.#trie[node] = token;
  }

  #newNode(): number {
    const node = this.#nodes++ * NODE;
    if (node + NODE > this.#trie.length) {
      const larger = new Int32Array(2 * this.#trie.length);
      larger.set(this.#trie);
      this.#trie = larger;
    }
    this.#trie[node] = -1;
    return node;
  }

  #grow(length: number) {
    const size = Math.max(length, 2 * this.#codes.length);
    this.#codes = new Uint8Array(size);
    this.#tokens = new Int32Array(size);
    this.ids = new Int32Array(size);
    this.ends = new Int32Array(size);
  }
}

/**
 * Hash table from pairs of neighbours to their merge. Most pairs have none, so a bit filter is tested first.
 */
class PairTable {
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #mask: number;
  readonly #slots: Int32Array;
  readonly #bits: Uint8Array;
  readonly #bitMask: number;

  constructor(left: Int32Array, right: Int32Array) {
    this.#left = left;
    this.#right = right;
    const size = 2 ** Math.ceil(Math.log2(2 * left.length));
    this.#mask = size - 1;
    this.#slots = new Int32Array(size).fill(-1);
    this.#bits = new Uint8Array(2 * size);
    this.#bitMask = 2 * size - 1;
    for (let token = BASES.length; token < left.length; token++) {
      const hash = hashOf(left[token], right[token]);
      this.#bits[(hash >>> 3) & this.#bitMask] |= 1 << (hash & 7);
      let slot = hash & this.#mask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = token;
    }
  }

  merged(left: number, right: number): number {
    const hash = hashOf(left, right);
    if ((this.#bits[(hash >>> 3) & this.#bitMask] & (1 << (hash & 7))) === 0) return NEVER;
    let slot = hash & this.#mask;
    while (true) {
      const token = this.#slots[slot];
      if (token === -1) return NEVER;
      if (this.#left[token] === left && this.#right[token] === right) return token;
      slot = (slot + 1) & this.#mask;
    }
  }
}

function hashOf(left: number, right: number): number {
  const mixed = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

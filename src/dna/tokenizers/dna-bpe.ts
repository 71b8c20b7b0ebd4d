import { InternalError } from "../../base/errors.ts";

/** No merge: later than every merge. */
const NEVER = 0x7fffffff;
/** A vocabulary whose four-letter words need a larger tree of letters is left to the general way. */
const MOST_NODES = 2 ** 22;
const LETTERS = "ACGT";
/** 0 to 3 for A, C, G, T by character code; -1 for every other ASCII character. */
const LETTER_OF_CODE = Int8Array.from({ length: 128 }, (_, code) =>
  LETTERS.indexOf(String.fromCharCode(code)),
);

/** One node of the tree of letters: the token that ends here (or -1), then the nodes after A, C, G, T (or 0). */
const NODE = 5;

/**
 * Byte-pair encoding of words over A, C, G and T, in time linear in their length; the same tokens as merging pairs.
 *
 * Merging means: of all adjacent pairs take the one whose merge stands first in the list, the leftmost on ties; merge
 * it; repeat until no pair is in the list. What a span of letters becomes depends on its neighbours only through a
 * merge across the border. So a row of tokens is the encoding of a word exactly when each token is the encoding of its
 * own letters and no border between two neighbours is merged away (`survives`); there is one such row, and a search
 * from the left, longest token first, finds it. That holds for every beginning of the word too, so a position is reached
 * by one row only, and given up at most once.
 *
 * Inside this class a token is numbered by its merge: 0 to 3 are the letters, 4 + k comes from the k-th merge. A number
 * is therefore also a time: a smaller one is merged earlier. This needs every merge to join parts made before it, and no
 * two merges to make the same token; `of` gives undefined for a list that is otherwise.
 */
export class DnaBpe {
  /** Ids of the tokens of the last word, and the ends of their spans counted from the word's start. */
  ids = new Int32Array(1024);
  ends = new Int32Array(1024);

  readonly #idOf: Int32Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #length: Int32Array;
  /** The longest token that is a proper prefix of this one, or -1. */
  readonly #shorter: Int32Array;
  readonly #pairs: PairTable;
  #tree = new Int32Array(NODE * 64).fill(-1, 0, 1);
  #nodes = 1;

  #tokens = new Int32Array(1024);
  #codes = new Uint8Array(1024);

  /**
   * @param vocabulary  text of a token → its id
   * @param merges      earliest first; every part and every result is in the vocabulary
   * @returns           undefined when the merges are not in the order this way of encoding needs, or A, C, G or T is
   *                    not in the vocabulary
   */
  static of(
    vocabulary: ReadonlyMap<string, number>,
    merges: readonly (readonly [string, string])[],
  ): DnaBpe | undefined {
    const numberOf = new Map([...LETTERS].map((letter, i) => [letter, i]));
    if (![...LETTERS].every((letter) => vocabulary.has(letter))) return undefined;
    const made: { readonly text: string; readonly left: number; readonly right: number }[] = [];
    let nodes = 1;
    for (const [a, b] of merges) {
      const text = a + b;
      if (!/^[ACGT]+$/.test(text)) continue;
      const left = numberOf.get(a);
      const right = numberOf.get(b);
      if (left === undefined || right === undefined || numberOf.has(text)) return undefined;
      numberOf.set(text, LETTERS.length + made.length);
      made.push({ text, left, right });
      nodes += text.length;
      if (nodes > MOST_NODES) return undefined;
    }
    return new DnaBpe(vocabulary, made);
  }

  private constructor(
    vocabulary: ReadonlyMap<string, number>,
    made: readonly { readonly text: string; readonly left: number; readonly right: number }[],
  ) {
    const texts = [...LETTERS, ...made.map(({ text }) => text)];
    this.#idOf = Int32Array.from(texts, (text) => vocabulary.get(text)!);
    this.#length = Int32Array.from(texts, (text) => text.length);
    this.#left = Int32Array.from([-1, -1, -1, -1, ...made.map(({ left }) => left)]);
    this.#right = Int32Array.from([-1, -1, -1, -1, ...made.map(({ right }) => right)]);
    this.#shorter = new Int32Array(texts.length).fill(-1);
    this.#pairs = new PairTable(this.#left, this.#right);

    // A token whose letters encode to something else never comes out and stays outside the tree.
    const comesOut = new Uint8Array(texts.length).fill(1);
    for (let token = LETTERS.length; token < texts.length; token++) {
      const left = this.#left[token];
      const right = this.#right[token];
      comesOut[token] = comesOut[left] & comesOut[right] & Number(this.#survives(left, right, token));
    }
    const shortestFirst = [...texts.keys()].sort((a, b) => this.#length[a] - this.#length[b]);
    for (const token of shortestFirst) if (comesOut[token] === 1) this.#plant(token, texts[token]);
  }

  /**
   * Encodes letters [start, end) of a text into `ids` and `ends`, which hold until the next call.
   * @returns number of tokens; -1 when a letter is none of A, C, G, T
   */
  encode(text: string, start: number, end: number): number {
    const n = end - start;
    if (n > this.#codes.length) this.#grow(n);
    const [codes, tokens] = [this.#codes, this.#tokens];
    for (let i = 0; i < n; i++) {
      const letter = LETTER_OF_CODE[text.charCodeAt(start + i)] ?? -1;
      if (letter < 0) return -1;
      codes[i] = letter;
    }

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

  /**
   * Whether the border between neighbours a and b is still there when both are made: going back in time, undo the
   * later of the two tokens at the border until both are letters. While u and v face each other, u is used up at time
   * `uGone` by the merge to its left and v at `vGone` by the merge to its right; a merge of (u, v) before that destroys
   * the border. At equal times it is the same merge twice, and the left one goes first.
   *
   * @param whole  a merge to leave out of account: the one that joins a and b in the end; -1 for none
   */
  #survives(a: number, b: number, whole: number): boolean {
    let u = a;
    let v = b;
    let uGone = NEVER;
    let vGone = NEVER;
    while (true) {
      const merged = this.#pairs.merged(u, v);
      if (merged < uGone && merged <= vGone && merged !== whole) return false;
      if (u > v && u >= LETTERS.length) {
        uGone = u;
        u = this.#right[u];
      } else if (v >= LETTERS.length) {
        vGone = v;
        v = this.#left[v];
      } else return true;
    }
  }

  /** The longest token that begins at a position: there is always one, since every letter is a token. */
  #longest(at: number, n: number): number {
    const tree = this.#tree;
    const codes = this.#codes;
    let token = -1;
    let node = 0;
    for (let i = at; i < n; i++) {
      node = tree[node + 1 + codes[i]];
      if (node === 0) break;
      const ending = tree[node];
      if (ending >= 0) token = ending;
    }
    return token;
  }

  /** Tokens come shortest first, so that nodes near the root, the busiest, lie close together in memory. */
  #plant(token: number, text: string) {
    let node = 0;
    for (const letter of text) {
      const passed = this.#tree[node];
      if (passed >= 0) this.#shorter[token] = passed;
      const branch = node + 1 + LETTERS.indexOf(letter);
      if (this.#tree[branch] === 0) {
        const grown = this.#newNode(); // before the line below names the tree: it may have moved
        this.#tree[branch] = grown;
      }
      node = this.#tree[branch];
    }
    this.#tree[node] = token;
  }

  #newNode(): number {
    const node = this.#nodes++ * NODE;
    if (node + NODE > this.#tree.length) {
      const larger = new Int32Array(2 * this.#tree.length);
      larger.set(this.#tree);
      this.#tree = larger;
    }
    this.#tree[node] = -1;
    return node;
  }

  #grow(letters: number) {
    const size = Math.max(letters, 2 * this.#codes.length);
    this.#codes = new Uint8Array(size);
    this.#tokens = new Int32Array(size);
    this.ids = new Int32Array(size);
    this.ends = new Int32Array(size);
  }
}

/** Which token two neighbours merge into. Nearly all questions are answered "none", so one bit is asked first. */
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
    for (let token = LETTERS.length; token < left.length; token++) {
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

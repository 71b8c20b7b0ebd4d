import { ByteCursor } from "../../../base/byte-cursor.ts";
import { FormatError } from "../../../base/errors.ts";

/** Limit of containers, each of which takes one byte of pickle and far more memory. */
const MAX_CONTAINERS = 1_000_000;
const MAX_INTEGER_LENGTH = 64;

/** The stack machine of pickles: stack, marks and memo. Every misuse is an error. */
export class PickleMachine {
  readonly cursor: ByteCursor;
  readonly #file: string;
  readonly #memo = new Map<number, unknown>();
  #stack: unknown[] = [];
  /** Stacks below the marks. */
  readonly #marked: unknown[][] = [];
  #containers = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.cursor = new ByteCursor(bytes);
    this.#file = file;
  }

  /** True when nothing is left on the stack. */
  get finished(): boolean {
    return this.#stack.length === 0 && this.#marked.length === 0;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    return this.popSome(1)[0];
  }

  popSome(count: number): unknown[] {
    if (this.#stack.length < count) this.fail("it pops more from its stack than there is");
    return this.#stack.splice(this.#stack.length - count, count);
  }

  top(): unknown {
    return this.#stack.length > 0 ? this.#stack.at(-1) : this.fail("it looks at an empty stack");
  }

  /** Removes the top of the stack, or the mark when nothing is above it. */
  drop(): void {
    if (this.#stack.length > 0) this.#stack.pop();
    else this.popMark();
  }

  mark(): void {
    this.contain([]);
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  /** Removes and returns everything above the last mark. */
  popMark(): unknown[] {
    const items = this.#stack;
    this.#stack = this.#marked.pop() ?? this.fail("it closes a list that was not begun");
    return items;
  }

  keep(key: number): void {
    this.#memo.set(key, this.top());
  }

  /** Memoizes the top under the next free number. */
  keepNext(): void {
    this.keep(this.#memo.size);
  }

  recall(key: number): unknown {
    return this.#memo.has(key)
      ? this.#memo.get(key)
      : this.fail(`it recalls number ${key}, which it never kept`);
  }

  /** Counts a new container and returns it. */
  contain<T>(container: T): T {
    if (++this.#containers > MAX_CONTAINERS)
      this.fail(`it makes more than ${MAX_CONTAINERS} lists and dicts`);
    return container;
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list) || Object.isFrozen(list)) this.fail("it appends to something other than a list");
    for (const item of items) list.push(item);
  }

  addItems(items: readonly unknown[]): void {
    const set = this.top();
    if (!(set instanceof Set)) this.fail("it adds to something other than a set");
    for (const item of items) set.add(item);
  }

  /** Sets alternating keys and values in the dict at the top. */
  setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) this.fail("it sets items of something other than a dict");
    if (items.length % 2 !== 0) this.fail("it sets a key without a value");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  /** Little-endian two's complement; zero bytes are 0. A number where it is exact, else a bigint. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_LENGTH) this.fail(`it holds an integer of ${length} bytes`);
    const unsigned = this.cursor.bytes(length).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const value = BigInt.asIntN(8 * length, unsigned);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  text(bytes: Uint8Array): string {
    try {
      return UTF8.decode(bytes);
    } catch {
      return this.fail("a text in it is not UTF-8");
    }
  }

  fail(what: string): never {
    throw new FormatError(
      { file: this.#file },
      `the pickle cannot be read at byte ${this.cursor.at}: ${what}`,
      "is the file damaged?",
    );
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

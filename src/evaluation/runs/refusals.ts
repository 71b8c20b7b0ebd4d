import { InputError } from "../../base/errors.ts";

/** A user's mistakes in several steps, kept so that all can be told at once. */
export class Refusals {
  readonly #refusals: InputError[] = [];

  add(refusal: InputError): void {
    this.#refusals.push(refusal);
  }

  /** Runs a step and gives what it gives; undefined when it was refused. Our own bugs are thrown at once. */
  async collect<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.add(error);
      return undefined;
    }
  }

  /** Nothing where nothing was refused. @throws {InputError} one that holds all, each once */
  throwTogether(): void {
    const [first] = this.#refusals;
    if (first === undefined) return;
    const list = [...new Set(this.#refusals.map((refusal) => refusal.describe()))];
    if (list.length === 1) throw first;
    throw new InputError(
      `${list.length} things are in the way of this run:\n${list.map(indented).join("\n")}`,
    );
  }
}

const indented = (text: string) => `- ${text.replaceAll("\n", "\n  ")}`;

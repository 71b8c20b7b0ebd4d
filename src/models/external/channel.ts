import { InputError } from "../../base/errors.ts";
import { type Answer, parseAnswer, type Question } from "./messages.ts";

export interface AskLimits {
  /** How long the answer may take. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

export type Ask = (question: Question, limits: AskLimits) => Promise<Answer>;

/** A way to an adapter: questions there, answers back. */
export interface Channel {
  /**
   * @throws {AdapterRefusal} with what the adapter says of why it does not answer
   * @throws {InputError} when there is no answer in time, or what comes is none
   */
  readonly ask: Ask;
  close(): Promise<void>;
}

/** Called once a channel is open, and again each time the adapter behind it was started anew. */
export type Greet = (ask: Ask) => Promise<void>;

/** Longest answer, in bytes: the states of a batch of long sequences have room in it. */
export const LONGEST_ANSWER = 2 ** 28;

/** The adapter understood the question and says why it does not answer it. */
export class AdapterRefusal extends InputError {}

const HINT = "docs/adapters.md says what is asked, and what an answer holds";

/** Who answers. */
export interface Speaker {
  /** What the adapter is called in messages. */
  readonly title: string;
  /** What to do where something else than JSON came. */
  readonly notJson: string;
}

/** @param id  of the question */
export function readAnswer({ title, notJson }: Speaker, id: number, text: string): Answer {
  const unusable = (why: string, hint: string) =>
    new InputError(`the adapter ${title} gave an answer that cannot be used: ${why}`, { hint });
  const refused = (why: string) => unusable(why, HINT);
  const body = parseAnswer(text);
  if (body === undefined) throw unusable(`${shown(text) || "an empty one"} is no JSON object`, notJson);
  if (body.error !== undefined) {
    const why = typeof body.error === "string" ? body.error : JSON.stringify(body.error);
    throw new AdapterRefusal(`the adapter ${title} says: ${shown(why)}`);
  }
  if (body.id !== id)
    throw refused(`its id is ${shown(JSON.stringify(body.id) ?? "absent")}; expected ${id}`);
  return { body, refused };
}

/** A stranger's text in a message of ours: short, and without what moves a cursor. */
export function shown(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  return plain.length > 300 ? `${plain.slice(0, 300)}…` : plain;
}

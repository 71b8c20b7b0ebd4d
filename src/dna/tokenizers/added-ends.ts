import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";
import { checked, type Typed, typed, unsupported } from "./text-steps.ts";

/** Ids put in front of and behind the tokens of every sequence. */
interface AddedEnds {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const id = z.number().int().nonnegative();
const named = z.tuple([z.string(), id]);
const bert = z.looseObject({ sep: named, cls: named });
const special = z.strictObject({ SpecialToken: z.looseObject({ id: z.string() }) });
const sequenceA = z.strictObject({ Sequence: z.looseObject({ id: z.literal("A") }) });
const template = z.looseObject({
  single: z.array(z.union([special, sequenceA])),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(id) })),
});
const sequence = z.array(typed);

/**
 * What the `post_processor` of a tokenizer.json adds to a single sequence.
 * @throws {FormatError} naming a post-processor that this package does not know
 */
export function addedEnds(step: Typed | null | undefined, file: string): AddedEnds {
  if (!step) return { before: [], after: [] };
  switch (step.type) {
    case "BertProcessing":
    case "RobertaProcessing": {
      const { cls, sep } = checked(bert, step, file);
      return { before: [cls[1]], after: [sep[1]] };
    }
    case "TemplateProcessing": {
      const { single, special_tokens } = checked(template, step, file);
      const before: number[] = [];
      const after: number[] = [];
      let sequences = 0;
      for (const item of single) {
        if ("Sequence" in item) {
          sequences++;
          continue;
        }
        const known = special_tokens[item.SpecialToken.id];
        if (known === undefined) {
          const name = quotedText(item.SpecialToken.id);
          throw new FormatError({ file }, `post_processor.single uses ${name}, which special_tokens lacks`);
        }
        (sequences === 0 ? before : after).push(...known.ids);
      }
      if (sequences === 1) return { before, after };
      throw new FormatError({ file }, `post_processor.single has the sequence ${sequences} times, not once`);
    }
    case "Sequence":
      // Each part wraps what the parts before it made.
      return checked(sequence, step.processors, file).reduce<AddedEnds>(
        (inner, part) => {
          const outer = addedEnds(part, file);
          return { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] };
        },
        { before: [], after: [] },
      );
    case "ByteLevel": // moves the borders of blanks only
      return { before: [], after: [] };
    default: {
      const known = "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence";
      throw unsupported("post_processor", step.type, known, file);
    }
  }
}

import { z } from "zod";
import { FormatError, InputError } from "../../base/errors.ts";
import { firstIssue } from "../../base/json.ts";
import { suggestion } from "../../base/message-text.ts";
import { textIfPresent } from "../../base/read-file.ts";
import type { CustomForms } from "../runs/forms.ts";
import type { NameOr } from "../tasks/catalogue.ts";
import { MINI_WIDTH, miniSuite } from "./mini.ts";
import { type Suite, wholeSuite } from "./suite.ts";

const setting = z.strictObject({
  split: z.enum(["train", "val", "test", "all"]).exactOptional(),
  limit: z.int().positive().exactOptional(),
  sample: z.record(z.string(), z.int().positive()).exactOptional(),
  except: z
    .strictObject({ tokens: z.enum(["one-letter", "k-mer", "bpe"]), because: z.string() })
    .exactOptional(),
  recipe: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).exactOptional(),
  weights: z.string().min(1).exactOptional(),
});

const suiteSchema: z.ZodType<Suite & { readonly format: string; readonly formatVersion: number }> =
  z.strictObject({
    format: z.literal("dart-eval suite"),
    formatVersion: z.literal(1),
    name: z.string().min(1).max(60),
    title: z.string(),
    rows: z
      .array(
        z.strictObject({
          task: z.string(),
          inputs: z.record(z.string(), z.string().min(1)),
          fallback: z.record(z.string(), z.string().min(1)).exactOptional(),
          optional: z.array(z.string()).exactOptional(),
          settings: z
            .record(z.string(), setting)
            .refine((settings) => Object.keys(settings).length > 0, "expected at least one setting"),
          models: z.array(z.string()).min(1).exactOptional(),
        }),
      )
      .min(1),
  });

/** Advice for a file that is not a suite. */
const SUITE_FILE = "`dart-eval suites mini > my-suite.json` prints a suite to edit";

/**
 * Reads a suite by name (`dart-eval`, `mini`, `mini:0.05` for other widths) or from a JSON file.
 *
 * @param forms  custom tasks and settings: those with a benchmark are in the named suites
 * @throws {InputError} when there is neither a suite nor a file of this name
 * @throws {FormatError} naming the invalid field of the file
 */
export async function readSuite(name: NameOr<"dart-eval" | "mini">, forms: CustomForms = {}): Promise<Suite> {
  if (name === "dart-eval") return wholeSuite(forms);
  if (name === "mini") return miniSuite(MINI_WIDTH, forms);
  if (name.startsWith("mini:")) return miniSuite(widthOf(name.slice("mini:".length)), forms);
  const text = await textIfPresent(name);
  if (text === undefined) {
    throw new InputError(`there is no suite and no file ${JSON.stringify(name)}`, {
      hint: `${suggestion(name, ["dart-eval", "mini"])}suites: dart-eval, mini, mini:WIDTH, or a JSON file`,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError({ file: name }, "not valid JSON", SUITE_FILE, cause);
  }
  const { success, data, error } = suiteSchema.safeParse(value);
  if (!success) {
    throw new FormatError({ file: name }, firstIssue(error, "the file"), SUITE_FILE);
  }
  const { format: _, formatVersion: __, ...suite } = data;
  return suite;
}

/** Contents of a suite's file. */
export const suiteFile = (suite: Suite): object => ({
  format: "dart-eval suite",
  formatVersion: 1,
  ...suite,
});

function widthOf(text: string): number {
  if (/^\d*\.?\d+$/.test(text)) return Number(text);
  throw new InputError(`${JSON.stringify(text)} is not a half-width of an interval`, {
    hint: "write mini:0.05 for intervals of at most ±0.05",
  });
}

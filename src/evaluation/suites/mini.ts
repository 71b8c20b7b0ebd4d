import { InputError } from "../../base/errors.ts";
import { rowsForCorrelation, rowsForMutualInformation, rowsForShare, rowsPerClass } from "./sample-size.ts";
import type { Suite, SuiteRow, SuiteSetting } from "./suite.ts";
import { WHOLE_SUITE } from "./whole.ts";

/** Half the length of an interval that the small suite keeps to, where nothing else is asked. */
export const MINI_WIDTH = 0.03;

/** The smallest class of task 3: HEPG2 has 33,948 of 216,746 peaks. */
const SMALLEST_SHARE = 33_948 / 216_746;

/** Trainings are cut as well, to rows and epochs that a laptop does in minutes: their numbers are not those of whole trainings. */
const SHORT_TRAINING = { trainRows: 4096, valRows: 1024, epochs: 10 };
const TRAINED = new Set(["probed", "fine-tuned", "ab-initio"]);

/** How many rows of a task make every interval of its main metrics short enough; each from the worst variance there is. */
function sizesOf(task: string, width: number): SuiteSetting {
  switch (task) {
    case "cell-type-elements":
      // Accuracy and clustering are of all rows; each line's AUROC needs enough rows of that line.
      return {
        limit: Math.max(Math.ceil(rowsPerClass(width) / SMALLEST_SHARE), rowsForMutualInformation(width)),
      };
    case "chromatin-activity":
      return {
        sample: { peaks: rowsForCorrelation(width), idr: rowsPerClass(width), nonpeaks: rowsPerClass(width) },
      };
    case "variant-effects":
      // Correlations are of the significant variants alone.
      return { sample: { significant: rowsForCorrelation(width), control: rowsPerClass(width) } };
    default:
      return { limit: rowsForShare(width) };
  }
}

/**
 * The five tasks on so few rows that 95 % intervals of the main metrics are at most this far from their middle to either end,
 * for independent rows and as far as the data have the rows: the Yoruban dsQTLs have 560 significant variants, whatever is
 * asked. Rows near each other are less than independent; the intervals over blocks of the genome say by how much.
 *
 * @param width  half of an interval's length
 * @throws {InputError} when it is not between 0.005 and 0.2
 */
export function miniSuite(width = MINI_WIDTH): Suite {
  if (!(width >= 0.005 && width <= 0.2)) {
    throw new InputError(`mini:${width} is not a width from 0.005 to 0.2`);
  }
  return {
    name: width === MINI_WIDTH ? "mini" : `mini:${width}`,
    title: `DART-Eval on a few rows: intervals of ±${width} at most`,
    rows: WHOLE_SUITE.rows.map((row): SuiteRow => {
      const sizes = sizesOf(row.task, width);
      const settings = Object.entries(row.settings).map(([name, own]): [string, SuiteSetting] => [
        name,
        { ...own, ...sizes, ...(TRAINED.has(name) ? { recipe: SHORT_TRAINING } : {}) },
      ]);
      return { ...row, settings: Object.fromEntries(settings) };
    }),
  };
}

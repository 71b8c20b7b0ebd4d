import { AFRICAN_CAQTLS, YORUBAN_DSQTLS } from "../../datasets/sources/catalogue.ts";

/** The authors' names of tasks, settings, models and data sets, and ours. */

export const TASK_NAMES: Readonly<Record<number, string>> = {
  1: "regulatory-elements",
  2: "motif-footprinting",
  3: "cell-type-elements",
  4: "chromatin-activity",
  5: "variant-effects",
};

/** ChromBPNet was trained by others, or gave its scores in the tables: here such a model predicts. */
const PREDICTED_TASKS = new Set([4, 5]);

export function settingName(task: number, setting: string): string {
  switch (setting) {
    case "zero_shot_likelihood":
      return "zero-shot";
    case "zero_shot_embedding":
      return "zero-shot-embedding";
    case "probed":
      return "probed";
    case "fine_tuned":
      return "fine-tuned";
    case "ab_initio":
      return PREDICTED_TASKS.has(task) ? "predicted" : "ab-initio";
    case "supervised_baseline":
      return "predicted";
    default:
      return setting;
  }
}

export const FAMILIES: Readonly<Record<string, string>> = {
  Caduceus: "caduceus",
  "DNABERT-2": "dnabert2",
  "GENA-LM": "gena-lm",
  HyenaDNA: "hyenadna",
  "Mistral-DNA": "mistral-dna",
  NT: "nucleotide-transformer",
  "Probing-head-like": "probing-head-like",
  "ChromBPNet-like": "chrombpnet-like",
  ChromBPNet: "chrombpnet",
};

export const DATASETS: Readonly<Record<string, string>> = {
  "African LCL caQTLs": AFRICAN_CAQTLS,
  "Yoruban LCL dsQTLs": YORUBAN_DSQTLS,
};

/** Whether a user's name of a data set is one of the authors': in other words, but about the same. */
export function isSameDataset(published: string, given: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (published === AFRICAN_CAQTLS) return /afr/.test(plain(given));
  if (published === YORUBAN_DSQTLS) return /yor/.test(plain(given));
  return plain(published) === plain(given);
}

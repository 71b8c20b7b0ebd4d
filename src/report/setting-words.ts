/** What each setting does with a model, in a sentence for those who read of it for the first time. */
const WORDS: Readonly<Record<string, string>> = {
  "zero-shot":
    "Zero-shot: the model answers by the likelihoods that it gives to sequences; nothing is trained.",
  "zero-shot-embedding":
    "Zero-shot embedding: the model answers by its embeddings of sequences, how far apart they are or how they cluster; nothing is trained.",
  probed: "Probed: a head is trained on the model's embeddings; the model itself stays as it is.",
  "fine-tuned":
    "Fine-tuned: the model is trained for the task together with a head, by low-rank changes of its weights (LoRA).",
  "ab-initio":
    "Ab initio: a network is trained from the sequences alone. No language model takes part, so this is what one has to beat.",
  predicted:
    "Predicted: the model is made to predict activity, and answers by that; nothing is trained here.",
};

/** Undefined for a setting that this package does not have. */
export function settingWords(name: string): string | undefined {
  return Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
}

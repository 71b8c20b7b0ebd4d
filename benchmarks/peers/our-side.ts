import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { collate } from "../../src/models/language/collate.ts";
import { bindParameters } from "../../src/models/language/parameters.ts";
import type { GraphQuery } from "../../src/models/queries/programs.ts";
import { Programs } from "../../src/models/queries/programs.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";

export interface OurRun {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly states: Float32Array;
  readonly logits: Float32Array;
  /** Width of a state. */
  readonly width: number;
}

export interface OurSide {
  run(ids: readonly (readonly number[])[]): Promise<OurRun>;
  close(): Promise<void>;
}

/** The whole forward pass with its head, as the peers run it. */
const forward: GraphQuery = {
  name: "forward",
  outputs(model, given, tokens) {
    const { lastHidden, logits } = model.forward(given, tokens);
    return { states: lastHidden, logits };
  },
};

/** A checkpoint opened by dart-eval on the CPU; the first run creates the session. */
export async function openOurs(card: LanguageModelCard, folder: string, threads: number): Promise<OurSide> {
  const file = join(folder, "config.json");
  const architecture = card.architecture(JSON.parse(readFileSync(file, "utf8")), file);
  const checkpoint = await openCheckpoint(folder);
  const parameters = bindParameters(architecture.tensors, checkpoint, architecture.ignored);
  const programs = new Programs(
    architecture,
    parameters,
    (name, rows) => checkpoint.read(parameters.get(name)!.name, rows === undefined ? {} : { rows }),
    { device: "cpu", threads },
  );
  return {
    async run(ids) {
      const batch = collate(ids.map((row) => ({ ids: Int32Array.from(row) })));
      const cpu = process.cpuUsage();
      const start = performance.now();
      const { states, logits } = await programs.run(forward, batch);
      const seconds = (performance.now() - start) / 1e3;
      const { user, system } = process.cpuUsage(cpu);
      return {
        seconds,
        processorSeconds: (user + system) / 1e6,
        states: states!.data as Float32Array,
        logits: logits!.data as Float32Array,
        width: states!.shape[2],
      };
    },
    async close() {
      await programs.close();
      await checkpoint.close();
    },
  };
}

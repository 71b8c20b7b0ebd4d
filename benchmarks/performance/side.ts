import { fileURLToPath } from "node:url";
import { type ChildProgram, startProgram } from "../../src/base/child-program.ts";
import type { TrainingDevice } from "../../src/net/runtime/device.ts";
import type { Work } from "./works.ts";

/** Processor of a side. */
export interface Runtime {
  /** CPU threads. */
  readonly threads: number;
  readonly device: TrainingDevice;
}

/** A request to a side, one line of JSON. Only our side computes the product. */
export type Request =
  | { readonly open: Work & Runtime }
  | { readonly values: string }
  | { readonly run: true }
  | { readonly peak: true }
  | { readonly product: { readonly width: number } & Runtime }
  | { readonly runProduct: true };

interface Response {
  readonly error?: string;
  /** Reason why a side cannot do this work. */
  readonly missing?: string;
  readonly versions?: readonly string[];
  readonly gflop?: number;
  readonly milliseconds?: number;
  readonly bytes?: number;
}

/** One of the compared programs in its own process: dart-eval, or PyTorch. */
export class Side {
  private readonly program: ChildProgram;

  private constructor(
    private readonly title: string,
    command: readonly [string, ...string[]],
  ) {
    this.program = startProgram(command, { maxLineLength: 10_000 });
  }

  static ours(): Side {
    return new Side("dart-eval", [process.execPath, "--import", "tsx", fileOf("our-side-child.ts")]);
  }

  static pytorch(python: string): Side {
    return new Side("PyTorch", [python, fileOf("../peers/serve.py")]);
  }

  /** @throws {Error} when the side ends or reports an error */
  async request(request: Request): Promise<Response> {
    this.program.writeLine(JSON.stringify(request));
    const line = await this.program.nextLine();
    if (typeof line !== "string") throw new Error(`${this.title} ended: ${JSON.stringify(line)}`);
    const response = JSON.parse(line) as Response;
    if (response.error !== undefined) throw new Error(`${this.title}: ${response.error}`);
    return response;
  }

  stop(): Promise<void> {
    return this.program.stop();
  }
}

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

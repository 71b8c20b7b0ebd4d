import { fileURLToPath } from "node:url";
import type { ChildProgram } from "../../src/base/child-program.ts";
import { startProgram } from "../../src/base/child-program.ts";

export interface PeerRun {
  readonly seconds: number;
  readonly processorSeconds: number;
}

export interface PeerModel {
  readonly family: string;
  readonly folder: string;
  readonly threads: number;
}

/** `serve.py` in a child process: one model, one request per line. */
export class PythonPeer {
  private readonly program: ChildProgram;

  constructor(python: string) {
    const script = fileURLToPath(new URL("serve.py", import.meta.url));
    this.program = startProgram([python, script], { longestLine: 10_000 });
  }

  /** @returns the version of PyTorch */
  async open(model: PeerModel): Promise<string> {
    const { torch } = (await this.ask({ open: model })) as { readonly torch: string };
    return torch;
  }

  /** @param write  path of the states and logits, without extension */
  async run(ids: readonly (readonly number[])[], write?: string): Promise<PeerRun> {
    return (await this.ask({ ids, ...(write === undefined ? {} : { write }) })) as PeerRun;
  }

  private async ask(request: object): Promise<object> {
    this.program.writeLine(JSON.stringify(request));
    const line = await this.program.nextLine();
    if (typeof line !== "string") throw new Error(`the Python side ended: ${JSON.stringify(line)}`);
    const answer = JSON.parse(line) as { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`the Python side: ${answer.error}`);
    return answer;
  }

  close(): Promise<void> {
    return this.program.stop();
  }
}

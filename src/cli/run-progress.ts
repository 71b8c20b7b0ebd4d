import type { OnProgress } from "../evaluation/runs/progress.ts";
import { type Progress, startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Shows a run's progress cell by cell. `stop` clears the bar, whatever became of the run. */
export function showRun(terminal: Terminal): { onProgress: OnProgress; stop: () => void } {
  let progress: Progress | undefined;
  const stop = () => {
    progress?.stop();
    progress = undefined;
  };
  return {
    stop,
    onProgress(event) {
      switch (event.kind) {
        case "cell-start":
          stop();
          progress = startProgress(terminal, {
            unit: "rows",
            total: event.rows,
            before: event.rowsDoneBefore,
          });
          break;
        case "batch":
          progress?.update(event.rowsDone);
          break;
        case "note":
          terminal.say(`note: ${event.text}`);
          break;
        case "cell-done":
          stop();
          break;
      }
    },
  };
}

import type { DownloadReports } from "../models/checkpoints/hub.ts";
import { type Progress, startProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** Progress of a download from the hub, and licences of checkpoints, on the terminal. */
export interface HubDownload extends DownloadReports {
  /** Removes the bar, also after an error. */
  stop(): void;
}

export function reportHubDownload(terminal: Terminal): HubDownload {
  let progress: Progress | undefined;
  const stop = () => {
    progress?.stop();
    progress = undefined;
  };
  return {
    onWait: (why) => terminal.say(why),
    onProgress({ done, total }) {
      progress ??= startProgress(terminal, { unit: "bytes", total, before: done });
      progress.update(done);
    },
    onLicence(checkpoint, licence) {
      stop();
      terminal.say(`${checkpoint}: licence ${licence ?? "not stated"}`);
    },
    stop,
  };
}

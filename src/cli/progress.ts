import { MultiBar, type Options, SingleBar } from "cli-progress";
import { bytes, count, duration } from "../report/numbers.ts";
import { asText, type Terminal } from "./terminal.ts";

export interface ProgressForm {
  /** Unit of the counts. */
  readonly unit: "rows" | "clusterings" | "bytes";
  readonly total: number;
  /** Done before this process, not counted for the speed. */
  readonly before?: number;
  /** Minimum time between two plain lines, in milliseconds. */
  readonly lineEvery?: number;
  /** Clock in milliseconds, for tests. */
  readonly now?: () => number;
}

/** Speed as reported by the work itself; undefined while unknown. */
export interface KnownPace {
  readonly rowsPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

export interface Progress {
  /**
   * `done` counts from zero to the total, including `before`.
   * @param known  speed and time left as reported by the work; default: measured by the bar
   */
  update(done: number, known?: KnownPace): void;
  stop(): void;
}

const BAR: Options = {
  format: "  {bar} {text}",
  barCompleteChar: "━",
  barIncompleteChar: "─",
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
  // Signals are handled in one place, main.ts.
  gracefulExit: false,
  fps: 5,
};

/** Shows a bar on a terminal, and plain lines at intervals elsewhere. */
export function startProgress(terminal: Terminal, form: ProgressForm): Progress {
  const { total, before = 0, now = Date.now } = form;
  const start = now();
  const { shared } = terminal;
  const text = (done: number, known?: KnownPace) =>
    progressText(done, { ...form, before }, (now() - start) / 1000, known);

  if (terminal.screen !== undefined) {
    const bar = shared?.bar ?? new SingleBar({ ...BAR, stream: terminal.screen });
    const label = shared === undefined ? "" : `${shared.cell} `;
    bar.start(total, before, { text: `${label}${text(before)}` });
    return {
      update: (done, known) => bar.update(done, { text: `${label}${text(done, known)}` }),
      stop: () => bar.stop(),
    };
  }

  const every = form.lineEvery ?? 5000;
  let next = start + every;
  return {
    update(done, known) {
      if (now() < next) return;
      next = now() + every;
      terminal.say(`  ${text(done, known)}`);
    },
    stop() {},
  };
}

/** Lines of one job on a terminal that several jobs share. */
export interface JobLines {
  /** Names the cell that the job runs. */
  begin(cell: string, title: string): void;
  /** Its lines begin with the name of the cell; its bar shows the last step. */
  readonly terminal: Terminal;
}

/** A terminal that several jobs share: a bar for each at the bottom, text above. */
export interface SharedTerminal extends Disposable {
  readonly jobs: readonly JobLines[];
  say(text: string): void;
}

/** Shares a terminal between jobs until it is disposed of. */
export function shareTerminal(terminal: Terminal, jobs: number): SharedTerminal {
  const { print, screen } = terminal;
  const bars = screen === undefined ? undefined : new MultiBar({ ...BAR, stream: screen });
  // The bars that the text overwrites are erased up to the end of their lines.
  const say = (text: string) =>
    bars === undefined ? terminal.say(text) : bars.log(asText(text).replaceAll("\n", "\x1b[K\n"));
  const lines = Array.from({ length: jobs }, (): JobLines => {
    const bar = bars?.create(1, 0, { text: "" });
    const shared = { bar, cell: "" };
    return {
      begin(cell, title) {
        shared.cell = cell;
        say(`${cell}: ${title}`);
      },
      terminal: {
        print,
        say: (text) => say(`${shared.cell}: ${text.trimStart()}`),
        screen,
        ...(bar === undefined
          ? {}
          : {
              shared: {
                bar,
                get cell() {
                  return shared.cell;
                },
              },
            }),
      },
    };
  });
  return {
    jobs: lines,
    say,
    [Symbol.dispose]() {
      // Prints the last lines.
      bars?.update();
      bars?.stop();
    },
  };
}

/** `4,812 / 8,034 rows · 61 rows/s · 53 s left`, or `12.0 MiB / 437 MiB · 8.10 MiB/s · 52 s left` */
export function progressText(
  done: number,
  { unit, total, before = 0 }: Pick<ProgressForm, "unit" | "total" | "before">,
  seconds: number,
  known?: KnownPace,
): string {
  const head =
    unit === "bytes" ? `${bytes(done)} / ${bytes(total)}` : `${count(done)} / ${count(total)} ${unit}`;
  // Work that reports its own speed is not measured here: it may have reused results of an earlier run.
  const rate = known === undefined ? (done - before) / seconds : (known.rowsPerSecond ?? Number.NaN);
  if (!(rate > 0) || !Number.isFinite(rate)) return head;
  const speed = unit === "bytes" ? bytes(rate) : `${rateText(rate)} ${unit}`;
  return `${head} · ${speed}/s · ${duration(known?.secondsLeft ?? (total - done) / rate)} left`;
}

/** Clusterings may take seconds each: 0.083. */
function rateText(rate: number): string {
  if (rate >= 10) return count(rate);
  return rate >= 0.1 ? rate.toFixed(1) : rate.toPrecision(2);
}

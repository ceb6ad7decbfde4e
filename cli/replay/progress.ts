/** Shows how far a replay is: a bar on a terminal, a line every few seconds elsewhere. Writes to stderr only. */

const REDRAW_MS = 100;
const LINE_MS = 3_000;
const BAR_WIDTH = 24;

export interface Progress {
  /** `done` of `total` events; `note` says what it is waiting for, if anything. */
  show(done: number, note?: string): void;
  end(): void;
}

export function startProgress(
  total: number,
  alreadyDone: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const startedAt = performance.now();
  let drawnAt = 0;

  function describe(done: number, note: string): string {
    const seconds = (performance.now() - startedAt) / 1_000;
    const rate = seconds > 0.5 ? (done - alreadyDone) / seconds : 0;
    const share = total > 0 ? done / total : 1;
    const left = rate > 0 && done < total ? `, ${formatSeconds((total - done) / rate)} left` : "";
    const counts = `${Math.floor(share * 100)} %  ${formatCount(done)}/${formatCount(total)} events  ${formatCount(rate)}/s${left}`;
    return `${counts}${note && `  (${note})`}`;
  }

  return {
    show(done, note = "") {
      const now = performance.now();
      if (now - drawnAt < (stream.isTTY ? REDRAW_MS : LINE_MS) && done < total) return;
      drawnAt = now;
      if (!stream.isTTY) {
        stream.write(`${describe(done, note)}\n`);
        return;
      }
      const filled = Math.round((total > 0 ? done / total : 1) * BAR_WIDTH);
      const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${describe(done, note)}`;
      stream.write(`\r\u001b[2K${bar.slice(0, (stream.columns || 100) - 1)}`);
    },
    end() {
      if (stream.isTTY && drawnAt > 0) stream.write("\n");
    },
  };
}

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Prints what was measured: a table per case, and at the end each goal with its verdict. */

export interface Goal {
  name: string;
  value: number;
  unit: string;
  floor: number;
  aim?: number;
  /** Less is better. */
  atMost?: boolean;
}

export interface CaseResult {
  title: string;
  columns: string[];
  rows: (string | number)[][];
  notes: string[];
  goals: Goal[];
}

export function formatCase({ title, columns, rows, notes }: CaseResult): string {
  const cells = [columns, ...rows.map((row) => row.map(formatCell))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  return [`\n${title}`, ...lines.map((line) => `  ${line}`), ...notes.map((note) => `  · ${note}`)].join("\n");
}

export function formatGoal(goal: Goal): string {
  const verdict = isReached(goal, goal.floor)
    ? goal.aim === undefined || isReached(goal, goal.aim)
      ? "reached"
      : "floor"
    : "MISSED";
  const bound = goal.atMost ? "at most" : "at least";
  const aim = goal.aim === undefined ? "" : `, aim ${formatCell(goal.aim)}`;
  return `  ${verdict.padEnd(7)}  ${goal.name}: ${formatCell(goal.value)} ${goal.unit} (${bound} ${formatCell(goal.floor)}${aim})`;
}

export function isMissed(goal: Goal): boolean {
  return !isReached(goal, goal.floor);
}

function isReached(goal: Goal, bound: number): boolean {
  return goal.atMost ? goal.value <= bound : goal.value >= bound;
}

/** Three significant digits are more than a shared machine can tell. */
export function formatCell(value: string | number): string {
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}

/** Times, sizes and values in few characters. */

/** `23:59:08`, `0:42`, or days from two on. */
export function formatLeft(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1_000));
  const days = Math.floor(seconds / 86_400);
  if (days >= 2) return `${days} days`;
  const two = (value: number) => `${value}`.padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** The time of day, with the date where it is another day than today. */
export function formatClock(at: number): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString("en-GB", {
    ...(!isToday && { weekday: "short", day: "numeric", month: "short" }),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** `+24 h`, `-2 d`, `+1 h 30 min`. */
export function formatShift(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  const parts = [
    [Math.floor(minutes / 1_440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "min"],
  ];
  const said = parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`);
  return (milliseconds < 0 ? "−" : "+") + (said.join(" ") || "0 min");
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

export const formatBytes = (text: string): string => {
  const bytes = new Blob([text]).size;
  return bytes < 1_024 ? `${bytes} B` : `${(bytes / 1_024).toFixed(1)} kB`;
};

/** Each value that is not an object with its path, in order: `address.city`. What is undefined is not there. */
export function flatten(value: unknown, path = ""): [path: string, value: string][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) return [[path, typeof value === "string" ? value : `${value}`]];
  const entries = Object.entries(value);
  if (!entries.length) return path ? [[path, Array.isArray(value) ? "[]" : "{}"]] : [];
  return entries.flatMap(([name, child]) => flatten(child, path ? `${path}.${name}` : name));
}

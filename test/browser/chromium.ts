/** Finds a real Chromium, and installs one where there is none; never lets tests go on without. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

export const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @throws one line that says what to do. */
export function findOrInstallChromium(): string {
  const found = findChromium() ?? installChromium();
  if (found) return found;
  throw new Error(
    "The browser tests need Chromium: install it (apt-get install chromium) or set CHROMIUM to its path.",
  );
}

function findChromium(): string | undefined {
  const named = process.env["CHROMIUM"];
  const folders = ["/usr/bin", ...(process.env["PATH"] ?? "").split(delimiter)];
  const places = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...(named ? [named] : []), ...places].find((place) => existsSync(place));
}

function installChromium(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  process.stdout.write("Installing Chromium …\n");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "chromium"]]) spawnSync("apt-get", args, { env, stdio: "ignore" });
  return findChromium();
}

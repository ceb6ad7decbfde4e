/** Where things lie in the checkout, and how a command fails in one line. */
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const ASSETS = `${ROOT}dist/assets`;
/** The package `attune` of sites that bundle. */
export const CLIENT = `${ROOT}dist/client`;
/** Of the second Worker, from the project's root. */
export const PRESS_CONFIG = "edge/press/wrangler.toml";
/** Wrangler's own default, so that `wrangler d1 execute attune --local` reads what `npm start` wrote. */
export const LOCAL_STATE = `${ROOT}.wrangler/state`;
/** Secrets of the local start, kept between starts and never committed. */
export const LOCAL_VARS = `${ROOT}.attune/local.env`;
export const LOCAL_PORT = 8787;

/** Something the person at the keyboard can mend: its message is printed alone, without a stack. */
export class Failure extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "Failure";
    this.exitCode = exitCode;
  }
}

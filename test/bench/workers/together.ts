/** What the Worker would be with the press in it. */
export { default as Press } from "../../../edge/press/worker.ts";
export { default } from "../../../edge/worker.ts";

/** What the linter says. */

export const FINDING_CODES = [
  "never-true",
  "always-true",
  "redundant",
  "no-effect",
  "impossible-where",
  "window-ahead",
  "beyond-history",
  "near-limit",
  "shadowed-variant",
  "unknown-event",
  "unknown-trait",
  "other-type",
  "no-default",
  "unknown-segment",
  "inactive-segment",
  "cycle",
  "unknown-variable",
  "always-empty",
  "dropped-html",
  "foreign-html",
  "unbalanced-html",
  "stops",
  "unsafe-url",
  "cut-text",
  "undrawn-text",
  "no-alt",
  "no-link",
  "large",
  "hidden-block",
  "same-priority",
  "never-on",
  "cap-unreachable",
] as const;

export const SEVERITIES = ["error", "warning", "hint"] as const;

export interface Finding {
  code: (typeof FINDING_CODES)[number];
  /** `error`: it can do nothing. `warning`: a part of it cannot, or not what it seems to. `hint`: worth a look. */
  severity: (typeof SEVERITIES)[number];
  /** JSON Pointer (RFC 6901) into what was looked at. */
  pointer: string;
  /** What, why, and what to do. */
  detail: string;
}

const SHOWN = 160;

/** A description short enough for a finding. */
export const cut = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** What the visitor has allowed, who said so, and the buttons to say otherwise. */
import { PURPOSES } from "../../../shared/consent.ts";
import type { Model } from "./model.ts";
import { choices, facts, hint, section } from "./parts.ts";

const MODES: [label: string, mode: string][] = [
  ["Full", "full"],
  ["Session", "session"],
  ["Memory", "memory"],
  ["Off", "off"],
];
const MEANINGS: { [mode: string]: string } = {
  full: "Kept on this device and sent.",
  session: "Kept in this tab and sent.",
  memory: "Kept in this page, and nothing is sent: slots keep the page’s own content.",
  off: "Nothing is kept, sent or decided.",
};

export const viewConsent = (model: Model) => {
  const { mode, purposes } = model;
  const present = mode() ?? "off";
  const granted = purposes();
  const isPrivate = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;
  return [
    section(
      "Mode",
      choices(
        "Mode",
        "mode",
        MODES.map(([label, it]) => [label, it, it === present]),
      ),
      hint(MEANINGS[present]),
    ),
    section(
      "Purposes",
      ...PURPOSES.filter((purpose) => purpose !== "necessary").map((purpose) =>
        facts([
          [
            purpose,
            choices(purpose, "purpose", [
              ["Granted", `${purpose} true`, granted[purpose] === true],
              ["Denied", `${purpose} false`, granted[purpose] !== true],
            ]),
          ],
        ]),
      ),
    ),
    section(
      "Where it comes from",
      facts([
        ["choice", sourceOf(model)],
        ["Global Privacy Control", isPrivate ? "on: marketing stays denied, whatever is chosen" : "off"],
      ]),
    ),
  ];
};

function sourceOf({ name, mode, visit }: Model): string {
  try {
    // The device's id is kept there, too.
    if (JSON.parse(localStorage[name]).mode) return "made on this device, by the visitor, a banner or here";
  } catch {
    // Nothing is, or storage is closed.
  }
  const isDefault = mode() === visit()?.state.manifest?.consentDefault;
  return `nobody has chosen here: ${isDefault ? "the site’s default" : "what the tag says, or the browser"}`;
}

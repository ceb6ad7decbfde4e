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
  const { purposes, name } = model;
  const mode = modeOf(model);
  const granted = purposes();
  const isPrivate = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl;
  return [
    section(
      "Mode",
      choices(
        "Mode",
        "mode",
        MODES.map(([label, it]) => [label, it, it === mode]),
      ),
      hint(MEANINGS[mode]),
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
        ["choice", sourceOf(name, model.mode())],
        ["Global Privacy Control", isPrivate ? "on: marketing stays denied, whatever is chosen" : "off"],
      ]),
    ),
  ];
};

export const modeOf = ({ mode, visit }: Pick<Model, "mode" | "visit">): string =>
  mode() ?? visit()?.state.manifest?.consentDefault ?? "off";

function sourceOf(name: string, said: string | undefined): string {
  try {
    if (localStorage[name]) return "made on this device, by the visitor, a banner or here";
  } catch {
    return said ? "made in this page, or the tag: storage is closed" : "the site’s default: storage is closed";
  }
  return said ? "the tag: nobody has chosen here" : "the site’s default: nobody has chosen here";
}

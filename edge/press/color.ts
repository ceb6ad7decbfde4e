/** Colours `#rrggbb` made from a theme's. */

/** `share` of `over` on the rest of `ground`. */
export function mix(ground: string, over: string, share: number): string {
  const [from, to] = [readChannels(ground), readChannels(over)];
  const mixed = from.map((channel, index) => Math.round(channel + (to[index]! - channel) * share));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** Black or white, whichever reads better on `ground` (WCAG's relative luminance; they are equal at 0.179). */
export function inkOn(ground: string): string {
  const [red, green, blue] = readChannels(ground).map((channel) => (channel / 255) ** 2.2);
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue! > 0.179 ? "#000000" : "#ffffff";
}

const readChannels = (color: string): number[] => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

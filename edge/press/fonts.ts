/** Inter (SIL Open Font License 1.1, from the package @fontsource/inter), regular and bold, in the parts that it is published in. */
import cyrillic from "@fontsource/inter/files/inter-cyrillic-400-normal.woff";
import cyrillicBold from "@fontsource/inter/files/inter-cyrillic-700-normal.woff";
import cyrillicExt from "@fontsource/inter/files/inter-cyrillic-ext-400-normal.woff";
import cyrillicExtBold from "@fontsource/inter/files/inter-cyrillic-ext-700-normal.woff";
import greek from "@fontsource/inter/files/inter-greek-400-normal.woff";
import greekBold from "@fontsource/inter/files/inter-greek-700-normal.woff";
import greekExt from "@fontsource/inter/files/inter-greek-ext-400-normal.woff";
import greekExtBold from "@fontsource/inter/files/inter-greek-ext-700-normal.woff";
import latin from "@fontsource/inter/files/inter-latin-400-normal.woff";
import latinBold from "@fontsource/inter/files/inter-latin-700-normal.woff";
import latinExt from "@fontsource/inter/files/inter-latin-ext-400-normal.woff";
import latinExtBold from "@fontsource/inter/files/inter-latin-ext-700-normal.woff";
import vietnamese from "@fontsource/inter/files/inter-vietnamese-400-normal.woff";
import vietnameseBold from "@fontsource/inter/files/inter-vietnamese-700-normal.woff";
import ranges from "@fontsource/inter/unicode.json";

/** Each part is a family of its own, so that a character that one lacks is looked for in the next. */
const PARTS: { [family: string]: [regular: ArrayBuffer, bold: ArrayBuffer] } = {
  Latin: [latin, latinBold],
  LatinExt: [latinExt, latinExtBold],
  Cyrillic: [cyrillic, cyrillicBold],
  CyrillicExt: [cyrillicExt, cyrillicExtBold],
  Greek: [greek, greekBold],
  GreekExt: [greekExt, greekExtBold],
  Vietnamese: [vietnamese, vietnameseBold],
};

const fonts = Object.entries(PARTS).flatMap(([name, [regular, bold]]) => [
  { name, data: regular, weight: 400 as const, style: "normal" as const },
  { name, data: bold, weight: 700 as const, style: "normal" as const },
]);

/** What satori needs to know of type; the fonts are read once, for as long as the list is the same. */
export const TYPE = { family: Object.keys(PARTS).join(", "), options: { fonts } };

/** `U+0370-0377,U+037A` of each part, as a class of characters. */
const classes = Object.values(ranges)
  .join(",")
  .replace(/U\+(\w+)(?:-(\w+))?,?/g, (_, from, to = from) => `\\u{${from}}-\\u{${to}}`);
const unknown = new RegExp(`\\p{Cf}|[^${classes}]`, "gu");
/** Of those, what is seen elsewhere: no joiners, no marks of direction. */
const seen = /[^\p{Cf}\p{Cc}\p{Zs}\p{Mn}]/u;

/** The text without the characters that no font here draws: other scripts, emoji, and those without a shape. */
export const keepDrawable = (text: string): string => text.replace(unknown, "");

/** The characters that are left out of it, each once. */
export const listUndrawn = (text: string): string[] => [
  ...new Set((text.normalize().match(unknown) ?? []).filter((character) => seen.test(character))),
];

/** What cards are made of: boxes for satori, in CSS pixels, on a scale that follows the card's size. */
import type { VNode } from "@cf-wasm/satori";
import type { Align, PaintedCard, Theme } from "../../shared/card.ts";
import { mix } from "./color.ts";
import type { Picture } from "./picture.ts";

/** Where parts are drawn. */
export interface Ground {
  theme: Theme;
  /** Of what is inside the card's padding. */
  width: number;
  height: number;
  /** Sizes of type and of gaps are for a card of 600×200; others take them times this. */
  unit: number;
  gap: number;
  padding: number;
  /** As the first text is aligned: where what is narrower than the card stands. */
  align: Align;
  pictures: ReadonlyMap<string, Picture>;
}

export interface Drawn {
  height: number;
  node: VNode;
}

export type Style = { [property: string]: string | number };

export function layGround({ width, height, theme, parts }: PaintedCard, pictures: Ground["pictures"]): Ground {
  const unit = Math.min(Math.max(Math.cbrt(Math.min(width / 600, height / 200)), 0.6), 1.2);
  // A picture alone is the whole card.
  const isPicture = parts.length === 1 && parts[0]!.type === "image";
  const padding = isPicture ? 0 : Math.round(Math.min(24 * unit, Math.min(width, height) / 10));
  const first = parts.find((part) => part.type === "text");
  return {
    theme,
    width: width - 2 * padding,
    height: height - 2 * padding,
    unit,
    gap: Math.round(10 * unit),
    padding,
    align: first?.align ?? "left",
    pictures,
  };
}

export function box(style: Style, ...children: VNode[]): VNode {
  return { type: "div", props: { style: { display: "flex", flexShrink: 0, ...style }, children } };
}

const JUSTIFY = { left: "flex-start", center: "center", right: "flex-end" } as const;

/** As wide as its room, what is in it at the side where it is aligned. */
export function row(align: Align, style: Style, ...children: VNode[]): VNode {
  return box({ width: "100%", justifyContent: JUSTIFY[align], ...style }, ...children);
}

export interface Lines {
  width: number;
  size: number;
  /** Further lines are cut, the last one ends in an ellipsis. Left out: all. */
  lines?: number;
  color: string;
  bold?: boolean;
  align?: Align;
}

/** A text in lines of its own. */
export function words(text: string, { width, size, lines, color, bold, align = "left" }: Lines): VNode {
  const style: Style = {
    display: "block",
    maxWidth: width,
    // satori never ends where a character is wider than its line.
    fontSize: Math.min(size, width / 2),
    fontWeight: bold ? 700 : 400,
    lineHeight: lineHeight(size),
    ...(size >= 22 && { letterSpacing: "-0.02em" }),
    color,
    textAlign: align,
    wordBreak: "break-word",
    ...(lines && { textOverflow: "ellipsis", lineClamp: lines }),
  };
  return row(align, { width }, { type: "div", props: { style, children: text } });
}

/** In parts of the font's size: large type stands closer. */
export const lineHeight = (size: number): number => (size >= 22 ? 1.2 : 1.4);

export interface Frame {
  width: number;
  height: number;
  radius: number;
  /** Else it fills the frame, and what does not fit is cut. */
  isWhole: boolean;
  /** The colour where a picture has none. */
  under: string;
}

/** A picture in its room; one that could not be had leaves the room, quietly. */
export function frame(
  src: string | undefined,
  { width, height, radius, isWhole, under }: Frame,
  ground: Ground,
): VNode {
  const style = { width, height, borderRadius: radius, overflow: "hidden" };
  const picture = src === undefined ? undefined : ground.pictures.get(src);
  if (!picture) return box({ ...style, backgroundColor: tint(ground.theme, 0.1) });
  const image = { src: picture.src, width, height, style: { objectFit: isWhole ? "contain" : "cover" } };
  return box({ ...style, backgroundColor: under }, { type: "img", props: image });
}

/** The background with a little of the text's colour in it. */
export const tint = ({ background, text }: Theme, share: number): string => mix(background, text, share);

/** Hashes that are the same in every runtime and language: over UTF-8, deterministic, not for secrets. Fixed forever, since samples and ids depend on them. */

/**
 * Two 32-bit lanes over the UTF-8 bytes of `text`. Each byte is mixed upward (multiply) and downward (shift), and both lanes are
 * finished with MurmurHash3's fmix32: FNV-1a alone leaves the low bits of similar inputs alike, which skews small buckets.
 */
function lanes(text: string): [number, number] {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  const add = (byte: number) => {
    a = Math.imul(a ^ byte, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b ^ byte, 0xc2b2ae35);
    b ^= b >>> 13;
  };
  for (const symbol of text) {
    let code = symbol.codePointAt(0)!;
    // A lone surrogate becomes U+FFFD, as in TextEncoder.
    if (code > 0xd7ff && code < 0xe000) code = 0xfffd;
    if (code < 0x80) add(code);
    else {
      if (code < 0x800) add(0xc0 | (code >> 6));
      else {
        if (code < 0x10000) add(0xe0 | (code >> 12));
        else {
          add(0xf0 | (code >> 18));
          add(0x80 | ((code >> 12) & 63));
        }
        add(0x80 | ((code >> 6) & 63));
      }
      add(0x80 | (code & 63));
    }
  }
  return [finish(a ^ Math.imul(b, 5)), finish(b ^ Math.imul(a, 3))];
}

function finish(lane: number): number {
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35);
  return (lane ^ (lane >>> 16)) >>> 0;
}

/** The stable id of a person known by `identifier`: 14 base-36 digits of a 64-bit hash, which does not give the identifier back. */
export function stableIdOf(identifier: string): string {
  return lanes(identifier)
    .map((lane) => lane.toString(36).padStart(7, "0"))
    .join("");
}

/** A number in [0, 1) for this person and this seed: uniform over ids, independent between seeds. */
export function bucket(seed: string, id: string): number {
  const [high, low] = lanes(`${seed}\0${id}`);
  return (high * 0x200000 + (low >>> 11)) / 2 ** 53;
}

/** Variants of a block that are never shown. */
import type { Condition } from "../../../shared/condition.ts";
import type { Variant } from "../../../shared/manifest.ts";
import type { Finding } from "./finding.ts";
import { buildRefute, isNotTrue, isTrue } from "./refute.ts";

const EVERYONE: Condition = { all: [] };

/** Those that nobody gets, since whoever matches one gets an earlier one. Pointers lead into the block. */
export function lintVariants(variants: readonly Pick<Variant, "key" | "audience">[], now: number): Finding[] {
  const refutes = buildRefute(now);
  const audiences = variants.map(({ audience }) => audience ?? EVERYONE);
  return variants.flatMap(({ key }, index): Finding[] => {
    const audience = isTrue(audiences[index]!);
    const earlier = audiences.slice(0, index).map(isNotTrue);
    // An audience that is never true has a finding of its own.
    if (index === 0 || refutes(audience)) return [];
    const one = earlier.findIndex((missed) => refutes(audience, missed));
    if (one < 0 && !refutes(audience, ...earlier)) return [];
    const cause = one < 0 ? "one of those before it" : `"${variants[one]!.key}" before it`;
    const detail = `The variant "${key}" is never shown: whoever matches it gets ${cause}. Move it up, or narrow those.`;
    return [{ code: "shadowed-variant", severity: "warning", pointer: `/variants/${index}`, detail }];
  });
}

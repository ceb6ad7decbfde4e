/** What a page may put its own in the place of, as it was when the script came: the build puts these in everywhere. */
export const { parse: nativeParse, stringify: nativeStringify } = JSON;
export const { fetch } = globalThis;

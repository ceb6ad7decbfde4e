/** Unique names for whoever has none. Plain http has no `randomUUID`. */
export const newId = (): string => crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-");

/** Unique names for whoever has none; on plain http, too, where there is no `randomUUID`. */
export const newId = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");

/** The slots in the page, as the script looks for them. */

export interface PageSlot {
  name: string;
  element: HTMLElement;
}

/** In the order of the document; several elements may have one name. */
export const listSlots = (): PageSlot[] =>
  [...document.querySelectorAll<HTMLElement>("attune-block[name],[data-attune-slot]")].map((element) => ({
    name: element.dataset["attuneSlot"] || element.getAttribute("name")!,
    element,
  }));

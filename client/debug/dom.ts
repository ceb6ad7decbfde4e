/** Elements without markup in strings, so that no policy has to be asked; and changing what is shown into what is to be. */

export type Child = Node | string | number | false | null | undefined | Child[];
export type Attributes = { [name: string]: string | number | boolean | null | undefined };

/** @param tag name, and classes behind dots: `"li.segment"`. Attributes that are false, null or undefined are left out. */
export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name!);
  if (classes[0]) element.className = classes.join(" ");
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined)
      element.setAttribute(attribute, value === true ? "" : `${value}`);
  }
  append(element, children);
  return element;
}

function append(element: Element, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== false && child !== null && child !== undefined)
      element.append(child instanceof Node ? child : `${child}`);
  }
}

/** What the person at the screen does to an element, and nobody else. */
const OWN = ["open"];

/** Makes `shown` equal to `wanted` and changes no more than differs: the focus, what is open and what is scrolled stay. `data-key` tells siblings apart. */
export function morph(shown: Element, wanted: Element): void {
  for (const { name } of [...shown.attributes])
    if (!wanted.hasAttribute(name) && !OWN.includes(name)) shown.removeAttribute(name);
  for (const { name, value } of [...wanted.attributes])
    if (shown.getAttribute(name) !== value && !OWN.includes(name)) shown.setAttribute(name, value);
  const { value } = wanted as HTMLInputElement;
  if (shown instanceof HTMLInputElement && shown.value !== value && !shown.matches(":focus")) shown.value = value;

  let next = shown.firstChild;
  for (const child of [...wanted.childNodes]) {
    const found = isSame(next, child)
      ? next
      : [...shown.childNodes].find((other) => keyOf(other) && isSame(other, child));
    if (!found) {
      shown.insertBefore(child, next);
      continue;
    }
    if (found !== next) shown.insertBefore(found, next);
    if (found instanceof Element) morph(found, child as Element);
    else if (found.nodeValue !== child.nodeValue) found.nodeValue = child.nodeValue;
    next = found.nextSibling;
  }
  while (next) {
    const after: ChildNode | null = next.nextSibling;
    next.remove();
    next = after;
  }
}

const keyOf = (node: Node) => (node as HTMLElement).dataset?.["key"];
const isSame = (one: Node | null, other: Node) => one?.nodeName === other.nodeName && keyOf(one) === keyOf(other);

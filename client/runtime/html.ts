/** HTML from the edge as nodes in which nothing runs. */

type Policy = { createHTML(html: string): string };
type PolicyFactory = { createPolicy(name: string, rules: Policy): Policy };

let policy: Policy | undefined;

/** @throws where the page's Trusted Types do not allow a policy named `attune`. */
export function toNodes(html: string): DocumentFragment {
  // A name can be taken once only.
  policy ??= (window as { trustedTypes?: PolicyFactory }).trustedTypes?.createPolicy("attune", {
    createHTML: (html) => html,
  });
  const template = document.createElement("template");
  template.innerHTML = policy?.createHTML(html) ?? html;
  // Scripts that innerHTML makes never run; handlers and script addresses would, once in the page. Of the elements that are
  // taken out, some run what they load, others lead the page itself elsewhere.
  for (const element of template.content.querySelectorAll("*")) {
    if (element.matches("script,base,meta,object,embed")) element.remove();
    // Not `attributes`: a form's is the field of that name.
    for (const name of element.getAttributeNames()) {
      // Browsers ignore blanks and control characters in a scheme.
      const text = name + element.getAttribute(name)!.replace(/[^!-~]/g, "");
      if (/^(on|srcdoc)|javascript:/i.test(text)) element.removeAttribute(name);
    }
  }
  return template.content;
}

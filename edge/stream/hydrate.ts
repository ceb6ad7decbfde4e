/**
 * Lets a framework hydrate a slot that was filled on its way, before the script has come: it finds what its server has rendered where it
 * looks for it, and changes it in the `<template>` (as client/runtime/slots.ts has it, which takes over).
 */

/** Runs as soon as the template in front of it is whole, and is gone. */
const FACADE = `{let s=document.currentScript,e=s.parentNode,o=s.previousSibling?.content,i=(n,b)=>(b?b.before(n):o.append(n),n);s.remove();if(o)Object.assign(Object.defineProperty(e,"firstChild",{get:()=>o.firstChild,configurable:true}),{appendChild:i,insertBefore:i,removeChild:n=>(n.remove(),n)})}`;

/**
 * What stands behind such a template.
 *
 * @param enforced the page's Content-Security-Policy, several separated by commas
 * @param reported the one that is only reported
 * @returns an inline script; empty where the policy lets none of ours run
 */
export function buildFacade(enforced: string, reported: string): string {
  const nonce = readNonce(enforced);
  if (nonce === null) return "";
  const value = nonce || readNonce(reported);
  return `<script${value ? ` nonce="${value}"` : ""}>${FACADE}</script>`;
}

/**
 * By what an inline script runs under all of the policies (https://www.w3.org/TR/CSP3/#allow-all-inline).
 *
 * @returns empty: by nothing; null: it does not
 */
function readNonce(policies: string): string | null {
  let nonce = "";
  for (const policy of policies.split(",")) {
    const sources = readSources(policy);
    if (!sources) continue;
    const own = /'nonce-([\w+/=-]+)'/i.exec(sources)?.[1];
    if (own ? nonce && nonce !== own : !/'unsafe-inline'/i.test(sources) || /'(strict-dynamic'|sha\d+-)/i.test(sources))
      return null;
    nonce = own ?? nonce;
  }
  return nonce;
}

/** Of a policy's scripts; undefined where it says nothing of them. */
function readSources(policy: string): string | undefined {
  const said = policy.split(";").map((directive) => directive.trim());
  for (const name of ["script-src-elem", "script-src", "default-src"]) {
    const found = said.find((directive) => directive.split(/\s/, 1)[0]!.toLowerCase() === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

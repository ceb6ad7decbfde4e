/** How the banner looks. A site changes it by the custom properties. */
export const STYLE = `
:host {
  --back: var(--attune-banner-back, #fffdf8);
  --ink: var(--attune-banner-ink, #1c231f);
  --line: var(--attune-banner-line, #9aa39d);
  --accent: var(--attune-banner-accent, #175c46);
  --accent-ink: var(--attune-banner-accent-ink, #fff);
  all: initial;
  color-scheme: light dark;
  position: fixed;
  inset: auto 0 0;
  z-index: 2147483000;
  display: block;
  pointer-events: none;
}
@media (prefers-color-scheme: dark) {
  :host {
    --back: var(--attune-banner-back, #1a201d);
    --ink: var(--attune-banner-ink, #eef0ea);
    --line: var(--attune-banner-line, #6b766f);
    --accent: var(--attune-banner-accent, #8fd6ba);
    --accent-ink: var(--attune-banner-accent-ink, #0d1f18);
  }
}
* { box-sizing: border-box; font: inherit; }
section {
  pointer-events: auto;
  position: relative;
  max-width: 36rem;
  max-height: 85vh;
  max-height: 85dvh;
  margin: 0 auto 1rem;
  padding: 1.25rem 1.5rem 1.5rem;
  overflow: auto;
  color: var(--ink);
  background: var(--back);
  border: 1px solid var(--line);
  border-radius: 14px;
  box-shadow: 0 10px 40px rgb(0 0 0 / 0.25);
  font: 1rem/1.5 system-ui, sans-serif;
}
h2 { margin: 0 3rem 0.25rem 0; font-size: 1.15rem; font-weight: 650; }
p { margin: 0 0 1rem; }
a { color: inherit; white-space: nowrap; }
details { margin: 0 0 1rem; }
summary { width: fit-content; padding: 0.25rem 0; cursor: pointer; text-decoration: underline; text-underline-offset: 0.2em; }
fieldset { margin: 0.5rem 0 1rem; padding: 0; border: 0; }
label { display: flex; gap: 0.75rem; align-items: flex-start; padding: 0.5rem 0; }
label.fixed { opacity: 0.7; }
input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.125rem 0 0; accent-color: var(--accent); }
.answers { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }
button {
  min-height: 2.75rem;
  padding: 0.5rem 1rem;
  color: var(--accent-ink);
  background: var(--accent);
  border: 2px solid var(--accent);
  border-radius: 10px;
  font-weight: 600;
  cursor: pointer;
}
button.save { width: 100%; color: inherit; background: none; }
button.close {
  position: absolute;
  top: 0.75rem;
  right: 0.75rem;
  width: 2.75rem;
  padding: 0;
  color: inherit;
  background: none;
  border-color: transparent;
  font-size: 1.5rem;
  line-height: 1;
}
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
section:focus { outline: none; }
@media (max-width: 38rem) {
  section { margin: 0; padding: 1rem 1rem max(1rem, env(safe-area-inset-bottom)); border-width: 1px 0 0; border-radius: 14px 14px 0 0; }
}
@media (forced-colors: active) {
  button { border-color: ButtonText; }
}
`;

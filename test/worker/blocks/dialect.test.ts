import { describe, expect, it } from "vitest";
import { checkText, renderText, type Scope } from "../../../edge/blocks/liquid.ts";

const MOMENT = { now: Date.UTC(2026, 2, 1, 23, 30), timeZone: "Europe/Berlin" };

/** By both renderers. */
function show(source: string, scope: Scope = {}): string {
  const checked = checkText(source);
  if ("errors" in checked) return checked.errors[0]!.detail;
  const [compiled, interpreted] = [checked.template, { ...checked.template, compiled: null }].map((template) =>
    renderText(template, scope, MOMENT),
  );
  expect(compiled!.text).toBe(interpreted!.text);
  return compiled!.text ?? compiled!.error!;
}

describe("a date is written", () => {
  const at = "2026-07-01T22:30:05.123Z";
  const visitor = (timezone: unknown, locale?: unknown): Scope => ({
    context: { timezone, locale } as never,
    site: { timeZone: MOMENT.timeZone },
  });
  it.each<[string, string, Scope, string]>([
    ["in the site's zone", `{{ '${at}' | date: '%d %H:%M %z %Z' }}`, {}, "02 00:30 +0200 Europe/Berlin"],
    [
      "in the visitor's, where that is known",
      `{{ '${at}' | date: '%d %H:%M' }}`,
      visitor("America/New_York"),
      "01 18:30",
    ],
    [
      "in the zone that is asked for before all",
      `{{ '${at}' | date: '%d %H:%M', 'Asia/Tokyo' }}`,
      visitor("America/New_York"),
      "02 07:30",
    ],
    [
      "in the site's zone where the visitor's is none",
      `{{ '${at}' | date: '%d %H:%M' }}`,
      visitor("Mars/Base"),
      "02 00:30",
    ],
    ["in the site's where it is asked for", `{{ '${at}' | date: '%H', site.timeZone }}`, visitor("Asia/Tokyo"), "00"],
    ["in minutes ahead of UTC", `{{ '${at}' | date: '%H:%M %:z', -90 }}`, {}, "00:00 +01:30"],
    [
      "in the visitor's words",
      `{{ '${at}' | date: '%A, %-d. %B, %a %b' }}`,
      visitor("UTC", "de-AT"),
      "Mittwoch, 1. Juli, Mi Jul",
    ],
    [
      "in English where the language is none",
      `{{ '${at}' | date: '%A %b' }}`,
      visitor("UTC", "no such-"),
      "Wednesday Jul",
    ],
    ["as language and zone have it", `{{ '${at}' | date: '%x %X' }}`, visitor("UTC", "fr"), "01/07/2026 22:30:05"],
    [
      "at the moment of the rendering",
      "{{ 'now' | date: '%F %T' }}{{ 'today' | date: ' %s' }}",
      {},
      `2026-03-02 00:30:00 ${MOMENT.now / 1_000}`,
    ],
    ["from seconds", "{{ 0 | date: '%Y-%m-%d', 'UTC' }} {{ '86400' | date: '%d', 'UTC' }}", {}, "1970-01-01 02"],
    [
      "as it stands where no zone is written",
      "{{ '2026-03-04' | date: '%d %H' }} {{ '2026-03-04 05:06' | date: '%d %H:%M' }} {{ 'March 4, 2026' | date: '%F' }}",
      visitor("America/New_York"),
      "04 00 04 05:06 2026-03-04",
    ],
    [
      "with flags and widths",
      `{{ '${at}' | date: '%-m|%_m|%05d|%^b|%#p|%e|%l|%j|%U|%L|%3N|%y|%C|%q|%%|%Q|%' }}`,
      visitor("UTC"),
      "7| 7|00001|JUL|pm| 1|10|182|26|123|123|26|20|st|%|%Q|%",
    ],
    [
      "in the site's zone where the one that is asked for is none",
      `{{ '${at}' | date: '%H', 'Mars' }}{{ '${at}' | date: '%H', nothing }}`,
      visitor("Asia/Tokyo"),
      "0000",
    ],
    ["as it is where it is none", "{{ 'soon' | date: '%Y' }}{{ nil | date: '%Y' }}", {}, "soon"],
  ])("%s", (_name, source, scope, text) => {
    expect(show(source, scope)).toBe(text);
  });
});

describe("filters", () => {
  it("leave what is no encoded text as it is, and half characters out", () => {
    const customer = { half: "50% off\ud800", text: "a%20b+c" };
    expect(show("{{ customer.half | url_decode }}|{{ customer.text | url_decode }}", { customer })).toBe(
      "50% off\ud800|a b c",
    );
    for (const filter of ["url_encode", "cgi_escape", "uri_escape"])
      expect(show(`{{ customer.half | ${filter} }}`, { customer })).toMatch(/^50%25[ +%20]+off%EF%BF%BD$/);
  });

  it.each([
    [
      "{{ 1 | pluralize: 'item', 'items' }} {{ 0 | pluralize: 'item', 'items' }} {{ '1' | pluralize: 'item', 'items' }}",
      "item items item",
    ],
    [
      "{{ false | default: 'a' }}{{ false | default: 'a', allow_false: true }}{{ nil | default: 'b', allow_false: true }}",
      "afalseb",
    ],
    ["{{ '' | default: 'a' }}{{ empty | default: 'b' }}{{ 0 | default: 'c' }}", "ab0"],
    [
      "{{ 1999 | divided_by: 100 }} {{ 1999 | divided_by: 100.0 }} {{ 0.1 | plus: 0.2 }} {{ -7 | modulo: 3 }}",
      "19 19.99 0.3 2",
    ],
    ["{{ 5 | divided_by: 0 }}", "divided by 0, line:1, col:1"],
    ["{{ nil }}{{ empty }}{{ blank }}{{ true }}", "true"],
    ["{{ 'a b  c' | split: ' ' | join: '-' }}", "a-b-c"],
    ["{% ifchanged %}a{% endifchanged %}{% ifchanged %}a{% endifchanged %}", "a"],
    ["{% comment %}{% comment %}{% endcomment %}{{ x }}{% endcomment %}b", "b"],
    [
      "{% for i in (1..6) limit: 2 %}{{ i }}{% endfor %}{% for i in (1..6) limit: 2 offset: continue %}{{ i }}{% endfor %}",
      "1234",
    ],
    [
      "{% tablerow i in (1..3) cols: 2 %}{{ i }}{% endtablerow %}",
      '<tr class="row1">\n<td class="col1">1</td><td class="col2">2</td></tr>\n<tr class="row2"><td class="col1">3</td></tr>\n',
    ],
  ])("%s", (source, text) => {
    expect(show(source)).toContain(text);
  });

  it.each([
    ["{{ 'a' | append }}", "filter append takes 1 arguments, not 0 (line 1, column 1)"],
    ["\n {{ 'a' | slice: 1, 2, 3 }}", "filter slice takes 1 to 2 arguments, not 3 (line 2, column 2)"],
    ["{{ 'a' | default: 'b', allow_nil: true }}", "filter default takes no allow_nil (line 1, column 1)"],
    ["{% if a b %}{% endif %}", "two values stand side by side (line 1, column 1)"],
    ["{% if a == %}{% endif %}", "== lacks a value (line 1, column 1)"],
    ["{% case a %}{% when %}b{% endcase %}", "when lacks a value (line 1, column 1)"],
    ["{{ -a }}", "-a is no name (line 1, column 1)"],
  ])("%s is refused", (source, detail) => {
    expect(show(source)).toBe(detail);
  });
});

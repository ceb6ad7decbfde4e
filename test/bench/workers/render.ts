/**
 * Renders the same templates by different hands, in one Worker: as often as is asked in one request, a Worker's clock
 * standing still while code runs, or once and answered, as a handler would that calls liquidjs directly.
 */
import { AutoRouter, error, type IRequest } from "itty-router";
import { Liquid } from "liquidjs";
import { checkTemplate, render } from "../../../edge/blocks/liquid.ts";
import { LiveTemplate } from "../../../edge/manifest/template.ts";
import { buildPerson, PEOPLE, type RenderScope, type RenderTemplate, TEMPLATES } from "../render/templates.ts";

type Rendering = (scope: RenderScope) => string | Promise<string>;

const TIME_ZONE = "Europe/Berlin";
const people = Array.from({ length: PEOPLE }, (_, number) => buildPerson(number));

const liquid = new Liquid({ outputEscape: "escape" });
const euros = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });
liquid.registerFilter("money", (value: number) => euros.format(value));

/** Templates are parsed here, but where the name says so. */
const CONTESTANTS: { [name: string]: (template: RenderTemplate) => Rendering | undefined } = {
  attune: ({ source }) => {
    const checked = checkTemplate(source);
    if ("errors" in checked) throw new Error(JSON.stringify(checked.errors));
    const { template } = checked;
    return (scope) => render(template, scope, { now: Date.now(), timeZone: TIME_ZONE }).html!;
  },
  kept: ({ source }) => {
    const template = new LiveTemplate(source, { id: "bench", name: "bench.example", timeZone: TIME_ZONE });
    return template.isShared ? (scope) => template.render(scope, Date.now()).html! : undefined;
  },
  "liquidjs-sync": ({ source }) => {
    const nodes = liquid.parse(source);
    return (scope) => liquid.renderSync(nodes, scope) as string;
  },
  "liquidjs-async": ({ source }) => {
    const nodes = liquid.parse(source);
    return (scope) => liquid.render(nodes, scope) as Promise<string>;
  },
  "liquidjs-parse": ({ source }) => {
    return (scope) => liquid.parseAndRenderSync(source, scope) as string;
  },
  literal: ({ literal }) => literal,
  checked: ({ checked }) => checked,
};

const renderings = new Map<string, Rendering>();
for (const [name, template] of Object.entries<RenderTemplate>(TEMPLATES)) {
  for (const [contestant, build] of Object.entries(CONTESTANTS)) {
    const rendering = build(template);
    if (rendering) renderings.set(`${name}/${contestant}`, rendering);
  }
}

const router = AutoRouter();
let next = 0;

/** V8 joins strings when they are first looked into: HTML that nobody reads costs nothing. */
const read = (html: string) => html.charCodeAt(html.length >> 1);

/** Who renders what. */
router.get("/", () => Response.json([...renderings.keys()]));

router.get("/:template/:contestant/html", async ({ params }: IRequest) => {
  const rendering = renderings.get(`${params["template"]}/${params["contestant"]}`);
  return rendering ? new Response(await rendering(people[3]!)) : error(404);
});

router.get("/:template/:contestant/:times", async ({ params }: IRequest) => {
  const rendering = renderings.get(`${params["template"]}/${params["contestant"]}`);
  if (!rendering) return error(404);
  const times = Number(params["times"]);
  let sum = 0;
  if (rendering(people[0]!) instanceof Promise) {
    for (let time = 0; time < times; time++) sum += read(await rendering(people[next++ % PEOPLE]!));
  } else {
    for (let time = 0; time < times; time++) sum += read(rendering(people[next++ % PEOPLE]!) as string);
  }
  return Response.json({ sum });
});

/** What a handler would do that asks nobody: it reads the question, renders, and answers in the same envelope. */
router.post("/:template/:contestant", async (request: IRequest) => {
  const rendering = renderings.get(`${request.params["template"]}/${request.params["contestant"]}`);
  if (!rendering) return error(404);
  await request.json();
  return Response.json({ html: await rendering(people[next++ % PEOPLE]!) });
});

export default { fetch: router.fetch };

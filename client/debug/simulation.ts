/**
 * Pretends in this tab: decides the segments of the plan, asks the edge what a stranger in them would see, and shows it. Whoever clicks or looks at that is
 * not recorded, nothing is stored but the plan, and the page's own code hears nothing of it.
 */
import type { DecideAnswer, DecideRequest } from "../../shared/wire.ts";
import type { Content } from "../runtime/slots.ts";
import { holds } from "../runtime/timer.ts";
import type { Inside } from "./inside.ts";
import { listSlots } from "./slot.ts";
import { NO_PLAN, type Plan, type Standing } from "./standing.ts";

/** What is under it is not captured. */
const IGNORE = "data-attune-ignore";
/** Marks whom we told to be ignored. */
const OURS = "attune-debug";

export interface Simulation {
  /** What is pretended now. */
  plan: Plan;
  /** What slots show because of it. */
  contents: { [slot: string]: Content };
  /** Something is pretended. */
  isOn(): boolean;
  /** Asks the edge if what it would be told has changed. */
  apply(): void;
  /** Shows again what is pretended in a slot. */
  refill(slot: string): void;
  /** With nothing left of the plan, what is true is shown again. */
  change(changes: Partial<Plan>): void;
}

/**
 * @param standings where the visitor stands by the plan.
 * @param answered is called when the edge has said something else, or why it has not.
 */
export function createSimulation(
  { attune, visit, endpoint }: Inside,
  plan: Plan,
  standings: () => Standing[],
  answered: (error?: unknown) => void,
): Simulation {
  /** The newest question, as JSON: the answer to an older one comes too late. */
  let asked = "";

  const show = (content: Content) => {
    // It is no decision about this visitor: without an id nobody hears of it, sees or clicks it.
    visit()?.fill([{ ...content, id: "" }]);
    for (const { name, element } of listSlots())
      if (name === content.slot && !element.hasAttribute(IGNORE)) element.setAttribute(IGNORE, OURS);
  };
  const restore = (slot: string) => {
    const content = visit()?.state.slots[slot];
    visit()?.fill([content && holds(content.until) ? content : ({ slot, html: null } as Content)]);
    for (const { name, element } of listSlots())
      if (name === slot && element.getAttribute(IGNORE) === OURS) element.removeAttribute(IGNORE);
  };

  const ask = async (question: string) => {
    try {
      const response = await fetch(`${endpoint}/decide`, { method: "POST", body: question, credentials: "omit" });
      const answer: DecideAnswer = await response.json();
      if (!response.ok) throw answer;
      if (question !== asked) return;
      simulation.contents = {};
      for (const [slot, { html, decision }] of Object.entries(answer.slots)) {
        simulation.contents[slot] = { ...decision, html };
        simulation.refill(slot);
      }
      answered();
    } catch (error) {
      if (question === asked) answered(error);
    }
  };

  const simulation: Simulation = {
    plan,
    contents: {},
    isOn: () => JSON.stringify(simulation.plan) !== JSON.stringify(NO_PLAN),
    apply() {
      const subject = visit()?.subject();
      if (!subject || !simulation.isOn()) return;
      const segments = standings().flatMap(({ key, value }) => (value === true ? key : []));
      const slots = [...new Set(listSlots().map(({ name }) => name))];
      const request: DecideRequest = {
        writeKey: attune.key,
        slots,
        context: subject.context!,
        local: { segments },
        variants: simulation.plan.variants,
      };
      const question = JSON.stringify(request);
      if (question === asked) return;
      asked = question;
      if (slots.length) ask(question);
    },
    refill(slot) {
      const content = simulation.contents[slot];
      if (content) show(content);
    },
    change(changes) {
      simulation.plan = { ...simulation.plan, ...changes };
      if (simulation.isOn()) return;
      asked = "";
      const slots = Object.keys(simulation.contents);
      simulation.contents = {};
      slots.forEach(restore);
    },
  };
  return simulation;
}

/** `<div data-component="network" data-src="…">`: a drawing of who is linked to whom, and by what. */

import { announce } from "../base/announce.ts";
import { dataOf, words } from "../base/data.ts";
import { html, button } from "../base/dom.ts";
import { askJson } from "../base/http.ts";
import { PathFinder, TimeSlider, legend, toolbar } from "./controls.ts";
import { Drawing } from "./draw.ts";
import { PNG_TIMES, asPng, asSvg, saveAs } from "./export.ts";
import { type Form, type Places, WIDER, place } from "./layout.ts";
import { EMPTY, type Flow, type Network, flows, moments, until, withMore } from "./model.ts";
import { type Acts, details, table } from "./panel.ts";
import { type Question, type Way, findWays } from "./paths.ts";
import { Speech, apart } from "./speak.ts";

class NetworkView {
  private network: Network = EMPTY;
  private places: Places = new Map();
  private shown: Flow[] = [];
  private selected: string | null = null;
  private readonly speech: Speech;
  private readonly drawing: Drawing;
  private readonly slider: TimeSlider;
  private readonly finder: PathFinder;
  private readonly counts = html("p", { class: "rt-net-counts", role: "status" });
  private readonly aside = html("div", { class: "rt-net-aside" });
  private readonly signs = html("div");
  private readonly whole = html("details", { class: "rt-net-whole" });
  private readonly form: Form;

  constructor(private readonly element: HTMLElement) {
    this.speech = new Speech(element, (id) => this.network.parties.get(id)?.label ?? id);
    this.form = element.dataset["layout"] === "layers" ? "layers" : "force";
    this.drawing = new Drawing(this.speech, {
      choose: (id) => this.select(id),
      chooseFlow: (flow) => this.select(flow.source),
    });
    this.slider = new TimeSlider(this.speech, () => this.redraw());
    this.finder = new PathFinder(this.speech, () => this.findPaths());
    const tools = toolbar(this.speech, {
      zoom: (factor) => this.drawing.zoomBy(factor),
      fit: () => this.drawing.fit(),
      save: (form) => void this.save(form),
    });
    const frame = html("div", { class: "rt-net-frame" }, this.drawing.svg);
    this.whole.append(html("summary", {}, this.speech.say("network_table")), html("div", { class: "rt-scroll", tabindex: 0, role: "region", "aria-label": this.speech.title }));
    this.whole.addEventListener("toggle", () => this.writeTable());
    const main = html("div", { class: "rt-net-main" }, frame, this.aside);
    const hint = html("p", { class: "rt-hint" }, `${this.speech.help} ${this.speech.say("network_wheel")}`);
    const box = html("div", { class: "rt-net rt-part" }, tools, this.slider.element, main, this.signs, this.counts, hint, this.finder.element, this.whole);
    // What the server rendered within stays for print and for those who look for it, below the drawing.
    element.prepend(box);
    new ResizeObserver(() => this.drawing.refit()).observe(frame);
  }

  take(sent: unknown): number {
    const before = this.network.parties.size;
    this.network = withMore(this.network, sent);
    // A telephone is higher than wide: two forms, and not any width, so that pictures stay comparable.
    const narrow = this.element.clientWidth > 0 && this.element.clientWidth < 600;
    this.places = place(this.network, this.form, this.places, narrow ? 0.8 : WIDER);
    this.drawing.show(this.network, this.places);
    this.slider.offer(moments(this.network));
    this.finder.offer(this.network);
    this.signs.replaceChildren(legend(this.network, this.speech));
    this.redraw();
    return this.network.parties.size - before;
  }

  fit(): void {
    this.drawing.fit();
  }

  private edges(): ReturnType<typeof until> {
    return until(this.network, this.slider.moment);
  }

  private redraw(): void {
    this.shown = flows(this.edges());
    this.drawing.showFlows(this.shown);
    const { say } = this.speech;
    const parties = this.network.parties.size;
    const said = [parties === 0 ? say("network_empty") : say("network_counts", { parties, flows: this.shown.length })];
    if (this.network.left > 0) said.push(say("network_left", { count: this.network.left }));
    this.counts.textContent = said.join(" ");
    this.findPaths();
    this.writeDetails();
    this.writeTable();
  }

  private acts(): Acts {
    const template = this.element.dataset["expand"];
    return {
      select: (id) => {
        this.select(id);
        this.drawing.focus(id);
      },
      pathFrom: (id) => this.path("from", id),
      pathTo: (id) => this.path("to", id),
      close: () => {
        const before = this.selected;
        this.select(null);
        if (before !== null) this.drawing.focus(before);
      },
      expand: template ? (id) => void this.expand(id, template) : null,
    };
  }

  private select(id: string | null): void {
    this.selected = id;
    this.drawing.select(id);
    this.writeDetails();
  }

  private writeDetails(): void {
    const party = this.selected === null ? undefined : this.network.parties.get(this.selected);
    this.aside.replaceChildren(...(party ? [details(party, this.shown, this.network, this.speech, this.acts())] : []));
    this.element.classList.toggle("rt-with-aside", party !== undefined);
  }

  private writeTable(): void {
    // Only when it is open: two hundred parties have many flows.
    this.whole.lastElementChild?.replaceChildren(...(this.whole.open ? [table(this.shown, this.network, this.speech, this.acts())] : []));
  }

  private path(end: "from" | "to", id: string): void {
    this.finder.set(end, id);
    this.findPaths();
  }

  private findPaths(): void {
    const question = this.finder.question;
    if (!question) {
      this.finder.answer("");
      this.drawing.emphasise(null);
      return;
    }
    const { say } = this.speech;
    const { ways, complete } = findWays(this.edges(), question);
    if (ways.length === 0) {
      this.finder.answer(`${say(complete ? "network_no_way" : "network_no_way_found")} ${this.otherwise(question)}`.trim());
      this.drawing.emphasise(null);
      return;
    }
    const bringOut = (some: readonly Way[]): void => {
      const parties = new Set(some.flatMap((way) => way.parties));
      const edges = new Set(some.flatMap((way) => way.steps.flatMap((step) => step.map((edge) => edge.id))));
      this.drawing.emphasise({ parties, edges });
    };
    const name = (id: string): string => apart(this.network.parties.get(id)?.label ?? id);
    const each = ways.map((way) => ({ text: way.parties.map(name).join(" → "), show: () => bringOut([way]) }));
    if (each.length > 1) each.push({ text: say("network_way_all"), show: () => bringOut(ways) });
    const said = say("network_ways", { count: ways.length, steps: ways[0]?.steps.length ?? 0 });
    this.finder.answer(complete ? said : `${said} ${say("network_ways_more")}`, each);
    bringOut(ways);
  }

  /** What a less strict question would find: "no way" alone is easily read as more than it says. */
  private otherwise(question: Question): string {
    const edges = this.edges();
    if (question.timely) {
      const { ways } = findWays(edges, { ...question, timely: false });
      if (ways.length > 0) return this.speech.say("network_untimely", { count: ways.length });
    }
    if (question.directed) {
      const { ways } = findWays(edges, { ...question, directed: false, timely: false });
      if (ways.length > 0) return this.speech.say("network_undirected", { count: ways.length });
    }
    return "";
  }

  private async expand(id: string, template: string): Promise<void> {
    const { say } = this.speech;
    const asking = this.aside.querySelector<HTMLButtonElement>("[data-expand-button]");
    if (asking) [asking.disabled, asking.textContent] = [true, say("network_expanding")];
    try {
      const sent = await askJson(template.replaceAll("{id}", encodeURIComponent(id)));
      const added = this.take(sent);
      this.drawing.refit();
      announce(added > 0 ? say("network_added", { count: added }) : say("network_added_none"));
    } catch (error) {
      announce(say("network_failed", { reason: words(error) }));
      if (asking) [asking.disabled, asking.textContent] = [false, say("network_again")];
      asking?.after(html("p", { role: "alert" }, say("network_failed", { reason: words(error) })));
      return;
    }
    this.drawing.focus(id);
  }

  private async save(form: "svg" | "png"): Promise<void> {
    const seen = this.drawing.seen();
    const background = getComputedStyle(this.drawing.svg).backgroundColor;
    const source = asSvg(this.drawing.svg, seen, this.speech.title, background, form === "svg" ? 1 : PNG_TIMES);
    const name = this.element.dataset["filename"] ?? "network";
    try {
      saveAs(`${name}.${form}`, form === "svg" ? new Blob([source], { type: "image/svg+xml" }) : await asPng(source, seen));
    } catch (error) {
      announce(this.speech.say("network_failed", { reason: words(error) }));
    }
  }
}

export async function start(element: HTMLElement): Promise<void> {
  const speech = new Speech(element, (id) => id);
  let data: unknown;
  try {
    data = await dataOf(element);
  } catch (error) {
    const box = html("div", { class: "rt-notice", role: "alert" }, speech.say("network_failed", { reason: words(error) }), " ");
    box.append(
      button(speech.say("network_again"), () => {
        box.remove();
        void start(element);
      }, { class: "rt-button" }),
    );
    element.prepend(box);
    return;
  }
  const view = new NetworkView(element);
  view.take(data);
  view.fit();
}

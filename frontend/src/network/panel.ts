/** What stands around the drawing: details of a party, its flows, and everything as a table. */

import { html, button } from "../base/dom.ts";
import { ownAddress } from "../base/http.ts";
import type { Flow, Network, Party } from "./model.ts";
import { type Speech, apart } from "./speak.ts";

export interface Acts {
  select(id: string): void;
  pathFrom(id: string): void;
  pathTo(id: string): void;
  close(): void;
  expand: ((id: string) => void) | null;
}

const EDGES_MOST = 200;

function flowLine(flow: Flow, id: string, network: Network, speech: Speech, acts: Acts): HTMLLIElement {
  const other = flow.source === id ? flow.target : flow.source;
  const name = other === id ? speech.say("network_itself") : (network.parties.get(other)?.label ?? other);
  const rows = html("ol", { class: "rt-net-edges" });
  for (const edge of flow.edges.slice(0, EDGES_MOST)) {
    const said = [speech.when(edge.time), speech.amount(edge), edge.label].filter(Boolean).join(" · ");
    rows.append(html("li", {}, html("bdi", {}, said)));
  }
  if (flow.edges.length > EDGES_MOST) rows.append(html("li", {}, speech.more(flow.edges.length - EDGES_MOST)));
  return html(
    "li",
    {},
    button(name, () => acts.select(other), { class: "rt-link", dir: "auto" }),
    html("details", {}, html("summary", {}, `${speech.kind(flow.kind)} · ${speech.flowShort(flow)}`), rows),
  );
}

/** Everything about one party that the drawing knows. */
export function details(party: Party, flows: readonly Flow[], network: Network, speech: Speech, acts: Acts): HTMLElement {
  const { say } = speech;
  const role = party.role && party.role !== "subject" ? party.role : party.role ? say("network_subject") : null;
  const actions = html("div", { class: "rt-net-actions" });
  const href = party.href ? ownAddress(party.href) : null;
  if (href) actions.append(html("a", { href, class: "rt-button" }, say("network_open")));
  if (acts.expand) {
    const { expand } = acts;
    actions.append(button(say("network_expand"), () => expand(party.id), { class: "rt-button", "data-expand-button": true }));
  }
  actions.append(
    button(say("network_path_from"), () => acts.pathFrom(party.id), { class: "rt-button" }),
    button(say("network_path_to"), () => acts.pathTo(party.id), { class: "rt-button" }),
    button(say("network_close"), () => acts.close(), { class: "rt-button" }),
  );
  const box = html(
    "section",
    { class: "rt-net-details", tabindex: -1, "aria-label": apart(party.label) },
    // No headings: nobody here knows at which level the page is.
    html("p", { class: "rt-net-name" }, html("bdi", {}, party.label)),
    html("p", {}, [speech.kind(party.kind), role].filter(Boolean).join(" · ")),
    party.more === undefined ? null : html("p", {}, speech.more(party.more)),
    actions,
  );
  const sides = [
    [say("network_out"), flows.filter((flow) => flow.source === party.id)],
    [say("network_in"), flows.filter((flow) => flow.target === party.id && flow.source !== party.id)],
  ] as const;
  for (const [title, held] of sides) {
    if (held.length === 0) continue;
    const list = html("ul", { class: "rt-net-flows" });
    for (const flow of held) list.append(flowLine(flow, party.id, network, speech, acts));
    box.append(html("p", { class: "rt-net-side" }, `${title} (${held.length})`), list);
  }
  return box;
}

/** All flows as a table: the drawing for those who do not see it, and for copying. */
export function table(flows: readonly Flow[], network: Network, speech: Speech, acts: Acts): HTMLTableElement {
  const { say } = speech;
  const head = html("tr");
  const columns = ["source", "target", "kind", "count", "sum", "first", "last"] as const;
  for (const column of columns) head.append(html("th", { scope: "col" }, say(`network_${column}`)));
  const body = html("tbody");
  for (const flow of flows) {
    const times = flow.edges.map((edge) => edge.time).filter((time) => time !== undefined);
    const cell = (id: string): HTMLTableCellElement =>
      html("td", {}, button(network.parties.get(id)?.label ?? id, () => acts.select(id), { class: "rt-link", dir: "auto" }));
    body.append(
      html(
        "tr",
        {},
        cell(flow.source),
        cell(flow.target),
        html("td", {}, speech.kind(flow.kind)),
        html("td", { class: "rt-number" }, String(flow.edges.length)),
        html("td", { class: "rt-number" }, speech.sums(flow)),
        html("td", {}, speech.when(times[0])),
        html("td", {}, speech.when(times[times.length - 1])),
      ),
    );
  }
  return html("table", { class: "rt-table" }, html("caption", { class: "rt-hidden" }, speech.title), html("thead", {}, head), body);
}

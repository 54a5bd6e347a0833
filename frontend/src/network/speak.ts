/** Parties and flows in words, in the language and with the amounts of the page. */

import { text as decimalText } from "../base/decimal.ts";
import { amount, when, zoneOf } from "../base/format.ts";
import { type Say, localeOf, sayFor } from "../base/messages.ts";
import type { Words } from "./draw.ts";
import type { Edge, Flow, Party } from "./model.ts";
import { TEXTS, type Text, kindText } from "./texts.ts";

/** Keeps names in scripts that run the other way from turning what stands around them. */
export function apart(name: string): string {
  return `\u2068${name}\u2069`;
}

export class Speech implements Words {
  readonly say: Say<Text>;
  private readonly locale: string;
  private readonly zone: string | undefined;
  readonly title: string;
  readonly help: string;

  constructor(
    element: HTMLElement,
    private readonly name: (id: string) => string,
  ) {
    this.say = sayFor(element, TEXTS);
    this.locale = localeOf(element);
    this.zone = zoneOf(element);
    this.title = element.getAttribute("aria-label") ?? this.say("network_drawing");
    this.help = this.say("network_help");
  }

  kind(kind: string): string {
    return kindText(this.say, kind);
  }

  node(party: Party, out: number, into: number): string {
    const role = party.role === "subject" ? `${this.kind(party.kind)}, ${this.say("network_subject")}` : this.kind(party.kind);
    const said = this.say("network_node", { label: apart(party.label), kind: role, out, in: into });
    return party.more === undefined ? said : `${said} ${this.more(party.more)}`;
  }

  more(count: number): string {
    return this.say("network_more", { count });
  }

  when(time: string | undefined): string {
    return time === undefined ? "" : when(time, this.locale, this.zone);
  }

  amount(edge: Edge): string {
    return edge.amount === undefined ? "" : amount(edge.amount, edge.currency, this.locale);
  }

  sums(flow: Flow): string {
    return [...flow.sums].map(([currency, sum]) => amount(decimalText(sum), currency, this.locale)).join(" + ");
  }

  flowShort(flow: Flow): string {
    const [only] = flow.edges;
    if (flow.edges.length === 1 && only) return this.amount(only) || only.label || this.kind(flow.kind);
    const sums = this.sums(flow);
    return sums ? `${flow.edges.length} × · ${sums}` : `${flow.edges.length} ×`;
  }

  flow(flow: Flow): string {
    const ends = `${apart(this.name(flow.source))} → ${apart(this.name(flow.target))}`;
    const times = flow.edges.map((edge) => edge.time).filter((time) => time !== undefined);
    const span = [...new Set([times[0], times[times.length - 1]].filter((time) => time !== undefined))];
    const label = flow.edges.length === 1 ? flow.edges[0]?.label : "";
    const parts = [ends, this.kind(flow.kind), label, this.flowShort(flow), span.map((time) => this.when(time)).join(" – ")];
    return [...new Set(parts.filter(Boolean))].join("\n");
  }
}

// The causal chain of a message as a tree that can be folded.

import { get, part } from "./api.js";
import { h, replace } from "./dom.js";
import { visible } from "./format.js";

export class Why {
  constructor() {
    this.body = h("div.tree", { tabindex: "-1" });
    this.dialog = h("dialog.sheet.wide", { "aria-labelledby": "why-title" });
    replace(
      this.dialog,
      h("header", {}, h("h2", { id: "why-title" }, "What led to this, and what came of it"), h("button.quiet", { type: "button", onclick: () => this.dialog.close() }, "Close")),
      this.body,
    );
    document.body.append(this.dialog);
  }

  async show(id) {
    replace(this.body, h("p.empty", {}, "Looking…"));
    if (!this.dialog.open) this.dialog.showModal();
    try {
      const { lines } = await get(`/api/why/${part(id)}`);
      replace(this.body, h("ul", {}, tree(lines).map(branch)));
    } catch (failure) {
      replace(this.body, h("p.problem", { role: "alert" }, failure.message));
    }
  }
}

/** The lines come drawn; two characters of margin are one level. */
function tree(lines) {
  const top = { below: [] };
  const path = [top];
  for (const line of lines) {
    const margin = /^(?:[├└│ ] )*/u.exec(line)[0].length;
    path.length = margin / 2 + 1;
    const made = { text: line.slice(margin), below: [] };
    path.at(-1).below.push(made);
    path.push(made);
  }
  return top.below;
}

function branch({ text, below = [] }) {
  const line = visible(text);
  if (below.length === 0) return h("li.leaf", {}, line);
  return h("li", {}, h("details", { open: true }, h("summary", {}, line), h("ul", {}, below.map(branch))));
}

// What the views beside the chat share: a head, a body, and reading anew when something happened.

import { Failure } from "./api.js";
import { h, replace } from "./dom.js";

const PAUSE = 600; // milliseconds in which changes are gathered

export class View {
  #timer = null;

  /** `reads` returns what `draws` shows in the body; `moves` says which events call for another reading. */
  constructor(root, page, { title, about = "", reads, draws, moves = () => false, tools = null }) {
    Object.assign(this, { page, reads, draws });
    this.abort = new AbortController();
    this.signal = this.abort.signal;
    this.body = h("div", { "aria-busy": "true" }, h("p.empty", {}, "Reading…"));
    this.outcome = h("p.outcome", { role: "status", hidden: true });
    replace(
      root,
      h("header.bar.plain", {}, h("div", {}, h("h1", { tabindex: "-1" }, title), h("p.about", {}, about)), tools),
      h("div.page", {}, this.outcome, this.body),
    );
    page.wire.addEventListener("event", ({ detail }) => moves(detail.event) && this.soon(), { signal: this.signal });
    page.wire.addEventListener("open", () => this.load(), { signal: this.signal });
    this.load();
  }

  close() {
    this.abort.abort();
    clearTimeout(this.#timer);
  }

  soon() {
    this.#timer ??= setTimeout(() => this.load(), PAUSE);
  }

  async load() {
    clearTimeout(this.#timer);
    this.#timer = null;
    try {
      const found = await this.reads();
      if (this.signal.aborted) return;
      this.draws(this.body, found);
      if (this.failed) this.outcome.hidden = true;
      this.failed = false;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (this.signal.aborted) return;
      if (this.body.hasAttribute("aria-busy")) replace(this.body);
      this.tell(failure.message, { bad: true });
      this.failed = true;
    }
    this.body.removeAttribute("aria-busy");
  }

  /** Do something for a button, tell what came of it, and read anew. */
  async act(button, doing, done) {
    button.disabled = true;
    try {
      const answer = await doing();
      this.tell(typeof done === "function" ? done(answer) : done);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      this.tell(failure.message, { bad: true });
    }
    button.disabled = false;
    await this.load();
  }

  tell(words, { bad = false } = {}) {
    this.outcome.hidden = false;
    this.outcome.classList.toggle("problem", bad);
    replace(this.outcome, words);
    this.page.announce(words);
  }
}

/** A table that a phone shows as a list: every cell carries the name of its column. */
export function table(caption, columns, rows) {
  const head = h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)));
  const body = rows.map((cells) => h("tr", {}, cells.map((cell, place) => h("td", { data: { name: columns[place] } }, cell))));
  return h("table.list", {}, h("caption.unseen", {}, caption), h("thead", {}, head), h("tbody", {}, body));
}

export function empty(words) {
  return h("p.empty", {}, words);
}

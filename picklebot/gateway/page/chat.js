// A conversation: what was said, what is being done, and a place to write.

import { h, icon, replace, say } from "./dom.js";
import { Composer } from "./composer.js";
import { oneLine } from "./format.js";
import { render } from "./markdown.js";
import { TurnView } from "./turn_view.js";

const NEAR = 120; // pixels from the end that still count as being there
const MOVES = /^\/(?:new$|(?:agent|session)\s+\S)/u; // commands that lead to another conversation

export const title = "Chat";

/** `page`: what all views share. `params`: session, or none for a new conversation. */
export function show(root, page, [session, choice]) {
  return new Chat(root, page, session && session !== "new" ? session : null, choice);
}

class Chat {
  #frame = null;

  constructor(root, page, session, agent) {
    this.page = page;
    this.session = session;
    this.draft = session ? null : newDraft();
    this.agent = agent ?? null;
    this.views = new Map();
    this.abort = new AbortController();
    this.heading = h("h1", { tabindex: "-1" }, "New conversation");
    this.about = h("p.about");
    this.choice = h("select", { onchange: () => (this.agent = this.choice.value || null) });
    this.choosing = h("label.soft", {}, "Agent ", this.choice);
    this.earlier = h("button.quiet", { type: "button", hidden: true, onclick: () => this.#more() }, "Show earlier messages");
    this.turns = h("div.turns");
    this.pending = h("div.pending");
    this.log = h("div.log", { role: "log", "aria-label": "Conversation", "aria-live": "off", tabindex: "0" }, this.earlier, this.turns, this.pending);
    this.down = h("button.down", { type: "button", hidden: true, onclick: () => this.#toEnd() }, icon("down"), "Latest");
    this.composer = new Composer({ send: (text) => this.#say(text), stop: () => page.wire.stop(this.session) });
    this.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    replace(root, h("header.bar", {}, h("div", {}, this.heading, this.about), this.choosing), h("div.scroll", {}, this.log, this.down), this.composer.root);
    const { signal } = this.abort;
    page.wire.addEventListener("accepted", ({ detail }) => this.#accepted(detail), { signal });
    page.outbox.addEventListener("change", () => this.#soon(), { signal });
    page.addEventListener("agents", () => this.#agents(), { signal });
    this.#agents();
    this.#follow();
  }

  focus() {
    this.composer.focus();
  }

  stop() {
    if (this.session) this.page.wire.stop(this.session);
  }

  close() {
    this.abort.abort();
    cancelAnimationFrame(this.#frame);
  }

  #follow() {
    this.composer.enter(this.session ?? "new", { name: this.agent, running: false });
    this.choosing.hidden = this.session !== null;
    if (this.session) {
      this.conversation = this.page.conversations.get(this.session);
      this.conversation.addEventListener("change", () => this.#soon(), { signal: this.abort.signal });
    }
    this.ending = true;
    this.#draw();
  }

  #agents() {
    const names = this.page.agents.map(({ id, name }) => h("option", { value: id, selected: id === this.agent }, name || id));
    replace(this.choice, h("option", { value: "" }, "the usual one"), ...names);
  }

  #say(text) {
    if (MOVES.test(text.trim())) this.moving = this.page.wire.say({ content: text }).id;
    else this.page.wire.say({ content: text, session: this.session, draft: this.draft, agent: this.session ? null : this.agent });
    this.ending = true;
    this.#soon();
  }

  #accepted({ entry, session_id: session, event_id: id }) {
    if (entry === null) return;
    if (entry.id === this.moving || (this.session === null && entry.draft !== null)) this.#become(session);
    else if (this.session === session && this.conversation) this.#late(id);
  }

  #become(session) {
    const writing = this.composer.field === document.activeElement;
    this.composer.carry(session);
    this.page.become("chat", session);
    if (writing) this.page.shown.focus();
  }

  /** What was accepted is shown at once by the event; if that went by, read. */
  #late(id) {
    setTimeout(() => this.conversation.turns.has(id) || this.conversation.refresh(), 300);
  }

  #soon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#draw();
    });
  }

  #draw() {
    const stay = this.ending || this.#atEnd();
    this.#head();
    this.earlier.hidden = !this.conversation?.more;
    this.#turns(this.conversation?.list ?? []);
    this.#waiting();
    this.composer.running(this.conversation?.running ?? false);
    if (stay) this.#toEnd();
    if (this.conversation?.loaded ?? true) this.ending = false;
    this.#scrolled();
  }

  #head() {
    const found = this.conversation?.session;
    if (!found) return;
    say(this.heading, oneLine(found.title, 80) || "Conversation");
    say(this.about, `${found.agent} · ${found.source}`);
    this.composer.name(found.agent);
    this.page.title(this.heading.textContent);
  }

  #turns(shown) {
    const ids = new Set(shown.map((turn) => turn.id));
    for (const [id, view] of this.views) {
      if (ids.has(id)) continue;
      view.root.remove();
      this.views.delete(id);
    }
    let before = null;
    for (const turn of shown) {
      let view = this.views.get(turn.id);
      if (!view) {
        view = new TurnView(turn, { why: (id) => this.page.why(id), whole: () => this.conversation.refresh() });
        this.views.set(turn.id, view);
      } else view.update();
      const expected = before ? before.nextElementSibling : this.turns.firstElementChild;
      if (expected !== view.root) this.turns.insertBefore(view.root, expected);
      before = view.root;
    }
  }

  #waiting() {
    const entries = this.page.outbox.of(this.session);
    const failure = this.conversation?.failure;
    replace(this.pending, failure && h("p.problem", { role: "alert" }, failure.message), ...entries.map((entry) => unaccepted(entry, this.page)));
    const empty = this.conversation ? this.conversation.loaded && !this.conversation.turns.size && !failure : true;
    if (empty && entries.length === 0) this.pending.append(h("p.empty", {}, "Say something. /help lists what can be typed."));
  }

  #atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR;
  }

  #toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  #scrolled() {
    this.down.hidden = this.#atEnd();
  }

  async #more() {
    const height = this.log.scrollHeight;
    await this.conversation.deeper();
    this.#draw();
    this.log.scrollTop += this.log.scrollHeight - height;
  }
}

function unaccepted(entry, page) {
  const words = h("div.said");
  render(words, entry.content);
  const refused = entry.refused !== null;
  const state = refused ? `Not accepted: ${entry.refused}` : page.wire.open ? "Being sent…" : "Not sent yet: it goes out when the daemon is back.";
  const again = () => page.wire.again(entry.id);
  const buttons = refused && [
    h("button", { type: "button", onclick: again }, "Send again"),
    h("button.quiet", { type: "button", onclick: () => page.outbox.drop(entry.id) }, "Discard"),
  ];
  return h(
    `article.turn.unaccepted${refused ? ".refused" : ""}`,
    { "data-message": entry.id },
    h("div.asked", {}, h("header.by", {}, h("span.name", {}, "You")), words),
    h("p.note", { role: refused ? "alert" : "status" }, state, " ", h("span.buttons", {}, buttons)),
  );
}

function newDraft() {
  return `d${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
}

// The list of conversations: last used first, the one that is open marked, those at work with a dot.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { ago, oneLine, wholeMoment } from "./format.js";

const PAUSE = 400; // milliseconds in which changes are gathered
const MOVES = new Set(["InboundEvent", "DispatchEvent", "OutboundEvent", "TurnStarted", "TurnFinished"]);

export class Sessions {
  #timer = null;

  constructor(list, page) {
    this.list = list;
    this.page = page;
    this.known = [];
    this.running = new Set();
    page.wire.addEventListener("open", () => this.#read());
    page.wire.addEventListener("event", ({ detail }) => this.#hear(detail.event));
    page.addEventListener("moved", () => this.draw());
    setInterval(() => this.draw(), 60_000);
  }

  #hear(event) {
    if (!MOVES.has(event.type)) return;
    if (event.type === "TurnStarted") this.running.add(event.session_id);
    else if (event.type === "TurnFinished") this.running.delete(event.session_id);
    this.draw();
    if (event.type !== "TurnStarted") this.#soon();
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#read();
    }, PAUSE);
  }

  async #read() {
    try {
      const { sessions } = await get("/api/sessions");
      this.known = sessions;
      this.draw();
    } catch {
      // The list stays as it is; the state beside the name says that the daemon is away.
    }
  }

  draw() {
    if (this.known.length === 0) {
      replace(this.list, h("li.empty.unlisted", {}, "None yet"));
      return;
    }
    const focused = document.activeElement?.closest("#sessions a")?.dataset.session;
    replace(this.list, ...this.known.map((session) => this.#item(session)));
    if (focused) this.list.querySelector(`[data-session="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  #item(session) {
    const current = this.page.view === "chat" && this.page.parameters[0] === session.id;
    const title = oneLine(session.title, 80) || "(empty)";
    const running = this.running.has(session.id);
    return h(
      "li",
      {},
      h(
        "a",
        { href: `#/chat/${encodeURIComponent(session.id)}`, "aria-current": current && "page", data: { session: session.id } },
        h("span.title", { title }, running && h("span.dot.pulse", { role: "img", "aria-label": "at work" }), title),
        h("time", { datetime: session.updated_at, title: wholeMoment(session.updated_at) }, ago(session.updated_at)),
        h("span.who", {}, `${session.agent} · ${session.source}`),
      ),
    );
  }
}

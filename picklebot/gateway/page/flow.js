// What moves: who is being answered, who waits for what, and events as they come.

import { get } from "./api.js";
import { h, replace, say } from "./dom.js";
import { count, duration, moment, oneLine, wholeMoment } from "./format.js";
import { View } from "./view.js";

export const title = "Flow";

const KEPT = 300; // events on the screen
const BEFORE = 60; // of those that came before this view
const QUIET = new Set(["TextDelta"]);
const STATES = { running: "good", waiting: "", parked: "warn", away: "warn" };

export function show(root, page) {
  const view = new View(root, page, {
    title,
    about: "What runs, who waits for what, and events as they come",
    reads: () => get("/api/flow"),
    draws: (body, found) => view.drawn(found),
    moves: (event) => !QUIET.has(event.type) && event.type !== "ToolStarted" && event.type !== "ToolFinished",
  });
  const queues = h("div");
  const stream = new Stream(page, view.signal);
  view.body.removeAttribute("aria-busy");
  replace(view.body, queues, h("h2.over", {}, "Events"), stream.root);
  view.drawn = (found) => draw(page, queues, found);
  const clock = setInterval(() => tick(queues), 1000);
  view.signal.addEventListener("abort", () => clearInterval(clock));
  return view;
}

function draw(page, queues, { counts, sessions, undelivered }) {
  const figures = [
    ["Running", counts.running],
    ["Open", counts.open],
    ["Undelivered", counts.undelivered],
    ["Set aside", counts.dead],
  ];
  replace(
    queues,
    h("dl.figures", {}, figures.map(([name, number]) => h("div", {}, h("dt", {}, name), h("dd", {}, count(number))))),
    sessions.length === 0 ? h("p.empty", {}, "Nobody waits.") : h("ul.queues", {}, sessions.map((session) => queue(page, session))),
    undelivered.length > 0 && h("h2.over", {}, "Not delivered yet"),
    undelivered.length > 0 && h("ul.queues", {}, undelivered.map((reply) => delivery(page, reply))),
  );
  tick(queues);
}

function queue(page, { session_id: id, agent, source, messages }) {
  return h(
    "li",
    { data: { queue: id } },
    h("p.whose", {}, h("a", { href: `#/chat/${encodeURIComponent(id)}` }, agent), h("span.soft", {}, source)),
    h("ol", {}, messages.map((message, place) => waiting(page, message, place))),
  );
}

function waiting(page, { event_id: id, state, content, since, until, why, tools }, place) {
  const reason = why ?? (state === "waiting" ? (place > 0 ? "behind the message above" : "for a free slot") : tools.length > 0 ? `runs ${tools.join(", ")}` : "");
  return h(
    "li",
    {},
    h(`span.tag${STATES[state] ? `.${STATES[state]}` : ""}`, {}, state),
    h("button.line", { type: "button", onclick: () => page.why(id), title: "Why?" }, oneLine(content, 120)),
    h("span.soft", {}, until ? `until ${moment(until)}` : h("span", { data: { since } }), reason && ` · ${oneLine(reason, 160)}`),
  );
}

function delivery(page, { id, to, attempts, content, error, not_before: next }) {
  const when = next && new Date(next) > new Date() ? `next attempt ${moment(next, { seconds: true })}` : "due now";
  return h(
    "li",
    {},
    h("p.whose", {}, h("span", {}, to), h("span.soft", {}, `${count(attempts)} attempts, ${when}`)),
    h("button.line", { type: "button", onclick: () => page.why(id), title: "Why?" }, oneLine(content, 120)),
    error && h("p.error", {}, oneLine(error, 200)),
  );
}

/** Time goes on while nothing is said. */
function tick(queues) {
  for (const element of queues.querySelectorAll("[data-since]")) say(element, duration((Date.now() - new Date(element.dataset.since)) / 1000));
}

class Stream {
  constructor(page, signal) {
    this.page = page;
    this.list = h("ol");
    this.window = h("div.stream", { role: "log", "aria-label": "Events, newest first", "aria-live": "off", tabindex: "0" }, this.list);
    this.pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.#turn() }, "Hold");
    this.held = null;
    this.seen = new Set();
    this.root = h("section", { "aria-label": "Events" }, this.pause, this.window);
    page.wire.addEventListener("event", ({ detail }) => QUIET.has(detail.event.type) || this.#take(detail), { signal });
    this.#before();
  }

  async #before() {
    try {
      const { last } = await get("/api/flow", { limit: 1 });
      const { events } = await get("/api/events", { after: Math.max(0, last - BEFORE) });
      const early = [...this.list.children];
      this.list.replaceChildren();
      for (const each of events) this.#take(each);
      this.list.prepend(...early.filter((item) => !item.dataset.seq || !events.some(({ seq }) => String(seq) === item.dataset.seq)));
    } catch (failure) {
      this.list.prepend(h("li", {}, h("p.problem", {}, failure.message)));
    }
  }

  #take({ event, seq }) {
    const item = this.#item(event, seq);
    if (this.held) this.held.push(item);
    else this.#show(item);
  }

  #show(item) {
    const { scrollTop } = this.window;
    this.list.prepend(item);
    if (scrollTop > 0) this.window.scrollTop = scrollTop + item.offsetHeight;
    while (this.list.children.length > KEPT) this.list.lastElementChild.remove();
  }

  #turn() {
    if (this.held === null) this.held = [];
    else {
      for (const item of this.held.slice(-KEPT)) this.#show(item);
      this.held = null;
    }
    this.pause.setAttribute("aria-pressed", String(this.held !== null));
    say(this.pause, this.held === null ? "Hold" : "Go on");
  }

  #item(event, seq) {
    const id = seq ? event.id : event.cause_id;
    const said = event.error ?? event.content ?? event.summary ?? event.outcome ?? event.definition_id ?? "";
    return h(
      "li",
      { data: { seq: seq ?? "", type: event.type } },
      h("time", { datetime: event.created_at, title: wholeMoment(event.created_at) }, moment(event.created_at, { seconds: true })),
      h(`span.kind${seq ? ".durable" : ""}`, {}, event.type.replace(/Event$/u, "")),
      h("button.line", { type: "button", disabled: !id, onclick: () => this.page.why(id), title: id ? "Why?" : null }, oneLine([event.tool, event.agent_id, said].filter(Boolean).join(" · "), 140)),
      h("span.soft", {}, event.source),
    );
  }
}

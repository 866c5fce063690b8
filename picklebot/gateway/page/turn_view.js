// A turn on the screen: what was asked, the tools that ran, what was answered. Shows again only what has changed.

import { h, icon, replace, say } from "./dom.js";
import { duration, moment, oneLine, speaker, visible, wholeMoment } from "./format.js";
import { render } from "./markdown.js";

const STATES = {
  waiting: "Waits for its turn",
  parked: "Parked",
  failed: "Failed",
  stopped: "Stopped",
  dead: "Set aside: it failed too often",
  joined: "Answered together with another message",
};
const MARKS = { running: "…", done: "✓", failed: "✗", unknown: "?" };
const WORDS = { running: "runs", done: "done", failed: "failed", unknown: "outcome unknown" };
const SHOWN = 20_000; // characters of a tool's input or output

export class TurnView {
  /** `turn` -> elements. `hooks`: why(id), whole(turn) to read a call's input and output. */
  constructor(turn, hooks) {
    this.hooks = hooks;
    this.turn = turn;
    this.steps = [];
    this.calls = new Map(); // of the whole turn: one that is found to belong to another step moves there as it is
    this.replies = new Map();
    this.mine = h("div.said");
    render(this.mine, turn.content);
    this.who = h("span.name", {}, speaker(turn.source));
    this.answer = h("div.answer");
    this.agent = h("span.name");
    this.work = h("div.work");
    this.words = h("div.words");
    this.note = h("p.note");
    replace(this.answer, h("header.by", {}, this.agent), this.work, this.words);
    const why = h("button.quiet.why", { type: "button", onclick: () => hooks.why(turn.id), title: "What led to this, and what came of it" }, "Why?");
    this.root = h(
      "article.turn",
      { "data-turn": turn.id, "aria-label": `${speaker(turn.source)}: ${oneLine(turn.content, 60)}` },
      h("div.asked", {}, h("header.by", {}, this.who, h("time", { datetime: turn.at, title: wholeMoment(turn.at) }, moment(turn.at)), why), this.mine),
      this.answer,
      this.note,
    );
    this.update();
  }

  update() {
    const { turn } = this;
    this.root.dataset.state = turn.state;
    say(this.agent, turn.agent ?? "");
    const calls = new Map();
    turn.steps.forEach((step, place) => this.#step(step, place, calls));
    for (const [key, row] of this.calls) if (!calls.has(key)) row.root.remove();
    this.calls = calls;
    while (this.steps.length > turn.steps.length) this.steps.pop().root.remove();
    this.#replies();
    this.answer.hidden = turn.steps.length === 0 && turn.replies.size === 0 && turn.state !== "running";
    this.answer.classList.toggle("live", turn.state === "running");
    this.#note();
  }

  #step(step, place, calls) {
    let view = this.steps[place];
    if (!view) {
      view = { text: h("div.markdown"), calls: h("div.calls") };
      view.root = h("div.step", {}, view.text, view.calls);
      this.steps.push(view);
      this.work.append(view.root);
    }
    const text = step.cut ? `… ${step.text}` : step.text;
    render(view.text, text);
    for (const call of step.calls) {
      let again = 0; // some servers give the calls of every step the same ids
      while (calls.has(`${call.id} ${again}`)) again += 1;
      const key = `${call.id} ${again}`;
      const row = this.calls.get(key) ?? new CallView(() => this.hooks.whole(this.turn));
      calls.set(key, row);
      if (row.root.parentNode !== view.calls) view.calls.append(row.root);
      row.update(call);
    }
  }

  #replies() {
    for (const [id, view] of this.replies) {
      if (this.turn.replies.has(id)) continue;
      view.remove();
      this.replies.delete(id);
    }
    for (const [id, reply] of this.turn.replies) {
      let view = this.replies.get(id);
      if (!view) {
        view = h("div.reply", { "data-reply": id }, h("div.markdown"), h("p.note"));
        this.replies.set(id, view);
        this.words.append(view);
      }
      render(view.firstElementChild, reply.content);
      say(view.lastElementChild, delivery(reply, this.turn.source));
    }
  }

  #note() {
    const { turn } = this;
    const parked = turn.state === "parked" && turn.until ? ` until ${moment(turn.until)}` : "";
    const words = STATES[turn.state] ? `${STATES[turn.state]}${parked}` : "";
    const error = turn.error && turn.state !== "done" ? turn.error : "";
    say(this.note, [words, error].filter(Boolean).join(": "));
    this.note.hidden = this.note.textContent === "";
  }
}

function delivery({ delivery: found, error }, source) {
  const where = found && found.to !== source ? ` to ${found.to}` : "";
  if (found?.state === "dead") return `Not delivered${where}: ${found.error ?? "set aside"}`;
  if (found?.state === "dropped") return `Not delivered${where}: dropped by hand`;
  if (found && where && found.state === "pending") return `On its way${where}`;
  if (found && where) return `Sent${where}`;
  return error ?? "";
}

class CallView {
  constructor(whole) {
    this.mark = h("span.mark", { "aria-hidden": "true" });
    this.tool = h("span.tool");
    this.summary = h("span.summary");
    this.time = h("span.time");
    this.state = h("span.unseen");
    this.body = h("div.detail");
    this.root = h(
      "details.call",
      { ontoggle: () => this.#toggled(whole) },
      h("summary", {}, icon("chevron"), this.mark, this.tool, this.summary, this.time, this.state),
      this.body,
    );
  }

  update(call) {
    this.call = call;
    this.root.dataset.state = call.state;
    say(this.mark, MARKS[call.state]);
    say(this.tool, call.tool);
    say(this.summary, oneLine(visible(call.summary), 200));
    say(this.time, call.seconds === null || call.seconds === undefined ? "" : duration(call.seconds));
    say(this.state, `, ${WORDS[call.state]}`);
    if (this.root.open) this.#fill();
  }

  #toggled(whole) {
    if (!this.root.open) return;
    this.#fill();
    if (this.call.input === undefined || (this.call.output ?? null) === null) whole();
  }

  #fill() {
    const { input, output, outcome } = this.call;
    const asked = input === undefined ? this.call.summary : spelled(input);
    const key = `${asked}\n${output}\n${outcome}`;
    if (this.filled === key) return;
    this.filled = key;
    replace(this.body, long("Input", asked), long("Result", output ?? outcome ?? "No result yet."));
  }
}

/** One line a field, as far as a value fits on one; nothing is escaped that a person would have to read back. */
function spelled(input) {
  if (input === null || typeof input !== "object" || Array.isArray(input)) return JSON.stringify(input, null, 2);
  return Object.entries(input)
    .map(([name, value]) => (typeof value === "string" ? `${name}:${value.includes("\n") ? "\n" : " "}${value}` : `${name}: ${JSON.stringify(value, null, 2)}`))
    .join("\n");
}

function long(name, text) {
  const whole = visible(text);
  const cut = whole.length > SHOWN ? `${whole.slice(0, SHOWN)}\n… ${whole.length - SHOWN} characters more` : whole;
  return h("div", {}, h("p.label", { "aria-hidden": "true" }, name), h("pre", { tabindex: "0", role: "region", "aria-label": name }, cut));
}

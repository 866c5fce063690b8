// One message and all that came of it, whether it is heard live or read back. Knows no element and no connection.

const RANK = { waiting: 0, parked: 1, running: 1, joined: 2, done: 2, failed: 2, stopped: 2, dead: 2 };
const ENDS = { done: "done", failed: "failed", stopped: "stopped", parked: "parked" };

export class Turn {
  constructor(id, event, seq = null) {
    this.id = id;
    this.seq = seq;
    this.source = event.source;
    this.agent = event.agent_id ?? null;
    this.content = event.content;
    this.at = event.created_at;
    this.state = "waiting"; // waiting running parked done failed stopped dead joined
    this.error = null;
    this.answeredIn = null;
    this.until = null; // when a parked one goes on
    this.startedAt = null;
    this.steps = []; // {text, calls: [{id, tool, summary, input, output, state, seconds}], cut}
    this.replies = new Map(); // id -> {content, error, at, delivery}
    this.whole = false; // the inputs and outputs of its calls are known
    this.heard = false; // since it was read
    this.gap = true; // what is being said now may have begun before anybody listened
  }

  get open() {
    return ["waiting", "running", "parked"].includes(this.state);
  }

  get calls() {
    return this.steps.flatMap((step) => step.calls);
  }

  /** Take in what is heard live. */
  hear(event) {
    this.heard = true;
    switch (event.type) {
      case "TurnStarted":
        this.state = "running";
        this.gap = false;
        this.agent = event.agent_id;
        this.startedAt = event.created_at;
        this.#current(true).text = "";
        break;
      case "TextDelta": {
        this.state = "running";
        const step = this.#current(true);
        step.text = event.restart ? event.text : step.text + event.text;
        if (event.restart) step.cut = false;
        break;
      }
      case "ToolStarted":
        this.state = "running";
        if (!this.#call(event.call_id)) {
          this.#current(false).calls.push({ id: event.call_id, tool: event.tool, summary: event.summary, state: "running", at: event.created_at });
          this.whole = false;
        }
        break;
      case "ToolFinished":
        this.#finished(event);
        break;
      case "OutboundEvent":
      case "DispatchResultEvent":
        this.replies.set(event.id, { content: event.content, error: event.error ?? null, at: event.created_at, delivery: null });
        // What was streamed is what the reply says.
        if (this.steps.at(-1)?.calls.length === 0) this.steps.pop();
        break;
      case "TurnFinished":
        this.#ended(event);
        break;
    }
  }

  /** Take in what the daemon has written down. What is heard of a step that is not written down yet stays. */
  read(report) {
    const state = standing(report);
    // It was written down before what was heard meanwhile.
    if (this.heard && RANK[state] < RANK[this.state]) return;
    this.heard = false;
    this.seq = report.seq ?? this.seq;
    this.state = state;
    this.error = report.error ?? null;
    this.until = this.state === "parked" ? (report.not_before ?? this.until) : null;
    this.answeredIn = report.answered_in ?? null;
    const known = new Set(report.steps.flatMap((step) => step.calls.map((call) => call.call_id)));
    const live = this.state === "running" ? this.steps.filter((step) => step.calls.every((call) => !known.has(call.id))) : [];
    const told = (step) => report.steps.some((kept) => spoken(kept).startsWith(step.text));
    const ahead = live.filter((step) => step.calls.length > 0 || step.text === "" || !told(step));
    this.steps = [...report.steps.map(recorded), ...ahead];
    if (this.state === "running" && this.gap && ahead.length === 0) this.steps.push({ text: "", calls: [], cut: true });
    this.gap = false;
    this.replies = new Map(
      report.outbound.map(({ id, content, error, created_at, state, to }) => [
        id,
        { content, at: created_at, error: null, delivery: { state, error, to } },
      ]),
    );
    if (this.replies.size > 0 && this.steps.at(-1)?.calls.length === 0) this.steps.pop();
    this.whole = this.state !== "running";
  }

  /** The connection was lost: what is being said now has a gap. */
  missed() {
    const step = this.steps.at(-1);
    if (this.state !== "running") return;
    if (step?.calls.length === 0) this.steps.pop();
    this.gap = true;
  }

  #call(id) {
    return this.calls.find((call) => call.id === id);
  }

  /** The step that is being spoken; after tools have run, text belongs to the next one. */
  #current(speaking) {
    const last = this.steps.at(-1);
    const over = speaking && last?.calls.length > 0;
    if (!last || over) this.steps.push({ text: "", calls: [], cut: false });
    return this.steps.at(-1);
  }

  #finished(event) {
    const call = this.#call(event.call_id) ?? { id: event.call_id, tool: event.tool, summary: "", state: "running" };
    if (!this.#call(event.call_id)) this.#current(false).calls.push(call);
    call.state = event.is_error ? "failed" : "done";
    call.outcome = event.summary;
    call.seconds = event.seconds;
  }

  #ended(event) {
    if (event.kind === "Interrupted") this.state = "joined";
    else this.state = ENDS[event.outcome] ?? "done";
    this.error = event.error;
    this.agent = event.agent_id;
    if (this.state !== "parked" && this.steps.at(-1)?.text === "" && this.steps.at(-1).calls.length === 0) this.steps.pop();
    for (const call of this.calls) if (call.state === "running") call.state = "unknown";
  }
}

function standing({ state, outcome, answered_in: elsewhere }) {
  if (state === "dead") return "dead";
  if (state === "open") {
    if (elsewhere) return "joined";
    return outcome === "running" ? "running" : outcome === "parked" ? "parked" : "waiting";
  }
  if (elsewhere) return "joined";
  return outcome === "stopped" ? "stopped" : state === "failed" ? "failed" : "done";
}

function recorded(step) {
  return { text: spoken(step), cut: false, calls: step.calls.map(call) };
}

function spoken(step) {
  const { content } = step.reply;
  if (typeof content === "string") return content;
  return content.filter((block) => block.type === "text").map((block) => block.text).join("\n\n");
}

function call({ call_id: id, tool, input, state, result, started_at: began, planned_at: planned, finished_at: ended }) {
  const states = { done: result?.is_error ? "failed" : "done", failed: "failed", planned: "running", started: "running" };
  const since = began ?? planned;
  const seconds = since && ended ? (new Date(ended) - new Date(since)) / 1000 : null;
  return { id, tool, summary: oneLineInput(input), input, output: outputOf(result), state: states[state] ?? "unknown", seconds };
}

function outputOf(result) {
  if (!result) return null;
  if (typeof result.content === "string") return result.content;
  return result.content.map((block) => (block.type === "text" ? block.text : `[${block.type}]`)).join("\n");
}

function oneLineInput(input) {
  if (input === null || typeof input !== "object") return String(input ?? "");
  return Object.entries(input)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ")
    .replace(/\s+/gu, " ");
}

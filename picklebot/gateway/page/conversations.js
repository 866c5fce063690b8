// The conversations that were opened on this page, each kept up to date by what is heard, and read anew from the
// daemon whenever something may have been missed. Knows no element.

import { get, part } from "./api.js";
import { Turn } from "./turns.js";

const KEPT = 12; // conversations in memory
const TURNS = 50; // of a conversation at first, and more at a time
const MOST = 500;

export class Conversation extends EventTarget {
  #reading = null;

  constructor(id) {
    super();
    this.id = id;
    this.session = null;
    this.turns = new Map(); // id of the message -> Turn, oldest first
    this.loaded = false;
    this.depth = TURNS;
    this.more = false; // there are earlier turns that can be had
    this.failure = null;
  }

  get list() {
    return [...this.turns.values()];
  }

  get running() {
    return this.list.some((turn) => turn.state === "running");
  }

  /** Read what the daemon has; one reading at a time, and one more if asked meanwhile. */
  async refresh() {
    if (this.#reading) {
      this.again = true;
      return this.#reading;
    }
    this.#reading = this.#read();
    await this.#reading;
    this.#reading = null;
    if (this.again) {
      this.again = false;
      await this.refresh();
    }
  }

  async #read() {
    try {
      const answer = await get(`/api/sessions/${part(this.id)}`, { turns: this.depth });
      this.session = answer.session;
      this.more = answer.turns.length === this.depth && this.depth < MOST;
      const heard = this.turns;
      this.turns = new Map();
      for (const report of answer.turns) {
        const { event } = report;
        const turn = heard.get(event.id) ?? new Turn(event.id, event);
        turn.read(report);
        turn.agent ??= answer.session.agent;
        this.turns.set(event.id, turn);
      }
      // What was heard after the daemon had answered.
      for (const [id, turn] of heard) if (!this.turns.has(id) && turn.fresh) this.turns.set(id, turn);
      this.failure = null;
    } catch (failure) {
      this.failure = failure;
    }
    this.loaded = true;
    this.#changed();
  }

  /** Read further back. */
  async deeper() {
    this.depth = Math.min(this.depth + TURNS, MOST);
    await this.refresh();
  }

  hear(event, seq) {
    // What is being read may be older than this.
    if (this.#reading && event.type !== "TextDelta") this.again = true;
    if (event.type === "InboundEvent" || event.type === "DispatchEvent") {
      if (!this.turns.has(event.id)) {
        const turn = new Turn(event.id, event, seq);
        turn.fresh = true;
        this.turns.set(event.id, turn);
      }
    } else {
      const turn = this.turns.get(event.cause_id);
      if (!turn) {
        if (seq) this.refresh(); // such as the answer to a command
        return;
      }
      turn.hear(event);
      for (const id of event.also ?? []) this.#answeredIn(id, turn, event);
      if (event.type === "OutboundEvent" && turn.content.trimStart().startsWith("/") && turn.state === "waiting") turn.state = "done";
    }
    this.#changed(event);
  }

  missed() {
    for (const turn of this.turns.values()) turn.missed();
  }

  #answeredIn(id, turn, event) {
    const other = this.turns.get(id);
    if (!other || other === turn) return;
    other.answeredIn = turn.id;
    if (event.type !== "TurnFinished" || event.kind !== "Interrupted") other.state = "joined";
  }

  #changed(event = null) {
    this.dispatchEvent(new CustomEvent("change", { detail: event }));
  }
}

export class Conversations {
  #open = new Map();

  constructor(wire) {
    wire.addEventListener("event", ({ detail }) => this.#open.get(detail.event.session_id)?.hear(detail.event, detail.seq));
    wire.addEventListener("closed", () => this.#open.forEach((conversation) => conversation.missed()));
    wire.addEventListener("open", () => this.#open.forEach((conversation) => conversation.refresh()));
  }

  /** Return a conversation, to be read if this page has not seen it yet. */
  get(id) {
    let found = this.#open.get(id);
    this.#open.delete(id);
    if (!found) {
      found = new Conversation(id);
      found.refresh();
    }
    this.#open.set(id, found);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= KEPT) break;
      this.#open.delete(oldest);
    }
    return found;
  }
}

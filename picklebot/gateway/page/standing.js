// How things stand, beside the views' names: what runs, what waits for the owner, what was set aside.

import { get } from "./api.js";
import { say } from "./dom.js";
import { count } from "./format.js";

const PAUSE = 700; // milliseconds in which changes are gathered
const EVERY = 30_000;
const MOVES = new Set(["InboundEvent", "OutboundEvent", "TurnStarted", "TurnFinished", "DeliveryFailed", "DefinitionChanged"]);

export class Standing {
  #timer = null;
  #state = document.getElementById("state");

  constructor(page) {
    this.page = page;
    this.status = null;
    page.wire.addEventListener("event", ({ detail }) => MOVES.has(detail.event.type) && this.soon());
    setInterval(() => document.hidden || this.soon(), EVERY);
  }

  connected(open) {
    this.open = open;
    this.#state.dataset.state = open ? "here" : "away";
    say(this.#state, open ? "" : "away");
    if (open) this.soon(0);
  }

  soon(pause = PAUSE) {
    this.#timer ??= setTimeout(() => this.#read(), pause);
  }

  async #read() {
    this.#timer = null;
    if (!this.open) return;
    const status = await get("/api/status").catch(() => null);
    if (!status) return;
    this.status = status;
    this.#show("flow", status.open);
    this.#show("dead", status.dead, { alert: true });
    this.#show("approvals", status.proposals.length, { alert: true });
    this.#show("health", status.problems.length, { alert: true });
    this.page.dispatchEvent(new CustomEvent("status", { detail: status }));
  }

  #show(view, number, { alert = false } = {}) {
    const element = document.querySelector(`[data-count="${view}"]`);
    element.hidden = !number;
    element.classList.toggle("alert", alert && number > 0);
    say(element, number ? count(number) : "");
  }
}

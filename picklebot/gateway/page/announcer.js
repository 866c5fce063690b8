// Says aloud, for those who cannot see it, what answers the conversation that is open and what was said on this page.

import { say } from "./dom.js";

const LONGEST = 3000; // characters of a reply
const KEPT = 100; // messages that were said here

export class Announcer {
  #element = document.getElementById("announcer");
  #said = new Set();

  constructor(page) {
    this.page = page;
    page.wire.addEventListener("accepted", ({ detail }) => this.#remember(detail.event_id));
    page.wire.addEventListener("event", ({ detail }) => this.#hear(detail.event));
  }

  say(text) {
    say(this.#element, text);
  }

  #hear(event) {
    const here = this.page.view === "chat" && this.page.parameters[0] === event.session_id;
    if (!here && !this.#said.has(event.cause_id)) return;
    if (event.type === "OutboundEvent") this.say(`${event.error ? "Failed" : "Reply"}: ${event.content.slice(0, LONGEST)}`);
    if (event.type === "ToolStarted") this.say(`Uses ${event.tool}.`);
  }

  #remember(id) {
    this.#said.add(id);
    for (const oldest of this.#said) {
      if (this.#said.size <= KEPT) break;
      this.#said.delete(oldest);
    }
  }
}

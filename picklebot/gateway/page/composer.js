// Where one writes. Enter sends; a draft is kept for each conversation as long as the tab lives.

import { h, icon, say } from "./dom.js";

const PREFIX = "picklebot.draft.";
const LONGEST = 100_000;

export class Composer {
  constructor({ send, stop }) {
    this.send = send;
    this.key = "new";
    this.field = h("textarea", {
      id: "composer",
      rows: "1",
      maxlength: LONGEST,
      placeholder: "Write a message",
      "aria-label": "Message",
      "aria-describedby": "composer-hint",
      enterkeyhint: "send",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#key(event),
    });
    this.go = h("button.primary", { type: "submit" }, icon("send"), h("span", {}, "Send"));
    this.halt = h("button.stop", { type: "button", hidden: true, onclick: stop }, icon("stop"), h("span", {}, "Stop"));
    this.hint = h("p.hint", { id: "composer-hint" }, "Enter sends, Shift and Enter begins a new line.");
    this.root = h(
      "form.composer",
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.#submit();
        },
      },
      h("div.box", {}, this.field, this.halt, this.go),
      this.hint,
    );
  }

  /** Go over to the draft of another conversation. */
  enter(key, { name, running }) {
    this.key = key;
    this.field.value = stored(key);
    this.name(name);
    this.running(running);
    this.#fit();
  }

  /** What is being written goes along to the conversation that this one has become. */
  carry(key) {
    keep(this.key, "");
    keep(key, this.field.value);
    this.key = key;
  }

  name(name) {
    this.field.setAttribute("aria-label", name ? `Message to ${name}` : "Message");
  }

  running(running) {
    this.halt.hidden = !running;
  }

  note(text) {
    say(this.hint, text);
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.altKey) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.field.value;
    if (!text.trim()) return;
    this.field.value = "";
    this.#changed();
    this.send(text);
    this.focus();
  }

  #changed() {
    keep(this.key, this.field.value);
    this.#fit();
  }

  #fit() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, innerHeight * 0.4)}px`;
  }
}

function stored(key) {
  try {
    return sessionStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

function keep(key, text) {
  try {
    if (text) sessionStorage.setItem(PREFIX + key, text);
    else sessionStorage.removeItem(PREFIX + key);
  } catch {
    // A draft that cannot be kept is still in the field.
  }
}

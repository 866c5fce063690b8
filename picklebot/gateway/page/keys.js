// Keys for those who like them. Single letters can be turned off, for those whose tools speak or type by themselves.

import { h, replace } from "./dom.js";

const STORED = "picklebot.keys";
const HELP = [
  ["c", "Write in this conversation"],
  ["n", "New conversation"],
  ["j, k", "Next, previous conversation"],
  [".", "Stop what runs here"],
  ["g, then a letter", "c Chat, f Flow, j Jobs, a Approvals, d Dead letters, m Memory, s Spend, h Health"],
  ["t", "Light, dark, or as the system has it"],
  ["?", "This list"],
  ["Escape", "Close, or leave the field"],
];

export class Keys {
  #going = 0;

  constructor(page) {
    this.page = page;
    this.on = stored();
    this.dialog = this.#make();
    document.body.append(this.dialog);
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  help() {
    this.dialog.showModal();
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { target } = event;
    if (event.key === "Escape") {
      if (target.closest("textarea, input")) target.blur();
      this.page.menu(false);
      return;
    }
    if (!this.on || target.closest("textarea, input, select, [contenteditable], dialog")) return;
    const act = this.#action(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  }

  #action(key) {
    const { page } = this;
    if (Date.now() - this.#going < 1500) {
      this.#going = 0;
      const view = page.views.find((each) => each.key === key);
      return view && (() => page.go(view.name));
    }
    const actions = {
      "?": () => this.help(),
      c: () => (page.view === "chat" ? page.shown.focus() : page.go("chat")),
      n: () => page.go("chat", "new"),
      t: () => page.turnTheme(),
      g: () => (this.#going = Date.now()),
      j: () => this.#step(1),
      k: () => this.#step(-1),
      ".": () => page.shown.stop?.(),
    };
    return Object.hasOwn(actions, key) ? actions[key] : null;
  }

  #step(by) {
    const ids = this.page.sessions.known.map((session) => session.id);
    const here = ids.indexOf(this.page.view === "chat" ? this.page.parameters[0] : "");
    const next = ids[Math.min(ids.length - 1, Math.max(0, here + by))];
    if (next) this.page.go("chat", next);
  }

  #make() {
    const rows = HELP.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)));
    const single = h("input", { type: "checkbox", checked: this.on, onchange: () => this.#turn(single.checked) });
    const dialog = h("dialog.sheet", { "aria-labelledby": "keys-title" });
    return replace(
      dialog,
      h("header", {}, h("h2", { id: "keys-title" }, "Keys"), h("button.quiet", { type: "button", onclick: () => dialog.close() }, "Close")),
      h("dl.keys", {}, rows),
      h("label", {}, single, " Single letters do this"),
    );
  }

  #turn(on) {
    this.on = on;
    try {
      localStorage.setItem(STORED, on ? "on" : "off");
    } catch {
      // Without storage it holds as long as the page.
    }
  }
}

function stored() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

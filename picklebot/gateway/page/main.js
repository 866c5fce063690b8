// Puts the page together: the connection, the side, and one view at a time, named by the address after "#".

import { Announcer } from "./announcer.js";
import { door, get } from "./api.js";
import { Conversations } from "./conversations.js";
import { h, replace, say } from "./dom.js";
import { Keys } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Sessions } from "./sessions.js";
import { Standing } from "./standing.js";
import { Why } from "./why.js";
import { Wire } from "./wire.js";
import * as approvals from "./approvals.js";
import * as chat from "./chat.js";
import * as flow from "./flow.js";
import * as health from "./health.js";
import * as jobs from "./jobs.js";
import * as letters from "./letters.js";
import * as memory from "./memory.js";
import * as spend from "./spend.js";

const VIEWS = [
  { name: "chat", key: "c", made: chat },
  { name: "flow", key: "f", made: flow },
  { name: "jobs", key: "j", made: jobs },
  { name: "approvals", key: "a", made: approvals },
  { name: "dead", key: "d", made: letters },
  { name: "memory", key: "m", made: memory },
  { name: "spend", key: "s", made: spend },
  { name: "health", key: "h", made: health },
];
const THEMES = { auto: "As the system", light: "Light", dark: "Dark" };

class Page extends EventTarget {
  #main = document.getElementById("main");
  #banner = document.getElementById("banner");
  #menu = document.getElementById("menu");
  #side = document.getElementById("side");
  #veil = document.getElementById("veil");

  constructor() {
    super();
    this.views = VIEWS;
    this.agents = [];
    this.view = "";
    this.parameters = [];
    this.shown = null;
    this.outbox = new Outbox();
    this.wire = new Wire(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws?client=web`, this.outbox);
    this.conversations = new Conversations(this.wire);
    this.announcer = new Announcer(this);
    this.sessions = new Sessions(document.getElementById("sessions"), this);
    this.standing = new Standing(this);
    this.explanation = new Why();
    this.keys = new Keys(this);
  }

  start() {
    this.#list();
    this.#listen();
    this.#move();
    this.wire.connect();
  }

  go(...place) {
    const address = addressOf(place);
    if (location.hash === address) this.#move();
    else location.hash = address;
  }

  /** The same, at once, and leaving no way back to where this was. */
  become(...place) {
    history.replaceState(null, "", addressOf(place));
    this.#move();
  }

  why(id) {
    this.explanation.show(id);
  }

  title(text) {
    document.title = `${text} · picklebot`;
    say(document.getElementById("where"), text);
  }

  announce(text) {
    this.announcer.say(text);
  }

  tell(...words) {
    this.#banner.hidden = words.length === 0;
    replace(this.#banner, ...words);
  }

  menu(open) {
    this.#side.classList.toggle("open", open);
    this.#veil.hidden = !open;
    this.#menu.setAttribute("aria-expanded", String(open));
    if (open) this.#side.querySelector("a").focus();
  }

  turnTheme() {
    const names = Object.keys(THEMES);
    globalThis.picklebotTheme.set(names[(names.indexOf(globalThis.picklebotTheme.get()) + 1) % names.length]);
    this.#theme();
  }

  #listen() {
    addEventListener("hashchange", () => this.#move());
    this.#menu.addEventListener("click", () => this.menu(!this.#side.classList.contains("open")));
    this.#veil.addEventListener("click", () => this.menu(false));
    this.#side.addEventListener("click", ({ target }) => target.closest("a") && this.menu(false));
    document.getElementById("theme").addEventListener("click", () => this.turnTheme());
    document.getElementById("help").addEventListener("click", () => this.keys.help());
    door.addEventListener("signed-out", () => this.#signedOut());
    this.wire.addEventListener("open", () => this.#opened());
    this.wire.addEventListener("closed", ({ detail }) => this.#closed(detail));
    this.wire.addEventListener("refused", ({ detail }) => detail.entry || this.announce(detail.message));
    this.#theme();
  }

  #list() {
    const items = VIEWS.map(({ name, made }) =>
      h("li", {}, h("a", { href: `#/${name}`, data: { view: name } }, made.title, h("span.count", { data: { count: name }, hidden: true }))),
    );
    replace(document.getElementById("views"), ...items);
  }

  #move() {
    const [name = "", ...parameters] = location.hash.replace(/^#\/?/u, "").split("/").map(decoded);
    const view = VIEWS.find((each) => each.name === name) ?? VIEWS[0];
    const first = this.shown === null;
    this.shown?.close?.();
    this.view = view.name;
    this.parameters = parameters;
    for (const link of document.querySelectorAll("#views a")) {
      if (link.dataset.view === view.name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.title(view.made.title);
    this.shown = view.made.show(this.#main, this, parameters);
    this.dispatchEvent(new Event("moved"));
    if (this.shown.focus && matchMedia("(pointer: fine)").matches) this.shown.focus();
    else if (!first) this.#main.querySelector("h1")?.focus({ preventScroll: true });
  }

  async #opened() {
    this.signedOut = false;
    this.tell();
    this.standing.connected(true);
    try {
      this.agents = (await get("/api/agents")).agents;
      this.dispatchEvent(new Event("agents"));
    } catch (failure) {
      this.tell(failure.message);
    }
  }

  async #closed({ was, pause }) {
    this.standing.connected(false);
    if (this.signedOut) return;
    if (was || pause > 1000) this.tell("The daemon is away. What you write is kept and sent when it is back.");
    // A refused handshake does not say why; this does.
    if (!was) await get("/api/status").catch(() => null);
  }

  #signedOut() {
    this.signedOut = true;
    this.wire.halt();
    this.tell("This browser is not logged in any more: run ", h("code", {}, "picklebot status"), " and open the link that it prints.");
  }

  #theme() {
    const button = document.getElementById("theme");
    const chosen = globalThis.picklebotTheme.get();
    say(button.querySelector("span"), THEMES[chosen]);
    button.setAttribute("aria-label", `Theme: ${THEMES[chosen]}. Change it.`);
  }
}

function addressOf(place) {
  return `#/${place.map(encodeURIComponent).join("/")}`;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

new Page().start();

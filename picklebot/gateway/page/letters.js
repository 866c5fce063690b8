// Dead letters: what was set aside, and what is to become of it.

import { get, part, post } from "./api.js";
import { h, replace } from "./dom.js";
import { counted, moment, oneLine, wholeMoment } from "./format.js";
import { View, empty } from "./view.js";

export const title = "Dead letters";

const DROP = "Drop";
const SURE = "Really drop it?";
const PATIENCE = 4000; // milliseconds in which the second click has to come
const asked = new Set(); // ids of letters of which that was asked

export function show(root, page) {
  const view = new View(root, page, {
    title,
    about: "Messages whose turn never ended, and replies that could not be delivered",
    reads: () => get("/api/dead"),
    draws: (body, { events }) => draw(view, body, events),
    moves: (event) => ["OutboundEvent", "DeliveryFailed", "TurnFinished"].includes(event.type),
  });
  return view;
}

function draw(view, body, letters) {
  if (letters.length === 0) replace(body, empty("Nothing was set aside."));
  else replace(body, h("ul.cards", {}, letters.map((letter) => card(view, letter))));
}

function card(view, letter) {
  const { id, source, attempts, error, content, created_at: at, kind = "message" } = letter;
  const what = kind === "reply" ? "reply" : "message";
  const name = oneLine(content, 60);
  const retry = h("button.primary", { type: "button", "aria-label": `Try again: ${name}` }, "Try again");
  const drop = h("button.danger", { type: "button", "aria-label": `Drop: ${name}` }, asked.has(id) ? SURE : DROP);
  retry.addEventListener("click", () => view.act(retry, () => post(`/api/events/${part(id)}/retry`), `The ${what} goes on.`));
  drop.addEventListener("click", () => sure(view, id, drop) && view.act(drop, () => post(`/api/events/${part(id)}/drop`), `The ${what} was given up. It stays in the log.`));
  return h(
    "li.card",
    { data: { letter: id } },
    h("header", {}, h("span.tag.bad", {}, what), h("span", {}, source), at && h("time", { datetime: at, title: wholeMoment(at) }, moment(at)), h("span.soft", {}, counted(attempts, "attempt"))),
    h("p.content", {}, content),
    error && h("p.error", {}, error),
    h("footer", {}, retry, drop, h("button.quiet", { type: "button", onclick: () => view.page.why(id) }, "Why?")),
  );
}

/** The first click asks, the second does. What was asked stays asked when the letters are drawn anew. */
function sure(view, id, button) {
  if (asked.delete(id)) return true;
  asked.add(id);
  button.textContent = SURE;
  setTimeout(() => {
    if (!asked.delete(id)) return;
    for (const each of view.body.querySelectorAll(`[data-letter="${CSS.escape(id)}"] .danger`)) each.textContent = DROP;
  }, PATIENCE);
  return false;
}

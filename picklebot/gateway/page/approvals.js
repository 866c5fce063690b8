// What agents may not do by themselves: shown whole, answered once. An answer names the digest of what was shown.

import { get, part, post } from "./api.js";
import { h, replace } from "./dom.js";
import { moment, visible, wholeMoment } from "./format.js";
import { View, empty } from "./view.js";

export const title = "Approvals";

export function show(root, page) {
  const view = new View(root, page, {
    title,
    about: "What agents ask you to allow",
    reads: () => get("/api/proposals"),
    draws: (body, found) => draw(view, body, found),
    moves: (event) => ["OutboundEvent", "ToolFinished", "TurnFinished", "DefinitionChanged"].includes(event.type),
  });
  return view;
}

function draw(view, body, { proposals }) {
  if (proposals.length === 0) replace(body, empty("Nothing waits for an answer."));
  else replace(body, h("ul.cards", {}, proposals.map((proposal) => card(view, proposal))));
}

function card(view, proposal) {
  const { id, kind, title: name, details, body, source, digest, created_at: made, expires_at: until, state, outcome } = proposal;
  const whole = visible(details || JSON.stringify(body, null, 2));
  const answer = (verdict) => () => post(`/api/proposals/${part(id)}/${verdict}`, { digest });
  const told = ({ words }) => visible(words);
  const approve = h("button.primary", { type: "button", "aria-label": `Approve ${id}` }, state === "approved" ? "Try again" : "Approve");
  const deny = h("button.danger", { type: "button", "aria-label": `Deny ${id}` }, "Deny");
  approve.addEventListener("click", () => view.act(approve, answer("approve"), told));
  deny.addEventListener("click", () => view.act(deny, answer("deny"), told));
  return h(
    "li.card",
    { data: { proposal: id } },
    h("header", {}, h("span.tag", {}, kind), h("code", {}, id), h("span", {}, visible(source)), h("time", { datetime: made, title: wholeMoment(made) }, moment(made))),
    h("h2", {}, visible(name)),
    h("pre.whole", { tabindex: "0", role: "region", "aria-label": `What ${id} would do` }, whole),
    outcome && h("p.error", {}, visible(outcome)),
    h("footer", {}, approve, state !== "approved" && deny, h("span.soft", {}, "open until ", h("time", { datetime: until }, moment(until)))),
  );
}

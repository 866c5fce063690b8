// What agents remember: the latest notes, and a search in all of them.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { ago, wholeMoment } from "./format.js";
import { render } from "./markdown.js";
import { View, empty } from "./view.js";

export const title = "Memory";

const PAUSE = 250; // milliseconds after the last key
const MOST = 50; // notes

export function show(root, page) {
  const field = h("input", { type: "search", "aria-label": "Search in memory", placeholder: "Search", maxlength: "200" });
  const asked = () => field.value.trim();
  const view = new View(root, page, {
    title,
    about: "Notes in the workspace's memories folder",
    reads: () => get("/api/memory", asked() ? { q: asked(), limit: MOST } : { limit: MOST }),
    draws: (body, { notes, problems }) => replace(body, problems.map((words) => h("p.problem", {}, words)), list(notes, asked())),
    moves: (event) => event.type === "ToolFinished" && event.tool === "save_memory",
    tools: h("form", { role: "search", onsubmit: (event) => event.preventDefault() }, field),
  });
  let timer = null;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => view.load(), PAUSE);
  });
  return view;
}

function list(notes, asked) {
  if (notes.length === 0) return empty(asked ? "Nothing like that was noted." : "Nothing was noted yet.");
  return h("ul.cards", {}, notes.map(card));
}

function card({ path, line, content, at, origin, by, outside }) {
  const words = h("div.markdown");
  render(words, content);
  return h(
    "li.card",
    {},
    h(
      "header",
      {},
      h("code", {}, `${path}:${line}`),
      outside && h("span.tag.warn", {}, "from outside"),
      at && h("time", { datetime: at, title: wholeMoment(at) }, ago(at)),
      by && h("span", {}, origin ? `${by}, in ${origin}` : by),
    ),
    words,
  );
}

// What `picklebot doctor` finds.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { counted, duration } from "./format.js";
import { View } from "./view.js";

export const title = "Health";

const LEVELS = { error: ["bad", "Wrong"], warning: ["warn", "Look at this"], info: ["", "For your information"], ok: ["good", "In order"] };

export function show(root, page) {
  const again = h("button", { type: "button" }, "Look again");
  const view = new View(root, page, {
    title,
    about: "Everything that can be wrong, and what would mend it",
    reads: async () => {
      const [found, status] = await Promise.all([get("/api/doctor"), get("/api/status")]);
      return { ...found, status };
    },
    draws: (body, found) => draw(body, found),
    moves: (event) => event.type === "DefinitionChanged",
    tools: again,
  });
  again.addEventListener("click", () => view.act(again, () => view.load(), "Looked again."));
  return view;
}

function draw(body, { findings, status }) {
  const wrong = findings.filter(({ level }) => level === "error").length;
  const words = wrong ? `${counted(wrong, "thing")} to mend.` : "Nothing is wrong.";
  const since = `picklebot ${status.version}, process ${status.pid}, for ${duration(status.uptime_s ?? 0)}.`;
  replace(body, h("p.verdict", {}, words, " ", h("span.soft", {}, since)), ...Object.keys(LEVELS).flatMap((level) => part(level, findings)));
}

function part(level, findings) {
  const found = findings.filter((finding) => finding.level === level);
  if (found.length === 0) return [];
  const [tone, name] = LEVELS[level];
  const items = found.map(({ check, message, fix }) =>
    h("li", {}, h(`span.tag${tone ? `.${tone}` : ""}`, {}, check), h("div", {}, h("p", {}, message), fix && h("p.soft", {}, fix))),
  );
  return [h("h2.over", {}, `${name} (${found.length})`), h("ul.findings", {}, items)];
}

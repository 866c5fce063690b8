// What models cost: a bar a day, and who spent it.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { count, counted, usd } from "./format.js";
import { plot } from "./plot.js";
import { View, empty, table } from "./view.js";

export const title = "Spend";

const MANY = 30; // days
const FEW = 14; // of them on a phone
const WIDE = 720;
const NARROW = 360;
const HEADINGS = { agent: "Agent", model: "Model", cron: "Job", session: "Conversation", person: "Person" };

export function show(root, page) {
  const by = h("select", { "aria-label": "Spend by" }, Object.entries(HEADINGS).map(([value, name]) => h("option", { value }, `By ${name.toLowerCase()}`)));
  const view = new View(root, page, {
    title,
    about: "Tokens and money, as the providers' prices have it",
    reads: async () => {
      const [days, rows, status] = await Promise.all([get("/api/usage", { by: "day" }), get("/api/usage", { by: by.value }), get("/api/status")]);
      return { days, rows, status };
    },
    draws: (body, found) => draw(body, found),
    moves: (event) => event.type === "TurnFinished",
    tools: by,
  });
  by.addEventListener("change", () => view.load());
  return view;
}

function draw(body, { days, rows, status }) {
  if (days.rows.length === 0) {
    replace(body, empty("No model was asked yet."));
    return;
  }
  const narrow = matchMedia("(max-width: 760px)").matches;
  const shown = filled(days.rows, narrow ? FEW : MANY);
  const whole = shown.reduce((sum, { value }) => sum + value, 0);
  const highest = shown.reduce((most, day) => (day.value > most.value ? day : most), shown[0]);
  const label = `Spend in the last ${shown.length} days: ${usd(whole)} in all; most on ${highest.day}, ${usd(highest.value)}; today ${usd(status.spend_today_usd)}.`;
  replace(
    body,
    h("dl.figures", {}, figure("Today", usd(status.spend_today_usd)), figure(`Last ${shown.length} days`, usd(whole)), figure("In all", usd(days.total.cost_usd)), figure("Model calls", count(days.total.calls))),
    h("figure.plotted", {}, plot(shown, { label, words: usd, scaled, wide: narrow ? NARROW : WIDE })),
    h("details.past", {}, h("summary", {}, "The same as a table"), use("Spend a day", "Day", [...days.rows].reverse())),
    h("h2.over", {}, `By ${HEADINGS[rows.by].toLowerCase()}`),
    use(`Spend by ${HEADINGS[rows.by].toLowerCase()}`, HEADINGS[rows.by], [...rows.rows].sort((a, b) => b.cost_usd - a.cost_usd)),
    days.total.unpriced > 0 && h("p.soft", {}, `${counted(days.total.unpriced, "call")} without a known price count as 0; model.prices names prices.`),
  );
}

function figure(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function use(caption, name, rows) {
  const cells = rows.map((row) => [row.key || "(none)", count(row.calls), count(row.input_tokens), count(row.output_tokens), count(row.cache_read_tokens), usd(row.cost_usd)]);
  return table(caption, [name, "Calls", "Input", "Output", "From cache", "Cost"], cells);
}

function scaled(value, top) {
  return `$${value.toFixed(top < 0.1 ? 4 : 2)}`;
}

/** Every day of the last `many`, also those on which nothing was spent. */
function filled(rows, many) {
  const spent = new Map(rows.map((row) => [row.key, row.cost_usd]));
  const last = rows.map((row) => row.key).sort().at(-1);
  const today = new Date();
  const end = new Date(`${last > iso(today) ? last : iso(today)}T12:00`);
  return Array.from({ length: many }, (_, place) => {
    const day = iso(new Date(end.getFullYear(), end.getMonth(), end.getDate() - many + 1 + place));
    return { day, value: spent.get(day) ?? 0 };
  });
}

function iso(at) {
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

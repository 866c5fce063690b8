// A plot of one number a day: bars with a scale. Whoever cannot see it reads the table below it.

import { svg } from "./dom.js";

const HIGH = 180;
const LEFT = 52;
const RIGHT = 14;
const BELOW = 24;

/** `days`: [{day: "2026-11-27", value}], oldest first. `words` says a value, `scaled` one at the scale. */
export function plot(days, { label, words, scaled, wide }) {
  const top = scale(Math.max(...days.map(({ value }) => value), 0));
  const step = (wide - LEFT - RIGHT) / days.length;
  const y = (value) => HIGH - (HIGH - 12) * (value / top);
  const bars = days.map(({ day, value }, place) =>
    svg(
      "g",
      {},
      svg("title", {}, `${day}: ${words(value)}`),
      svg("rect.catch", { x: LEFT + place * step, y: 0, width: step, height: HIGH }),
      svg("rect.day", { x: LEFT + place * step + step * 0.15, y: y(value), width: step * 0.7, height: Math.max(HIGH - y(value), value > 0 ? 1 : 0), rx: Math.min(2, step * 0.2) }),
    ),
  );
  const every = Math.ceil(days.length / (wide / 90));
  const names = days.flatMap(({ day }, place) =>
    (days.length - 1 - place) % every === 0 ? [svg("text", { x: LEFT + (place + 0.5) * step, y: HIGH + 17, "text-anchor": "middle" }, short(day))] : [],
  );
  const lines = [0, top / 2, top].map((value) =>
    svg("g", {}, svg("path.rule", { d: `M${LEFT} ${y(value)}H${wide}` }), svg("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, scaled(value, top))),
  );
  return svg("svg.plot", { viewBox: `0 0 ${wide} ${HIGH + BELOW}`, role: "img", "aria-label": label }, lines, bars, names);
}

/** The next round number: 1, 2 or 5 with zeros. */
function scale(most) {
  if (most <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * unit).find((round) => round >= most * 0.999);
}

function short(day) {
  return new Date(`${day}T12:00`).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}

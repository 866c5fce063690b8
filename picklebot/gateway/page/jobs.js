// Jobs: what an agent is asked to do at certain moments, what became of each moment, and a button that begins one now.

import { get, part, post } from "./api.js";
import { h, replace } from "./dom.js";
import { moment, oneLine, wholeMoment } from "./format.js";
import { View, empty, table } from "./view.js";

export const title = "Jobs";

const MARKS = { ran: "good", failed: "bad", missed: "bad", unknown: "warn", late: "warn", skipped: "" };

export function show(root, page) {
  const view = new View(root, page, {
    title,
    about: "What agents do by themselves, and when",
    reads: async () => {
      const [{ crons }, { tasks }] = await Promise.all([get("/api/crons"), get("/api/tasks")]);
      return { crons, tasks };
    },
    draws: (body, found) => draw(view, body, found),
    moves: (event) => event.type === "DefinitionChanged" || (event.type === "TurnFinished" && /^(?:cron|task|heartbeat):/u.test(event.source)),
  });
  view.unfolded = new Set();
  return view;
}

function draw(view, body, { crons, tasks }) {
  replace(
    body,
    crons.length === 0 ? empty("No jobs yet: a file crons/NAME/CRON.md makes one.") : h("ul.cards", {}, crons.map((job) => card(view, job))),
    tasks.length > 0 && h("h2.over", {}, "Made in conversation"),
    tasks.length > 0 && h("ul.cards", {}, tasks.map((task) => taskCard(view, task))),
  );
}

function card(view, job) {
  const run = h("button", { type: "button", "aria-label": `Run now: ${job.name || job.id}` }, "Run now");
  run.addEventListener("click", () => view.act(run, () => post(`/api/crons/${part(job.id)}/run`), (found) => begun(job, found)));
  return h(
    "li.card",
    { data: { job: job.id } },
    h("header", {}, h("h2", {}, job.name || job.id), state(job), h("span", {}, job.agent), h("code", {}, when(job))),
    job.prompt && h("p.content", {}, oneLine(job.prompt, 240)),
    h("footer", {}, run, next(job)),
    past(view, job.id),
  );
}

function taskCard(view, task) {
  return h(
    "li.card",
    {},
    h("header", {}, h("code", {}, task.id), state(task), h("span", {}, task.agent), h("code", {}, when(task))),
    h("p.content", {}, oneLine(task.prompt, 240)),
    task.note && h("p.soft", {}, task.note),
    h("footer", {}, next(task)),
    past(view, `task:${task.id}`),
  );
}

function begun(job, found) {
  if (found?.event_id) return `${job.name || job.id} was begun.`;
  return found?.reason ? `${job.name || job.id}: ${found.reason}.` : `${job.name || job.id} will begin.`;
}

function state(job) {
  if (job.enabled === false) return h("span.tag", {}, "off");
  if (job.state && job.state !== "active") return h("span.tag.warn", {}, job.state);
  if (job.paused) return h("span.tag.warn", {}, typeof job.paused === "string" ? `paused: ${job.paused}` : "paused");
  return null;
}

function when({ schedule, every, at }) {
  if (schedule) return schedule;
  if (every) return `every ${typeof every === "number" ? `${every} s` : every}`;
  return at ? moment(at) : "";
}

function next({ next: at }) {
  return at ? h("span.soft", {}, "next ", h("time", { datetime: at, title: wholeMoment(at) }, moment(at))) : h("span.soft", {}, "not due");
}

function past(view, id) {
  const list = h("div", {}, empty("Reading…"));
  const details = h("details.past", { open: view.unfolded.has(id) }, h("summary", {}, "History"), list);
  const read = async () => {
    try {
      const { history } = await get(`/api/crons/${part(id)}/history`);
      replace(list, history.length === 0 ? empty("No moment of it has come yet.") : rows(view, history));
    } catch (failure) {
      replace(list, h("p.problem", {}, failure.message));
    }
  };
  details.addEventListener("toggle", () => {
    if (details.open) view.unfolded.add(id);
    else view.unfolded.delete(id);
    if (details.open) read();
  });
  return details;
}

function rows(view, history) {
  const cells = history
    .slice(-50)
    .reverse()
    .map(({ instant, at, state: verdict, reason, event_id: id }) => [
      h("time", { datetime: at ?? instant }, moment(at ?? instant)),
      h(`span.tag${MARKS[verdict] ? `.${MARKS[verdict]}` : ""}`, {}, verdict),
      reason ?? "",
      id ? h("button.quiet", { type: "button", onclick: () => view.page.why(id), "aria-label": `Why? ${instant}` }, "Why?") : "",
    ]);
  return table("What became of each moment", ["When", "State", "Reason", "Chain"], cells);
}

// Numbers, moments and identities as a person reads them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The time of day, with the day where that is not today. */
export function moment(iso, { seconds = false } = {}) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "";
  const time = (seconds ? exact : clock).format(at);
  return at.toDateString() === new Date().toDateString() ? time : `${date.format(at)}, ${time}`;
}

export function wholeMoment(iso) {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? "" : full.format(at);
}

/** "3 min ago", for a list. */
export function ago(iso, now = Date.now()) {
  const seconds = (now - new Date(iso).getTime()) / 1000;
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return seconds < 86400 * 14 ? `${Math.floor(seconds / 86400)} d` : date.format(new Date(iso));
}

export function duration(seconds) {
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  return s < 86400
    ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
    : `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function usd(amount) {
  if (amount === null || amount === undefined) return "no known price";
  return `$${amount.toFixed(amount !== 0 && Math.abs(amount) < 1 ? 4 : 2)}`;
}

export function count(number) {
  return Number(number ?? 0).toLocaleString();
}

/** counted(2, "message") is "2 messages"; a third word is a plural of its own. */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function oneLine(text, most = 160) {
  const line = String(text ?? "").replace(/\s+/gu, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** Who speaks: "you" for the owner's own places, else the source. */
export function speaker(source) {
  const channel = String(source).split(":", 1)[0];
  return ["ws", "http", "cli"].includes(channel) ? "You" : String(source);
}

/** Write out what an eye cannot see: what is approved must be what is read. */
export function visible(text) {
  return String(text ?? "").replace(
    /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (char) => (char === "\n" || char === "\t" ? char : `<U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>`),
  );
}

// Keeps what the person said until the daemon says that it is on disk: over a lost connection, a reload, a closed tab.
// Each message has an id of its own, under which it may be sent again and again: the daemon takes it once.

const PREFIX = "picklebot.out.";

export class Outbox extends EventTarget {
  #entries = new Map();

  constructor(storage = globalThis.localStorage) {
    super();
    this.storage = storage;
    for (const key of Object.keys(storage ?? {}).filter((name) => name.startsWith(PREFIX)).sort()) {
      try {
        const entry = JSON.parse(storage.getItem(key));
        if (typeof entry.id === "string" && typeof entry.content === "string") this.#entries.set(entry.id, entry);
      } catch {
        storage.removeItem(key);
      }
    }
  }

  /** Put a message in. `draft` names a conversation that has no session yet: its first message opens one. */
  add({ content, session = null, agent = null, draft = null }) {
    const id = `${Date.now().toString(36).padStart(9, "0")}-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
    const entry = { id, content, session, agent, draft, at: new Date().toISOString(), refused: null };
    this.#entries.set(id, entry);
    this.#keep(entry);
    return entry;
  }

  /** What may be sent now, oldest first. Of a draft only the first: the others follow it into its session. */
  *sendable() {
    const opening = new Set();
    for (const entry of this.#entries.values()) {
      if (entry.refused !== null || opening.has(entry.draft)) continue;
      if (entry.draft !== null && entry.session === null) opening.add(entry.draft);
      yield entry;
    }
  }

  accepted(id, session) {
    const entry = this.#entries.get(id);
    if (!entry) return null;
    this.#forget(id);
    for (const other of this.#entries.values()) {
      if (entry.draft !== null && other.draft === entry.draft && other.session === null) {
        other.session = session;
        this.#keep(other);
      }
    }
    this.#changed();
    return entry;
  }

  refused(id, reason) {
    const entry = this.#entries.get(id);
    if (entry) this.#keep(Object.assign(entry, { refused: reason }));
    return entry ?? null;
  }

  again(id) {
    const entry = this.#entries.get(id);
    if (entry) this.#keep(Object.assign(entry, { refused: null }));
    return entry ?? null;
  }

  drop(id) {
    this.#forget(id);
    this.#changed();
  }

  /** What waits in a conversation; `null` is one that has no session yet. */
  of(session) {
    return [...this.#entries.values()].filter((entry) => entry.session === session);
  }

  get size() {
    return this.#entries.size;
  }

  #keep(entry) {
    try {
      this.storage?.setItem(PREFIX + entry.id, JSON.stringify(entry));
    } catch {
      // Storage is full or off: the message lives as long as the page, and is still sent.
    }
    this.#changed();
  }

  #forget(id) {
    this.#entries.delete(id);
    try {
      this.storage?.removeItem(PREFIX + id);
    } catch {
      // As above.
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

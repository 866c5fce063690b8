// The connection. It comes back by itself, asks for the events that it has missed, and sends again what was not
// accepted. Events with a number are durable, and each is handed on once; the others are live only.
//
// Fires "event" {seq, event}, "accepted" {entry, ...}, "refused" {entry, message}, "open", "closed".

const FIRST_PAUSE = 500;
const MAX_PAUSE = 15_000;
const PING_EVERY = 20_000;
const PATIENCE = 10_000; // for an answer to a ping; all milliseconds

export class Wire extends EventTarget {
  #socket = null;
  #pause = FIRST_PAUSE;
  #timer = null;
  #heard = 0;
  #sent = new Set(); // ids that this connection was given
  #last = null; // the seq up to which everything was seen

  constructor(address, outbox) {
    super();
    this.address = address;
    this.outbox = outbox;
    this.open = false;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    setInterval(() => this.#ping(), PING_EVERY);
  }

  connect() {
    clearTimeout(this.#timer);
    this.halted = false;
    const socket = new WebSocket(this.address);
    this.#socket = socket;
    this.#sent.clear();
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => socket === this.#socket && this.#closed(code));
  }

  /** Say something; it is kept until it is accepted. */
  say(message) {
    const entry = this.outbox.add(message);
    this.flush();
    return entry;
  }

  again(id) {
    this.#sent.delete(id);
    this.outbox.again(id);
    this.flush();
  }

  /** Do not come back by itself: nobody here is known. It tries once more when the page is looked at again. */
  halt() {
    this.halted = true;
    clearTimeout(this.#timer);
  }

  stop(session) {
    this.#send({ type: "stop", session });
  }

  flush() {
    if (!this.open) return;
    for (const entry of this.outbox.sendable()) {
      if (this.#sent.has(entry.id)) continue;
      this.#sent.add(entry.id);
      const { id, content, session, agent, draft } = entry;
      const fresh = session === null && draft !== null;
      this.#send({ type: "message", id, content, ...(session && { session }), ...(agent && { agent }), ...(fresh && { new: true }) });
    }
  }

  #opened() {
    this.open = true;
    this.#pause = FIRST_PAUSE;
    this.#heard = Date.now();
    this.#send({ type: "subscribe", ...(this.#last !== null && { after: this.#last }) });
    this.flush();
    // Frames are answered in order: whoever asks for the state of things after this pong misses nothing.
    this.#send({ type: "ping" });
    this.opening = true;
  }

  #hear(frame) {
    this.#heard = Date.now();
    switch (frame.type) {
      case "event":
        this.#event(frame);
        break;
      case "accepted": {
        const entry = this.outbox.accepted(frame.id, frame.session_id);
        this.#fire("accepted", { ...frame, entry });
        this.flush();
        break;
      }
      case "error": {
        const entry = frame.id ? this.outbox.refused(frame.id, frame.message) : null;
        this.#fire("refused", { ...frame, entry });
        break;
      }
      case "pong":
        if (this.opening) this.#fire("open");
        this.opening = false;
        break;
    }
  }

  #event(frame) {
    if (frame.seq !== undefined && frame.seq !== null) {
      if (this.#last !== null && frame.seq <= this.#last) return;
      this.#last = frame.seq;
    }
    this.#fire("event", frame);
  }

  #closed(code) {
    const was = this.open;
    this.open = false;
    this.opening = false;
    this.#fire("closed", { code, was, pause: this.#pause });
    if (this.halted) return;
    this.#timer = setTimeout(() => this.connect(), this.#pause * (0.5 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, MAX_PAUSE);
  }

  /** Something says that it may go now: do not wait for the pause to end. */
  #hurry() {
    if (this.#socket?.readyState === WebSocket.CLOSED) this.connect();
    else this.#ping();
  }

  #ping() {
    if (!this.open) return;
    const asked = Date.now();
    this.#send({ type: "ping" });
    setTimeout(() => this.open && this.#heard < asked && this.#socket.close(), PATIENCE);
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #fire(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

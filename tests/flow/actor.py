"""An external agent that does what it is told; it runs in its own folder, in the sandbox."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from picklebot import ipc

OUT = Path("ipc/messages")


def put(name: str, text: str) -> None:
    """Write a file as an agent without the helper does."""
    (OUT / f".{name}").write_text(text)
    (OUT / f".{name}").rename(OUT / name)


def spoil(outside: str) -> None:
    """Leave everything that is no message."""
    put("1-1.json", "{")
    put("1-2.json", json.dumps({"content": 3}))
    put("1-3.json", json.dumps({"content": "x" * 1_000_000}))
    put("1-4.json", json.dumps({"content": "no", "final": "yes"}))
    put("reply.json", json.dumps({"content": "no"}))
    put("1-5.json", json.dumps({"content": "no", "channel": "telegram:1:1"}))
    (OUT / "1-6.json").symlink_to(outside)
    os.mkfifo(OUT / "1-7.json")
    (OUT / "1-8.json").mkdir()
    Path("double").write_text(json.dumps({"content": "no"}))
    os.link("double", OUT / "1-9.json")


def readable(path: str) -> bool:
    try:
        Path(path).read_bytes()
    except OSError:
        return False
    return True


def wait_for_another() -> None:
    while not any(Path("ipc/input").glob("*.json")):
        time.sleep(0.01)


def act(inbox: ipc.Inbox, message: ipc.Message, count: int) -> None:
    order, _, rest = message.content.partition(" ")
    match order:
        case "count":
            message.say("one moment")
            message.reply(f"the {count}. message of this run")
        case "together":
            message.say("go on")
            wait_for_another()
            more = inbox.take()
            assert more is not None
            more.reply(f"{rest} and {more.content}")
        case "apart":
            message.say("go on")
            wait_for_another()
            message.reply(rest)
        case "spoil":
            spoil(rest)
            message.reply("spoilt")
        case "plain":  # never says which message is the last
            put("1-1.json", json.dumps({"content": "first"}))
            put("1-2.json", json.dumps({"content": "second"}))
        case "later":
            message.reply("now")
            message.say("and later")
        case "crash":
            print("out of luck", file=sys.stderr)
            sys.exit(3)
        case "hang":
            subprocess.Popen(["sleep", rest], start_new_session=True)
            message.say("hanging")
            time.sleep(1000)
        case "look":
            seen = [path for path in rest.split() if readable(path)]
            message.reply(json.dumps({"names": sorted(os.environ), "values": list(os.environ.values()), "seen": seen}))
        case _:
            message.reply(f"heard {message.content} from {message.source}")


def main() -> None:
    inbox = ipc.inbox()
    for count, message in enumerate(inbox, 1):
        act(inbox, message, count)
    Path("closed").touch()


if __name__ == "__main__":
    main()

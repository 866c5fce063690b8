"""What Slack brings, read: who says what, where, and whether to us.

Promises that ids decide who speaks, that nobody but a person is heard, and that in company only what names the bot is.
A thread is a place of its own. What cannot be read is left out. Pure.
"""

from dataclasses import dataclass

from picklebot.channels.slack.fields import Fields, many, within
from picklebot.channels.slack.wording import names, read_text

_SAYING = frozenset({None, "file_share", "thread_broadcast", "me_message"})  #: subtypes of what people say
_SLACKBOT = "USLACKBOT"
_KINDS = {"image": "a photo", "audio": "a voice message", "video": "a video"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The app: its workspace, its user there, and what that is called."""

    team: str
    user: str
    name: str
    enterprise: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file on Slack's side."""

    id: str
    url: str
    kind: str
    mime: str
    name: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """The message whose button was pressed."""

    ts: str
    text: str
    blocks: tuple[Fields, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person said. `key` is Slack's identity of it; `ts` orders the messages of one `place`.

    `room` is the conversation, `thread` the one in which it is answered. `places` are where it may be asked for again,
    and where what answers it may.
    """

    person: str
    room: str
    content: str
    key: str
    ts: str = ""
    thread: str | None = None
    private: bool = False
    outside: bool = False
    places: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    pressed: Pressed | None = None


def read(kind: str, payload: Fields, me: Me) -> Said | None:
    """Return what a person said to the bot in an envelope of that kind; None if nobody did."""
    try:
        match kind:
            case "events_api":
                event = payload["event"]
                if event["type"] == "app_mention" or (event["type"] == "message" and is_private(event["channel"])):
                    return read_message(event, event["channel"], me)
            case "interactive" if payload["type"] == "block_actions":
                return _press(payload, me)
            case "slash_commands":
                return _command(payload, me)
            case _:
                pass
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):  # of a shape that nobody has seen yet
        pass
    return None


def is_private(room: str) -> bool:
    """Return whether nobody but one person and the bot is in a conversation."""
    return room.startswith("D")


def place(room: str, thread: str | None) -> str:
    """Return how a conversation, or a thread in it, is called among those that are asked what was said there."""
    return f"{room}/{thread}" if thread else room


def read_message(message: Fields, room: str, me: Me) -> Said | None:
    """Return what a person said to the bot in a message; None if nobody did.

    Raises:
        KeyError: it has not the shape of a message; TypeError, ValueError and AttributeError too.
    """
    user, text = message.get("user"), message.get("text") or ""
    if message.get("subtype") not in _SAYING or message.get("bot_id") or user in {None, me.user, _SLACKBOT}:
        return None  # a bot, a change, a notice: nobody whom one could answer
    private = is_private(room)
    if not (private or names(text, me.user)):
        return None
    files = tuple(_file(each) for each in many(message, "files") if each.get("mode") != "tombstone")
    shared = _shared(message, me)
    content = "\n".join(filter(None, [read_text(text, me.user, me.name), *shared]))
    if not (content or files):
        return None
    ts, inside = str(message["ts"]), message.get("thread_ts")
    float(ts)  # it orders messages
    within = str(inside) if inside and inside != ts else None
    thread = within or (None if private else ts)
    return Said(
        person=_person(str(user), message.get("user_team") or message.get("source_team") or message.get("team"), me),
        room=room,
        content=content,
        key=f"{me.team}:{room}:{ts}",
        ts=ts,
        thread=thread,
        private=private,
        outside=bool(shared),
        places=(place(room, within),) if within or private else (room, place(room, ts)),
        files=files,
    )


def _shared(message: Fields, me: Me) -> list[str]:
    """Return messages of others that were passed on with a message."""
    passed_on = [each for each in many(message, "attachments") if each.get("is_share") or each.get("is_msg_unfurl")]
    words = [(each.get("author_name") or "somebody", str(each.get("text") or "")) for each in passed_on]
    return [
        f"[A message of {author} that was passed on:]\n{read_text(text, me.user, me.name)}" for author, text in words
    ]


def _person(user: str, team: object, me: Me) -> str:
    """Return the id of somebody: that of the workspace goes before it where it is not the app's own."""
    return user if not team or team in {me.team, me.enterprise} else f"{team}/{user}"


def _file(file: Fields) -> File:
    mime, size = str(file.get("mimetype") or ""), file.get("size")
    return File(
        id=str(file["id"]),
        url=str(file.get("url_private_download") or file.get("url_private") or ""),
        kind=_KINDS.get(mime.partition("/")[0], "a file"),
        mime=mime,
        name=str(file.get("name") or file.get("title") or ""),
        size=size if isinstance(size, int) else None,
    )


def _press(payload: Fields, me: Me) -> Said | None:
    action, container, message = payload["actions"][0], payload["container"], within(payload, "message")
    words, room = action.get("value") or "", str(container["channel_id"])
    if action.get("type") != "button" or not words.startswith("/"):
        return None
    ts, user = str(container["message_ts"]), payload["user"]
    private, thread = is_private(room), container.get("thread_ts") or message.get("thread_ts")
    return Said(
        person=_person(str(user["id"]), user.get("team_id"), me),
        room=room,
        content=words,
        key=f"press:{me.team}:{room}:{ts}:{user['id']}:{action['action_ts']}",
        thread=str(thread) if thread else None,
        private=private,
        pressed=Pressed(ts=ts, text=str(message.get("text") or ""), blocks=tuple(many(message, "blocks"))),
    )


def _command(payload: Fields, me: Me) -> Said:
    """Read `/pickle help`: Slack sends no message that begins with a slash. It is said alone, wherever it was typed."""
    words = str(payload.get("text") or "").strip() or "help"
    user = str(payload["user_id"])
    return Said(
        person=_person(user, payload.get("team_id"), me),
        room="",
        content=words if words.startswith("/") else f"/{words}",
        key=f"command:{me.team}:{payload['trigger_id']}",
        private=True,
    )

"""Which updates of Telegram's are one message to the person who sent them: albums, and long texts.

A picture of an album names the album. A text that is too long for one message is cut by the person's own program: what
follows such a text at once, with the next number, is the rest of it, but for what was forwarded: that is somebody else's.
Pure.
"""

from collections.abc import Mapping

from picklebot.channels.split import units
from picklebot.channels.telegram.contents import Fields
from picklebot.channels.telegram.wording import LIMIT

LONG = LIMIT - 96  #: UTF-16 code units from which a text may be the beginning of a longer one: cuts are made at words


def places(updates: Mapping[int, Fields]) -> dict[int, str]:
    """Return, for each update that may be a part of something, a name for all of it; `updates` are in order."""
    found: dict[int, str] = {}
    rest: dict[object, tuple[int, str]] = {}  # sender -> the message that would go on with a text, and its name
    for number, update in updates.items():
        match update:
            case {"message": {"media_group_id": str(name), "chat": {"id": int(chat)}}}:
                found[number] = f"album {name} in {chat}"
            case {"message": {"forward_origin": _}}:
                rest.pop(sender_of(update), None)
            case {"message": {"text": str(text), "message_id": int(message), "chat": {"id": int(chat)}}}:
                expected, place = rest.pop(sender_of(update), (0, ""))
                place = place if message == expected else f"text {message} in {chat}"
                if units(text) >= LONG:
                    rest[sender_of(update)] = (message + 1, place)
                if message == expected or units(text) >= LONG:
                    found[number] = place
            case _:
                rest.pop(sender_of(update), None)
    return found


def goes_on(update: Fields) -> bool:
    """Return whether more may belong to what an update is the last known part of."""
    match update:
        case {"message": {"text": str(text)}}:
            return units(text) >= LONG
        case _:
            return True


def sender_of(update: Fields) -> object:
    """Return who sent a message, and where; None where nobody did."""
    match update:
        case {"message": {"chat": {"id": int(chat)}, "from": {"id": int(person)}}}:
            return chat, person
        case _:
            return None

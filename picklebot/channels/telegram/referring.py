"""What a message of Telegram's refers to: from whom it was forwarded, and what it answers.

Promises that words which are not the sender's own are told as somebody else's, every line of them, and are no command;
and that a command stands alone. Pure.
"""

from picklebot.channels.telegram.contents import Fields, files_of, name_of, other_words, text_of
from picklebot.core.proposals import visible
from picklebot.core.text import clean, shorten

MAX_QUOTED = 500  #: characters of what is answered that are told
MAX_NAME = 80
_US, _THEMSELVES = "you", "themselves"  # of which nobody's name is one: those are shown in quotes


def in_context(message: Fields, content: str, bot: int) -> tuple[str, bool]:
    """Return what somebody said, with what it refers to, and whether that is anybody else's; `bot` is our own id."""
    if (origin := message.get("forward_origin")) is not None:
        lines = "".join(f"\n> {line}" for line in content.splitlines())
        return f"[Forwarded from {_origin(origin)}, not the sender's own words{':' if lines else ''}]{lines}", True
    answered: Fields = message.get("external_reply") or message.get("reply_to_message") or {}
    if content.startswith("/") or not answered or "forum_topic_created" in answered:  # the last: it stands in a topic
        return content, False
    if "external_reply" in message:
        whose = _origin(answered.get("origin") or {})
    else:
        whose = _author(answered, message["from"]["id"], bot)
    quote: Fields = message.get("quote") or {}
    quoted = str(quote.get("text") or text_of(answered) or _kinds(answered))
    reply = f"[In reply to {whose}:]\n> {shorten(quoted, MAX_QUOTED)}" if quoted else f"[In reply to {whose}]"
    return "\n\n".join(part for part in (content, reply) if part), whose not in {_US, _THEMSELVES}


def _author(message: Fields, sender: int, bot: int) -> str:
    author: Fields = message.get("from") or {}
    if "sender_chat" in message:
        return _shown(str(message["sender_chat"].get("title", "")))
    if author.get("id") == bot:
        return _US
    return _THEMSELVES if author.get("id") == sender else _shown(name_of(author))


def _origin(origin: Fields) -> str:
    """Return from whom something was; a user may hide behind a name, and speak as a group or a channel."""
    if user := origin.get("sender_user"):
        return _shown(name_of(user))
    chat: Fields = origin.get("sender_chat") or origin.get("chat") or {}
    return _shown(str(origin.get("sender_user_name") or chat.get("title") or ""))


def _kinds(message: Fields) -> str:
    return ", ".join(file.kind for file in files_of(message)) or other_words(message)


def _shown(name: str) -> str:
    return f"“{visible(shorten(clean(name), MAX_NAME))}”" if name.strip() else "somebody"

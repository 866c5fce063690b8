"""External agents over files; for agents written in Python, the few names that they need.

    from picklebot import ipc

    for message in ipc.inbox():
        message.say("Let me see ...")
        message.reply(f"You said: {message.content}")

The program that imports this needs Python 3.11 and nothing else. docs/external.md has the protocol.
"""

from picklebot.ipc.client import Inbox, Message, inbox

__all__ = ["Inbox", "Message", "inbox"]

"""Carries out the commands of the memory tool.

Promises for each the answer that models know, and that asking whether it was carried out changes nothing. Knows no
model and no index.
"""

from pathlib import Path
from typing import assert_never

from picklebot.errors import NotFound
from picklebot.memory.editing import Editor, shown
from picklebot.memory.folder import is_note, read
from picklebot.memory.viewing import view
from picklebot.tools.memory_commands import Author, Command


def carry_out(folder: Path, editor: Editor, command: Command, author: Author) -> str:
    """Do what `command` says, and return what to tell.

    Raises:
        ValueError, NotFound: it cannot be done, in words for the model.
    """
    place = command.place
    match command.command:
        case "view":
            return view(folder, place, command.view_range)
        case "create":
            return editor.create(place, command.file_text, author)
        case "str_replace":
            return editor.replace(place, command.old_str, command.new_str, author)
        case "insert":
            return editor.insert(place, command.insert_line, command.insert_text, author)
        case "delete":
            return editor.delete(place, author)
        case "rename":
            return editor.rename(place, command.target, author)
        case _:
            assert_never(command.command)


def carried_out(folder: Path, command: Command) -> str | None:
    """Return what to tell of a command whose effect is there already; None if it is not."""
    text = _text(folder, command.place)
    done = f"The file {shown(command.place)} has been edited."
    match command.command:
        case "view":
            return None
        case "create":
            kept = text is not None and command.file_text.strip() in text
            return f"File created successfully at: {shown(command.place)}" if kept else None
        case "str_replace":
            kept = text is not None and command.new_str in text and command.old_str not in text
            return done if kept and command.new_str else None
        case "insert":
            lines = (text or "").split("\n")[command.insert_line :]
            return done if "\n".join(lines).startswith(command.insert_text.rstrip("\n")) else None
        case "delete":
            return f"Successfully deleted {shown(command.place)}" if text is None else None
        case "rename":
            kept = text is None and _text(folder, command.target) is not None
            return f"Successfully renamed {shown(command.place)} to {shown(command.target)}" if kept else None
        case _:
            assert_never(command.command)


def changed_by(command: Command) -> list[str]:
    """Return the files that a command may have changed."""
    places = [] if command.command == "view" else [command.place, command.target]
    return [place for place in places if place]


def _text(folder: Path, path: str) -> str | None:
    try:
        return read(folder, path) if is_note(path) else None
    except NotFound:
        return None

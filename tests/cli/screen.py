"""A screen of so many columns and rows, for what programs write to a terminal.

Understands what picklebot and prompt_toolkit send, and refuses what it does not know. Lines that leave at the top are
kept: `text` is what a person would see after scrolling back.
"""

import re

_SEQUENCE = re.compile(r"\x1b\[([?>=]?)([0-9;]*)([A-Za-z])|\x1b[=>]|\x1b\][^\x07]*\x07")
_SILENT = {"m", "h", "l", "n", "q"}


class Screen:
    def __init__(self, *, columns: int = 80, rows: int = 24) -> None:
        self.columns = columns
        self.rows = rows
        self._lines: list[list[str]] = [[]]
        self._row = self._column = 0
        self._rest = ""

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self._lines).rstrip("\n")

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def feed(self, written: str) -> None:
        written, self._rest = self._rest + written, ""
        at = 0
        while at < len(written):
            if written[at] != "\x1b":
                self._put(written[at])
                at += 1
            elif match := _SEQUENCE.match(written, at):
                if match[3]:
                    self._obey(match[3], match[2])
                at = match.end()
            else:
                assert len(written) - at < 32, f"an unknown sequence: {written[at : at + 32]!r}"
                self._rest = written[at:]
                return

    def _put(self, character: str) -> None:
        match character:
            case "\n":
                self._move(self._row + 1)
            case "\r":
                self._column = 0
            case "\b":
                self._column = max(self._column - 1, 0)
            case "\x07":
                pass
            case _:
                assert character >= " ", f"the control character {character!r} reached the terminal"
                if self._column == self.columns:
                    self._column = 0
                    self._move(self._row + 1)
                line = self._lines[self._row]
                line.extend(" " * (self._column + 1 - len(line)))
                line[self._column] = character
                self._column += 1

    def _move(self, row: int) -> None:
        """Go to a line; no further up than the top of what is on the screen."""
        top = max(len(self._lines) - self.rows, 0)
        self._row = max(row, top)
        while self._row >= len(self._lines):
            self._lines.append([])

    def _obey(self, command: str, arguments: str) -> None:
        number = int(arguments.split(";", maxsplit=1)[0] or 0)
        line = self._lines[self._row]
        match command:
            case "A":
                self._move(self._row - max(number, 1))
            case "B":
                self._move(self._row + max(number, 1))
            case "C":
                self._column = min(self._column + max(number, 1), self.columns - 1)
            case "D":
                self._column = max(self._column - max(number, 1), 0)
            case "J" if number == 0:
                del line[self._column :]
                del self._lines[self._row + 1 :]
            case "K" if number == 0:
                del line[self._column :]
            case _:
                assert command in _SILENT, f"an unknown command: {command!r} {arguments!r}"

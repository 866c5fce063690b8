"""Writes what the owner approved: the file exactly as it was shown, or nothing.

Promises that a file which was changed since is left alone, that the write is whole or absent, opened beneath the
workspace by the kernel and through no link, and that doing it again changes nothing. What is removed is moved to
`.done` beside it, and never deleted.
"""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from picklebot.core.proposals import Proposal
from picklebot.errors import ToolError, Transient
from picklebot.tools.beneath import Failure, Tree, content_of, owner_refusal, replace_file, status_of
from picklebot.workers.file_proposals import fingerprint

DONE = ".done"  #: where removed definitions go, in the folder of their kind
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class FileApproval:
    """Carries out proposals of the kind `file`. `reload` brings what they changed into force.

    `approved` is told the path and the new content of each, None where it was removed.
    """

    def __init__(
        self,
        root: Path,
        *,
        reload: Callable[[], Awaitable[None]],
        approved: Callable[[str, bytes | None], None] = lambda path, content: None,
    ) -> None:
        self._root = root
        self._reload = reload
        self._approved = approved

    async def apply(self, proposal: Proposal) -> str:
        """Write or remove the file, and say so.

        Raises:
            Transient: the disk did not take it.
            ToolError: the file is not what it was when this was proposed, or its place is none for it any more.
        """
        words = await asyncio.to_thread(self._write, proposal)
        await self._reload()
        return words

    def _write(self, proposal: Proposal) -> str:
        path, after = proposal.body["path"], proposal.body["after"]
        tree = Tree(str(self._root), follow=False, refusal=owner_refusal)
        try:
            folder, name = tree.open_folder(path, create=after is not None)
            try:
                found = None if status_of(folder, name, path) is None else content_of(folder, name, path)
                if after is None:
                    words = _remove(tree, folder, name, found, proposal)
                else:
                    words = _replace(folder, name, found, proposal)
                self._approved(path, None if after is None else after.encode())
                return words
            finally:
                os.close(folder)
        except Failure as exc:
            if isinstance(exc.__cause__, FileNotFoundError) and after is None:
                return f"{path} is gone already."
            raise (Transient if isinstance(exc.__cause__, OSError) else ToolError)(str(exc)) from exc
        except OSError as exc:
            raise Transient(f"{path} could not be written: {exc.strerror}") from exc
        finally:
            tree.close()


def _replace(folder: int, name: str, found: bytes | None, proposal: Proposal) -> str:
    path, after = proposal.body["path"], proposal.body["after"].encode()
    if found != after:
        _check_unchanged(found, proposal)
        status = None if found is None else os.stat(name, dir_fd=folder, follow_symlinks=False)
        replace_file(folder, name, after, mode=stat.S_IMODE(status.st_mode) & 0o777 if status else None)
    return f"{path} is in force."


def _remove(tree: Tree, folder: int, name: str, found: bytes | None, proposal: Proposal) -> str:
    path = proposal.body["path"]
    if found is None:
        return f"{path} is gone already."
    _check_unchanged(found, proposal)
    kind, what, *rest = path.split("/")
    top = tree.open(kind, _FOLDER)
    try:
        with suppress(FileExistsError):
            os.mkdir(DONE, dir_fd=top)
        done = os.open(DONE, _FOLDER | os.O_NOFOLLOW, dir_fd=top)
        try:
            moved = _move(top, what, done, proposal.id)
            os.fsync(done)
            os.fsync(top)
        finally:
            os.close(done)
    finally:
        os.close(top)
    return f"{path} is removed: {'its folder' if rest else 'it'} is {kind}/{DONE}/{moved} now."


def _move(top: int, what: str, done: int, proposal_id: str) -> str:
    taken = os.listdir(done)
    stem, dot, suffix = what.partition(".")
    target = what if what not in taken else f"{stem}-{proposal_id}{dot}{suffix}"
    os.rename(what, target, src_dir_fd=top, dst_dir_fd=done)
    return target


def _check_unchanged(found: bytes | None, proposal: Proposal) -> None:
    if (None if found is None else fingerprint(found)) != proposal.body["before"]:
        path = proposal.body["path"]
        raise ToolError(f"{path} was changed since this was proposed, so it was left alone. Ask for it again")

"""Files that an agent sends, on their way.

Promises that one call sends once, however often its turn is resumed, and that what may not be sent is refused at once
and once more when it leaves. Knows no platform.
"""

from picklebot.clock import Clock
from picklebot.core.events import OutboundEvent
from picklebot.errors import DeliveryRejected
from picklebot.tools.base import ToolContext
from picklebot.workers.packing import Files
from picklebot.workers.posting import Posting, id_of


class FileSending:
    """Puts files on their way."""

    def __init__(self, posting: Posting, files: Files, *, clock: Clock) -> None:
        self._posting = posting
        self._files = files
        self._clock = clock

    async def send_file(self, path: str, caption: str, context: ToolContext) -> str:
        """Put a file on its way, once for the call, to where the turn's reply goes; return where that is.

        Raises:
            ValueError: there is nobody to send it to, or it may not be sent.
        """
        talks = context.deliver is None and not context.source.is_job
        to = context.source if talks else await self._posting.place(context.deliver)
        if to is None:
            raise ValueError("there is nobody to send it to: the owner has not spoken anywhere yet")
        try:
            await self._files.take(path)
        except DeliveryRejected as exc:
            raise ValueError(str(exc)) from exc
        event = OutboundEvent(
            id=id_of(context.cause_id, f"{context.key}:file"),
            session_id=context.session_id,
            source=context.source,
            to=to,
            cause_id=context.cause_id,
            content=self._posting.clear(caption),
            part=1,  # no beginning of the reply
            files=(path,),
            created_at=self._clock.now(),
        )
        await self._posting.put([event])
        return str(to)

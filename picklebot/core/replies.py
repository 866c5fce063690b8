"""What a model answered, and what it cost in tokens: pure values."""

from dataclasses import dataclass, field

from picklebot.core.messages import Message

EXTERNAL = "external"  #: stands for a model where a program of somebody else's spoke, whose spend nobody here knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call. `input_tokens` are those neither read from the cache nor written to it."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def context_tokens(self) -> int:
        """Everything the model read."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A whole answer. `stop_reason` is the API's word, unknown ones included; `model` is who answered."""

    message: Message
    stop_reason: str
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    request_id: str | None = None

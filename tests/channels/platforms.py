"""All that the contract of channels is tried on. Knows the stages."""

from collections.abc import Sequence

from tests.channels.discord_stage import DiscordStage
from tests.channels.slack_stage import SlackStage
from tests.channels.stages import FileStage, Stage, TelegramStage

CHATS: Sequence[type[Stage]] = (TelegramStage, SlackStage, DiscordStage)
ALL: Sequence[type[Stage]] = (*CHATS, FileStage)

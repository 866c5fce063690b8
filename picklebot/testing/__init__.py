"""Fakes for what a test cannot use: a model, a platform, and time.

The store needs no fake: open a real one below a temporary folder. A model endpoint over HTTP is a module of its own,
`picklebot.testing.messages_api`.
"""

from picklebot.testing.channel import FakeChannel as FakeChannel
from picklebot.testing.clock import FakeClock as FakeClock
from picklebot.testing.model import Line as Line
from picklebot.testing.model import ScriptedModel as ScriptedModel

"""The web, made from settings: its client is loaded when the first page is fetched. Knows no tool's words."""

from collections.abc import Sequence
from functools import cached_property
from typing import cast

from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.plugins import load
from picklebot.settings.web import Permit, SearchSettings
from picklebot.tools.base import Tool
from picklebot.tools.web import Hit, Page, Pages, Search, create_web_tools
from picklebot.web.addresses import Reach


def web_tools(config: Config) -> list[Tool]:
    """Return web_fetch, and web_search where `web.search` names a service.

    Raises:
        ConfigError: its key is not there.
    """
    settings = config.web.search
    search = None
    if settings is not None:
        key = config.secret(settings.key_env)
        if settings.key_env is not None and key is None:
            raise ConfigError(f"web.search.key_env: {settings.key_env} is neither in the environment nor in .env")
        search = _LateSearch(settings, key)
    return create_web_tools(_LatePages(Reach([Permit.parse(each) for each in config.web.allow])), search)


class _LatePages:
    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def fetch(self, address: str) -> Page:
        return await self._pages.fetch(address)

    @cached_property
    def _pages(self) -> Pages:
        return cast("Pages", load("picklebot.web.pages:Pages", reach=self._reach))


class _LateSearch:
    def __init__(self, settings: SearchSettings, key: str | None) -> None:
        self._settings = settings
        self._key = key

    async def search(self, query: str, count: int) -> Sequence[Hit]:
        return await self._service.search(query, count)

    @cached_property
    def _service(self) -> Search:
        service, url = self._settings.provider, self._settings.url
        return cast("Search", load("picklebot.web.search:WebSearch", service=service, url=url, key=self._key))

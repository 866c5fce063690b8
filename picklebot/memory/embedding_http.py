"""A server that turns texts into vectors, spoken to as OpenAI's `/v1/embeddings` is.

Promises that the key goes to the address it was set for and nowhere else, that nothing of the environment redirects a
request, and that an answer is checked before it counts. Makes one attempt. Knows no index.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httpx2

from picklebot.errors import ConfigError, ModelUnavailable
from picklebot.memory.embedding import Embedder, packed
from picklebot.models.failures import redact, status_error

MAX_ANSWER = 64_000_000  #: bytes


def create(  # noqa: PLR0913  # these are the settings of an embedder, by the names they have in config.yaml
    *,
    name: str,
    base_url: str,
    api_key: str,
    auth: Literal["bearer", "x-api-key"],
    query_prefix: str,
    passage_prefix: str,
    timeout: float,
) -> Embedder:
    """Return the embedding model called `name` behind `base_url`; a trailing /v1 is understood.

    Raises:
        ConfigError: the key cannot be right.
    """
    if not all("!" <= character <= "~" for character in api_key):
        raise ConfigError("the key of memory.embeddings holds a character that no key has: copy it again")
    header = {"x-api-key": api_key} if auth == "x-api-key" else {"authorization": f"Bearer {api_key}"}
    url = base_url.rstrip("/").removesuffix("/v1") + "/v1/embeddings"
    prefixes = {True: query_prefix, False: passage_prefix}
    return HttpEmbedder(name, url, headers=header if api_key else {}, prefixes=prefixes, timeout=timeout)


class HttpEmbedder:
    """One model behind one address. The connection opens with the first request."""

    def __init__(
        self, model: str, url: str, *, headers: Mapping[str, str], prefixes: Mapping[bool, str], timeout: float
    ) -> None:
        self._model = model
        self._url = url
        self._headers = headers
        self._prefixes = prefixes
        self._timeout = timeout
        self._client: httpx2.AsyncClient | None = None
        self._size = 0

    @property
    def name(self) -> str:
        """What its vectors are kept under."""
        return json.dumps([self._url, self._model, self._prefixes[False]])

    async def embed(self, texts: Sequence[str], *, asked: bool) -> list[bytes]:
        """Return a vector for each text."""
        given = [f"{self._prefixes[asked]}{text}" for text in texts]
        answer = await self._post({"model": self._model, "input": given, "encoding_format": "float"})
        vectors = [packed(numbers, who=self._where) for numbers in self._numbers(answer, len(texts))]
        sizes = {len(vector) for vector in vectors} | ({self._size} if self._size else set[int]())
        if len(sizes) > 1:
            raise ModelUnavailable(f"{self._where} answered with vectors of different sizes")
        self._size = next(iter(sizes), 0)
        return vectors

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def _where(self) -> str:
        return f"the embedder at {urlsplit(self._url).netloc}"

    async def _post(self, body: Mapping[str, object]) -> Any:
        client = self._client = self._client or httpx2.AsyncClient(
            headers=dict(self._headers), timeout=self._timeout, trust_env=False, follow_redirects=False
        )
        secret = next(iter(self._headers.values()), "").removeprefix("Bearer ")
        try:
            async with client.stream("POST", self._url, json=body) as response:
                content = bytearray()
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > MAX_ANSWER:
                        raise ModelUnavailable(f"{self._where} answered with more than {MAX_ANSWER:,} bytes")
        except httpx2.HTTPError as exc:
            reason = redact(str(exc) or type(exc).__name__, secret)
            raise ModelUnavailable(f"{self._where} cannot be reached: {reason}") from exc
        try:
            answer = json.loads(bytes(content))
        except ValueError:
            answer = None
        if response.status_code != 200:
            headers = {key.lower(): value for key, value in response.headers.items()}
            error = status_error(
                response.status_code, answer or bytes(content[:500]).decode("utf-8", "replace"), headers, secret=secret
            )
            raise type(error)(f"{self._where}: {error}")
        return answer

    def _numbers(self, answer: Any, count: int) -> list[list[float]]:
        """Return the vectors of an answer in the order of the texts."""
        data: Any = cast("Mapping[str, Any]", answer).get("data") if isinstance(answer, Mapping) else None
        try:
            ordered = sorted(data, key=lambda each: int(each["index"]))
            found = [[float(number) for number in each["embedding"]] for each in ordered]
        except (TypeError, ValueError, KeyError) as exc:
            raise ModelUnavailable(f"{self._where} answered with something that holds no vectors") from exc
        if [int(each["index"]) for each in ordered] != list(range(count)):
            raise ModelUnavailable(f"{self._where} answered with {len(found)} vectors for {count} texts")
        return found

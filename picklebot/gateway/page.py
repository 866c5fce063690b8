"""The web page: a few files of this package, served as they are, under headers that let nothing else run.

Promises that the files are the ones that came with this version, and that a browser asks again before it uses an old
one. Knows no token: it is served behind the guard like everything else.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from picklebot.gateway.endpoint import Endpoint
from picklebot.gateway.plain import HEADERS
from picklebot.gateway.refusals import Refused

TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
FOLDER = "page"
INDEX = "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """A file of the page, and its tag: other contents have another one."""

    content: bytes
    media_type: str
    tag: str


def endpoints() -> Sequence[Endpoint]:
    """Return the routes of the page: `/`, and its files under `/page/`."""
    page = read_files()

    async def index(request: Request) -> Response:
        return _answer(request, page[INDEX])

    async def file(request: Request) -> Response:
        found = page.get(request.url.path.removeprefix(f"/{FOLDER}/"))
        if found is None:
            raise Refused(404, "not_found", "the page has no such file")
        return _answer(request, found)

    folders = sorted({name.rpartition("/")[0] for name in page})
    paths = [f"/{FOLDER}/{folder}/{{name}}".replace("//", "/") for folder in folders]
    return [
        Endpoint(method="GET", path="/", answer=index, summary="The web page.", media="text/html", tag="page"),
        *(
            Endpoint(
                method="GET", path=path, answer=file, summary="A file of the page.", media="text/javascript", tag="page"
            )
            for path in paths
        ),
    ]


def read_files() -> Mapping[str, PageFile]:
    """Return every file of the page by its path below `/page/`."""
    return dict(_below(files("picklebot.gateway") / FOLDER, ""))


def _below(folder: Traversable, prefix: str) -> list[tuple[str, PageFile]]:
    found: list[tuple[str, PageFile]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _below(entry, f"{prefix}{entry.name}/")
        elif (media_type := TYPES.get(entry.name.rpartition(".")[2])) is not None:
            content = entry.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            found.append((prefix + entry.name, PageFile(content=content, media_type=media_type, tag=tag)))
    return found


def _answer(request: Request, found: PageFile) -> Response:
    headers = {**HEADERS, "ETag": found.tag, "Cache-Control": "no-cache"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if found.tag in known:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)

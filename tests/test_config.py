"""config.yaml: what it may say, what holds where it says nothing, and how it is told that it is wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from picklebot.config import Config, json_schema, load, resolve_provider
from picklebot.errors import ConfigError
from picklebot.settings import Settings
from picklebot.workspace import Workspace

Load = Callable[..., Config]
TOP = Path(__file__).resolve().parent.parent


@pytest.fixture
def read(tmp_path: Path) -> Load:
    """Return a loader of a config.yaml with the given text."""

    def _read(text: str | bytes = "", **env: str) -> Config:
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "config.yaml").write_bytes(raw)
        return load(Workspace(tmp_path), env)

    return _read


def problems(read: Load, text: str | bytes, **env: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, **env)
    return str(caught.value).splitlines()


def test_without_a_file_every_default_holds(tmp_path: Path) -> None:
    config = load(Workspace(tmp_path), {})
    assert config.default_agent == "pickle"
    assert (config.model.provider, config.model.name, config.model.max_tokens) == ("auto", "claude-sonnet-5-5", 8192)
    assert config.model.api_key_env == "ANTHROPIC_API_KEY"
    assert (config.gateway.enabled, config.gateway.host, config.gateway.port) == (True, "127.0.0.1", 8765)
    limits = config.limits
    assert (limits.max_concurrency, limits.turn_steps, limits.turn_seconds) == (16, 40, 900)
    assert (limits.turn_usd, limits.day_usd, limits.queue_per_session) == (1, 10, 20)
    delivery = config.delivery
    assert (delivery.retry_for, delivery.first_delay, delivery.max_delay) == (86400, 1, 600)
    sandbox = config.sandbox
    assert (sandbox.mode, sandbox.network, sandbox.memory_mb, sandbox.seconds) == ("auto", False, 1024, 60)
    assert (config.memory.inject, config.memory.max_tokens, config.memory.embeddings) == (True, 1500, None)
    assert (config.logging.level, config.logging.format) == ("info", "text")
    assert (config.cron.enabled, config.heartbeat.every, config.timezone) == (True, 1800, None)
    assert config.approvals == {"bash": "ask-unsandboxed"}
    assert config.database == tmp_path / ".picklebot" / "picklebot.db"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "null\n", "model:\nlimits:\n"])
def test_an_empty_file_and_an_empty_section_mean_the_defaults(read: Load, text: str) -> None:
    assert read(text).model == Settings().model


def test_the_ready_workspace_loads_without_a_key_and_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes((TOP / "config.yaml").read_bytes())
    config = load(Workspace(tmp_path), {})
    assert resolve_provider(config) == "offline"
    assert config.warnings == ()


def test_a_bom_and_windows_line_ends_change_nothing(read: Load) -> None:
    assert read(b"\xef\xbb\xbfdefault_agent: cookie\r\nlimits:\r\n  turn_seconds: 15m\r\n").limits.turn_seconds == 900


def test_ids_words_and_times_stay_the_text_that_they_are(read: Load) -> None:
    config = read("channels: {telegram: {allow: [42, 0123, 12:30]}}\nmodel: {name: 2026-12-01}\ncron: {enabled: no}")
    assert config.channels["telegram"].allow == ("42", "0123", "12:30")
    assert config.model.name == "2026-12-01"
    assert config.cron.enabled is False


def test_every_problem_is_named_at_once_with_its_line_and_the_nearest_name(read: Load, tmp_path: Path) -> None:
    text = "modle: x\nmodel:\n  provider: antropic\n  nmae: y\nlimits:\n  turn_steps: -1\nturn_usd: 3\ntimezone: Europe/Berln\n"
    place, kinds = tmp_path / "config.yaml", "'auto', 'anthropic', 'openai', 'offline' or 'replay'"
    assert problems(read, text) == [
        f"{place}:1: modle: unknown key 'modle'; did you mean 'model'?",
        f"{place}:3: model.provider: should be {kinds}, not 'antropic'; did you mean 'anthropic'?",
        f"{place}:4: model.nmae: unknown key 'nmae'; did you mean 'name'?",
        f"{place}:6: limits.turn_steps: should be greater than or equal to 1, not -1",
        f"{place}:7: turn_usd: unknown key 'turn_usd'; did you mean 'limits.turn_usd'?",
        f"{place}:8: timezone: no time zone is called 'Europe/Berln'; did you mean 'Europe/Berlin'?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a:\n  [1",
            ":3: this is no YAML: did not find expected ',' or ']' (while parsing a flow sequence, from line 2 on)",
        ),
        ("a: 1\n\tb: 2", ":2: this is no YAML: "),
        ("a: 1\na: 2", ":2: the key 'a' stands here twice: first on line 1"),
        ("limits: {turn_usd: 1, turn_usd: 2}", ":1: the key 'turn_usd' stands here twice"),
        ("a: &x 1\nb: *x", ":1: anchors and aliases"),
        ("- a\n- b", ":1: should hold `key: value` lines, not a list"),
        ("a: !!python/object/apply:os.getcwd []", "unknown key 'a'"),
        ("a: !!python/name:os.getcwd x", ":1: the tag 'tag:yaml.org,2002:python/name:os.getcwd' means nothing here"),
        ("? [a]\n: b", ":1: a key is one word"),
        ("a: 1\n---\nb: 2", ":2: this is no YAML: but found another document"),
        (b"a: \xff", ":1: byte 0xff is not UTF-8"),
        (b"a: 1\nb: \x00", ":2: this is no YAML: a character that is not allowed"),
        ("a: " + "[" * 100, ":1: nested more than 16 deep"),
        ("a: " + "[" * 20_000, "nest"),  # newer scanners refuse it themselves
        ("# " + "x" * 256 * 1024, ": longer than 256 KB"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(read: Load, text: str | bytes, expected: str) -> None:
    (line,) = problems(read, text)
    assert "config.yaml" in line
    assert expected in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default_agent: ../up", "'../up' is no id"),
        ("routing: {bindings: [{source: 'telegram:[', agent: pickle}]}", "routing.bindings.0.source: 'telegram:['"),
        ("routing: {bindings: [{source: x}]}", "routing.bindings.0.agent: is missing"),
        (
            "channels: {telegrm: {enabled: true}}",
            "channels.telegrm: unknown channel 'telegrm'; did you mean 'telegram'?",
        ),
        ("channels: {telegram: {enabled: 7}}", "channels.telegram.enabled: should be a valid boolean"),
        ("channels: {telegram: 7}", "channels.telegram: should be a mapping, not 7"),
        ("channels: [telegram]", "channels: should be a mapping, not a list"),
        ("approvals: {bash: aks}", "did you mean 'ask'?"),
        ("delivery: {first_delay: 1h}", "delivery.first_delay: is longer than delivery.max_delay (600 s)"),
        ("heartbeat: {active_hours: 8-22}", "heartbeat.active_hours: '8-22' does not fit here"),
        ("limits: {turn_seconds: 5y}", "'5y' is no duration"),
        ("limits: {turn_seconds: [1]}", "a list is no duration"),
        ("model: {name: [a]}", "model.name: should be text, not a list"),
        ("model: {provider: openai, base_url: [a]}", "model.base_url: should be text, not a list"),
        ("limits: {turn_usd: .inf}", "limits.turn_usd: should be"),
        ("limits: 5", "limits: should be a mapping, not 5"),
        ("mcp_servers: {x: {}}", "mcp_servers.x: needs either `command`"),
        ("mcp_servers: {x: {url: 'http://a', command: [b]}}", "mcp_servers.x: needs either `command`"),
        ("model: {base_url: localhost:8080}", "should be an address that begins with http:// or https://"),
        ("store: {url: 'mysql://ann:hunter2@host/x'}", "'mysql://***@host/x' does not fit here"),
        ("timezone: ../../etc/passwd", "no time zone is called"),
        ("gateway: {port: 70000}", "gateway.port: should be less than or equal to 65535, not 70000"),
    ],
)
def test_a_wrong_value_is_refused_in_words(read: Load, text: str, expected: str) -> None:
    (line,) = problems(read, text)
    assert expected in line
    assert "hunter2" not in line


def test_a_secret_pasted_in_the_place_of_its_name_is_not_repeated(read: Load) -> None:
    key = "sk-ant-api03-abcdefgh"
    lines = problems(
        read, f"model: {{api_key_env: {key}}}\nchannels: {{slack: {{app_token_env: {key}}}}}\ntoken: {key}"
    )
    assert len(lines) == 3
    assert key not in "".join(lines)


def test_a_flood_of_mistakes_is_cut_short(read: Load) -> None:
    lines = problems(read, "".join(f"key{n}: 1\n" for n in range(1000)))
    assert len(lines) == 51
    assert lines[-1].endswith("and 950 more")


def test_a_pipe_in_the_files_place_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match="no regular file"):
        load(Workspace(tmp_path), {})


def test_known_channels_are_there_and_keep_their_defaults_when_mentioned(read: Load) -> None:
    channels = read(
        "channels: {slack: {enabled: true, thread: always}, matrix: {use: my.matrix, room: 7}, file: }"
    ).channels
    assert set(channels) == {"cli", "telegram", "discord", "slack", "file", "matrix"}
    assert [name for name, channel in channels.items() if channel.enabled] == ["cli", "slack"]
    assert channels["slack"].options == {
        "token_env": "SLACK_BOT_TOKEN",
        "app_token_env": "SLACK_APP_TOKEN",
        "thread": "always",
    }
    assert channels["matrix"].use == "my.matrix"


def test_approvals_of_the_file_leave_the_other_rules_in_force(read: Load) -> None:
    assert read("approvals: {write_file: ask}").approvals == {"bash": "ask-unsandboxed", "write_file": "ask"}


def test_nothing_in_a_config_can_be_changed(read: Load) -> None:
    config = read()
    with pytest.raises(ValueError, match="frozen"):
        config.limits.turn_steps = 7


def test_the_schema_describes_every_key(read: Load) -> None:
    def undescribed(section: type[BaseModel]) -> list[str]:
        return [f"{section.__name__}.{name}" for name, field in section.model_fields.items() if not field.description]

    sections = [value for value in dict(Settings()).values() if isinstance(value, BaseModel)]
    assert undescribed(Settings) == []
    assert [name for section in sections for name in undescribed(type(section))] == []
    schema = json_schema()
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert schema["additionalProperties"] is False

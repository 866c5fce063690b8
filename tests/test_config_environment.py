"""The environment and `.env`: settings win over the file, secrets stay secret, keys stay at home."""

from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.config import Config, load, resolve_provider
from picklebot.errors import ConfigError
from picklebot.workspace import Workspace

Load = Callable[..., Config]


@pytest.fixture
def read(tmp_path: Path) -> Load:
    """Return a loader of a workspace with the given files."""

    def _read(env: dict[str, str], *, file: str = "", dotenv: str | None = None, mode: int = 0o600) -> Config:
        (tmp_path / "config.yaml").write_text(file)
        if dotenv is not None:
            path = tmp_path / ".env"
            path.write_text(dotenv)
            path.chmod(mode)
        return load(Workspace(tmp_path), env)

    return _read


def test_the_environment_wins_over_the_file_and_leaves_the_rest_of_it(read: Load) -> None:
    env = {
        "PICKLEBOT_DEFAULT_AGENT": "cookie",
        "PICKLEBOT_LIMITS__TURN_STEPS": "5",
        "PICKLEBOT_CHANNELS__TELEGRAM__ENABLED": "true",
        "PICKLEBOT_CHANNELS__TELEGRAM__ALLOW": "[42, 43]",
        "PICKLEBOT_DELIVERY__RETRY_FOR": "2h",
        "PICKLEBOT_WORKSPACE": "/elsewhere",
        "PICKLEBOT_TEST_ANYTHING": "x",
        "PICKLEBOT_MODEL__NAME": "",
        "HOME": "/home/ann",
    }
    config = read(env, file="default_agent: pickle\nlimits: {turn_steps: 7, turn_usd: 2}")
    assert config.default_agent == "cookie"
    assert (config.limits.turn_steps, config.limits.turn_usd) == (5, 2)
    assert config.channels["telegram"].enabled
    assert config.channels["telegram"].allow == ("42", "43")
    assert config.delivery.retry_for == 7200
    assert config.model.name == "claude-sonnet-5-5", "an empty variable says nothing"


def test_a_longer_name_changes_what_a_shorter_one_has_set(read: Load) -> None:
    config = read({"PICKLEBOT_MODEL__NAME": "b", "PICKLEBOT_MODEL": "{name: a, effort: low}"})
    assert (config.model.name, config.model.effort) == ("b", "low")


def test_null_in_the_environment_takes_back_what_the_file_says(read: Load) -> None:
    file = "model: {base_url: 'http://127.0.0.1:9', name: m}"
    assert read({"PICKLEBOT_MODEL__BASE_URL": "null"}, file=file).model.base_url is None


def test_a_variable_finds_a_key_that_the_file_spells_otherwise(read: Load) -> None:
    file = "mcp_servers: {My-Server: {url: 'http://a'}}"
    config = read({"PICKLEBOT_MCP_SERVERS__MY_SERVER__ENABLED": "false"}, file=file)
    assert [server.enabled for server in config.mcp_servers.values()] == [False]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PICKLEBOT_MODLE__NAME", "x", "unknown name; did you mean 'PICKLEBOT_MODEL__NAME'?"),
        ("PICKLEBOT_MODEL_NAME", "x", "unknown name; did you mean 'PICKLEBOT_MODEL__NAME'?"),
        ("PICKLEBOT_MODEL__", "x", "unknown name; did you mean"),
        ("PICKLEBOT_QQQ", "x", "unknown name; `picklebot config schema`"),
        ("PICKLEBOT_LIMITS__TURN_STEPS", "many", "should be a valid integer, not 'many'"),
        ("PICKLEBOT_CHANNELS__TELEGRM__ENABLED", "true", "unknown channel 'telegrm'; did you mean 'telegram'?"),
        ("PICKLEBOT_ROUTING__BINDINGS", "[{a", "this is no YAML"),
        ("PICKLEBOT_ROUTING__BINDINGS", "[{source: x}]", "is missing"),
    ],
)
def test_a_wrong_variable_is_named(read: Load, name: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read({name: value}, file="limits: {turn_steps: 3}")
    (line,) = str(caught.value).splitlines()
    assert line.startswith(name)
    assert expected in line


def test_the_same_mistake_in_file_and_environment_is_named_in_both(read: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        read({"PICKLEBOT_MODLE__NAME": "x"}, file="modle: {name: y}")
    first, second = str(caught.value).splitlines()
    assert first.startswith("PICKLEBOT_MODLE__NAME: unknown name")
    assert "config.yaml:1: modle: unknown key" in second


def test_a_secret_comes_from_the_environment_then_from_the_file(read: Load) -> None:
    dotenv = "# keys\nexport A='one # two'\nB=\"two\\nlines\" # note\nC=three # note\nD=a#b\nE=\nF='x' y\n\nnonsense\n"
    config = read({"C": "from the environment", "D": ""}, dotenv=dotenv)
    secrets = {name: config.secret(name) for name in "ABCDEFG"}
    assert secrets == {
        "A": "one # two",
        "B": "two\nlines",
        "C": "from the environment",
        "D": "a#b",
        "E": None,
        "F": None,
        "G": None,
    }
    assert [warning.split(": ")[0].rpartition(":")[2] for warning in config.warnings] == ["7", "9"]


@pytest.mark.parametrize(
    "name",
    ["PICKLEBOT_DEFAULT_AGENT", "ANTHROPIC_BASE_URL", "DATABASE_URL", "OLLAMA_HOST", "HTTPS_PROXY", "http_proxy"],
)
def test_the_secrets_file_sets_no_address_and_nothing_of_the_daemon(read: Load, name: str) -> None:
    config = read({}, dotenv=f"{name}=elsewhere\n")
    assert config.default_agent == "pickle"
    assert config.secret(name) is None
    (warning,) = config.warnings
    assert f".env:1: {name} is not read from here" in warning
    assert "elsewhere" not in warning


def test_a_secrets_file_that_others_may_read_draws_a_warning(read: Load) -> None:
    (warning,) = read({}, dotenv="A=b\n", mode=0o644).warnings
    assert "chmod 600" in warning


def test_a_secrets_file_has_a_largest_size(read: Load) -> None:
    with pytest.raises(ConfigError, match=r"\.env: longer than 64 KB"):
        read({}, dotenv="A=" + "x" * 65536)


def test_no_secret_is_shown_by_a_config(read: Load) -> None:
    file = "store: {url: 'postgresql://ann:hunter2@db/p'}"
    config = read({"ANTHROPIC_API_KEY": "sk-ant-1"}, file=file, dotenv="TELEGRAM_BOT_TOKEN=sk-tele-2\n")
    for shown in (repr(config), str(config), repr(config.warnings)):
        assert not any(secret in shown for secret in ("hunter2", "sk-ant-1", "sk-tele-2"))
    assert set(config.known_secrets()) == {"sk-ant-1", "sk-tele-2"}
    assert "sk-ant-1" not in config.model_dump_json()


def test_auto_means_anthropic_with_a_key_and_offline_without(read: Load) -> None:
    assert resolve_provider(read({})) == "offline"
    assert resolve_provider(read({"ANTHROPIC_API_KEY": "k"})) == "anthropic"
    assert resolve_provider(read({}, dotenv="ANTHROPIC_API_KEY=k\n")) == "anthropic"
    assert resolve_provider(read({"ANTHROPIC_API_KEY": "k", "PICKLEBOT_MODEL__PROVIDER": "offline"})) == "offline"


def test_the_main_key_goes_where_the_user_points_the_main_model(read: Load) -> None:
    env = {"PICKLEBOT_MODEL__PROVIDER": "anthropic", "PICKLEBOT_MODEL__BASE_URL": "http://127.0.0.1:9/"}
    model = read(env).model
    assert (model.api_key_env, model.base_url) == ("ANTHROPIC_API_KEY", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("provider: openai", "OPENAI_API_KEY"),
        ("provider: openai, base_url: 'https://api.openai.com/v1/'", "OPENAI_API_KEY"),
        ("provider: openai, base_url: 'http://127.0.0.1:11434/v1'", None),
        ("provider: openai, base_url: 'https://other.test/v1', api_key_env: OTHER_KEY", "OTHER_KEY"),
    ],
)
def test_no_default_key_goes_to_an_endpoint_of_another(read: Load, settings: str, key: str | None) -> None:
    assert read({}, file=f"model: {{{settings}}}").model.api_key_env == key


def test_a_further_provider_never_falls_back_to_the_main_key(read: Load) -> None:
    file = "model: {providers: {local: {provider: anthropic, base_url: 'http://127.0.0.1:9'}}}"
    config = read({"ANTHROPIC_API_KEY": "k"}, file=file)
    local = config.model.providers["local"]
    assert local.api_key_env is None
    assert config.secret(local.api_key_env) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.test", "127.0.0.1.example.test"])
def test_a_gateway_open_to_other_machines_needs_a_token(read: Load, host: str) -> None:
    env = {"PICKLEBOT_GATEWAY__HOST": host}
    with pytest.raises(ConfigError, match="can be reached by other machines"):
        read(env)
    env["PICKLEBOT_GATEWAY__TOKEN_ENV"] = "PICKLEBOT_TOKEN"
    with pytest.raises(ConfigError, match=r"PICKLEBOT_TOKEN is neither in the environment nor in"):
        read(env)
    with pytest.raises(ConfigError, match=r"PICKLEBOT_TOKEN is neither in the environment nor in"):
        read(env | {"PICKLEBOT_TOKEN": ""})
    assert read(env | {"PICKLEBOT_TOKEN": "t"}).gateway.host == host
    assert read({"PICKLEBOT_GATEWAY__HOST": host, "PICKLEBOT_GATEWAY__ENABLED": "false"}).gateway.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_gateway_on_loopback_needs_none(read: Load, host: str) -> None:
    assert read({"PICKLEBOT_GATEWAY__HOST": host}).gateway.token_env is None

"""What agents may do: the sandbox, rules, servers of tools, skills, and what comes together in one agent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from picklebot.agent.policy import Policy
from picklebot.cli.audit.risks import Premises, Risk
from picklebot.definitions.agents import AgentSpec
from picklebot.settings.values import is_loopback
from picklebot.tools.base import Tool
from picklebot.tools.toolset import Toolset
from picklebot.wiring.mcp import pins_of

RUNNERS = frozenset({"npx", "bunx", "pnpx", "uvx", "pipx"})  #: fetch a program, and run it
_VERSION = re.compile(r".+(@\d|==|@sha|@git\+.+@)")


def judge_powers(premises: Premises) -> Iterator[Risk]:
    """Find what an agent could do that its owner may not expect."""
    yield from _sandbox(premises)
    yield from _servers(premises)
    if premises.config.tools.local:
        yield Risk(
            severity="warn",
            rule="local-tools",
            message="tools/*.py of the workspace run inside the daemon, with all its rights",
            fix="read them, or tools.local: false",
        )
    for spec in premises.library.agents.values():
        yield from _agent(premises, spec)
    yield from _skills(premises)


def _sandbox(premises: Premises) -> Iterator[Risk]:
    settings, rule = premises.config.sandbox, premises.config.approvals.get("bash", "ask-unsandboxed")
    if settings.mode == "off":
        asked = rule in {"ask", "ask-unsandboxed", "deny"}
        yield Risk(
            severity="warn" if asked else "critical",
            rule="sandbox-off",
            message="there is no sandbox: a command may do what you may do" + ("" if asked else ", and runs unasked"),
            fix="sandbox: {mode: auto}",
        )
    elif not premises.sandboxed:
        yield Risk(
            severity="info",
            rule="no-sandbox",
            message="no sandbox holds on this machine, so agents have no bash",
            fix="picklebot doctor says what to install",
        )
    if settings.allow_off and settings.mode != "off":
        yield Risk(
            severity="warn",
            rule="sandbox-allow-off",
            message="an agent's file may switch its sandbox off",
            fix="sandbox: {allow_off: false}",
        )
    if settings.network:
        yield Risk(
            severity="warn",
            rule="sandbox-network",
            message="commands reach the whole network, your own machine's ports included",
            fix="sandbox: {network: false}, or approvals: {bash: ask}",
        )
    if premises.root:
        yield Risk(
            severity="warn",
            rule="runs-as-root",
            message="picklebot runs as root: what gets out of the sandbox is root",
            fix="give it a user of its own",
        )


def _servers(premises: Premises) -> Iterator[Risk]:
    for name, server in premises.config.mcp_servers.items():
        if not server.enabled:
            continue
        if server.command and (not server.sandbox or premises.config.sandbox.mode == "off"):
            yield Risk(
                severity="warn",
                rule="mcp-unsandboxed",
                message=f"the server {name} runs without a sandbox, as your user",
                fix=f"mcp_servers.{name}.sandbox: true" if not server.sandbox else "sandbox: {mode: auto}",
            )
        if server.command and _unpinned(server.command):
            yield Risk(
                severity="warn",
                rule="mcp-unpinned",
                message=f"the server {name} is fetched anew in whatever version there is: {' '.join(server.command[:4])}",
                fix="name a version, as in `npx -y package@1.2.3` or `uvx package==1.2.3`",
            )
        if server.url and server.url.startswith("http://") and not is_loopback(_host(server.url)):
            yield Risk(
                severity="critical" if server.token_env else "warn",
                rule="mcp-unencrypted",
                message=f"what the server {name} is told travels unencrypted"
                + (", its token too" if server.token_env else ""),
                fix=f"mcp_servers.{name}.url: https://...",
            )
        yield from _seen(premises, name)


def _unpinned(command: Sequence[str]) -> bool:
    """Return whether a command fetches a program without saying which version."""
    if Path(command[0]).name not in RUNNERS:
        return False
    named = [each for each in command[1:] if not each.startswith("-")]
    return not named or not _VERSION.match(named[0])


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _seen(premises: Premises, name: str) -> Iterator[Risk]:
    pins = pins_of(premises.config)
    if pins.of(name) is None and premises.config.mcp_servers[name].trust == "first-use":
        yield Risk(
            severity="info",
            rule="mcp-unseen",
            message=f"the server {name} was never seen: what it offers the first time is let in unread",
            fix=f"picklebot tools trust {name} shows it first",
        )
    elif noticed := pins.noticed(name):
        yield Risk(
            severity="warn",
            rule="mcp-changed",
            message=f"the server {name} is not what was let in ({noticed}); what changed or is new is not used",
            fix=f"picklebot tools trust {name} shows it, and lets it in",
        )


def _agent(premises: Premises, spec: AgentSpec) -> Iterator[Risk]:
    """Judge what comes together in one agent: private things, things from outside, and a way to send."""
    rules = (premises.config.approvals, spec.approvals)
    policy = Policy(rules=rules, sandbox=spec.sandbox, apart=premises.config.sandbox.mode != "off")
    chosen = Toolset(premises.tools.values()).select(spec.tools, spec.disallowed_tools)
    held = {tool.name: tool for tool in policy.permitted(chosen)}
    shell = "bash" in held and not policy.asks("bash")
    unconfined = spec.sandbox == "off" or premises.config.sandbox.mode == "off"
    if spec.sandbox == "off" and premises.config.sandbox.allow_off:
        yield Risk(
            severity="critical" if shell else "warn",
            rule="agent-unsandboxed",
            message=f"agent {spec.id} runs without a sandbox" + (", and its commands unasked" if shell else ""),
            fix=f"take `sandbox: off` out of {spec.path.name}, or approvals: {{bash: ask}}",
        )
    if not any(tool.outside for tool in held.values()) or not shell:
        return
    allowed = any(rule.get("bash") == "allow" for rule in rules)
    open_ = unconfined or premises.config.sandbox.network or bool(premises.config.sandbox.hosts)
    if allowed or open_:
        yield Risk(
            severity="critical" if open_ else "warn",
            rule="lethal-trifecta",
            message=f"agent {spec.id} reads what strangers write ({_some(held)}), reads what is yours, and runs commands unasked"
            + (", which reach the network" if open_ else ""),
            fix="approvals: {bash: ask}, or give the web and the shell to two agents",
        )


def _skills(premises: Premises) -> Iterator[Risk]:
    if not premises.config.tools.pin_skills:
        yield Risk(
            severity="warn",
            rule="skills-unpinned",
            message="whoever changes a file of a skill changes what agents do, and nobody is asked",
            fix="tools: {pin_skills: true}",
        )
    for name, spec in sorted(premises.library.skills.items()):
        if words := premises.library.withheld(spec):
            yield Risk(
                severity="warn",
                rule="skill-changed",
                message=f"the skill {name} is not used: {words}",
                fix=f"read it, then picklebot skills trust {name}",
            )


def _some(held: Mapping[str, Tool]) -> str:
    return ", ".join(sorted(name for name, tool in held.items() if tool.outside)[:3])

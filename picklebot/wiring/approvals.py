"""Who carries out what the owner approves, by the kind of the proposal. Knows no proposal."""

from collections.abc import Mapping

from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.wiring.parts import Parts
from picklebot.wiring.stage import now_in
from picklebot.wiring.tasks import Unasked
from picklebot.workers.approvals import Apply, Approvals, Budgets
from picklebot.workers.call_consent import KIND as CALL
from picklebot.workers.call_consent import CallAnswers, CallConsent, Reach
from picklebot.workers.definitions import DefinitionWorker
from picklebot.workers.file_approval import FileApproval
from picklebot.workers.task_consent import KIND as TASK
from picklebot.workers.task_consent import TaskConsent


def approvals_for(
    config: Config,
    clock: Clock,
    parts: Parts,
    definitions: DefinitionWorker,
    *,
    budgets: Budgets,
    consent: TaskConsent,
) -> Approvals:
    """Return the commands with which the owner answers."""
    files = FileApproval(config.workspace.root, reload=definitions.reload, approved=parts.library.approve)
    calls = CallAnswers(sleepers=parts.store.dispatches, bus=parts.bus)
    appliers: Mapping[str, Apply] = {"file": files.apply, TASK: consent.apply, CALL: calls.apply}
    return Approvals(
        proposals=parts.store.proposals,
        appliers=appliers,
        refusers={TASK: consent.refuse, CALL: calls.refuse},
        budgets=budgets,
        is_owner=parts.people.is_owner,
        now=now_in(config, clock),
    )


def consent_for(config: Config, clock: Clock, parts: Parts, unasked: Unasked) -> CallConsent:
    """Return what asks the owner about single calls of tools."""
    return CallConsent(
        proposals=parts.store.proposals,
        sleepers=parts.store.dispatches,
        owner=Reach(is_owner=parts.people.is_owner, places=unasked.places, tell=unasked.posting.ask),
        now=now_in(config, clock),
        root=config.workspace.root,
    )

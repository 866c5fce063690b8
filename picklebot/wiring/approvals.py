"""Who carries out what the owner approves, by the kind of the proposal. Knows no proposal."""

from collections.abc import Mapping

from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.wiring.parts import Parts
from picklebot.wiring.stage import now_in
from picklebot.workers.approvals import Apply, Approvals, Budgets
from picklebot.workers.definitions import DefinitionWorker
from picklebot.workers.file_approval import FileApproval
from picklebot.workers.places import is_owner
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
    files = FileApproval(config.workspace.root, reload=definitions.reload)
    appliers: Mapping[str, Apply] = {"file": files.apply, TASK: consent.apply}
    return Approvals(
        proposals=parts.store.proposals,
        appliers=appliers,
        refusers={TASK: consent.refuse},
        budgets=budgets,
        is_owner=is_owner,
        now=now_in(config, clock),
    )

"""What each worker needs to survive, as a Protocol a consumer, and the values that pass through them.

Every method that changes something is one transaction: all of it is on disk when it returns, or none is.
Promises contracts.md section 1. Knows no SQL.
"""

from picklebot.store.base.audit import Audit as Audit
from picklebot.store.base.audit import AuditEntry as AuditEntry
from picklebot.store.base.audit import AuditKind as AuditKind
from picklebot.store.base.audit import AuditProof as AuditProof
from picklebot.store.base.bindings import Bindings as Bindings
from picklebot.store.base.bindings import MadeBinding as MadeBinding
from picklebot.store.base.compactions import CompactionReport as CompactionReport
from picklebot.store.base.compactions import Compactions as Compactions
from picklebot.store.base.compactions import Sight as Sight
from picklebot.store.base.dispatches import Dispatches as Dispatches
from picklebot.store.base.dispatches import Standing as Standing
from picklebot.store.base.fates import Fate as Fate
from picklebot.store.base.fates import Fates as Fates
from picklebot.store.base.fates import FateState as FateState
from picklebot.store.base.flow import POISON as POISON
from picklebot.store.base.flow import Acceptance as Acceptance
from picklebot.store.base.flow import Arrival as Arrival
from picklebot.store.base.flow import CalledOff as CalledOff
from picklebot.store.base.flow import Conclusion as Conclusion
from picklebot.store.base.flow import Inbox as Inbox
from picklebot.store.base.flow import Outbox as Outbox
from picklebot.store.base.flow import OutboxRow as OutboxRow
from picklebot.store.base.flow import Quay as Quay
from picklebot.store.base.flow import Turn as Turn
from picklebot.store.base.flow import Turns as Turns
from picklebot.store.base.jobs import Claimed as Claimed
from picklebot.store.base.jobs import Firing as Firing
from picklebot.store.base.jobs import Held as Held
from picklebot.store.base.jobs import InstantReport as InstantReport
from picklebot.store.base.jobs import JobBook as JobBook
from picklebot.store.base.jobs import JobState as JobState
from picklebot.store.base.jobs import Progress as Progress
from picklebot.store.base.jobs import Row as Row
from picklebot.store.base.jobs import Tripped as Tripped
from picklebot.store.base.joining import Answers as Answers
from picklebot.store.base.joining import Joined as Joined
from picklebot.store.base.joining import Joining as Joining
from picklebot.store.base.ledger import Counts as Counts
from picklebot.store.base.ledger import Heading as Heading
from picklebot.store.base.ledger import Ledger as Ledger
from picklebot.store.base.ledger import Spend as Spend
from picklebot.store.base.ledger import external_among as external_among
from picklebot.store.base.ledger import total as total
from picklebot.store.base.pairings import Pairings as Pairings
from picklebot.store.base.proposals import Proposals as Proposals
from picklebot.store.base.proposals import Settlement as Settlement
from picklebot.store.base.refusals import Refusal as Refusal
from picklebot.store.base.refusals import Refusals as Refusals
from picklebot.store.base.refusals import Waiting as Waiting
from picklebot.store.base.sessions import Log as Log
from picklebot.store.base.sessions import Session as Session
from picklebot.store.base.sessions import Sessions as Sessions

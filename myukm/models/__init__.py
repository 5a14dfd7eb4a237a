"""The tables. Importing this package registers all of them with SQLAlchemy."""

from myukm.models.activity import Activity
from myukm.models.alert import Alert
from myukm.models.chat import ChatMention, ChatMessage, ChatReaction, MessageReport, UkmPin
from myukm.models.chat_file import ChatFile
from myukm.models.export import Export, ExportPart
from myukm.models.installation import Installation
from myukm.models.invitation import Invitation
from myukm.models.leader import LeaderLease
from myukm.models.password_reset import PasswordReset
from myukm.models.payment_change import PaymentChange
from myukm.models.payment_journal import (
    ClosedDay,
    DailyBalance,
    PaymentJournal,
    VanishedBill,
)
from myukm.models.photo import Photo
from myukm.models.push import (
    PushCursor,
    PushDelivery,
    PushKey,
    PushPreference,
    PushSubscription,
)
from myukm.models.queue_pause import QueuePause
from myukm.models.queue_sample import QueueSample
from myukm.models.roster import RosterChange, RosterImport, RosterPart
from myukm.models.schedule import SyncSchedule
from myukm.models.siswa import Siswa
from myukm.models.student_code import StudentCode
from myukm.models.sync import (
    SyncItem,
    SyncLane,
    SyncRequest,
    SyncRun,
    SyncSample,
    SyncTraffic,
)
from myukm.models.tagihan import BillSet, PaymentLoss, Tagihan
from myukm.models.ukm import JoinRequest, Membership, Ukm, UkmBlock
from myukm.models.user import LoginSession, Role, User

__all__ = [
    "Activity",
    "Alert",
    "BillSet",
    "ChatFile",
    "ChatMention",
    "ChatMessage",
    "ChatReaction",
    "ClosedDay",
    "DailyBalance",
    "Export",
    "ExportPart",
    "Installation",
    "Invitation",
    "JoinRequest",
    "LeaderLease",
    "LoginSession",
    "Membership",
    "MessageReport",
    "PasswordReset",
    "PaymentChange",
    "PaymentJournal",
    "PaymentLoss",
    "Photo",
    "PushCursor",
    "PushDelivery",
    "PushKey",
    "PushPreference",
    "PushSubscription",
    "QueuePause",
    "QueueSample",
    "Role",
    "RosterChange",
    "RosterImport",
    "RosterPart",
    "Siswa",
    "StudentCode",
    "SyncItem",
    "SyncLane",
    "SyncRequest",
    "SyncRun",
    "SyncSample",
    "SyncSchedule",
    "SyncTraffic",
    "Tagihan",
    "Ukm",
    "UkmBlock",
    "UkmPin",
    "User",
    "VanishedBill",
]

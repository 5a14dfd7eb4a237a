"""The tables. Importing this package registers all of them with SQLAlchemy."""

from myukm.models.activity import Activity
from myukm.models.alert import Alert
from myukm.models.chat import ChatMention, ChatMessage, ChatReaction, MessageReport, UkmPin
from myukm.models.installation import Installation
from myukm.models.invitation import Invitation
from myukm.models.leader import LeaderLease
from myukm.models.password_reset import PasswordReset
from myukm.models.payment_change import PaymentChange
from myukm.models.photo import Photo
from myukm.models.schedule import SyncSchedule
from myukm.models.siswa import Siswa
from myukm.models.sync import (
    SyncItem,
    SyncLane,
    SyncRequest,
    SyncRun,
    SyncSample,
    SyncTraffic,
)
from myukm.models.tagihan import PaymentLoss, Tagihan
from myukm.models.ukm import Membership, Ukm, UkmBlock
from myukm.models.user import LoginSession, Role, User

__all__ = [
    "Activity",
    "Alert",
    "ChatMention",
    "ChatMessage",
    "ChatReaction",
    "Installation",
    "Invitation",
    "LeaderLease",
    "LoginSession",
    "Membership",
    "MessageReport",
    "PasswordReset",
    "PaymentChange",
    "PaymentLoss",
    "Photo",
    "Role",
    "Siswa",
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
]

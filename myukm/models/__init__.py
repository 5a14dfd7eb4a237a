"""The tables. Importing this package registers all of them with SQLAlchemy."""

from myukm.models.alert import Alert
from myukm.models.audit import Audit
from myukm.models.chat import ChatMessage, ChatReaction, MessageReport, UkmPin
from myukm.models.invitation import Invitation
from myukm.models.leader import LeaderLease
from myukm.models.password_reset import PasswordReset
from myukm.models.payment_change import PaymentChange
from myukm.models.photo import Photo
from myukm.models.siswa import Siswa
from myukm.models.sync import (
    SyncAction,
    SyncItem,
    SyncLane,
    SyncRequest,
    SyncRun,
    SyncSample,
    SyncTraffic,
)
from myukm.models.ukm import Membership, Ukm, UkmBlock, UkmLog
from myukm.models.user import LoginSession, Role, User

__all__ = [
    "Alert",
    "Audit",
    "ChatMessage",
    "ChatReaction",
    "Invitation",
    "LeaderLease",
    "LoginSession",
    "Membership",
    "MessageReport",
    "PasswordReset",
    "PaymentChange",
    "Photo",
    "Role",
    "Siswa",
    "SyncAction",
    "SyncItem",
    "SyncLane",
    "SyncRequest",
    "SyncRun",
    "SyncSample",
    "SyncTraffic",
    "Ukm",
    "UkmBlock",
    "UkmLog",
    "UkmPin",
    "User",
]

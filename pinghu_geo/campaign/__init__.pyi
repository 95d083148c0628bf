from .faces import WorkingFaces, working_faces
from .funds import payments
from .network import critical_path
from .oversight import Supervision, supervision
from .planning import Schedule, schedule
from .progress import ProgressState, progress_faults, progress_state
from .reaches import BalancedReaches, balanced_reaches
from .reports import read_reports, update_progress
from .stages import stage_rules, work_days
from .standing import Campaign
from .store import CampaignStore, open_store
from .tasks import CampaignTasks, campaign_tasks

__all__ = [
    "BalancedReaches",
    "Campaign",
    "CampaignStore",
    "CampaignTasks",
    "ProgressState",
    "Schedule",
    "Supervision",
    "WorkingFaces",
    "balanced_reaches",
    "campaign_tasks",
    "critical_path",
    "open_store",
    "payments",
    "progress_faults",
    "progress_state",
    "read_reports",
    "schedule",
    "stage_rules",
    "supervision",
    "update_progress",
    "work_days",
    "working_faces",
]

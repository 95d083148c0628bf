from .faces import WorkingFaces, working_faces
from .funds import payments
from .network import critical_path
from .oversight import Supervision, supervision
from .planning import Schedule, schedule
from .progress import ProgressState, progress_faults, progress_state
from .reaches import BalancedReaches, balanced_reaches
from .stages import stage_rules, work_days
from .tasks import CampaignTasks, campaign_tasks

__all__ = [
    "BalancedReaches",
    "CampaignTasks",
    "ProgressState",
    "Schedule",
    "Supervision",
    "WorkingFaces",
    "balanced_reaches",
    "campaign_tasks",
    "critical_path",
    "payments",
    "progress_faults",
    "progress_state",
    "schedule",
    "stage_rules",
    "supervision",
    "work_days",
    "working_faces",
]

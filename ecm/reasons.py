"""Why something was corrected or entered by hand, and what was done about it: two lists.

A code is never deleted, only archived. `reason_code` says why, `action_taken` what somebody did then. Evidence from
a doorstep may carry any reason at all, because no setting may stop a check-in; these lists bind what is done at a desk.
"""

from __future__ import annotations

from enum import StrEnum


class ReasonCode(StrEnum):
    FORGOT_CHECK_IN = "forgot_check_in"
    FORGOT_CHECK_OUT = "forgot_check_out"
    PHONE_PROBLEM = "phone_problem"
    NO_SIGNAL = "no_signal"
    LANDLINE_UNAVAILABLE = "landline_unavailable"
    WRONG_TIME = "wrong_time"
    WRONG_PERSON = "wrong_person"
    WRONG_VISIT = "wrong_visit"
    DUPLICATE = "duplicate"
    TEST = "test"
    NO_ACCESS = "no_access"
    NO_REPLY = "no_reply"
    REFUSED = "refused"
    IN_HOSPITAL = "in_hospital"
    CANCELLED_BY_PERSON = "cancelled_by_person"
    CANCELLED_BY_PROVIDER = "cancelled_by_provider"
    CANCELLED_BY_COMMISSIONER = "cancelled_by_commissioner"
    WORKER_CHANGED = "worker_changed"
    OTHER = "other"


class ActionTaken(StrEnum):
    PHONED_PERSON = "phoned_person"
    PHONED_WORKER = "phoned_worker"
    PHONED_FAMILY = "phoned_family"
    SENT_SOMEBODY = "sent_somebody"
    TOLD_COMMISSIONER = "told_commissioner"
    REARRANGED = "rearranged"
    NONE = "none"


REASONS = {
    ReasonCode.FORGOT_CHECK_IN: "The care worker forgot to check in",
    ReasonCode.FORGOT_CHECK_OUT: "The care worker forgot to check out",
    ReasonCode.PHONE_PROBLEM: "The phone did not work",
    ReasonCode.NO_SIGNAL: "No signal, and the phone was lost before it sent",
    ReasonCode.LANDLINE_UNAVAILABLE: "The person's landline could not be used",
    ReasonCode.WRONG_TIME: "Recorded at the wrong time",
    ReasonCode.WRONG_PERSON: "Recorded for the wrong person",
    ReasonCode.WRONG_VISIT: "Recorded on the wrong visit",
    ReasonCode.DUPLICATE: "Recorded twice",
    ReasonCode.TEST: "A test or a training",
    ReasonCode.NO_ACCESS: "Nobody could get in",
    ReasonCode.NO_REPLY: "Nobody answered the door",
    ReasonCode.REFUSED: "The person did not want care",
    ReasonCode.IN_HOSPITAL: "The person is in hospital",
    ReasonCode.CANCELLED_BY_PERSON: "Cancelled by the person or the family",
    ReasonCode.CANCELLED_BY_PROVIDER: "Cancelled by the provider",
    ReasonCode.CANCELLED_BY_COMMISSIONER: "Cancelled by the commissioner",
    ReasonCode.WORKER_CHANGED: "Another care worker went",
    ReasonCode.OTHER: "Something else; say what in the note",
}
ACTIONS = {
    ActionTaken.PHONED_PERSON: "Rang the person",
    ActionTaken.PHONED_WORKER: "Rang the care worker",
    ActionTaken.PHONED_FAMILY: "Rang the family",
    ActionTaken.SENT_SOMEBODY: "Sent somebody",
    ActionTaken.TOLD_COMMISSIONER: "Told the commissioner",
    ActionTaken.REARRANGED: "Rearranged the visit",
    ActionTaken.NONE: "Nothing needed doing",
}

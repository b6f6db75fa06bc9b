"""One thing that was looked at."""

import dataclasses

WELL, NOTE, MEND = "well", "note", "mend"


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was found of one thing, and what to do.

    Attributes:
        subject: What was looked at, two words at most.
        found: What is there, in words.
        state: `WELL`; `NOTE`, what some people lack and others never need; or
            `MEND`, what keeps runs from working.
        remedy: What to do; empty where nothing is to be done.
    """

    subject: str
    found: str
    state: str = WELL
    remedy: str = ""

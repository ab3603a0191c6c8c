"""The telephone without a cloud: a SIP trunk rings us, and we conduct the interview ourselves.

    wire         datagrams: strangers, garbage, what comes twice, what is lost
    signalling   who rings, and how it ends (aiosipua)
    media        the sound of one call, out; its keys, in (aiortp)
    digits       which keys were pressed
    pacer        one clock for all that is said
    voice        words to sound (espeak-ng), kept
    ear          the digits a turn asks for
    attend       one telephone call from its INVITE to its end
    door         all of them together

The interview is `ingest.telephone.interview`; nothing here decides what is asked.
"""

from __future__ import annotations

from ingest.telephone.sip.door import SipDoor, Where
from ingest.telephone.sip.voice import NoVoice, Voice

__all__ = ["NoVoice", "SipDoor", "Voice", "Where"]

"""A turn as the gateway reads it: TwiML, a handful of elements, written and escaped here.

<Response>
  <Gather input="dtmf" action="…/voice/step?step=0" method="POST" numDigits="10" finishOnKey="#" timeout="8"
          actionOnEmptyResult="true"><Say voice="Polly.Amy" language="en-GB">Key in your PIN…</Say></Gather>
  <Redirect method="POST">…/voice/step?step=0</Redirect>     for a gateway that does not know the last attribute
</Response>
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from ingest.telephone.prompts import spoken, voice, written
from ingest.telephone.turn import Say, Turn

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def of_turn(turn: Turn, step_url: str) -> str:
    """`step_url`: where to hand in what is heard of this turn."""
    if turn.reject:
        return _response(_element("Reject"))
    said = "".join(_say(turn.interview.language, say) for say in turn.says)
    if turn.gather is None:
        return _response(said + _element("Hangup"))
    gather = _element(
        "Gather",
        said,
        input="dtmf",
        action=step_url,
        method="POST",
        numDigits=str(turn.gather.max_digits),
        finishOnKey=turn.gather.finish_key,
        timeout=str(turn.gather.timeout_s),
        actionOnEmptyResult="true",
    )
    return _response(gather + _redirect(step_url))


def hang_up() -> str:
    return _response(_element("Hangup"))


def nothing() -> str:
    return _response("")


def ask_again(url: str, wait_s: int, says: tuple[tuple[str, Say], ...] = ()) -> str:
    """To wait and ask once more. Without a word the telephone goes on ringing, because nothing answers it."""
    said = "".join(_say(language, say) for language, say in says)
    return _response(said + _element("Pause", length=str(wait_s)) + _redirect(url))


def give_up(says: tuple[tuple[str, Say], ...]) -> str:
    return _response("".join(_say(language, say) for language, say in says) + _element("Hangup"))


def of_text(language: str, say: Say) -> str:
    """The answer to a text message."""
    return _response(_element("Message", escape(written(language, say))))


def _say(language: str, say: Say) -> str:
    name, locale = voice(language, say)
    return _element("Say", escape(spoken(language, say)), voice=name, language=locale)


def _redirect(url: str) -> str:
    return _element("Redirect", escape(url), method="POST")


def _response(inside: str) -> str:
    return f"{HEAD}{_element('Response', inside)}"


def _element(name: str, inside: str = "", **attributes: str) -> str:
    """`inside`: XML, escaped already."""
    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said} />"

"""Cymraeg."""

from __future__ import annotations

VOICE = ("Polly.Gwyneth", "cy-GB")

TEXTS = {
    "welcome": "Croeso i'r gwasanaeth cofnodi ymweliadau.",
    "for_this_language": "Ar gyfer Cymraeg, pwyswch {digits}, yna stwnsh.",
    "ask_pin": "Rhowch eich PIN, yna stwnsh.",
    "ask_staff": "Rhowch eich rhif staff, neu rif eich ffôn symudol eich hun, yna stwnsh.",
    "ask_way": "I gofnodi cyrraedd, pwyswch 1. I gofnodi gadael, pwyswch 2.",
    "offer_person": "Ar gyfer {person}, pwyswch {digits}.",
    "offer_person_at": "Ar gyfer {person}, am {time}, pwyswch {digits}.",
    "ask_other": "Ar gyfer rhywun arall, pwyswch {digits}.",
    "ask_card": "Rhowch rif y cerdyn sydd yn y cartref, yna stwnsh. Os nad oes un, pwyswch stwnsh.",
    "ask_code": "Rhowch y cod sydd ar y cerdyn yn y cartref nawr, yna stwnsh. Os nad oes un, pwyswch stwnsh.",
    "ask_answered": "Dyma'r gwasanaeth cofnodi ymweliadau yn ffonio'n ôl. Rhowch y cod a gawsoch.",
    "ask_tasks": "Rhowch rifau'r tasgau a wnaethoch, o 1 i {digits}, yna stwnsh. Neu rhowch y ffôn i lawr.",
    "help_welcome": "Eich PIN yw'r rhif a gawsoch gan eich swyddfa. Pwyswch stwnsh ar ei ôl.",
    "help_staff": "Mae eich rhif staff ar eich bathodyn neu'ch rota. Gallwch roi rhif eich ffôn symudol hefyd.",
    "help_pin": "Eich PIN yw'r rhif a gawsoch gan eich swyddfa. Os nad oes disgwyl i chi fod yma heddiw, pwyswch 9,"
    " yna stwnsh.",
    "help_way": "Pwyswch 1 wrth gyrraedd a 2 wrth adael. Mae'r amser yn cyfrif o'r eiliad honno.",
    "help_person": "Pwyswch y rhif a roddwyd ar gyfer y person rydych yn ymweld â nhw.",
    "help_card": "Mae'r rhif wedi'i argraffu ar y cerdyn. Mae eich amser eisoes wedi'i gadw.",
    "help_code": "Mae'r cerdyn yn dangos cod newydd bob munud. Mae eich amser eisoes wedi'i gadw.",
    "help_answered": "Cafodd y sawl oedd yn cofnodi bedwar digid. Gall unrhyw un arall roi'r ffôn i lawr.",
    "help_tasks": "Rhifau'r cynllun gofal ydynt. Mae eich amser eisoes wedi'i gofnodi.",
    "not_heard": "Ni chlywyd dim.",
    "not_understood": "Nid oedd hynny'n un o'r dewisiadau.",
    "nothing_recorded": "Ni chofnodwyd dim. Ffoniwch eto, neu dywedwch wrth eich swyddfa.",
    "goodbye": "Hwyl fawr.",
    "staff_unknown": "Nid yw'r rhif hwnnw'n hysbys.",
    "pin_wrong": "Nid yw'r PIN hwnnw'n hysbys yma. Os nad oes disgwyl i chi fod yma heddiw, pwyswch 9, yna stwnsh.",
    "pin_unclear": "Mae gan fwy nag un person yma y PIN hwnnw.",
    "too_many_here": "Rhoddwyd gormod o PINau anghywir o'r ffôn hwn.",
    "too_many": "Rhoddwyd gormod o PINau anghywir. Ceisiwch eto ymhen chwarter awr, neu dywedwch wrth eich swyddfa.",
    "card_unknown": "Nid yw'r cerdyn hwnnw'n hysbys.",
    "caller_mobile": "Rydych yn ffonio o ffôn symudol. Cofnodir eich ymweliad, a nodir hynny.",
    "caller_unknown": "Nid ffôn cartref y person yw hwn. Cofnodir eich ymweliad, a nodir hynny.",
    "caller_withheld": "Mae eich rhif wedi'i guddio. Cofnodir eich ymweliad, a nodir hynny.",
    "ring_back": "Byddwn yn ffonio'r ffôn hwn yn ôl nawr. Rhowch y ffôn i lawr, atebwch, a rhowch {digits}."
    " Unwaith eto: {digits}.",
    "checked_in": "Rydych gyda {person}. Mae hi'n {time}. Mae eich cyrraedd wedi'i gofnodi.",
    "checked_in_somewhere": "Mae hi'n {time}. Mae eich cyrraedd wedi'i gofnodi. Bydd eich swyddfa'n gweld cartref pwy"
    " ydyw.",
    "checked_out": "Rydych yn gadael {person}. Mae hi'n {time}. Mae eich gadael wedi'i gofnodi.",
    "checked_out_somewhere": "Mae hi'n {time}. Mae eich gadael wedi'i gofnodi. Bydd eich swyddfa'n gweld cartref pwy"
    " ydyw.",
    "not_recorded": "Ni ellid cofnodi hynny. Dywedwch wrth eich swyddfa.",
    "tasks_kept": "Mae'r tasgau wedi'u nodi.",
    "try_again": "Un eiliad, os gwelwch yn dda.",
    "away": "Ni ellir cyrraedd y gwasanaeth ar hyn o bryd. Ffoniwch eto ymhen ychydig funudau, neu dywedwch wrth eich"
    " swyddfa.",
    "sms_in": "Wedi cyrraedd {person}, {time}.",
    "sms_in_somewhere": "Wedi cyrraedd, {time}. Bydd y swyddfa'n gweld cartref pwy ydyw.",
    "sms_out": "Wedi gadael {person}, {time}.",
    "sms_out_somewhere": "Wedi gadael, {time}. Bydd y swyddfa'n gweld cartref pwy ydyw.",
    "sms_unknown_mobile": "Nid yw'r ffôn hwn wedi'i gofrestru gyda ni, felly ni chofnodwyd dim. Holwch eich swyddfa.",
    "sms_unclear": "Ni chofnodwyd dim. Anfonwch MEWN wrth gyrraedd ac ALLAN wrth adael.",
    "sms_several": "Mae gan sawl person y ffôn hwn. Ychwanegwch eich PIN: MEWN, bwlch, eich PIN. Ni chofnodwyd dim.",
    "sms_not_recorded": "Ni ellid cofnodi hynny. Dywedwch wrth eich swyddfa.",
}

TITLES: dict[str, str] = {}

DIGITS = ("dim", "un", "dau", "tri", "pedwar", "pump", "chwech", "saith", "wyth", "naw")

_HOURS = (*DIGITS[1:], "deg", "un ar ddeg", "deuddeg")
_TENS = ("", "deg", "dau ddeg", "tri deg", "pedwar deg", "pum deg")
_PARTS = ((5, "y nos"), (12, "y bore"), (18, "y prynhawn"), (22, "yr hwyr"), (24, "y nos"))


def clock(hour: int, minute: int) -> tuple[str, ...]:
    """9:02: naw, dim dau, y bore."""
    past = "o'r gloch" if minute == 0 else f"dim {DIGITS[minute]}" if minute < 10 else _number(minute)
    return _HOURS[(hour + 11) % 12], past, next(part for until, part in _PARTS if hour < until)


def _number(n: int) -> str:
    if n < 20:
        return "deg" if n == 10 else f"un deg {DIGITS[n % 10]}"
    return f"{_TENS[n // 10]} {DIGITS[n % 10]}" if n % 10 else _TENS[n // 10]
